//! The service as a client meets it: its real router with the real authentication layer, on a real Postgres.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod administration;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod client_keys;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile_forms;
#[cfg(test)]
mod internals;
#[cfg(test)]
mod jose;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod one_time_codes;
#[cfg(test)]
mod refresh_families;
#[cfg(test)]
mod refresh_tokens;
#[cfg(test)]
mod roles;
