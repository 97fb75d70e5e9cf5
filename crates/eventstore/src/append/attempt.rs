//! One attempt to commit a batch: the fast way or the careful one.

use super::{
    AppendError, Appended,
    batch::{Item, Rows},
    careful::{self, Candidate, Verdict},
    queue::Queued,
    session::{Failure, Session, Statements},
};
use futures_util::future::join;

/// After an attempt with an unknown outcome remembers where each command's first event would stand.
pub(super) fn note_tried<T>(
    batch: &mut [Queued],
    result: &Result<T, Failure>,
    bases: impl Iterator<Item = Option<i64>>,
) {
    if matches!(result, Err(Failure::Lost(_))) {
        for (queued, base) in batch.iter_mut().zip(bases) {
            queued.tried.extend(base.map(|base| base + 1));
        }
    }
}

/// One statement, which is a transaction by itself: nothing else could be refused apart from it.
pub(super) async fn fast(session: &impl Session, batch: &[Queued], bases: &[i64]) -> Result<Vec<Appended>, Failure> {
    let rows = Rows::of(batch.iter().zip(bases).map(|(queued, base)| {
        let Queued { append, partition, metadata, .. } = queued;
        Item { append, partition: *partition, metadata, base: *base }
    }));
    let moved = session.statements().insert(&rows).await?;
    Ok(rows.places_in(&moved))
}

/// One transaction: lock, look, append what may go in. Fills `bases` with where it tries to append.
pub(super) async fn carefully(
    session: &impl Session,
    batch: &[Queued],
    bases: &mut Vec<Option<i64>>,
) -> Result<Vec<Result<Appended, AppendError>>, Failure> {
    let statements = session.statements();
    let candidates: Vec<Candidate<'_>> = batch.iter().map(Candidate::from).collect();
    let (begun, verdicts) = join(session.begin(), careful::judge(&statements, &candidates)).await;
    begun?;
    let judged = verdicts.map(|verdicts| {
        let rows = careful::accepted(&candidates, &verdicts);
        (verdicts, rows)
    });
    let (verdicts, rows) = match judged {
        Ok(judged) => judged,
        Err(failure) => {
            session.rollback().await?;
            return Err(failure);
        }
    };
    if rows.is_empty() {
        session.rollback().await?;
        return Ok(careful::answers(verdicts, Vec::new()));
    }
    bases.extend(verdicts.iter().map(|verdict| match verdict {
        Verdict::Append(base) => Some(*base),
        Verdict::Answer(_) | Verdict::Repeats(_) => None,
    }));
    let (moved, committed) = join(statements.insert(&rows), session.commit()).await;
    let moved = moved?;
    committed?;
    Ok(careful::answers(verdicts, rows.places_in(&moved)))
}
