//! One attempt to commit a batch: the fast way or the careful one.

use super::{
    AppendError, Appended,
    batch::{Item, Rows},
    careful::{self, Candidate, Verdict},
    queue::Queued,
    session::{Failure, Session, Statements},
};
use futures_util::future::{join, join3, join4};

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

/// One statement, and one round trip also where claims are answered: the server rolls back at the commit if anything
/// before it failed.
pub(super) async fn fast(session: &impl Session, batch: &[Queued], bases: &[i64]) -> Result<Vec<Appended>, Failure> {
    let rows = Rows::of(batch.iter().zip(bases).map(|(queued, base)| {
        let Queued { append, partition, metadata, .. } = queued;
        Item { append, partition: *partition, metadata, base: *base }
    }));
    let statements = session.statements();
    if !rows.has_claims() {
        return Ok(rows.places_in(&statements.insert(&rows).await?));
    }
    let (begun, moved, answered, committed) =
        join4(session.begin(), statements.insert(&rows), statements.answer_claims(rows.claims()), session.commit())
            .await;
    begun?;
    let moved = moved?;
    answered?;
    committed?;
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
    let claims = async { if rows.has_claims() { statements.answer_claims(rows.claims()).await } else { Ok(()) } };
    let (moved, answered, committed) = join3(statements.insert(&rows), claims, session.commit()).await;
    let moved = moved?;
    answered?;
    committed?;
    Ok(careful::answers(verdicts, rows.places_in(&moved)))
}
