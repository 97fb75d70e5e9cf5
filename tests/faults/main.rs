//! Faults with the real parts: the real binary on a real Postgres, killed, frozen and poisoned at random while 32
//! connections place, pay, cancel and amend orders. What the clients were told is kept by the clients; afterwards it
//! is compared with the logs and the read tables in plain SQL that shares no code with the services.
//!
//! `./oms faults` runs this at length, `./oms test` runs it small. Every run prints its seed; `OMS_FAULT_SEED` repeats
//! its choices.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod budget;
mod buyer;
mod checker;
mod frozen;
mod http;
mod importing;
mod kills;
mod machine;
mod poison;
mod random_kills;
mod record;
mod sql;
mod waiting;
