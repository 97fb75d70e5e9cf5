//! Where events are read from: the log itself in this process, or the same log over HTTP.
//!
//! Both give dense pages in position order from any position. Correctness never depends on being woken up: a reader
//! takes the next position wherever it is.

mod heads;
mod http;
mod listen;
mod recent;
pub mod wire;

pub(crate) use heads::{HeadWatch, run_head_watch};
pub use http::HttpFeed;
pub use listen::listen;
pub(crate) use recent::Recent;

use eventstore::EventLog;
use shared_events::RecordedEvent;
use std::time::Duration;
use uuid::Uuid;

/// How often a log is looked at though nobody rang: the bell of another process may be lost.
const POLL: Duration = Duration::from_millis(250);

/// A log that can be read.
#[derive(Clone)]
pub enum Feed {
    /// The log itself, in this process.
    Log(EventLog),
    /// The log of a service elsewhere.
    Http(HttpFeed),
}

/// The last position of every partition, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// Which history the positions belong to.
    pub epoch: Uuid,
    /// By partition; 0 where there is nothing yet.
    pub positions: Vec<i64>,
}

/// Events of one partition.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// In position order, without gaps.
    pub events: Vec<RecordedEvent>,
    /// The partition's last position.
    pub head: i64,
    /// Which history this belongs to.
    pub epoch: Uuid,
}

/// Why a feed could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The log's own database does not answer, or refuses.
    #[error("the log cannot be read")]
    Log(#[source] eventstore::ReadError),
    /// The service that owns the log does not answer.
    #[error("the feed at {url} cannot be reached")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why it failed.
        #[source]
        source: reqwest::Error,
    },
    /// It answered with something else.
    #[error("the feed at {url} answered {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// It answered with something that is no page of events.
    #[error("the feed at {url} answered something that is no feed")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl Feed {
    /// The events of a partition after a position, at most `limit`.
    ///
    /// # Errors
    /// If the log cannot be read now.
    pub async fn read(&self, partition: i32, after: i64, limit: usize) -> Result<FeedPage, FeedError> {
        match self {
            Self::Log(log) => {
                let page = log.read_partition(partition, after, limit).await.map_err(FeedError::Log)?;
                Ok(FeedPage { events: page.events, head: page.head, epoch: page.epoch })
            }
            Self::Http(http) => http.read(partition, after, limit).await,
        }
    }

    /// The events of a stream after a version, at most `limit`.
    ///
    /// # Errors
    /// If the log cannot be read now.
    pub async fn stream(
        &self,
        stream_id: &str,
        after_version: i64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, FeedError> {
        match self {
            Self::Log(log) => log.read_stream(stream_id, after_version, limit).await.map_err(FeedError::Log),
            Self::Http(http) => http.stream(stream_id, after_version, limit).await,
        }
    }

    /// The last position of every partition.
    ///
    /// # Errors
    /// If the log cannot be read now.
    pub async fn heads(&self) -> Result<Heads, FeedError> {
        match self {
            Self::Log(log) => heads_of(log).await,
            Self::Http(http) => http.heads(None, Duration::ZERO).await,
        }
    }
}

async fn heads_of(log: &EventLog) -> Result<Heads, FeedError> {
    log.heads().await.map(Heads::from).map_err(FeedError::Log)
}

impl From<eventstore::Heads> for Heads {
    fn from(heads: eventstore::Heads) -> Self {
        Self { epoch: heads.epoch, positions: heads.positions }
    }
}
