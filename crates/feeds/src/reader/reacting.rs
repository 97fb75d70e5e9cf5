//! A reaction's round: effects first, one event after the other in each stream and streams side by side, then the move
//! of the checkpoints. No transaction is open while an effect is under way.

use super::{
    lease::{Step, advance, begin},
    work::{
        Again, Behind, Fetched, Lane, Outcome, ParkedStream, ParkedStreams, RoundError, Work, park_event, park_stream,
        settle,
    },
};
use crate::{HandleError, Reaction, StartFrom, handler::PACE};
use futures_util::future::join_all;
use shared_events::RecordedEvent;
use std::{collections::HashSet, iter, sync::Arc, time::Duration};
use tokio::time::Instant;

/// After this long a round takes no further event, so that little is repeated after a crash.
const LONGEST_ROUND: Duration = Duration::from_secs(1);

pub(crate) struct Reacting<R>(pub(crate) R);

/// How many streams of a partition have effects under way at the same time.
const SIDE_BY_SIDE: usize = 16;

/// How far a partition got.
struct Progress {
    step: Option<Step>,
    refused: Vec<(Behind, HandleError)>,
    behind: Vec<Behind>,
    waiting: Option<HandleError>,
}

impl<R: Reaction> Work for Reacting<R> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn version(&self) -> i32 {
        1
    }

    fn start_from(&self) -> StartFrom {
        self.0.start_from()
    }

    fn pace(&self) -> Duration {
        PACE
    }

    fn handles_whole_pages(&self) -> bool {
        false
    }

    async fn round(&self, lane: &Lane, fetched: Vec<Fetched>, parked: &ParkedStreams) -> Result<Outcome, RoundError> {
        let deadline = Instant::now() + LONGEST_ROUND;
        let places: Vec<_> = fetched.iter().map(|one| (Arc::clone(&one.held.log), one.held.partition)).collect();
        let partitions = join_all(fetched.into_iter().map(|one| self.partition(lane, one, parked, deadline))).await;
        let mut outcome = Outcome::default();
        if partitions.iter().any(|partition| partition.step.is_some()) {
            let mut client = lane.pool.get().await.map_err(HandleError::from)?;
            let transaction = begin(&mut client).await?;
            for partition in &partitions {
                for (event, error) in &partition.refused {
                    park_stream(&transaction, lane.identity, event, error).await?;
                    outcome.parked.push((Arc::clone(&event.log), event.stream_id.clone()));
                }
                for event in &partition.behind {
                    park_event(&transaction, lane.identity, event).await?;
                }
            }
            outcome.moved = partitions.iter().filter_map(|partition| partition.step.clone()).collect();
            advance(&transaction, lane.identity, &outcome.moved).await?;
            transaction.commit().await?;
        }
        outcome.waiting = places
            .into_iter()
            .zip(partitions)
            .filter_map(|((log, partition), progress)| progress.waiting.map(|error| (log, partition, error)))
            .collect();
        Ok(outcome)
    }

    async fn again(&self, lane: &Lane, stream: &ParkedStream, events: Vec<RecordedEvent>) -> Result<Again, RoundError> {
        let mut handled = Vec::with_capacity(events.len());
        let mut refused = None;
        for event in &events {
            match self.effect(&stream.held.log, event).await {
                Ok(()) => handled.push(event.position),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let mut client = lane.pool.get().await.map_err(HandleError::from)?;
        let transaction = begin(&mut client).await?;
        let again = settle(&transaction, lane.identity, stream, &handled, refused.as_ref()).await?;
        transaction.commit().await?;
        Ok(again)
    }
}

impl<R: Reaction> Reacting<R> {
    async fn partition(&self, lane: &Lane, fetched: Fetched, parked: &ParkedStreams, deadline: Instant) -> Progress {
        let Fetched { held, events } = fetched;
        let mut progress = Progress { step: None, refused: Vec::new(), behind: Vec::new(), waiting: None };
        let mut refused_streams = HashSet::new();
        for wave in waves(&events) {
            if progress.step.is_some() && (lane.stop.is_cancelled() || Instant::now() > deadline) {
                break;
            }
            let effects = wave.iter().map(async |event| {
                let waits = refused_streams.contains(&event.stream_id)
                    || (!parked.is_empty() && parked.contains(&(Arc::clone(&held.log), event.stream_id.clone())));
                if waits { None } else { Some(self.effect(&held.log, event).await) }
            });
            for (event, effect) in wave.iter().zip(join_all(effects).await) {
                match effect {
                    None => progress.behind.push(Behind::of(&held.log, event)),
                    Some(Ok(())) => {}
                    Some(Err(error @ HandleError::Poison(_))) => {
                        refused_streams.insert(event.stream_id.clone());
                        progress.refused.push((Behind::of(&held.log, event), error));
                    }
                    // What comes after it in the wave is done again: effects are no-ops the second time.
                    Some(Err(error @ HandleError::Retry(_))) => {
                        progress.waiting = Some(error);
                        return progress;
                    }
                }
                progress.step = Some(Step {
                    held: held.clone(),
                    new_position: event.position,
                    event_id: Some(event.event_id.as_uuid()),
                });
            }
        }
        progress
    }

    async fn effect(&self, log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        if event.metadata.import && self.0.skips_imports() {
            return Ok(());
        }
        self.0.react(log, event).await
    }
}

/// The events in order, cut so that no stream is twice in the same part.
fn waves(events: &[RecordedEvent]) -> impl Iterator<Item = &[RecordedEvent]> {
    let mut rest = events;
    iter::from_fn(move || {
        let mut streams = HashSet::new();
        let length = rest.iter().take(SIDE_BY_SIDE).take_while(|event| streams.insert(&event.stream_id)).count();
        let (wave, after) = rest.split_at(length);
        rest = after;
        (!wave.is_empty()).then_some(wave)
    })
}
