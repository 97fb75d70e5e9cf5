//! Running a decider on a stream: load, fold, decide, append, and again after a conflict.

mod history;

use crate::{
    Append, AppendError, Appended, ClaimDone, ClaimError, Decider, EventLog, Expected, Keys, ReadError, idempotency,
};
use history::History;
pub use history::Loaded;
use shared_events::{
    Metadata, NewEvent, PayloadError,
    sealed::{SealingKey, seal_event},
};
use std::error::Error;
use uuid::Uuid;

/// How often a command that names no version is decided, before it gives up against others.
pub const MAX_DECISIONS: usize = 50;

/// A command for one stream.
#[derive(Debug, Clone)]
pub struct Execution<D: Decider> {
    /// The stream.
    pub stream_id: String,
    /// What is wanted.
    pub command: D::Command,
    /// The version that the caller saw (If-Match); none to decide on whatever is there.
    pub expected_version: Option<i64>,
    /// What makes a repeat a no-op, for ever.
    pub command_id: Option<Uuid>,
    /// Who, and why.
    pub metadata: Metadata,
    /// The key for new personal data; none for the one that the stream's events name last.
    pub sealing_key: Option<SealingKey>,
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Executed<D: Decider> {
    /// The state after the command; for a repeat, after its first run.
    pub state: D::State,
    /// The stream's version in that state.
    pub version: i64,
    /// Where its events stand; none when it changed nothing.
    pub appended: Option<Appended>,
}

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<R> {
    /// A rule forbids it.
    #[error("the command was rejected")]
    Rejected(R),
    /// The stream is not at the version that the caller named, or changed under every one of the decisions.
    #[error("the stream is at version {actual}")]
    VersionMismatch {
        /// The version it has.
        actual: i64,
    },
    /// The stream could not be read.
    #[error("the stream could not be loaded")]
    Read(#[from] ReadError),
    /// The keys of its personal fields could not be had.
    #[error("the keys of the stream could not be fetched")]
    Keys(#[source] Box<dyn Error + Send + Sync>),
    /// An event could not be read or written.
    #[error("an event of the stream could not be opened or sealed")]
    Payload(#[from] PayloadError),
    /// The events could not be appended.
    #[error("the events could not be appended")]
    Append(#[source] AppendError),
    /// The answer could not be stored.
    #[error("the answer could not be stored")]
    Claim(#[source] ClaimError),
}

impl<R> ExecuteError<R> {
    /// Whether the same request may be made again later, unchanged: 503 with Retry-After.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Read(error) => error.is_unavailable(),
            Self::Append(error) => error.is_unavailable(),
            Self::Claim(error) => error.is_unavailable(),
            Self::Keys(_) => true,
            Self::Rejected(_) | Self::VersionMismatch { .. } | Self::Payload(_) => false,
        }
    }
}

impl EventLog {
    /// Loads a stream, decides a command and appends what follows. `answer` makes the answer of the request's claim
    /// from the new state and version: it is stored with the events, or by itself when there are none.
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub async fn execute<D: Decider>(
        &self,
        execution: Execution<D>,
        keys: &impl Keys,
        answer: impl Fn(&D::State, i64) -> Option<ClaimDone>,
    ) -> Result<Executed<D>, ExecuteError<D::Rejection>> {
        let Execution { stream_id, command, expected_version, command_id, metadata, sealing_key } = execution;
        let mut history = History::<D>::default();
        let mut actual = 0;
        for _ in 0..MAX_DECISIONS {
            history.catch_up(self, &stream_id, keys).await?;
            if let Some(id) = command_id.filter(|id| history.has_command(*id)) {
                let first = self.first_result(&stream_id, id).await?;
                return self.repeated(&history, first, answer).await;
            }
            let Loaded { state, version, key } = history.fold(i64::MAX);
            if expected_version.is_some_and(|expected| expected != version) {
                return Err(ExecuteError::VersionMismatch { actual: version });
            }
            let events = D::decide(&state, command.clone()).map_err(ExecuteError::Rejected)?;
            let key = sealing_key.as_ref().or(key.as_ref());
            let sealed: Result<Vec<NewEvent>, _> =
                events.iter().map(|event| seal_event(event, &stream_id, key)).collect();
            let after = version + i64::try_from(events.len()).unwrap_or_default();
            let (sealed, state) = (sealed?, events.iter().fold(state, D::evolve));
            let claim = answer(&state, after);
            if sealed.is_empty() {
                self.record(claim).await?;
                return Ok(Executed { state, version, appended: None });
            }
            let append = Append {
                stream_id: stream_id.clone(),
                stream_type: D::STREAM_TYPE,
                expected: Expected::Version(version),
                command_id,
                events: sealed,
                metadata: metadata.clone(),
                claim,
            };
            match self.append(append).await {
                Ok(appended) if appended.duplicate => {
                    // The first run was committed after the stream was loaded.
                    history.catch_up(self, &stream_id, keys).await?;
                    return self.repeated(&history, Some(appended), answer).await;
                }
                Ok(appended) => return Ok(Executed { state, version: after, appended: Some(appended) }),
                Err(AppendError::Conflict { actual: found }) if expected_version.is_none() => actual = found,
                Err(AppendError::Conflict { actual }) => return Err(ExecuteError::VersionMismatch { actual }),
                Err(error) => return Err(ExecuteError::Append(error)),
            }
        }
        Err(ExecuteError::VersionMismatch { actual })
    }

    /// Reads a stream up to a version, or to its end with [`i64::MAX`].
    ///
    /// # Errors
    /// [`ExecuteError`], of which only `Read`, `Keys` and `Payload` occur.
    pub async fn load<D: Decider>(
        &self,
        stream_id: &str,
        to_version: i64,
        keys: &impl Keys,
    ) -> Result<Loaded<D>, ExecuteError<D::Rejection>> {
        let mut history = History::default();
        history.catch_up(self, stream_id, keys).await?;
        Ok(history.fold(to_version))
    }

    /// The answer to a command that was here before.
    async fn repeated<D: Decider>(
        &self,
        history: &History<D>,
        first: Option<Appended>,
        answer: impl Fn(&D::State, i64) -> Option<ClaimDone>,
    ) -> Result<Executed<D>, ExecuteError<D::Rejection>> {
        let Loaded { state, version, .. } = history.fold(first.as_ref().map_or(i64::MAX, |first| first.version));
        self.record(answer(&state, version)).await?;
        Ok(Executed { state, version, appended: first })
    }

    async fn record<R>(&self, claim: Option<ClaimDone>) -> Result<(), ExecuteError<R>> {
        let Some(done) = claim else { return Ok(()) };
        idempotency::record(self.pool(), &done).await.map_err(|error| match error {
            ClaimError::Lost => ExecuteError::Append(AppendError::ClaimLost),
            other => ExecuteError::Claim(other),
        })
    }
}
