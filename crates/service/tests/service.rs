//! What services rely on, against a real Postgres and a real router.

mod service {
    pub mod feeds;
    pub mod idempotency;
    pub mod keys;
    pub mod peers;
    pub mod process;
    pub mod support;
}
