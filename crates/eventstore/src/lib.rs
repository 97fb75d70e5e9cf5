//! The event log: append, read, execute.
