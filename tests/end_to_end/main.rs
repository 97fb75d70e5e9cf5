//! Black-box tests: the real binary on its embedded Postgres, used over HTTP as a shop would. One system serves
//! most tests, each with products and customers of its own; the tests that break things start their own.
//! Names carry the row ids of the behaviours that were asked for (`row_0_13_…`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod amending;
mod amending_items;
mod apart;
mod auth;
mod auth_code;
mod cancelling;
mod carts;
mod catalogue;
mod checkout;
mod credit_notes;
mod demo;
mod discounts;
mod faults;
mod graphql;
mod handling;
mod hostile_input;
mod idempotency;
mod importing;
mod invoices;
mod mail;
mod moving_orders;
mod openapi;
mod paying;
mod paying_provider;
mod placing;
mod problems;
mod proving;
mod readme;
mod receiver;
mod refunding;
mod replaying;
mod reserving;
mod returning;
mod shipping;
mod standard_clients;
mod stock;
mod system;
mod telling;
mod tracking;
mod verifying;
mod webhooks_out;
