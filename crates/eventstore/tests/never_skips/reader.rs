//! Readers, and what all of them have seen so far.

use eventstore::EventLog;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
};
use test_support::TestDatabase;
use uuid::Uuid;

/// What was seen at each position, by any reader: it must never be anything else.
#[derive(Default)]
pub struct SeenLog {
    events: Mutex<HashMap<i32, Vec<Option<Uuid>>>>,
    looks: Mutex<u64>,
    /// The last heads, once nobody writes any more.
    ended: OnceLock<Vec<i64>>,
}

impl SeenLog {
    /// Takes what a reader saw behind a position when it asked for at most `limit` events of a partition whose head
    /// it had seen at `head` before.
    fn note(&self, partition: i32, after: i64, limit: i64, head: i64, page: &[(i64, Uuid)]) {
        for (expected, (position, _)) in (after + 1..).zip(page) {
            assert_eq!(*position, expected, "a reader in partition {partition} skipped from {after}");
        }
        let last = page.last().map_or(after, |(position, _)| *position);
        let complete = i64::try_from(page.len()).unwrap() == limit || last >= head;
        assert!(complete, "partition {partition} ended at {last} after its head was seen at {head}");
        let mut events = self.events.lock().unwrap();
        let seen = events.entry(partition).or_default();
        for (position, event) in page {
            let index = usize::try_from(*position).unwrap();
            if seen.len() <= index {
                seen.resize(index + 1, None);
            }
            let first = *seen[index].get_or_insert(*event);
            assert_eq!(first, *event, "position {position} of partition {partition} has changed");
        }
        *self.looks.lock().unwrap() += page.len() as u64;
    }

    /// Lets the readers end once they have seen everything.
    pub fn finish(&self, heads: Vec<i64>) {
        self.ended.set(heads).unwrap();
    }

    fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// How many different events were seen, and how often any.
    pub fn counts(&self) -> (i64, u64) {
        let events = self.events.lock().unwrap();
        let count = events.values().map(|partition| partition.iter().flatten().count()).sum::<usize>();
        (i64::try_from(count).unwrap(), *self.looks.lock().unwrap())
    }
}

/// Follows every partition from its beginning to its end.
pub async fn tail(log: &EventLog, seen: &SeenLog) {
    const LIMIT: usize = 300;
    let mut at = vec![0; usize::try_from(log.partitions()).unwrap()];
    loop {
        let ended = seen.ended.get().cloned();
        let heads = log.heads().await.unwrap().positions;
        for (partition, at) in (0..).zip(&mut at) {
            let page = log.read_partition(partition, *at, LIMIT).await.unwrap();
            let events: Vec<_> = page.events.iter().map(|event| (event.position, event.event_id.as_uuid())).collect();
            let head = heads[usize::try_from(partition).unwrap()];
            seen.note(partition, *at, i64::try_from(LIMIT).unwrap(), head, &events);
            *at += i64::try_from(events.len()).unwrap();
        }
        if ended.is_some_and(|heads| heads == at) {
            return;
        }
    }
}

/// Begins at random positions again and again, and reads a while from there.
pub async fn roam(log: &EventLog, seen: &SeenLog, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    while !seen.has_ended() {
        let heads = log.heads().await.unwrap().positions;
        let partition = random.random_range(0..log.partitions());
        let mut head = heads[usize::try_from(partition).unwrap()];
        let mut at = start(&mut random, head);
        for _ in 0..random.random_range(1..12) {
            let limit = random.random_range(1..200);
            let page = log.read_partition(partition, at, limit).await.unwrap();
            let events: Vec<_> = page.events.iter().map(|event| (event.position, event.event_id.as_uuid())).collect();
            seen.note(partition, at, i64::try_from(limit).unwrap(), head, &events);
            at += i64::try_from(events.len()).unwrap();
            head = page.head;
        }
    }
}

/// The same in SQL of its own: the promise is the table's, not that of the code that reads it.
pub async fn roam_in_sql(database: &TestDatabase, seen: &SeenLog, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let client = database.connect().await.unwrap();
    let heads = client.prepare("select position from log_head where partition = $1").await.unwrap();
    let read =
        "select position, event_id from events where partition = $1 and position > $2 order by position limit $3";
    let read = client.prepare(read).await.unwrap();
    while !seen.has_ended() {
        let partition = random.random_range(0..crate::writer::PARTITIONS);
        let head: i64 = client.query_one(&heads, &[&partition]).await.unwrap().get(0);
        let (at, limit) = (start(&mut random, head), random.random_range(1..1_000));
        let rows = client.query(&read, &[&partition, &at, &limit]).await.unwrap();
        let events: Vec<(i64, Uuid)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        seen.note(partition, at, limit, head, &events);
    }
}

/// Half of the time near the end, where the writers are.
fn start(random: &mut StdRng, head: i64) -> i64 {
    let first = if random.random() { 0 } else { (head - 100).max(0) };
    random.random_range(first..=head)
}
