//! A log read by one process for itself, without a checkpoint: what caches, subscriptions and search indexes follow.
//! It keeps no state but its positions; who needs to go on after a restart stores them beside what it builds.

use crate::{
    Page,
    feed::{FeedError, HeadWatch, Heads},
    registry::Subscription,
};
use uuid::Uuid;

/// Follows all partitions of one log.
pub struct Tail {
    subscription: Subscription,
    heads: HeadWatch,
    epoch: Uuid,
    positions: Vec<i64>,
    next_partition: usize,
    page_limit: usize,
}

/// Why a tail cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The log cannot be read now; calling again goes on where this failed.
    #[error("the log cannot be read")]
    Read(#[from] FeedError),
    /// An event is missing: what was built from this tail has to be built again.
    #[error("log {log} partition {partition} has a gap after position {after}")]
    Gap {
        /// The log.
        log: String,
        /// The partition.
        partition: i32,
        /// The last position before the gap.
        after: i64,
    },
    /// The log has another history than before: what was built from this tail has to be built again.
    #[error("log {log} has another history than the one that was followed")]
    OtherHistory {
        /// The log.
        log: String,
    },
    /// The process stops.
    #[error("nobody looks at the heads of log {log} any more")]
    Closed {
        /// The log.
        log: String,
    },
}

impl Tail {
    /// Begins after the last event there is now.
    ///
    /// # Errors
    /// If the process stops before the log can be read.
    pub async fn from_head(subscription: Subscription, page_limit: usize) -> Result<Self, TailError> {
        let mut heads = subscription.heads();
        let now = known_heads(&subscription, &mut heads).await?;
        Ok(Self { subscription, heads, epoch: now.epoch, positions: now.positions, next_partition: 0, page_limit })
    }

    /// Begins after these positions of this epoch; with no positions, at the first event.
    ///
    /// # Errors
    /// [`TailError::OtherHistory`] if the positions are not of this log's history.
    pub async fn from_positions(
        subscription: Subscription,
        stored: Option<(Uuid, Vec<i64>)>,
        page_limit: usize,
    ) -> Result<Self, TailError> {
        let mut tail = Self::from_head(subscription, page_limit).await?;
        match stored {
            None => tail.positions.fill(0),
            Some((epoch, positions)) => {
                let ahead = positions.iter().zip(&tail.positions).any(|(mine, head)| mine > head);
                if epoch != tail.epoch || positions.len() != tail.positions.len() || ahead {
                    return Err(TailError::OtherHistory { log: tail.subscription.name().to_string() });
                }
                tail.positions = positions;
            }
        }
        Ok(tail)
    }

    /// The epoch and the positions behind the last page.
    #[must_use]
    pub fn positions(&self) -> (Uuid, &[i64]) {
        (self.epoch, &self.positions)
    }

    /// Whether there was nothing more when last looked.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.heads.borrow().as_ref().is_some_and(|heads| {
            heads.epoch == self.epoch && heads.positions.iter().zip(&self.positions).all(|(head, mine)| mine >= head)
        })
    }

    /// The next events of one partition, once there are some; partitions take turns. May be dropped and called again
    /// without losing any.
    ///
    /// # Errors
    /// See [`TailError`]; after [`TailError::Read`] it may be called again.
    pub async fn next(&mut self) -> Result<Page, TailError> {
        loop {
            let heads = known_heads(&self.subscription, &mut self.heads).await?;
            if heads.epoch != self.epoch {
                return Err(TailError::OtherHistory { log: self.subscription.name().to_string() });
            }
            let partitions = self.positions.len();
            let behind = (0..partitions)
                .map(|turn| (self.next_partition + turn) % partitions)
                .find(|&partition| heads.positions[partition] > self.positions[partition]);
            let Some(index) = behind else {
                let closed = self.heads.changed().await.is_err();
                if closed {
                    return Err(TailError::Closed { log: self.subscription.name().to_string() });
                }
                continue;
            };
            let partition = i32::try_from(index).expect("a log has few partitions");
            let after = self.positions[index];
            let upto = heads.positions[index].min(after.saturating_add(self.page_limit.try_into().unwrap_or(i64::MAX)));
            let events = match self.subscription.recent().between(self.epoch, partition, after, upto) {
                Some(events) => events,
                None => self.subscription.feed().await.read(partition, after, self.page_limit).await?.events,
            };
            let dense = events.iter().zip(after + 1..).all(|(event, position)| event.position == position);
            let Some(last) = events.last() else { continue };
            if !dense {
                return Err(TailError::Gap { log: self.subscription.name().to_string(), partition, after });
            }
            self.positions[index] = last.position;
            self.next_partition = (index + 1) % partitions;
            return Ok(Page { log: self.subscription.name().clone(), partition, events });
        }
    }
}

async fn known_heads(subscription: &Subscription, heads: &mut HeadWatch) -> Result<Heads, TailError> {
    let known = heads.wait_for(Option::is_some).await.ok().and_then(|heads| heads.clone());
    known.ok_or_else(|| TailError::Closed { log: subscription.name().to_string() })
}
