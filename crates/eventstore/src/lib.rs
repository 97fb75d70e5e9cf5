//! The event log of a service on Postgres: dense, gap-free, partitioned.
//!
//! [`EventLog`] appends and reads; [`EventLog::execute`] runs a [`Decider`] on a stream; [`Claims`] make a request
//! with an Idempotency-Key happen once. Tables are named without a schema: the pool's search path decides whose log
//! it is. Feeds, checkpoints and projectors are another crate's.

pub mod append;
pub mod decider;
mod epoch;
pub mod execute;
pub mod idempotency;
mod log;
mod migrations;
mod partition;
mod read;
mod spawner;
pub mod testing;

pub use append::{Append, AppendError, Appended, Expected};
pub use decider::{Decider, Keys};
pub use execute::{ExecuteError, Executed, Execution};
pub use idempotency::{Begun, Claim, ClaimDone, ClaimError, ClaimScope, Claims, StoredAnswer};
pub use log::{EventLog, LogConfig, LogError};
pub use migrations::{HISTORY_TABLE, migrate, migrations};
pub use partition::partition_of;
pub use read::{Heads, News, Page, ReadError};
pub use spawner::Spawner;
