//! Every task of a process, and the order in which they end: requests first, then workers, then the writers of the
//! logs, so that nothing that appends outlives what it appends to. This is the only place that spawns.

use crate::error::chain;
use eventstore::Spawner;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A worker that ran this long begins again with the shortest pause.
const HEALTHY: Duration = Duration::from_secs(60);
/// Tasks that are told to stop get at least this long, however late it is.
const LAST_MOMENT: Duration = Duration::from_millis(500);

type WorkerError = Box<dyn Error + Send + Sync>;
type RunWorker = Box<dyn FnMut(CancellationToken) -> BoxFuture<'static, Result<(), WorkerError>> + Send>;

/// Something that runs as long as the service does: a reader, a timer, a follower.
pub struct Worker {
    name: &'static str,
    run: RunWorker,
    again: bool,
}

impl Worker {
    /// A worker that is run again, after a growing pause, whenever it fails or panics. It ends well by returning `Ok`
    /// once the token is cancelled.
    pub fn new<F, W, E>(name: &'static str, mut run: W) -> Self
    where
        W: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WorkerError>,
    {
        let run = move |stop| run(stop).map(|done| done.map_err(Into::into)).boxed();
        Self { name, run: Box::new(run), again: true }
    }

    /// A worker that does its own retries and is run once, such as a reader. If it panics, `/readyz` shows it.
    pub fn once<F>(name: &'static str, run: impl FnOnce(CancellationToken) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut run = Some(run);
        let run = move |stop| match run.take() {
            Some(run) => run(stop).map(Ok).boxed(),
            None => std::future::ready(Ok(())).boxed(),
        };
        Self { name, run: Box::new(run), again: false }
    }

    /// A reader of feeds.
    #[must_use]
    pub fn reader(name: &'static str, reader: feeds::Reader) -> Self {
        Self::once(name, |stop| reader.run(stop))
    }

    /// Its name, in logs and in `/readyz`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Worker").field(&self.name).finish()
    }
}

/// The tasks of a process. Clones are the same lifecycle.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    draining: CancellationToken,
    requests: TaskTracker,
    workers: Group,
    writers: Group,
    failing: Mutex<BTreeMap<&'static str, String>>,
}

#[derive(Debug, Default)]
struct Group {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// A process in which nothing runs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What logs and feeds start their own tasks with. These end last.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner::new(self.0.writers.tasks.clone(), self.0.writers.stop.clone())
    }

    /// Runs a worker until the process stops.
    pub fn start(&self, worker: Worker) {
        let (lifecycle, stop) = (self.clone(), self.0.workers.stop.clone());
        self.0.workers.tasks.spawn(run_worker(worker, stop, lifecycle));
    }

    /// Runs a task that ends by itself soon after the token is cancelled.
    pub fn spawn<F>(&self, name: &'static str, task: impl FnOnce(CancellationToken) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.start(Worker::once(name, task));
    }

    /// Runs a piece of a request to its end, though the client may hang up meanwhile; a stop waits for it.
    ///
    /// # Panics
    /// When the piece itself panics, so that the request is answered as one that did.
    pub async fn finish<T: Send + 'static>(&self, piece: impl Future<Output = T> + Send + 'static) -> T {
        match self.0.requests.spawn(piece.in_current_span()).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only the end of the runtime cancels such a task, and it cancels the one that waits here as well.
                Err(_cancelled) => std::future::pending().await,
            },
        }
    }

    /// Cancelled once the process is stopping: `/readyz` answers 503 from then on, streams end.
    #[must_use]
    pub fn draining(&self) -> &CancellationToken {
        &self.0.draining
    }

    /// Begins to stop.
    pub fn begin_drain(&self) {
        self.0.draining.cancel();
    }

    /// Workers that fail at the moment, with their last error.
    #[must_use]
    pub fn failing(&self) -> BTreeMap<&'static str, String> {
        self.0.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops everything in order and waits for it: requests, workers, writers. Returns whether all of it ended in time.
    pub async fn shut_down(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        self.begin_drain();
        self.0.requests.close();
        let mut clean = timeout_at(deadline, self.0.requests.wait()).await.is_ok();
        for group in [&self.0.workers, &self.0.writers] {
            group.stop.cancel();
            group.tasks.close();
            let until = deadline.max(Instant::now() + LAST_MOMENT);
            clean &= timeout_at(until, group.tasks.wait()).await.is_ok();
        }
        if !clean {
            tracing::warn!("some tasks did not end in time");
        }
        clean
    }

    fn note(&self, name: &'static str, error: Option<String>) {
        let mut failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => failing.insert(name, error),
            None => failing.remove(name),
        };
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _either_way = tokio::signal::ctrl_c().await;
}

