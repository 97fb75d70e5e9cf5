//! The service as a client meets it: its real router with the real authentication layer, on a real Postgres.

mod accounts;
mod administration;
mod harness;
mod internals;
mod jose;
mod oauth;
mod refresh_tokens;
