//! Follows the pointer in one process: enters the generations that this binary can read, runs their readers, moves the
//! pointer when the new one is there, lets requests go over to it, and clears away what nobody uses any more. Every
//! instance does the same; the rows of the pointer decide who was first.

use super::{
    Generation, Live, Parts,
    pointer::{self, CHANNEL, Entry, FlipError, State},
};
use crate::projectors::{READER, SHAPE};
use feeds::checkpoint::{self, NotReady};
use pg::{Database, Listener, PgError, Pool};
use service::Lifecycle;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often the pointer is looked at while something is under way, or nobody could be told of a change.
const BUSY: Duration = Duration::from_millis(250);
/// How often otherwise: changes are told by NOTIFY.
const QUIET: Duration = Duration::from_secs(5);
/// How often the first catch-up is looked at: the indexes are made after it.
const STARTING: Duration = Duration::from_millis(50);
/// After the new one was not ready, the live reader is left in peace this long.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// Events that the new reader handles easily while the live one is held.
const LAST_STEPS: i64 = 500;
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Follower {
    parts: Parts,
    database: Database,
    control: Pool,
    lifecycle: Lifecycle,
    instance: Uuid,
    live: Live,
    running: BTreeMap<i32, Arc<Generation>>,
    next_attempt: Instant,
}

impl Follower {
    /// Finds the generation that requests are answered from, and becomes a member of it. Where the live one has
    /// another shape, one of our own is begun.
    ///
    /// # Errors
    /// [`PgError`].
    pub(crate) async fn open(
        parts: Parts,
        database: Database,
        control: Pool,
        lifecycle: Lifecycle,
    ) -> Result<Self, PgError> {
        let instance = control
            .get()
            .await?
            .query_one("SELECT gen_random_uuid()", &[])
            .await
            .map_err(|source| PgError::Statement { action: "name an instance", source })?
            .get(0);
        loop {
            let entries = pointer::look(&control, instance).await?;
            let Some(entry) = ours(&entries) else {
                begin(&control, &entries).await?;
                continue;
            };
            if !pointer::enter(&control, entry.number, instance).await? {
                continue;
            }
            let first = Arc::new(parts.open(entry.number, entry.state == State::Live).await?);
            if entry.state == State::Live {
                pointer::show_first(&control, entry.number).await?;
            }
            return Ok(Self {
                live: Live::new(Arc::clone(&first)),
                running: BTreeMap::from([(first.number, first)]),
                parts,
                database,
                control,
                lifecycle,
                instance,
                next_attempt: Instant::now(),
            });
        }
    }

    /// What requests ask for the generation to read.
    pub(crate) fn live(&self) -> Live {
        self.live.clone()
    }

