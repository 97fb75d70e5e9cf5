//! Readers, feeds and timers on a real Postgres.

#![expect(clippy::unwrap_used, reason = "what the tests share fails as they do")]

mod catching_up;
mod epochs;
mod fixture;
mod http;
mod listening;
mod lost_connections;
mod parking;
mod reacting;
mod sharing;
mod tailing;
mod timers;
mod waiting;
