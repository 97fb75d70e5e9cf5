//! What became of orders, told to others: each change of an order's status is one row of the outbox, written by a reaction
//! under an id that follows from the event. From there it goes to the shop's webhooks, in the same statement, and to a topic
//! once a relay reads it. Imports are told to nobody.

mod notification;
mod reaction;

pub use notification::{Notification, TYPES, notification_id};
pub use reaction::TellOthers;