async fn run_worker(mut worker: Worker, stop: CancellationToken, lifecycle: Lifecycle) {
    let mut pause = SHORTEST_PAUSE;
    while !stop.is_cancelled() {
        let began = Instant::now();
        let running = AssertUnwindSafe((worker.run)(stop.clone())).catch_unwind();
        tokio::pin!(running);
        // A worker that has run for a while is not failing any more, though it may have before.
        let done = match timeout(HEALTHY, &mut running).await {
            Ok(done) => done,
            Err(_still_running) => {
                lifecycle.note(worker.name, None);
                running.await
            }
        };
        let reason = match done {
            Ok(Ok(())) => return lifecycle.note(worker.name, None),
            Ok(Err(error)) => chain(&*error),
            Err(panic) => format!("panicked: {}", panic_text(&*panic)),
        };
        if began.elapsed() >= HEALTHY {
            pause = SHORTEST_PAUSE;
        }
        tracing::error!(worker = worker.name, error = reason, again = worker.again, "a worker failed");
        lifecycle.note(worker.name, Some(reason));
        if !worker.again {
            return;
        }
        let _stopped_or_slept = timeout(pause, stop.cancelled()).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_fails_or_panics_is_run_again_and_shown_as_failing() {
        let lifecycle = Lifecycle::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = runs.clone();
        lifecycle.start(Worker::new("reader", move |stop: CancellationToken| {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => Err(std::io::Error::other("the database is away")),
                    1 => panic!("a bug"),
                    _ => {
                        stop.cancelled().await;
                        Ok(())
                    }
                }
            }
        }));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(lifecycle.failing()["reader"], "the database is away");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(lifecycle.failing()["reader"], "panicked: a bug");
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert!(lifecycle.failing().is_empty());
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert!(lifecycle.shut_down(Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_requests_then_workers_then_writers() {
        let lifecycle = Lifecycle::new();
        let order = Arc::new(Mutex::new(Vec::new()));
        let (writer, worker, request) = (order.clone(), order.clone(), order.clone());
        let spawner = lifecycle.spawner();
        let stop = spawner.stop().clone();
        spawner.spawn(async move {
            stop.cancelled().await;
            writer.lock().unwrap().push("writer");
        });
        lifecycle.spawn("worker", |stop| async move {
            stop.cancelled().await;
            worker.lock().unwrap().push("worker");
        });
        let piece = lifecycle.finish(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            request.lock().unwrap().push("request");
        });
        // The client hangs up: its own future is dropped after it was polled once.
        drop(timeout(Duration::from_millis(1), piece).await);
        assert!(lifecycle.shut_down(Duration::from_secs(5)).await);
        assert_eq!(*order.lock().unwrap(), ["request", "worker", "writer"]);
        assert!(lifecycle.draining().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_end_is_given_up_at_the_deadline() {
        let lifecycle = Lifecycle::new();
        lifecycle.spawn("stubborn", |_| std::future::pending());
        tokio::task::yield_now().await;
        assert!(!lifecycle.shut_down(Duration::from_secs(1)).await);
    }
}
