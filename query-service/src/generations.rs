//! Generations of the read tables: each is one version of the reader with a schema, a cache and connections of its own.
//! One is live and answers requests; another may be built beside it and takes its place when it is nowhere behind. A
//! request keeps the generation it began with. Every instance runs the readers of all generations that it can read.

mod follower;
mod generation;
pub mod pointer;

pub(crate) use follower::Follower;
pub(crate) use generation::{Generation, Parts};

use crate::reads::Reads;
use axum::extract::FromRef;
use service::{Health, ReadyCheck};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

/// The generation that requests are answered from. Clones are the same one.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    current: RwLock<Arc<Generation>>,
    building: RwLock<Option<Arc<Generation>>>,
    /// Whether a generation of ours was live and had caught up; later ones take over without a gap.
    was_ready: AtomicBool,
}

impl Live {
    pub(crate) fn new(first: Arc<Generation>) -> Self {
        let shared =
            Shared { current: RwLock::new(first), building: RwLock::default(), was_ready: AtomicBool::new(false) };
        Self(Arc::new(shared))
    }

    /// What a request reads from, from its beginning to its end.
    #[must_use]
    pub fn reads(&self) -> Arc<Reads> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner).reads)
    }

    /// The number of the generation that answers now.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.current().number
    }

    /// Down until the first catch-up is over, then as the reader of the live generation follows its logs; degraded too
    /// while a generation that is being built cannot go on.
    #[must_use]
    pub fn ready_check(&self, name: &'static str) -> ReadyCheck {
        let live = self.clone();
        ReadyCheck::new(name, move || std::future::ready(live.health()))
    }

    fn health(&self) -> Health {
        let current = self.current();
        if !self.is_ready(&current) {
            return Health::Down("the first catch-up is not over".to_owned());
        }
        let building = self.0.building.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (Health::following(&current.reader), building.map(|building| Health::following(&building.reader))) {
            (Health::Ok, Some(Health::Degraded(reason))) => Health::Degraded(format!("the rebuild: {reason}")),
            (health, _) => health,
        }
    }

    /// Whether a generation of ours has answered, or could by now.
    pub(crate) fn is_ready(&self, current: &Generation) -> bool {
        if self.0.was_ready.load(Ordering::Relaxed) {
            return true;
        }
        let ready = current.was_live() && current.reader.caught_up() && current.has_indexes();
        self.0.was_ready.store(ready, Ordering::Relaxed);
        ready
    }

    pub(crate) fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Requests that begin from now on read this one.
    pub(crate) fn switch(&self, to: Arc<Generation>) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = to;
    }

    pub(crate) fn note_building(&self, building: Option<Arc<Generation>>) {
        *self.0.building.write().unwrap_or_else(PoisonError::into_inner) = building;
    }
}

impl FromRef<Live> for Arc<Reads> {
    fn from_ref(live: &Live) -> Self {
        live.reads()
    }
}
