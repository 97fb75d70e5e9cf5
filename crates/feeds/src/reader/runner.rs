//! The loop of one reader in one process: keep the leases, look at the heads, handle what is new, sleep.

use super::{
    fetch::{self, Fit, Read},
    lease::{self, Held, Step},
    retry,
    status::{PartitionStatus, ReaderHandle, Target},
    work::{Again, Fetched, Lane, MOST_PARKED_STREAMS, Outcome, ParkedStreams, RoundError, Work},
};
use crate::{
    HandleError, StartFrom, Subscription,
    error::chain,
    feed::{Feed, HeadWatch, Heads},
};
use futures_util::{StreamExt, future::select_all, stream};
use pg::{Client, Pool};
use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often leases are renewed by a reader that has its share of the partitions.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often a reader looks around that has less than its share or is still catching up.
const SEARCH: Duration = Duration::from_millis(500);
const PAGE_EVENTS: usize = 400;
const ROUND_EVENTS: usize = 2_000;
const FEWEST_EVENTS: usize = 25;
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
        let fetched = self.fetch().await?;
        if fetched.is_empty() {
            self.publish_status();
            return Ok(false);
        }
        let handled: usize = fetched.iter().map(|one| one.events.len()).sum();
        let outcome = self.keep_leases_during(self.work.round(&self.lane, fetched, &self.parked)).await;
        match outcome {
            Ok(outcome) => {
                let worked = !outcome.moved.is_empty();
                self.apply(outcome);
                metrics::counter!("oms_reader_events_total", "reader" => self.name()).increment(handled as u64);
                self.publish_status();
                if worked {
                    self.handle.ring();
                }
                Ok(worked)
            }
            Err(RoundError::Lost) => {
                tracing::info!(reader = self.name(), "a lease was lost: its work was rolled back");
                self.next_renewal = Instant::now();
                Ok(true)
            }
            Err(RoundError::TooManyParked) => {
                self.stop_all(&RoundError::TooManyParked.to_string()).await?;
                Ok(true)
            }
            Err(error) => Err(error),
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
        let mut wanted: Vec<(Feed, Held, i64)> = Vec::new();
        for index in 0..self.logs.len() {
            let log = &self.logs[index];
            let (Some(feed), Some(heads)) = (log.subscription.get(), log.heads.borrow().clone()) else { continue };
            let name = Arc::clone(log.subscription.name());
            for place in 0..self.held.len() {
                let held = &self.held[place];
                let waits = self.waiting.get(&(Arc::clone(&held.log), held.partition)).is_some_and(|at| at.until > now);
                if *held.log != *name || held.stopped.is_some() || waits || !self.fit(place, &feed, &heads).await? {
                    continue;
                }
                let held = &self.held[place];
                let head = head_of(&heads, held.partition);
                if head > held.position {
                    wanted.push((feed.clone(), held.clone(), head));
                }
            }
        }
        let limit = (ROUND_EVENTS / wanted.len().max(1)).clamp(FEWEST_EVENTS, PAGE_EVENTS);
        let reads = stream::iter(wanted.into_iter().map(async |(feed, held, head)| {
            let read = fetch::read(&feed, &held, head, limit).await;
            (held, read)
        }))
        .buffer_unordered(READS_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
        let mut fetched = Vec::with_capacity(reads.len());
        for (held, read) in reads {
            match read.map_err(HandleError::retry)? {
                Read::Events(events) => fetched.push(Fetched { held, events }),
                Read::Nothing => {}
                Read::Stop(reason) => self.stop(&held, &reason).await?,
            }
        }
        fetched.sort_by(|a, b| (&a.held.log, a.held.partition).cmp(&(&b.held.log, b.held.partition)));
        Ok(fetched)
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

    /// Renews leases, takes or gives partitions so that every instance has its share, and tries parked streams again.
    async fn look_around(&mut self) -> Result<(), RoundError> {
        let identity = self.lane.identity;
        let client = self.client().await?;
        let instance = match self.instance {
            Some(instance) => instance,
            None => *self.instance.insert(lease::join(&client, identity).await.map_err(HandleError::retry)?),
        };
        self.begin_logs(&client).await?;
        let renewed = lease::renew(&client, identity, instance).await.map_err(HandleError::retry)?;
        let around = lease::neighbours(&client, identity, instance).await.map_err(HandleError::retry)?;
        let share = renewed.total.div_ceil(around.others + 1);
        self.held = renewed.mine;
        while self.held.len() > share
            && let Some(surplus) = self.held.pop()
        {
            lease::release(&client, identity, instance, &surplus).await.map_err(HandleError::retry)?;
        }
        if renewed.free > 0 && self.held.len() < share {
            let wanted = share - self.held.len();
            let taken = lease::acquire(&client, identity, instance, wanted).await.map_err(HandleError::retry)?;
            self.held.extend(taken);
        }
        self.held.sort_by(|a, b| (&a.log, a.partition).cmp(&(&b.log, b.partition)));
        if around.parked < MOST_PARKED_STREAMS {
            self.go_on(&client).await?;
        }
        self.load_parked(&client, around.parked).await?;
        drop(client);
        self.check_catch_up().await?;
        let searching = self.held.len() < share || self.catch_up.is_some() || self.logs.iter().any(|log| !log.begun);
        self.next_renewal = Instant::now() + if searching { SEARCH } else { RENEWAL };
        if around.retries > 0 {
            self.retry_parked().await?;
        }
        Ok(())
    }

    /// Makes the checkpoints of logs that the reader was never at.
    async fn begin_logs(&mut self, client: &Client) -> Result<(), RoundError> {
        let identity = self.lane.identity;
        for log in self.logs.iter_mut().filter(|log| !log.begun) {
            let (Some(feed), Some(heads)) = (log.subscription.get(), log.heads.borrow().clone()) else { continue };
            let name = log.subscription.name();
            if !lease::is_known(client, identity, name).await.map_err(HandleError::retry)? {
                let mut starts = vec![(0, None); heads.positions.len()];
                if self.work.start_from() == StartFrom::Head {
                    for (partition, (start, head)) in (0..).zip(starts.iter_mut().zip(&heads.positions)) {
                        let last = feed.read(partition, head - 1, 1).await.map_err(HandleError::retry)?.events;
                        *start = (*head, last.first().map(|event| event.event_id.as_uuid()));
                    }
                }
                lease::create(client, identity, name, heads.epoch, &starts).await.map_err(HandleError::retry)?;
            }
            log.begun = true;
        }
        if self.catch_up.is_none() && !self.handle.caught_up() && self.logs.iter().all(|log| log.begun) {
            self.catch_up = Some(self.logs.iter().flat_map(targets_of).collect());
        }
        Ok(())
    }

    async fn check_catch_up(&mut self) -> Result<(), RoundError> {
        let Some(targets) = &self.catch_up else { return Ok(()) };
        if lease::reached(&self.lane.pool, self.lane.identity, targets).await.map_err(HandleError::retry)? {
            self.catch_up = None;
            self.handle.update(|status| status.caught_up = true);
            tracing::info!(reader = self.name(), "the reader has caught up");
        }
        Ok(())
    }

    async fn load_parked(&mut self, client: &Client, parked: i64) -> Result<(), RoundError> {
        self.handle.update(|status| status.parked = parked);
        self.parked.clear();
        if parked > 0 {
            for log in &self.logs {
                let name = log.subscription.name();
                let partitions: Vec<i32> =
                    self.held.iter().filter(|held| held.log == *name).map(|held| held.partition).collect();
                self.parked.extend(retry::load(client, self.lane.identity, name, &partitions).await?);
            }
        }
        Ok(())
    }

    async fn retry_parked(&mut self) -> Result<(), RoundError> {
        for index in 0..self.logs.len() {
            let log = &self.logs[index].subscription;
            let Some(feed) = log.get() else { continue };
            let held: Vec<Held> = self.held.iter().filter(|held| held.log == *log.name()).cloned().collect();
            while !self.lane.stop.is_cancelled()
                && let Some((stream, events)) = retry::next(&self.lane, &feed, &held).await?
            {
                match self.keep_leases_during(self.work.again(&self.lane, &stream, events)).await {
                    Ok(Again::Released) => {
                        tracing::info!(reader = self.name(), stream.id = stream.stream_id, "a parked stream goes on");
                        self.parked.remove(&(Arc::clone(&stream.held.log), stream.stream_id));
                        self.handle.update(|status| status.parked -= 1);
                        self.handle.ring();
                    }
                    Ok(Again::More | Again::Refused) => {}
                    Err(RoundError::Lost) => {
                        self.next_renewal = Instant::now();
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
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
        Ok(())
    }

    async fn stop_all(&mut self, reason: &str) -> Result<(), RoundError> {
        for held in self.held.clone() {
            self.stop(&held, reason).await?;
        }
        Ok(())
    }

    /// Lets partitions go on that stood still because too many streams were parked.
    async fn go_on(&mut self, client: &Client) -> Result<(), RoundError> {
        let reason = RoundError::TooManyParked.to_string();
        for held in self.held.iter_mut().filter(|held| held.stopped.as_deref() == Some(reason.as_str())) {
            lease::note_stop(client, self.lane.identity, held, None).await.map_err(HandleError::retry)?;
            held.stopped = None;
        }
        Ok(())
    }

    /// Renews the leases while something takes its time.
    async fn keep_leases_during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let renewal = tokio::time::sleep(RENEWAL);
            tokio::select! {
                done = &mut work => return done,
                () = renewal => {}
            }
            // Both go on side by side, and none is dropped half-way: a statement of ours may be under way.
            let mut renewal = pin!(self.renew());
            let mut done = None;
            loop {
                tokio::select! {
                    result = &mut work, if done.is_none() => done = Some(result),
                    () = &mut renewal => break,
                }
            }
            if let Some(done) = done {
                return done;
            }
        }
    }

    async fn renew(&self) {
        let (Ok(client), Some(instance)) = (self.client().await, self.instance) else { return };
        if let Err(error) = lease::renew(&client, self.lane.identity, instance).await {
            tracing::debug!(reader = self.name(), error = chain(&error), "leases were not renewed");
        }
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

    async fn leave(&self) {
        let (Ok(client), Some(instance)) = (self.client().await, self.instance) else { return };
        if let Err(error) = lease::leave(&client, self.lane.identity, instance).await {
            tracing::warn!(reader = self.name(), error = chain(&error), "the reader's partitions were not released");
        }
    }

    async fn client(&self) -> Result<Client, RoundError> {
        Ok(self.lane.pool.get().await.map_err(HandleError::from)?)
    }
}

fn head_of(heads: &Heads, partition: i32) -> i64 {
    usize::try_from(partition).ok().and_then(|index| heads.positions.get(index)).copied().unwrap_or_default()
}

fn targets_of(log: &Followed) -> Vec<Target> {
    let name = log.subscription.name();
    let heads = log.heads.borrow();
    let positions = heads.iter().flat_map(|heads| &heads.positions);
    (0..)
        .zip(positions)
        .filter(|(_, position)| **position > 0)
        .map(|(partition, position)| Target { log: name.to_string(), partition, position: *position })
        .collect()
}
