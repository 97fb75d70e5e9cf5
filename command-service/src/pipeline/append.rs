//! The last stage: the order is in the log, or it is not. With it, in the same transaction, goes the answer to its
//! idempotency key.

use crate::app::App;
use eventstore::{Append, AppendError, ClaimDone, Expected};
use order::Order;
use shared_events::{
    Metadata, PayloadError,
    order::{OrderEvent, STREAM_TYPE},
    sealed::{SealingKey, seal_event},
};

/// What became of the order.
pub enum Placed {
    /// It is in the log, by this very request.
    Now,
    /// It was there already: an earlier request with the same key got so far and no further.
    Before(Box<Order>),
}

/// Why it is not in the log, or why that is not known.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The event could not be written down.
    #[error("the order could not be sealed")]
    Payload(#[from] PayloadError),
    /// The log did not take it.
    #[error("the order could not be appended")]
    Append(#[source] AppendError),
    /// It is there, and cannot be read.
    #[error("the order that is there could not be read")]
    Load(#[from] crate::orders::OrderError),
}

/// Appends the order's first event.
///
/// # Errors
/// [`PlaceError`].
pub async fn run(
    app: &App,
    order: &Order,
    events: &[OrderEvent],
    key: &SealingKey,
    metadata: Metadata,
    claim: Option<ClaimDone>,
) -> Result<Placed, PlaceError> {
    let stream_id = order.id.to_string();
    let sealed: Result<Vec<_>, _> = events.iter().map(|event| seal_event(event, &stream_id, Some(key))).collect();
    let append = Append {
        stream_id,
        stream_type: STREAM_TYPE,
        expected: Expected::Version(0),
        command_id: None,
        events: sealed?,
        metadata,
        claim,
    };
    match app.orders.log().append(append).await {
        Ok(_) => Ok(Placed::Now),
        Err(AppendError::Conflict { actual }) => match app.orders.load(order.id).await? {
            Some(order) => Ok(Placed::Before(Box::new(order))),
            None => Err(PlaceError::Append(AppendError::Conflict { actual })),
        },
        Err(error) => Err(PlaceError::Append(error)),
    }
}
