//! What tests of every crate share: a fresh database per test on a real server, signed tokens and forged ones, and waiting for a
//! condition instead of sleeping. Nothing here imitates our own code.

mod cluster;
mod database;
mod eventually;
mod forgeries;
mod tokens;

pub use cluster::cluster_url;
pub use database::{TestDatabase, database};
pub use eventually::{eventually, eventually_some};
pub use forgeries::{Forgery, Genuine, forgeries};
pub use tokens::{TestToken, TestTokens};
