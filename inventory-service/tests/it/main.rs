//! The service over its real router, on a real Postgres.

mod catalogue;
mod follows_orders;
mod model;
mod reservations;
mod shop;
mod stock;
