//! One attempt to commit a batch: the fast way or the careful one.

use super::{
    AppendError, Appended,
    batch::{Item, Rows},
    careful::{self, Candidate, Verdict},
    connection::{Connection, Failure},
    queue::Queued,
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
pub(super) async fn fast(connection: &Connection, batch: &[Queued], bases: &[i64]) -> Result<Vec<Appended>, Failure> {
    let rows = Rows::of(batch.iter().zip(bases).map(|(queued, base)| {
        let Queued { append, partition, metadata, .. } = queued;
        Item { append, partition: *partition, metadata, base: *base }
    }));
    let Connection { client, append } = connection;
    if !rows.has_claims() {
        return Ok(rows.insert(client, append).await?);
    }
    let (begun, appended, answered, committed) = join4(
        client.batch_execute("begin"),
        rows.insert(client, append),
        rows.answer_claims(&**client),
        client.batch_execute("commit"),
    )
    .await;
    begun?;
    let appended = appended?;
    answered?;
    committed?;
    Ok(appended)
}

/// One transaction: lock, look, append what may go in. Fills `bases` with where it tries to append.
pub(super) async fn carefully(
    connection: &Connection,
    batch: &[Queued],
    bases: &mut Vec<Option<i64>>,
) -> Result<Vec<Result<Appended, AppendError>>, Failure> {
    let Connection { client, append } = connection;
    let candidates: Vec<Candidate<'_>> = batch.iter().map(Candidate::from).collect();
    let (begun, verdicts) = join(client.batch_execute("begin"), careful::judge(&**client, &candidates)).await;
    begun?;
    let judged = verdicts.map(|verdicts| {
        let rows = careful::accepted(&candidates, &verdicts);
        (verdicts, rows)
    });
    let (verdicts, rows) = match judged {
        Ok(judged) => judged,
        Err(error) => {
            client.batch_execute("rollback").await?;
            return Err(error.into());
        }
    };
    if rows.is_empty() {
        client.batch_execute("rollback").await?;
        return Ok(careful::answers(verdicts, Vec::new()));
    }
    bases.extend(verdicts.iter().map(|verdict| match verdict {
        Verdict::Append(base) => Some(*base),
        Verdict::Answer(_) | Verdict::Repeats(_) => None,
    }));
    let claims = async { if rows.has_claims() { rows.answer_claims(&**client).await } else { Ok(()) } };
    let (appended, answered, committed) =
        join3(rows.insert(client, append), claims, client.batch_execute("commit")).await;
    let appended = appended?;
    answered?;
    committed?;
    Ok(careful::answers(verdicts, appended))
}
