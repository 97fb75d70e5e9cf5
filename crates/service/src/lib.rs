//! What every service's main needs, once: settings, telemetry, the lifecycle of tasks, readiness, the listener, calls
//! to the other services, and idempotent POSTs. A service crate exports `Config`, `NAME` and `build`, and gets
//! everything else from here; it does not know whether it runs alone or with the others in one process.

/// Of every process that runs services: a request makes and drops many small things, a third of its processor time with
/// the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod docs;
mod error;
pub mod feed_routes;
pub mod health;
pub mod idempotent;
pub mod keys;
pub mod lifecycle;
mod mail_settings;
pub mod metrics;
pub mod peers;
pub mod process;
pub mod rate_limit;
pub mod sealing;
pub mod server;
pub mod settings;
pub mod telemetry;
mod tokens;

pub use error::{StartError, problem_of, unavailable_or_internal};
pub use feed_routes::{bell_worker, feed_routes};
pub use health::{Health, ReadyCheck};
pub use idempotent::{Answer, CommandRequest, Idempotency, Outcome};
pub use keys::{KeyClient, KeyClientError};
pub use lifecycle::{Lifecycle, Worker};
pub use mail_settings::MailSettings;
pub use peers::{Peer, PeerError, Peers};
pub use process::{Deps, Process, Service, run_alone};
pub use rate_limit::{Quota, RateLimiter};
pub use server::{ServerConfig, assemble};
pub use settings::{Secret, SettingError, Settings};
