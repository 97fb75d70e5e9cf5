//! A stream in memory: its typed events, opened with their keys, to be folded up to any version.

use super::ExecuteError;
use crate::{Decider, EventLog, Keys, read::is_full};
use shared_events::{
    KeyId, RecordedEvent,
    sealed::{KeyRing, SealingKey, key_ids, open_event},
};
use std::collections::HashSet;
use uuid::Uuid;

const PAGE: usize = 500;

/// A stream as far as it was read.
#[derive(Debug, Clone)]
pub struct Loaded<D: Decider> {
    /// Its state.
    pub state: D::State,
    /// Its version; 0 if it does not exist.
    pub version: i64,
    /// The key that its personal fields name last, if it is at hand.
    pub key: Option<SealingKey>,
}

pub(super) struct History<D: Decider> {
    /// The event of version v is at v - 1.
    events: Vec<D::Event>,
    commands: HashSet<Uuid>,
    ring: KeyRing,
    key: Option<SealingKey>,
}

impl<D: Decider> Default for History<D> {
    fn default() -> Self {
        Self { events: Vec::new(), commands: HashSet::new(), ring: KeyRing::default(), key: None }
    }
}

impl<D: Decider> History<D> {
    /// Reads what is new since the last time. Fails on a type that this build does not know: deciding without it
    /// would be a guess.
    pub(super) async fn catch_up(
        &mut self,
        log: &EventLog,
        stream_id: &str,
        keys: &impl Keys,
    ) -> Result<(), ExecuteError<D::Rejection>> {
        loop {
            let page = log.read_stream(stream_id, self.version(), PAGE).await?;
            self.fetch_keys(&page, keys).await?;
            for recorded in &page {
                self.events.push(open_event(recorded, &self.ring)?);
                self.commands.extend(recorded.command_id);
            }
            if page.len() < PAGE && !is_full(&page) {
                return Ok(());
            }
        }
    }

    pub(super) fn has_command(&self, id: Uuid) -> bool {
        self.commands.contains(&id)
    }

    pub(super) fn fold(&self, to_version: i64) -> Loaded<D> {
        let version = to_version.min(self.version());
        let until = usize::try_from(version).unwrap_or_default();
        let state = self.events[..until].iter().fold(D::State::default(), D::evolve);
        Loaded { state, version, key: self.key.clone() }
    }

    fn version(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap_or(i64::MAX)
    }

    async fn fetch_keys(&mut self, page: &[RecordedEvent], keys: &impl Keys) -> Result<(), ExecuteError<D::Rejection>> {
        let named: Vec<KeyId> = page.iter().flat_map(key_ids::<D::Event>).collect();
        let mut unknown: Vec<KeyId> = named.iter().copied().filter(|id| self.ring.get(*id).is_none()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let fetched = keys.ring(&unknown).await.map_err(|error| ExecuteError::Keys(Box::new(error)))?;
            for key in unknown.iter().filter_map(|id| fetched.get(*id)) {
                self.ring.insert(key.clone());
            }
        }
        if let Some(last) = named.last() {
            self.key = self.ring.get(*last).cloned();
        }
        Ok(())
    }
}
