//! Postgres, and nothing above it: pools, migrations, roles, error classes and the embedded server.
//!
//! Knows no table of any service. Statements name tables unqualified; the pool's search path decides where they are.

mod database;
pub mod embedded;
mod error;
mod in_time;
mod listener;
mod migrate;
mod owner;
pub mod sqlstate;
mod tls;

pub use database::Database;
pub use deadpool_postgres;
pub use error::{PgError, is_unavailable};
pub use in_time::in_time;
pub use listener::{Listener, Notification};
pub use migrate::migrate;
pub use owner::RoleSeparation;
pub use refinery;
pub use tokio_postgres;

/// A pool of connections, each with its role and search path set.
pub type Pool = deadpool_postgres::Pool;

/// A connection lent by a [`Pool`].
pub type Client = deadpool_postgres::Object;
