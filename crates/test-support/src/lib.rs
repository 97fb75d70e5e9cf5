//! What tests share: a database per test, tokens, draining readers.
