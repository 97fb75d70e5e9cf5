//! Reactions: where they begin, and what happens to their effects.

use crate::fixture::{Fixture, LOG, command, fixture};
use eventstore::Append;
use feeds::{HandleError, Reaction, Reader, StartFrom, derived_command_id, parked};
use shared_events::{Metadata, RecordedEvent};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};
use test_support::eventually;
use tokio::sync::Barrier;

#[derive(Clone)]
struct Noticing {
    start: StartFrom,
    skips_imports: bool,
    seen: Arc<Mutex<Vec<(String, i64)>>>,
    poison: Arc<Mutex<HashSet<String>>>,
    away: Arc<Mutex<HashSet<String>>>,
}

impl Noticing {
    fn new(start: StartFrom) -> Self {
        Self { start, skips_imports: false, seen: Arc::default(), poison: Arc::default(), away: Arc::default() }
    }

    fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn versions_of(&self, stream_id: &str) -> Vec<i64> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(stream, _)| stream == stream_id).map(|(_, version)| *version).collect()
    }
}

impl Reaction for Noticing {
    fn name(&self) -> &'static str {
        "noticing"
    }

    fn start_from(&self) -> StartFrom {
        self.start
    }

    fn skips_imports(&self) -> bool {
        self.skips_imports
    }

    async fn react(&self, log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        assert_eq!(log, LOG);
        if self.poison.lock().unwrap().contains(&event.stream_id) {
            return Err(HandleError::poison("this can never work"));
        }
        if self.away.lock().unwrap().contains(&event.stream_id) {
            return Err(HandleError::retry("the other side is away"));
        }
        self.seen.lock().unwrap().push((event.stream_id.clone(), event.version));
        Ok(())
    }
}

fn reader(world: &Fixture, noticing: &Noticing) -> Reader {
    Reader::reaction(noticing.clone(), world.pool.clone(), vec![world.registry.subscribe(LOG)])
}

#[tokio::test]
async fn a_new_reaction_starts_at_the_head_and_goes_on_from_its_checkpoint() {
    let world = fixture().await;
    world.append_streams(10).await;
    let noticing = Noticing::new(StartFrom::Head);
    let running = world.run(reader(&world, &noticing));
    eventually(|| async { running.handle.caught_up() }).await;
    world.append("stream-1", 1).await;
    eventually(|| async { noticing.seen() == 1 }).await;
    eventually(|| async { running.handle.status().lag() == 0 }).await;
    running.stop().await;

    world.append("stream-1", 1).await;
    let _again = world.run(reader(&world, &noticing));
    eventually(|| async { noticing.seen() == 2 }).await;
    assert_eq!(noticing.versions_of("stream-1"), [2, 3]);
}

#[tokio::test]
async fn a_reaction_from_the_start_gets_every_event() {
    let world = fixture().await;
    world.append_streams(10).await;
    let noticing = Noticing::new(StartFrom::Start);
    let running = world.run(reader(&world, &noticing));
    eventually(|| async { running.handle.caught_up() }).await;
    assert_eq!(noticing.seen(), 10);
}

#[tokio::test]
async fn imported_events_pass_by_a_reaction_that_skips_them() {
    let world = fixture().await;
    let mut noticing = Noticing::new(StartFrom::Start);
    noticing.skips_imports = true;
    let imported = command("stream-1", 1);
    let metadata = Metadata { import: true, ..imported.metadata.clone() };
    world.log.append(Append { metadata, ..imported }).await.unwrap();
    world.append("stream-1", 1).await;
    let running = world.run(reader(&world, &noticing));
    eventually(|| async { running.handle.caught_up() }).await;
    assert_eq!(noticing.versions_of("stream-1"), [2]);
}

#[tokio::test]
async fn an_effect_that_fails_for_now_is_tried_again_and_holds_up_its_partition_only() {
    let world = fixture().await;
    let noticing = Noticing::new(StartFrom::Start);
    noticing.away.lock().unwrap().insert("stream-0".to_owned());
    world.append("stream-0", 2).await;
    let elsewhere = (1..)
        .map(|n| format!("stream-{n}"))
        .find(|id| world.log.partition_of(id) != world.log.partition_of("stream-0"))
        .unwrap();
    world.append(&elsewhere, 2).await;
    let running = world.run(reader(&world, &noticing));
    eventually(|| async { noticing.seen() == 2 }).await;
    assert_eq!(noticing.versions_of(&elsewhere), [1, 2]);

    noticing.away.lock().unwrap().clear();
    eventually(|| async { noticing.seen() == 4 }).await;
    assert_eq!(noticing.versions_of("stream-0"), [1, 2]);
    eventually(|| async { running.handle.status().lag() == 0 && running.handle.caught_up() }).await;
    assert_eq!(running.handle.status().parked, 0);
}

#[tokio::test]
async fn a_refused_effect_parks_its_stream_and_is_tried_again_when_asked() {
    let world = fixture().await;
    let noticing = Noticing::new(StartFrom::Start);
    noticing.poison.lock().unwrap().insert("stream-0".to_owned());
    world.append_streams(10).await;
    world.append_streams(10).await;
    let _running = world.run(reader(&world, &noticing));
    eventually(|| async { noticing.seen() == 18 }).await;
    eventually(|| async { parked::list(&world.pool, None).await.unwrap().iter().any(|row| row.events == 2) }).await;

    noticing.poison.lock().unwrap().clear();
    parked::retry(&world.pool, "noticing", LOG, "stream-0").await.unwrap();
    eventually(|| async { noticing.seen() == 20 }).await;
    assert_eq!(noticing.versions_of("stream-0"), [1, 2]);
    eventually(|| async { parked::list(&world.pool, None).await.unwrap().is_empty() }).await;
}

/// Effects that end only when two of them are under way.
struct Meeting {
    barrier: Arc<Barrier>,
    ended: Arc<Mutex<Vec<i64>>>,
}

impl Reaction for Meeting {
    fn name(&self) -> &'static str {
        "meeting"
    }

    fn start_from(&self) -> StartFrom {
        StartFrom::Start
    }

    async fn react(&self, _log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        self.barrier.wait().await;
        self.ended.lock().unwrap().push(event.version);
        Ok(())
    }
}

#[tokio::test]
async fn streams_of_one_partition_have_their_effects_side_by_side_and_each_in_order() {
    let world = fixture().await;
    let beside = (1..)
        .map(|n| format!("stream-{n}"))
        .find(|id| world.log.partition_of(id) == world.log.partition_of("stream-0"))
        .unwrap();
    for _version in 1..=2 {
        world.append("stream-0", 1).await;
        world.append(&beside, 1).await;
    }
    let (barrier, ended) = (Arc::new(Barrier::new(2)), Arc::default());
    let meeting = Meeting { barrier, ended: Arc::clone(&ended) };
    let reader = Reader::reaction(meeting, world.pool.clone(), vec![world.registry.subscribe(LOG)]);
    let running = world.run(reader);
    eventually(|| async { running.handle.caught_up() }).await;
    assert_eq!(*ended.lock().unwrap(), [1, 1, 2, 2]);
}

#[test]
fn a_derived_command_id_is_the_same_for_the_same_cause_and_step_only() {
    let (one, other) = (shared_events::EventId::generate().as_uuid(), shared_events::EventId::generate().as_uuid());
    assert_eq!(derived_command_id(one, "refund"), derived_command_id(one, "refund"));
    assert_ne!(derived_command_id(one, "refund"), derived_command_id(one, "void"));
    assert_ne!(derived_command_id(one, "refund"), derived_command_id(other, "refund"));
}
