//! Group commit: a writer owns a share of the partitions, and takes whatever waits for them into one transaction.
//! There is no timer: while one batch commits the next one gathers, and a lone command goes at once.

use super::{
    AppendError, Appended, Expected, Seen, Wake,
    attempt::{carefully, fast, note_tried},
    measures::{self, Way},
    queue::Queued,
    session::{Failure, Server, Session},
};
use futures_util::pin_mut;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

const BATCH_COMMANDS: usize = 200;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// After this many attempts that were undone by others something is wrong that another attempt does not mend.
const MAX_ATTEMPTS: u8 = 5;
const CONNECT_PATIENCE: Duration = Duration::from_millis(1_000);
/// A little over the session's statement_timeout.
const COMMIT_PATIENCE: Duration = Duration::from_millis(2_200);
/// What a batch gets that is sent when its commands have little time left.
const MIN_COMMIT_PATIENCE: Duration = Duration::from_millis(800);
const EXPIRE_EVERY: Duration = Duration::from_millis(100);
const BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(400);

/// One writer of a log.
pub(crate) struct Writer<S: Server> {
    log: &'static str,
    /// Which of the log's writers it is, from 0.
    number: usize,
    server: Arc<S>,
    receiver: mpsc::UnboundedReceiver<Queued>,
    seen: Arc<Seen>,
    wake: Arc<Wake>,
    waiting: VecDeque<Queued>,
    connection: Option<S::Session>,
}

impl<S: Server> Writer<S> {
    pub(crate) const fn new(
        log: &'static str,
        number: usize,
        server: Arc<S>,
        receiver: mpsc::UnboundedReceiver<Queued>,
        seen: Arc<Seen>,
        wake: Arc<Wake>,
    ) -> Self {
        Self { log, number, server, receiver, seen, wake, waiting: VecDeque::new(), connection: None }
    }
}

/// Commits what comes until the log's last handle is dropped, or until `stop` and nothing waits.
pub(crate) async fn run_writer<S: Server>(mut writer: Writer<S>, stop: CancellationToken) {
    while writer.gather(&stop).await {
        writer.expire();
        if !writer.connected().await {
            continue;
        }
        let batch = writer.next_batch();
        if !batch.is_empty() {
            writer.commit(batch).await;
        }
    }
}

impl<S: Server> Writer<S> {
    /// Waits until there is something to do and takes all of it; false when there never will be.
    async fn gather(&mut self, stop: &CancellationToken) -> bool {
        if self.waiting.is_empty() {
            let first = match stop.run_until_cancelled(self.receiver.recv()).await {
                Some(first) => first,
                None => {
                    self.receiver.close();
                    self.receiver.recv().await
                }
            };
            let Some(first) = first else { return false };
            self.waiting.push_back(first);
        }
        // Callers who were just answered are about to send their next commands: those who are ready go along, nobody
        // is waited for.
        yield_now().await;
        self.drain();
        true
    }

    /// Takes what is in the queue; its bound is on commands without an answer, wherever they are.
    fn drain(&mut self) {
        while let Ok(next) = self.receiver.try_recv() {
            self.waiting.push_back(next);
        }
    }

    /// Answers those who have waited long enough.
    fn expire(&mut self) {
        let now = Instant::now();
        if self.waiting.iter().any(|queued| queued.deadline <= now) {
            let (late, waiting) = self.waiting.drain(..).partition::<VecDeque<_>, _>(|queued| queued.deadline <= now);
            self.waiting = waiting;
            late.into_iter().for_each(Queued::give_up);
        }
    }

    /// Makes sure of a connection, however long that takes; false when nobody is left who waits for it.
    async fn connected(&mut self) -> bool {
        if self.connection.as_ref().is_some_and(|connection| !connection.is_closed()) {
            return true;
        }
        self.connection = None;
        let mut backoff = BACKOFF;
        loop {
            let server = Arc::clone(&self.server);
            match self.while_expiring(timeout(CONNECT_PATIENCE, server.connect())).await {
                Ok(Ok(connection)) => {
                    // It may be another server, one that was restored: what was seen on the old one proves nothing.
                    self.seen.clear();
                    self.waiting.iter_mut().for_each(|queued| queued.careful = true);
                    self.connection = Some(connection);
                    return true;
                }
                Ok(Err(error)) => tracing::warn!(log = self.log, error = %error, "a writer has no connection"),
                Err(_) => tracing::warn!(log = self.log, "a writer got no connection in time"),
            }
            self.while_expiring(sleep(backoff)).await;
            if self.waiting.is_empty() {
                return false;
            }
            backoff = MAX_BACKOFF.min(backoff * 2);
        }
    }

    /// Waits for something, and meanwhile answers those who have waited long enough.
    async fn while_expiring<T>(&mut self, work: impl Future<Output = T>) -> T {
        pin_mut!(work);
        loop {
            if let Ok(done) = timeout(EXPIRE_EVERY, &mut work).await {
                return done;
            }
            self.drain();
            self.expire();
        }
    }

