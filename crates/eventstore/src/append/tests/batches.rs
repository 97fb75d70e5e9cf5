//! How much goes into one batch.

use super::{PARTITIONS, in_paused_time, server::InMemory};
use crate::append::{Append, Expected, Queue, Seen, Writer, run_writer};
use bytes::Bytes;
use futures_util::future::join_all;
use shared_events::{Actor, EventId, Metadata, NewEvent};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MIB: usize = 1024 * 1024;

/// Hands all commands to one writer at the same moment, each of one event with that many bytes on a stream of its own,
/// and gives the events and bytes of the batches.
fn batches(sizes: &[usize]) -> Vec<(usize, usize)> {
    in_paused_time(async {
        let database = InMemory::new(PARTITIONS, Vec::new());
        let (queue, receivers) = Queue::new(1, PARTITIONS);
        for receiver in receivers {
            let (server, seen, wake) = (Arc::new(database.clone()), Arc::new(Seen::default()), Arc::default());
            let writer = Writer::new("tests", 0, server, receiver, seen, wake);
            crate::Spawner::default().spawn(run_writer(writer, CancellationToken::new()));
        }
        let commands = sizes.iter().enumerate().map(|(n, size)| queue.append(command(n, *size), false));
        for answer in join_all(commands).await {
            answer.unwrap();
        }
        let batches = database.world().batches.clone();
        assert_eq!(batches.iter().map(|(events, _)| events).sum::<usize>(), sizes.len());
        batches
    })
}

fn command(n: usize, bytes: usize) -> Append {
    let metadata = Metadata {
        correlation_id: Uuid::nil(),
        causation_id: None,
        actor: Actor::internal(),
        traceparent: None,
        import: false,
    };
    let event = NewEvent {
        event_id: EventId::generate(),
        event_type: "Happened",
        schema_version: 1,
        payload: Bytes::from(vec![b' '; bytes]),
    };
    Append {
        stream_id: format!("stream-{n}"),
        stream_type: "Test",
        expected: Expected::Version(0),
        command_id: None,
        events: vec![event],
        metadata,
        claim: None,
    }
}

#[test]
fn a_batch_has_200_commands_at_most_and_takes_as_many_as_wait() {
    let batches = batches(&[10; 500]);
    assert_eq!(batches.iter().map(|(commands, _)| *commands).max(), Some(200), "{batches:?}");
}

#[test]
fn a_batch_has_4_mib_at_most_and_one_command_of_that_size_goes_alone() {
    let batches = batches(&[&[MIB; 9][..], &[4 * MIB], &[10]].concat());
    assert!(batches.iter().all(|(_, bytes)| *bytes <= 4 * MIB), "{batches:?}");
    assert!(batches.contains(&(3, 3 * MIB)), "with its metadata a fourth MiB does not fit: {batches:?}");
    assert!(batches.contains(&(1, 4 * MIB)), "{batches:?}");
}
