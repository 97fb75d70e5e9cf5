//! The loop of one reader in one process: keep the leases, look at the heads, handle what is new, sleep.

mod upkeep;

use super::{
    fetch::{self, Fit, Read},
    lease::{self, Held, Step},
    status::{PartitionStatus, ReaderHandle, Target},
    work::{Fetched, Lane, Outcome, ParkedStreams, RoundError, Work},
};
use crate::{
    HandleError, Subscription,
    error::chain,
    feed::{Feed, FeedError, HeadWatch, Heads},
};
use futures_util::{
    StreamExt,
    future::{join, join_all, select_all},
    stream,
};
use pg::{Client, Pool};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often leases are renewed by a reader that has its share of the partitions.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often a reader looks around that has less than its share or is still catching up.
const SEARCH: Duration = Duration::from_millis(500);
const PAGE_EVENTS: usize = 1_000;
const ROUND_EVENTS: usize = 4_000;
const FEWEST_EVENTS: usize = 100;
/// A round with fewer is a small one: it would have been no slower with more.
const SMALL_ROUND: usize = 200;
/// A round with more is shared by two transactions side by side: while the database writes for one, the other folds.
const LARGE_ROUND: usize = 1_000;
const READS_AT_ONCE: usize = 2;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(3);

/// One log that the reader follows.
struct Followed {
    subscription: Subscription,
    heads: HeadWatch,
    /// Whether the reader has checkpoints for it.
    begun: bool,
}

/// A partition whose next event has to be tried again later.
struct Waiting {
    until: Instant,
    pause: Duration,
}

pub(crate) struct Runner<W> {
    work: W,
    lane: Lane,
    logs: Vec<Followed>,
    handle: ReaderHandle,
    instance: Option<Uuid>,
    held: Vec<Held>,
    parked: ParkedStreams,
    waiting: HashMap<(Arc<str>, i32), Waiting>,
    next_renewal: Instant,
    failures: u32,
    /// The heads met at the start, until they are reached.
    catch_up: Option<Vec<Target>>,
    /// Pages that were read while the ones before them were handled.
    ahead: Vec<Fetched>,
}

/// A page that is to be read.
struct Wanted {
    feed: Feed,
    held: Held,
    head: i64,
}

impl<W: Work> Runner<W> {
    pub(crate) fn new(
        work: W,
        pool: Pool,
        logs: Vec<Subscription>,
        handle: ReaderHandle,
        stop: CancellationToken,
    ) -> Self {
        let logs = logs
            .into_iter()
            .map(|subscription| Followed { heads: subscription.heads(), subscription, begun: false })
            .collect();
        Self {
            work,
            lane: Lane { identity: handle.identity(), pool, stop },
            logs,
            handle,
            instance: None,
            held: Vec::new(),
            parked: ParkedStreams::new(),
            waiting: HashMap::new(),
            next_renewal: Instant::now(),
            failures: 0,
            catch_up: None,
            ahead: Vec::new(),
        }
    }

    pub(crate) async fn run(mut self) {
        let stop = self.lane.stop.clone();
        while !stop.is_cancelled() {
            match self.turn().await {
                Ok(worked) => {
                    if self.failures > 0 {
                        tracing::info!(reader = self.name(), "the reader goes on");
                        self.failures = 0;
                        self.handle.update(|status| status.failing = None);
                    }
                    if !worked {
                        stop.run_until_cancelled(self.wait_for_news()).await;
                    }
                }
                Err(error) => {
                    let pause = self.note_failure(&error);
                    stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                }
            }
        }
        if timeout(PATIENCE_AT_THE_END, self.leave()).await.is_err() {
            tracing::warn!(reader = self.name(), "the reader's partitions were not released in time");
        }
    }

