//! How one service follows the log of another, or its own: feeds, the one runner with its fenced checkpoints, parked
//! streams, and durable timers.
//!
//! A [`Projector`] builds state and has no other effect; a [`Reaction`] has effects and is never run again by a
//! rebuild; a [`Tail`] keeps nothing. All three read from a [`Feed`] found by name in the [`FeedRegistry`]. Tables are
//! named without a schema: the pool's search path decides whose they are.

pub mod checkpoint;
mod error;
pub mod feed;
mod handler;
mod migrations;
pub mod parked;
mod reader;
mod registry;
mod tail;
pub mod timer;

pub use error::HandleError;
pub use feed::{Feed, FeedError, FeedPage, Heads};
pub use handler::{Page, Projector, Reaction, StartFrom, derived_command_id};
pub use migrations::{HISTORY_TABLE, migrate, migrations};
pub use reader::{PartitionStatus, Reader, ReaderHandle, ReaderStatus, Target, WaitError};
pub use registry::{FeedRegistry, RemoteLog, Subscription};
pub use tail::{Tail, TailError};