    /// The commands that go together: the oldest, as many as fit.
    fn next_batch(&mut self) -> Vec<Queued> {
        let mut batch: Vec<Queued> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.waiting.front() {
            let fits = batch.len() < BATCH_COMMANDS && bytes + next.bytes <= BATCH_BYTES;
            let alone = next.alone || batch.first().is_some_and(|first| first.alone);
            if !batch.is_empty() && (!fits || alone) {
                break;
            }
            bytes += next.bytes;
            batch.extend(self.waiting.pop_front());
        }
        batch
    }

    async fn commit(&mut self, mut batch: Vec<Queued>) {
        let Some(connection) = self.connection.take() else { return self.again(batch) };
        let now = Instant::now();
        let last = batch.iter().map(|queued| queued.deadline).max().unwrap_or(now);
        let until = last.clamp(now + MIN_COMMIT_PATIENCE, now + COMMIT_PATIENCE);
        measures::waiting(self.log, self.number, batch.len() + self.waiting.len());
        let bases = self.fast_bases(&batch);
        let way = if bases.is_some() { Way::Fast } else { Way::Careful };
        let result = match bases {
            Some(bases) => {
                let committed = timeout_at(until, fast(&connection, &batch, &bases)).await;
                let committed = committed.unwrap_or(Err(Failure::Lost(None)));
                let appended = committed.map(|appended| appended.into_iter().map(Ok).collect());
                note_tried(&mut batch, &appended, bases.iter().map(|base| Some(*base)));
                appended
            }
            None => {
                let mut verdicts = Vec::new();
                let committed = timeout_at(until, carefully(&connection, &batch, &mut verdicts)).await;
                let answers = committed.unwrap_or(Err(Failure::Lost(None)));
                note_tried(&mut batch, &answers, verdicts.into_iter());
                answers
            }
        };
        if !matches!(result, Err(Failure::Lost(_))) {
            self.connection = Some(connection);
        }
        match result {
            Ok(answers) => {
                measures::answered(self.log, way, &batch, &answers);
                measures::waiting(self.log, self.number, self.waiting.len());
                self.answer(batch, answers);
            }
            Err(failure) => self.handle(failure, batch),
        }
    }

    /// The version before each command if nothing is known to stand against the fast way.
    fn fast_bases(&self, batch: &[Queued]) -> Option<Vec<i64>> {
        let mut tails: HashMap<&str, i64> = HashMap::new();
        let mut commands = HashSet::new();
        batch
            .iter()
            .map(|Queued { append, careful, .. }| {
                let stream = append.stream_id.as_str();
                let repeated = append.command_id.is_some_and(|id| !commands.insert((stream, id)));
                let known = tails.get(stream).copied().or_else(|| self.seen.get(stream));
                let base = match append.expected {
                    Expected::Version(version) => version,
                    Expected::Any => known.unwrap_or(0),
                };
                if *careful || repeated || known.is_some_and(|known| known != base) {
                    return None;
                }
                tails.insert(stream, base + i64::try_from(append.events.len()).ok()?);
                Some(base)
            })
            .collect()
    }

    fn answer(&self, batch: Vec<Queued>, answers: Vec<Result<Appended, AppendError>>) {
        let mut appended = false;
        for (queued, answer) in batch.into_iter().zip(answers) {
            match &answer {
                Ok(place) => {
                    self.seen.note(&queued.append.stream_id, place.version);
                    appended |= !place.duplicate;
                }
                Err(AppendError::Conflict { actual }) => self.seen.note(&queued.append.stream_id, *actual),
                Err(_) => {}
            }
            queued.answer(answer);
        }
        if appended {
            self.wake.committed();
        }
    }

    fn handle(&mut self, failure: Failure, batch: Vec<Queued>) {
        match failure {
            Failure::Contested(error) => {
                tracing::debug!(log = self.log, error = %error, commands = batch.len(), "a batch was contested");
                let (exhausted, batch): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|queued| queued.attempts >= MAX_ATTEMPTS);
                if !exhausted.is_empty() {
                    tracing::error!(log = self.log, error = %error, "a batch can't be appended");
                }
                exhausted.into_iter().for_each(Queued::give_up);
                self.again(batch);
            }
            Failure::Data(error) if batch.len() == 1 => {
                tracing::error!(log = self.log, error = %error, "the database refused an append");
                let error = AppendError::Refused(Arc::from(error));
                batch.into_iter().for_each(|queued| queued.answer(Err(error.clone())));
            }
            Failure::Data(_) => {
                self.again(batch.into_iter().map(|queued| Queued { alone: true, ..queued }).collect());
            }
            Failure::NotNow(error) => {
                tracing::warn!(log = self.log, error = %error, commands = batch.len(), "a batch can't be appended now");
                // Perhaps this server is no longer the primary; the next connection may find it.
                self.connection = None;
                batch.into_iter().for_each(Queued::give_up);
            }
            Failure::Lost(error) => {
                let cause = error.map_or_else(|| "no answer in time".to_owned(), |error| error.to_string());
                tracing::warn!(log = self.log, cause, commands = batch.len(), "a commit has an unknown outcome");
                measures::unknown(self.log);
                self.again(batch);
            }
        }
    }

    /// Puts a batch back in front of the queue, to be looked at closely.
    fn again(&mut self, batch: Vec<Queued>) {
        for queued in batch.into_iter().rev() {
            self.waiting.push_front(Queued { careful: true, attempts: queued.attempts + 1, ..queued });
        }
    }
}
