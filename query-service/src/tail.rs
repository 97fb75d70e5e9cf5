//! This instance's own tail of the log of orders. The projector of another instance may be the one that writes a
//! row; the tail tells this instance's cache which versions there are, so that nothing older is answered from it.

use crate::cache::OrderCache;
use feeds::{Subscription, Tail, TailError};
use shared_events::OrderId;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const PAGE: usize = 500;

/// Follows the log from its head until `stop` is cancelled.
///
/// # Errors
/// [`TailError`] when the log has a gap or another history; it begins at the head again then.
pub async fn follow(
    subscription: Subscription,
    cache: Arc<OrderCache>,
    stop: CancellationToken,
) -> Result<(), TailError> {
    let following = async {
        // What changed while nobody looked, between two runs of this worker, is not known: entries begin anew.
        let mut tail = Tail::from_head(subscription, PAGE).await?;
        cache.clear();
        loop {
            for event in tail.next().await?.events {
                if let Ok(id) = OrderId::parse(&event.stream_id) {
                    cache.raise(id, event.version);
                }
            }
        }
    };
    match stop.run_until_cancelled(following).await {
        None | Some(Err(TailError::Closed { .. })) => Ok(()),
        Some(done) => done,
    }
}
