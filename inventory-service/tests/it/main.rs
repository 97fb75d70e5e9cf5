//! The service over its real router, on a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod catalogue;
mod follows_orders;
mod images;
mod locations;
mod model;
mod movements;
mod reservations;
mod shop;
mod stock;
