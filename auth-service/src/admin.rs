//! Administration: clients, users, roles and the audit (scope clients:admin), and everybody's own sessions.

pub(crate) mod audit_events;
pub(crate) mod clients;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod users;

/// The version of this service's cursors.
const CURSOR_VERSION: u8 = 1;