    fn name(&self) -> &'static str {
        self.lane.identity.reader
    }

    /// One turn: leases if it is time, then one round. Says whether there was anything to do.
    async fn turn(&mut self) -> Result<bool, RoundError> {
        let unseen = self.logs.iter().any(|log| !log.begun && log.heads.borrow().is_some());
        if unseen || Instant::now() >= self.next_renewal {
            self.look_around().await?;
        }
        let (begun, stop) = (Instant::now(), self.lane.stop.clone());
        let fetched = self.fetch().await?;
        if fetched.is_empty() {
            // What was waited for is no longer there; a time that is over must not wake the reader again and again.
            self.waiting.retain(|_, waiting| waiting.until > begun);
            self.publish_status();
            return Ok(false);
        }
        let handled: usize = fetched.iter().map(|one| one.events.len()).sum();
        let reading_ahead = self.read_ahead(&fetched);
        let shares =
            if handled > LARGE_ROUND && self.work.handles_whole_pages() { halves(fetched) } else { vec![fetched] };
        let shares = shares.into_iter().map(|share| self.work.round(&self.lane, share, &self.parked));
        let (outcomes, ahead) = self.keep_leases_during(join(join_all(shares), reading_ahead)).await;
        self.ahead = ahead;
        // What one share did is done, whatever became of the other.
        let mut worked = false;
        let mut failed = None;
        for outcome in outcomes {
            match outcome {
                Ok(outcome) => {
                    worked |= !outcome.moved.is_empty();
                    self.apply(outcome);
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => {
                metrics::counter!("oms_reader_events_total", "reader" => self.name()).increment(handled as u64);
                self.publish_status();
                if worked {
                    self.handle.ring();
                    if handled < SMALL_ROUND {
                        stop.run_until_cancelled(sleep_until(begun + self.work.pace())).await;
                    }
                }
                Ok(worked)
            }
            Some(RoundError::Lost) => {
                tracing::info!(reader = self.name(), "a lease was lost: its work was rolled back");
                self.next_renewal = Instant::now();
                Ok(true)
            }
            Some(RoundError::TooManyParked) => {
                self.stop_all(&RoundError::TooManyParked.to_string()).await?;
                Ok(true)
            }
            Some(error) => Err(error),
        }
    }

    fn apply(&mut self, outcome: Outcome) {
        for Step { held: before, new_position, event_id } in outcome.moved {
            if let Some(held) = self.held.iter_mut().find(|held| held.is(&before.log, before.partition)) {
                held.position = new_position;
                held.event_id = event_id.or(held.event_id);
            }
            self.waiting.remove(&(before.log, before.partition));
        }
        let parked = i64::try_from(outcome.parked.len()).unwrap_or(i64::MAX);
        if parked > 0 {
            self.handle.update(|status| status.parked += parked);
            self.parked.extend(outcome.parked);
        }
        for (log, partition, error) in outcome.waiting {
            let waiting = self
                .waiting
                .entry((log, partition))
                .and_modify(|waiting| waiting.pause = (waiting.pause * 2).min(LONGEST_PAUSE))
                .or_insert(Waiting { until: Instant::now(), pause: SHORTEST_PAUSE });
            waiting.until = Instant::now() + waiting.pause;
            tracing::warn!(
                reader = self.lane.identity.reader,
                partition,
                error = error.chain(),
                "an event has to wait"
            );
        }
    }

    /// Reads what is new in every partition that may go on.
    async fn fetch(&mut self) -> Result<Vec<Fetched>, RoundError> {
        let now = Instant::now();
        let mut ahead = std::mem::take(&mut self.ahead);
        let (mut wanted, mut fetched) = (Vec::new(), Vec::new());
        for index in 0..self.logs.len() {
            let Followed { subscription, heads, .. } = &self.logs[index];
            let (Some(feed), Some(heads)) = (subscription.get(), heads.borrow().clone()) else { continue };
            let subscription = subscription.clone();
            let name = subscription.name();
            for place in 0..self.held.len() {
                let held = &self.held[place];
                let waits = self.waiting.get(&(Arc::clone(&held.log), held.partition)).is_some_and(|at| at.until > now);
                if held.log != *name || held.stopped.is_some() || waits || !self.fit(place, &feed, &heads).await? {
                    continue;
                }
                let held = &self.held[place];
                let head = head_of(&heads, held.partition);
                if let Some(at) = ahead.iter().position(|page| page.held.stands_where(held)) {
                    fetched.push(ahead.swap_remove(at));
                } else if let Some(events) =
                    subscription.recent().between(held.epoch, held.partition, held.position, head)
                {
                    fetched.push(Fetched { held: held.clone(), events });
                } else if head > held.position {
                    wanted.push(Wanted { feed: feed.clone(), held: held.clone(), head });
                }
            }
        }
        for (held, read) in read_pages(wanted).await {
            match read.map_err(HandleError::retry)? {
                Read::Events(events) => fetched.push(Fetched { held, events }),
                Read::Nothing => {}
                Read::Stop(reason) => self.stop(&held, &reason).await?,
            }
        }
        fetched.sort_by(|a, b| (&a.held.log, a.held.partition).cmp(&(&b.held.log, b.held.partition)));
        Ok(fetched)
    }

    /// Reads what comes after these pages, as far as it is there. What cannot be read now is read when its turn comes.
    fn read_ahead(&self, fetched: &[Fetched]) -> impl Future<Output = Vec<Fetched>> + use<W> {
        let mut wanted = Vec::new();
        for page in fetched.iter().filter(|_| self.work.handles_whole_pages()) {
            let log = self.logs.iter().find(|log| page.held.log == *log.subscription.name());
            let Some((feed, heads)) = log.and_then(|log| Some((log.subscription.get()?, log.heads.borrow().clone()?)))
            else {
                continue;
            };
            let (Some(last), head) = (page.events.last(), head_of(&heads, page.held.partition)) else { continue };
            if head > last.position && heads.epoch == page.held.epoch {
                let held =
                    Held { position: last.position, event_id: Some(last.event_id.as_uuid()), ..page.held.clone() };
                wanted.push(Wanted { feed, held, head });
            }
        }
        async move {
            let reads = read_pages(wanted).await;
            let fetched = reads.into_iter().filter_map(|(held, read)| match read {
                Ok(Read::Events(events)) => Some(Fetched { held, events }),
                Ok(Read::Nothing | Read::Stop(_)) | Err(_) => None,
            });
            fetched.collect()
        }
    }

    /// Whether a held partition's checkpoint is of the log's history; adopts a new epoch of the same one.
    async fn fit(&mut self, place: usize, feed: &Feed, heads: &Heads) -> Result<bool, RoundError> {
        let held = self.held[place].clone();
        match fetch::fits(feed, &held, heads).await.map_err(HandleError::retry)? {
            Fit::Fits => Ok(true),
            Fit::Adopt => {
                let client = self.client().await?;
                lease::adopt_epoch(&client, self.lane.identity, &held, heads.epoch)
                    .await
                    .map_err(HandleError::retry)?;
                tracing::info!(reader = self.name(), log = &*held.log, held.partition, "adopted the log's new epoch");
                self.held[place].epoch = heads.epoch;
                Ok(true)
            }
            Fit::Stop(reason) => {
                self.stop(&held, &reason).await?;
                Ok(false)
            }
        }
    }

    async fn stop(&mut self, held: &Held, reason: &str) -> Result<(), RoundError> {
        tracing::error!(
            reader = self.name(),
            log = &*held.log,
            partition = held.partition,
            position = held.position,
            reason,
            "a partition stands still"
        );
        let client = self.client().await?;
        lease::note_stop(&client, self.lane.identity, held, Some(reason)).await.map_err(HandleError::retry)?;
        if let Some(mine) = self.held.iter_mut().find(|mine| mine.is(&held.log, held.partition)) {
            mine.stopped = Some(reason.to_owned());
        }
        self.forget_waits();
        Ok(())
    }

    /// Nothing waits in a partition that another instance has by now or that stands still.
    fn forget_waits(&mut self) {
        let held = &self.held;
        self.waiting
            .retain(|(log, partition), _| held.iter().any(|held| held.is(log, *partition) && held.stopped.is_none()));
    }

    async fn stop_all(&mut self, reason: &str) -> Result<(), RoundError> {
        for held in self.held.clone() {
            self.stop(&held, reason).await?;
        }
        Ok(())
    }

    async fn wait_for_news(&mut self) {
        let earliest = self.waiting.values().map(|waiting| waiting.until).min();
        let until = earliest.map_or(self.next_renewal, |earliest| earliest.min(self.next_renewal));
        let news = self.logs.iter_mut().map(|log| Box::pin(log.heads.changed()));
        tokio::select! {
            () = sleep_until(until) => {}
            () = async {
                // Without a log, or once nobody looks at heads any more, only the renewals are left.
                if news.len() == 0 || select_all(news).await.0.is_err() {
                    std::future::pending::<()>().await;
                }
            } => {}
        }
    }

    fn note_failure(&mut self, error: &RoundError) -> Duration {
        let text = chain(error);
        if self.failures == 0 {
            tracing::warn!(reader = self.name(), error = text, "the reader has to wait");
        } else {
            tracing::debug!(reader = self.name(), error = text, failures = self.failures, "the reader still waits");
        }
        self.handle.update(|status| status.failing = Some(text));
        let pause = (SHORTEST_PAUSE * 2_u32.pow(self.failures.min(10))).min(LONGEST_PAUSE);
        self.failures += 1;
        // What was committed before the connection broke is not known: the checkpoints say it.
        self.next_renewal = Instant::now();
        pause
    }

    fn publish_status(&self) {
        let mut lag: HashMap<Arc<str>, i64> = HashMap::new();
        let mut partitions = Vec::with_capacity(self.held.len());
        for log in &self.logs {
            let heads = log.heads.borrow();
            for held in self.held.iter().filter(|held| held.log == *log.subscription.name()) {
                let head = heads.as_ref().map_or(held.position, |heads| head_of(heads, held.partition));
                *lag.entry(Arc::clone(&held.log)).or_default() += (head - held.position).max(0);
                partitions.push(PartitionStatus {
                    log: Arc::clone(&held.log),
                    partition: held.partition,
                    position: held.position,
                    head,
                    stopped: held.stopped.clone(),
                });
            }
        }
        let stopped = partitions.iter().filter(|partition| partition.stopped.is_some()).count();
        let reader = self.name();
        for (log, events) in lag {
            metrics::gauge!("oms_reader_lag_events", "reader" => reader, "log" => log.to_string()).set(events as f64);
        }
        metrics::gauge!("oms_reader_partitions_stopped", "reader" => reader).set(stopped as f64);
        self.handle.update(|status| {
            metrics::gauge!("oms_reader_parked_streams", "reader" => reader).set(status.parked as f64);
            status.partitions = partitions;
        });
    }

    async fn client(&self) -> Result<Client, RoundError> {
        Ok(self.lane.pool.get().await.map_err(HandleError::from)?)
    }
}

/// Reads pages of several partitions, a round's worth together.
async fn read_pages(wanted: Vec<Wanted>) -> Vec<(Held, Result<Read, FeedError>)> {
    let limit = (ROUND_EVENTS / wanted.len().max(1)).clamp(FEWEST_EVENTS, PAGE_EVENTS);
    let reads = wanted.into_iter().map(async |Wanted { feed, held, head }| {
        let read = fetch::read(&feed, &held, head, limit).await;
        (held, read)
    });
    stream::iter(reads).buffer_unordered(READS_AT_ONCE).collect().await
}

/// The pages in two shares of about the same size; one where there is one page.
fn halves(pages: Vec<Fetched>) -> Vec<Vec<Fetched>> {
    let half = pages.iter().map(|page| page.events.len()).sum::<usize>() / 2;
    let mut before = 0;
    let (first, second): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| {
        let is_of_the_first = before < half;
        before += page.events.len();
        is_of_the_first
    });
    [first, second].into_iter().filter(|share| !share.is_empty()).collect()
}

fn head_of(heads: &Heads, partition: i32) -> i64 {
    usize::try_from(partition).ok().and_then(|index| heads.positions.get(index)).copied().unwrap_or_default()
}