    /// Follows the pointer until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut listener: Option<Listener> = None;
        while !stop.is_cancelled() {
            let busy = match self.follow().await {
                Ok(busy) => busy,
                Err(error) => {
                    tracing::warn!(%error, "the pointer to the read tables cannot be followed");
                    true
                }
            };
            if listener.is_none() {
                listener =
                    timeout(PATIENCE, Listener::connect(&self.database, &[CHANNEL])).await.ok().and_then(Result::ok);
            }
            let pause = match (self.live.is_ready(&self.live.current()), busy || listener.is_none()) {
                (false, _) => STARTING,
                (true, true) => BUSY,
                (true, false) => QUIET,
            };
            let broken = tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(pause) => false,
                told = heard(&mut listener) => told.is_err(),
            };
            if broken {
                listener = None;
            }
        }
        let left = timeout(PATIENCE, pointer::leave_all(&self.control, self.instance)).await;
        if !matches!(left, Ok(Ok(()))) {
            tracing::debug!("the generations were not left; the memberships run out");
        }
    }

    /// One look at the pointer, and what follows from it. Says whether more is to come soon.
    async fn follow(&mut self) -> Result<bool, PgError> {
        let entries = pointer::look(&self.control, self.instance).await?;
        let live = entries.iter().find(|entry| entry.state == State::Live);
        let building = entries.iter().find(|entry| entry.state == State::Building);
        for entry in [live, building].into_iter().flatten().filter(|entry| entry.shape == SHAPE) {
            self.take_up(entry).await?;
        }
        if ours(&entries).is_none() && self.running.is_empty() {
            begin(&self.control, &entries).await?;
        }
        self.start_readers();
        self.make_indexes();
        if let Some(next) = live.and_then(|entry| self.running.get(&entry.number)) {
            next.note_live();
            if self.live.number() != next.number {
                tracing::info!(generation = next.number, "requests read another generation from now on");
                self.live.switch(Arc::clone(next));
            }
        }
        let ours_is_building = building.filter(|entry| self.running.contains_key(&entry.number));
        self.live.note_building(ours_is_building.and_then(|entry| self.running.get(&entry.number).cloned()));
        self.close_unused(live, building).await?;
        if let (Some(live), Some(building)) = (live, ours_is_building) {
            self.bring_to_the_end(live, building).await?;
        }
        self.clear_away(live, &entries).await?;
        Ok(building.is_some() || self.running.len() > 1 || entries.iter().any(|entry| entry.state == State::Retired))
    }

    /// Becomes a member of a generation and opens it.
    async fn take_up(&mut self, entry: &Entry) -> Result<(), PgError> {
        if self.running.contains_key(&entry.number)
            || !pointer::enter(&self.control, entry.number, self.instance).await?
        {
            return Ok(());
        }
        let generation = self.parts.open(entry.number, entry.state == State::Live).await?;
        if entry.state == State::Building {
            tracing::info!(generation = entry.number, "a generation is built beside the live one");
        }
        self.running.insert(entry.number, Arc::new(generation));
        Ok(())
    }

    fn start_readers(&self) {
        for generation in self.running.values() {
            if let Some(runner) = generation.runner() {
                self.lifecycle.spawn("query.reader", runner);
            }
        }
    }

    /// Rows are written several times as fast without indexes, so they are made after the first catch-up.
    fn make_indexes(&self) {
        for generation in self.running.values().filter(|generation| generation.reader.caught_up()) {
            if let Some(indexer) = generation.indexer() {
                self.lifecycle.spawn("query.indexes", |_stop| indexer);
            }
        }
    }

    /// Closes those that are neither live nor being built and that no request reads any more.
    async fn close_unused(&mut self, live: Option<&Entry>, building: Option<&Entry>) -> Result<(), PgError> {
        let wanted = [live, building].map(|entry| entry.map(|entry| entry.number));
        let current = self.live.number();
        let unused: Vec<i32> = self
            .running
            .iter()
            .filter(|(number, generation)| {
                !wanted.contains(&Some(**number)) && **number != current && generation.is_drained()
            })
            .map(|(number, _)| *number)
            .collect();
        for number in unused {
            if let Some(generation) = self.running.remove(&number) {
                generation.close().await;
                tracing::info!(generation = number, "a generation is not used here any more");
            }
            pointer::leave(&self.control, number, self.instance).await?;
        }
        Ok(())
    }

    /// Gives the new generation the pointer once it has caught up and has its indexes.
    async fn bring_to_the_end(&mut self, live: &Entry, building: &Entry) -> Result<(), PgError> {
        let Some(generation) = self.running.get(&building.number) else { return Ok(()) };
        let refused = generation.reader.status().parked > 0;
        let is_complete = generation.reader.caught_up() && generation.has_indexes();
        if refused || !is_complete || Instant::now() < self.next_attempt {
            return Ok(());
        }
        if checkpoint::distance(&self.control, READER, live.number, building.number).await? > LAST_STEPS {
            return Ok(());
        }
        match pointer::flip(&self.control, live, building).await {
            Ok(flipped) => {
                if flipped {
                    tracing::info!(from = live.number, to = building.number, "the pointer was moved");
                }
                Ok(())
            }
            Err(FlipError::NotReady(NotReady::Database(source))) => {
                Err(PgError::Statement { action: "compare the checkpoints", source })
            }
            Err(FlipError::NotReady(reason)) => {
                tracing::info!(generation = building.number, %reason, "the pointer was not moved yet");
                self.next_attempt = Instant::now() + AFTER_REFUSAL;
                Ok(())
            }
            Err(FlipError::Database(error)) => Err(error),
        }
    }

    /// Drops what was retired and is used by nobody; gives up what another binary began and left.
    async fn clear_away(&self, live: Option<&Entry>, entries: &[Entry]) -> Result<(), PgError> {
        for entry in entries {
            let is_left = entry.state == State::Building && entry.deserted && entry.shape != SHAPE;
            if is_left && live.is_some_and(|live| live.shape == SHAPE) {
                pointer::give_up(&self.control, entry.number).await?;
            }
            let unused = entry.state == State::Retired && entry.members == 0;
            if unused && pointer::drop_unused(&self.control, entry.number).await? {
                tracing::info!(generation = entry.number, "a generation that nobody uses was dropped");
            }
        }
        Ok(())
    }
}

/// The generation to answer from at the start: the live one if we can read it; else one of our shape that others still
/// use, as in the middle of a roll-out; else the one of our shape that is being built.
fn ours(entries: &[Entry]) -> Option<&Entry> {
    let of = |state: State| move |entry: &&Entry| entry.shape == SHAPE && entry.state == state;
    entries
        .iter()
        .find(of(State::Live))
        .or_else(|| entries.iter().filter(of(State::Retired)).rfind(|entry| entry.members > 0))
        .or_else(|| entries.iter().find(of(State::Building)))
}

/// Makes a generation of our shape: the first one is live at once, another is built beside the live one.
async fn begin(control: &Pool, entries: &[Entry]) -> Result<(), PgError> {
    if entries.iter().any(|entry| entry.state == State::Live) {
        return pointer::begin_own(control, SHAPE).await;
    }
    pointer::begin_first(control, SHAPE).await
}

async fn heard(listener: &mut Option<Listener>) -> Result<(), PgError> {
    match listener {
        Some(listener) => listener.recv().await.map(drop),
        None => std::future::pending().await,
    }
}
