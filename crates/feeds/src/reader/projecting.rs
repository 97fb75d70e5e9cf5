//! A projector's round: the pages of all partitions in one transaction with the move of their checkpoints.

use super::{
    lease::{Step, advance, begin},
    work::{
        Again, Behind, Fetched, Lane, Outcome, ParkedStream, ParkedStreams, RoundError, Work, alone, park_event,
        park_stream, settle,
    },
};
use crate::{HandleError, Page, Projector, StartFrom};
use shared_events::RecordedEvent;
use std::{sync::Arc, time::Duration};

pub(crate) struct Projecting<P>(pub(crate) P);

/// What was fetched, sorted into what is to be handled and what waits behind parked streams.
struct Sorted {
    pages: Vec<Page>,
    behind: Vec<Behind>,
    steps: Vec<Step>,
}

impl<P: Projector> Work for Projecting<P> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn version(&self) -> i32 {
        self.0.version()
    }

    fn start_from(&self) -> StartFrom {
        StartFrom::Start
    }

    fn pace(&self) -> Duration {
        self.0.pace()
    }

    fn handles_whole_pages(&self) -> bool {
        true
    }

    async fn round(&self, lane: &Lane, fetched: Vec<Fetched>, parked: &ParkedStreams) -> Result<Outcome, RoundError> {
        let sorted = sort(fetched, parked);
        match self.together(lane, &sorted).await {
            Ok(()) => Ok(Outcome { moved: sorted.steps, ..Outcome::default() }),
            Err(RoundError::Handle(HandleError::Poison(cause))) => {
                tracing::warn!(
                    reader = self.name(),
                    error = %cause,
                    "a page was refused: its events are tried one by one"
                );
                self.one_by_one(lane, sorted).await
            }
            Err(other) => Err(other),
        }
    }

    async fn again(&self, lane: &Lane, stream: &ParkedStream, events: Vec<RecordedEvent>) -> Result<Again, RoundError> {
        let mut client = lane.pool.get().await.map_err(HandleError::from)?;
        let mut transaction = begin(&mut client).await?;
        let mut handled = Vec::with_capacity(events.len());
        let mut refused = None;
        for event in events {
            let position = event.position;
            let savepoint = transaction.transaction().await?;
            match self.0.handle(&savepoint, &[alone(&stream.held.log, event)]).await {
                Ok(()) => savepoint.commit().await?,
                Err(HandleError::Poison(cause)) => {
                    savepoint.rollback().await?;
                    refused = Some(HandleError::Poison(cause));
                    break;
                }
                Err(passing) => return Err(passing.into()),
            }
            handled.push(position);
        }
        let again = settle(&transaction, lane.identity, stream, &handled, refused.as_ref()).await?;
        transaction.commit().await?;
        Ok(again)
    }
}

impl<P: Projector> Projecting<P> {
    async fn together(&self, lane: &Lane, sorted: &Sorted) -> Result<(), RoundError> {
        let mut client = lane.pool.get().await.map_err(HandleError::from)?;
        let transaction = begin(&mut client).await?;
        if !sorted.pages.is_empty() {
            self.0.handle(&transaction, &sorted.pages).await?;
        }
        for event in &sorted.behind {
            park_event(&transaction, lane.identity, event).await?;
        }
        advance(&transaction, lane.identity, &sorted.steps).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn one_by_one(&self, lane: &Lane, sorted: Sorted) -> Result<Outcome, RoundError> {
        let mut client = lane.pool.get().await.map_err(HandleError::from)?;
        let mut transaction = begin(&mut client).await?;
        let mut parked: Vec<(Arc<str>, String)> = Vec::new();
        for page in sorted.pages {
            for event in page.events {
                let place = Behind::of(&page.log, &event);
                if parked.iter().any(|(log, stream_id)| *log == place.log && *stream_id == place.stream_id) {
                    park_event(&transaction, lane.identity, &place).await?;
                    continue;
                }
                let savepoint = transaction.transaction().await?;
                match self.0.handle(&savepoint, &[alone(&page.log, event)]).await {
                    Ok(()) => savepoint.commit().await?,
                    Err(refused @ HandleError::Poison(_)) => {
                        savepoint.rollback().await?;
                        park_stream(&transaction, lane.identity, &place, &refused).await?;
                        parked.push((place.log, place.stream_id));
                    }
                    Err(passing) => return Err(passing.into()),
                }
            }
        }
        for event in &sorted.behind {
            park_event(&transaction, lane.identity, event).await?;
        }
        advance(&transaction, lane.identity, &sorted.steps).await?;
        transaction.commit().await?;
        Ok(Outcome { moved: sorted.steps, parked, ..Outcome::default() })
    }
}

fn sort(fetched: Vec<Fetched>, parked: &ParkedStreams) -> Sorted {
    let mut sorted = Sorted { pages: Vec::with_capacity(fetched.len()), behind: Vec::new(), steps: Vec::new() };
    for Fetched { held, mut events } in fetched {
        let Some(last) = events.last() else { continue };
        sorted.steps.push(Step {
            new_position: last.position,
            event_id: Some(last.event_id.as_uuid()),
            held: held.clone(),
        });
        if !parked.is_empty() {
            events.retain(|event| {
                let waits = parked.contains(&(Arc::clone(&held.log), event.stream_id.clone()));
                if waits {
                    sorted.behind.push(Behind::of(&held.log, event));
                }
                !waits
            });
        }
        if !events.is_empty() {
            sorted.pages.push(Page { log: held.log, partition: held.partition, events });
        }
    }
    sorted
}
