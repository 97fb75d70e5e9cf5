//! The log on a real Postgres.

#[cfg(test)]
mod claims;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod deciders;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod in_transaction;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lost_connections;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod waking;
