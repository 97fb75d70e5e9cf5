//! The authorization server: users, clients, tokens, keys.
