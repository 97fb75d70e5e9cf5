//! The log on a real Postgres.

mod claims;
mod concurrency;
mod deciders;
mod fixture;
mod idempotency;
mod in_transaction;
mod limits;
mod lost_connections;
mod opening;
mod proxy;
mod speed;
mod waking;
