//! The service over its real router, on a real Postgres, fed by real logs.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod confined;
mod consistency;
mod generations;
mod graphql_http;
mod paging;
mod projecting;
mod reading;
mod shop;
mod tracking;
