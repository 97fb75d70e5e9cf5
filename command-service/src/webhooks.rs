//! The shop's webhooks: where they go, what is still to be delivered, and the worker that delivers it. At least once, under
//! an id that stays the same; a slow or broken endpoint holds up no other.

mod addresses;
mod attempt;
mod backoff;
mod bell;
mod deliveries;
mod endpoints;
mod failure;
mod url;
mod worker;

pub use addresses::AllowedAddresses;
pub use attempt::Sender;
pub use backoff::Patience;
pub use bell::Bell;
pub use deliveries::{Attempted, Deliveries, Delivery, DeliveryPlace};
pub use endpoints::{Endpoint, EndpointChange, Endpoints, SEALED};
pub use failure::WebhookError;
pub use url::parse as parse_url;
pub use worker::Delivering;
