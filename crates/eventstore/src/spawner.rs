//! How a library starts a task without choosing who owns it: the process hands in a [`Spawner`], counts what runs
//! on it and stops it last, after everything that appends.

use std::future::Future;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Starts tasks that a process waits for when it stops.
#[derive(Debug, Clone, Default)]
pub struct Spawner {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Spawner {
    /// Tasks are counted by `tracker` and end once `stop` is cancelled.
    #[must_use]
    pub const fn new(tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self { tracker, stop }
    }

    /// Runs a task on the runtime. It has to end soon after [`Spawner::stop`] is cancelled.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Cancelled when tasks have to end.
    #[must_use]
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }
}
