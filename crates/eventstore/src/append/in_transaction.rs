//! Appending inside a caller's transaction, for services that guard rows of their own in it.

use super::{
    Append, AppendError, Appended, Expected,
    batch::{Item, Rows},
    careful::{self, Candidate},
    check::check,
    postgres::{APPEND, OnClient},
    session::{Failure, Statements},
};
use crate::EventLog;
use bytes::Bytes;
use deadpool_postgres::Transaction;
use futures_util::future::{join, join3};
use std::{collections::HashMap, sync::Arc};

/// The caller's connection has no bound on its waits for locks; from here on its transaction has one.
const BOUND: &str = "set local lock_timeout = '3s'; select keep_epoch()";
/// The epoch is outside the savepoint: it stays even if the append in it fails.
const BEGIN: &str = "set local lock_timeout = '3s'; select keep_epoch(); savepoint eventstore_append";

impl EventLog {
    /// Appends commands in order, inside a READ COMMITTED transaction of the log's own database: with the same
    /// statement as everyone, after the caller locked its own rows. All commands go in, or none and the transaction
    /// stands where it stood before. The heads stay locked until the transaction ends, so that should be soon; after
    /// the commit the caller calls [`EventLog::committed`]. From here on the transaction waits 3 seconds for any lock.
    ///
    /// # Errors
    /// [`AppendError`]: of the first command that can't be appended. With [`AppendError::Unavailable`] the transaction
    /// is lost.
    pub async fn append_in(
        &self,
        transaction: &Transaction<'_>,
        appends: &[Append],
    ) -> Result<Vec<Appended>, AppendError> {
        if appends.is_empty() {
            return Ok(Vec::new());
        }
        // Once per connection of the pool.
        let append = transaction.prepare_cached(APPEND).await.map_err(|error| refusal(error.into()))?;
        let statements = OnClient { client: &**transaction, append: &append };
        let metadata = appends.iter().map(check).collect::<Result<Vec<_>, _>>()?;
        let candidates: Vec<Candidate<'_>> =
            appends.iter().zip(&metadata).map(|(append, metadata)| self.candidate(append, metadata)).collect();
        if let Some(bases) = self.bases(appends) {
            let items = candidates.iter().zip(bases).map(|(candidate, base)| {
                let Candidate { append, partition, metadata, .. } = *candidate;
                Item { append, partition, metadata, base }
            });
            match in_savepoint(transaction, &statements, &Rows::of(items)).await {
                Ok(appended) => return Ok(appended),
                Err(Failure::Contested(_)) => {}
                Err(failure) => return Err(refusal(failure)),
            }
        }
        self.append_in_carefully(transaction, &statements, &candidates).await.map_err(|failure| match failure {
            Stopped::By(error) => error,
            Stopped::Database(failure) => refusal(failure),
        })
    }

    fn candidate<'a>(&self, append: &'a Append, metadata: &'a [Bytes; 2]) -> Candidate<'a> {
        Candidate { append, partition: self.partition_of(&append.stream_id), metadata, tried: &[] }
    }

    /// The version before each command, where all of them were seen; none if a close look is needed anyway.
    fn bases(&self, appends: &[Append]) -> Option<Vec<i64>> {
        let mut tails: HashMap<&str, i64> = HashMap::new();
        appends
            .iter()
            .map(|append| {
                let known = tails.get(append.stream_id.as_str()).copied();
                let known = known.or_else(|| self.seen().get(&append.stream_id));
                let base = match append.expected {
                    Expected::Version(version) if version <= known.unwrap_or(0) => version,
                    Expected::Version(_) => return None,
                    Expected::Any => known?,
                };
                tails.insert(&append.stream_id, base + i64::try_from(append.events.len()).ok()?);
                Some(base)
            })
            .collect()
    }

    async fn append_in_carefully(
        &self,
        transaction: &Transaction<'_>,
        statements: &impl Statements,
        candidates: &[Candidate<'_>],
    ) -> Result<Vec<Appended>, Stopped> {
        let (bounded, verdicts) = join(transaction.batch_execute(BOUND), careful::judge(statements, candidates)).await;
        bounded.map_err(Failure::from)?;
        let verdicts = verdicts?;
        let rows = careful::accepted(candidates, &verdicts);
        if let Some(error) = verdicts.iter().find_map(careful::Verdict::error) {
            return Err(Stopped::By(error));
        }
        let appended = if rows.is_empty() { Vec::new() } else { rows.places_in(&statements.insert(&rows).await?) };
        careful::answers(verdicts, appended).into_iter().collect::<Result<_, _>>().map_err(Stopped::By)
    }
}

enum Stopped {
    By(AppendError),
    Database(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Database(failure)
    }
}

/// The fast way in one round trip; when it fails, the transaction is as it was before.
async fn in_savepoint(
    transaction: &Transaction<'_>,
    statements: &impl Statements,
    rows: &Rows<'_>,
) -> Result<Vec<Appended>, Failure> {
    let (begun, moved, released) = join3(
        transaction.batch_execute(BEGIN),
        statements.insert(rows),
        transaction.batch_execute("release savepoint eventstore_append"),
    )
    .await;
    begun?;
    match moved.and_then(|moved| released.map(|()| moved).map_err(Failure::from)) {
        Ok(moved) => Ok(rows.places_in(&moved)),
        Err(failure) => {
            let undo = "rollback to savepoint eventstore_append; release savepoint eventstore_append";
            transaction.batch_execute(undo).await?;
            Err(failure)
        }
    }
}

fn refusal(failure: Failure) -> AppendError {
    match failure {
        Failure::Data(error) => AppendError::Refused(Arc::from(error)),
        Failure::Contested(error) | Failure::NotNow(error) => {
            tracing::warn!(error = %error, "an append inside a transaction failed");
            AppendError::Unavailable
        }
        Failure::Lost(error) => {
            tracing::warn!(error = error.map(tracing::field::display), "a transaction with an append was lost");
            AppendError::Unavailable
        }
    }
}
