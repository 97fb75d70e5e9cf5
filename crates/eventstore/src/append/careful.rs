//! The careful way: for a batch of which some command conflicts, was here before, lost its claim, or may be in already.
//!
//! In one transaction it locks the heads first; from then on nobody else changes these partitions, and under READ
//! COMMITTED every later statement sees all that was committed before. So what it reads is the truth until its commit.

use super::{
    AppendError, Appended, Expected,
    batch::{Item, Rows},
    queue::Queued,
    session::{Failure, Statements},
};
use crate::Append;
use bytes::Bytes;
use futures_util::future::join4;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A command as the careful way looks at it.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) append: &'a Append,
    pub(super) partition: i32,
    pub(super) metadata: &'a [Bytes; 2],
    /// The versions its first event would have in attempts with an unknown outcome.
    pub(super) tried: &'a [i64],
}

impl<'a> From<&'a Queued> for Candidate<'a> {
    fn from(queued: &'a Queued) -> Self {
        let Queued { append, partition, metadata, tried, .. } = queued;
        Self { append, partition: *partition, metadata, tried }
    }
}

/// What is to become of a command.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is answered without appending anything.
    Answer(Result<Appended, AppendError>),
    /// Its events go in after this version of the stream.
    Append(i64),
    /// It repeats an earlier command of this batch and gets its result.
    Repeats(usize),
}

impl Verdict {
    /// Why the command is refused, if it is.
    pub(super) fn error(&self) -> Option<AppendError> {
        if let Self::Answer(Err(error)) = self { Some(error.clone()) } else { None }
    }
}

/// Locks the heads of the commands' partitions and judges every command in order: a later command on a stream sees
/// the earlier one's events. The transaction has to be committed or rolled back soon.
pub(super) async fn judge(statements: &impl Statements, candidates: &[Candidate<'_>]) -> Result<Vec<Verdict>, Failure> {
    let mut partitions: Vec<i32> = candidates.iter().map(|candidate| candidate.partition).collect();
    partitions.sort_unstable();
    partitions.dedup();
    let streams = Streams::of(candidates);
    let attempts = Attempts::of(candidates);
    let claims: Vec<&[u8]> =
        candidates.iter().filter_map(|candidate| Some(&candidate.append.claim.as_ref()?.scope_hash[..])).collect();
    // One round trip: the server runs them one after the other, each on a snapshot of its own.
    let (locked, versions, firsts, open) = join4(
        statements.lock_heads(&partitions),
        statements.stream_versions(&streams),
        statements.first_results(&attempts),
        statements.open_claims(&claims),
    )
    .await;
    locked?;

    let mut versions: HashMap<&str, i64> = streams.ids.iter().copied().zip(versions?).collect();
    let mut firsts: HashMap<usize, Appended> = firsts?
        .iter()
        .map(|found| {
            let at = usize::try_from(found.ordinal).unwrap_or_default();
            let partition = candidates[at].partition;
            let first =
                Appended::first_result(partition, found.position, found.version, found.recorded_at, &found.metadata);
            // Its own event_id: not a repeat, but an attempt of this very command that had succeeded.
            (at, Appended { duplicate: !found.same_event, ..first })
        })
        .collect();
    let mut open: HashSet<(Vec<u8>, Uuid)> = open?.into_iter().collect();
    let mut accepted: HashMap<(&str, Uuid), usize> = HashMap::new();

    let mut verdicts = Vec::with_capacity(candidates.len());
    for (at, Candidate { append, .. }) in candidates.iter().enumerate() {
        let command = append.command_id.map(|id| (append.stream_id.as_str(), id));
        if let Some(first) = firsts.remove(&at) {
            verdicts.push(Verdict::Answer(Ok(first)));
            continue;
        }
        if let Some(earlier) = command.and_then(|command| accepted.get(&command)) {
            verdicts.push(Verdict::Repeats(*earlier));
            continue;
        }
        let version = versions.entry(&append.stream_id).or_default();
        if matches!(append.expected, Expected::Version(expected) if expected != *version) {
            verdicts.push(Verdict::Answer(Err(AppendError::Conflict { actual: *version })));
            continue;
        }
        if append.claim.as_ref().is_some_and(|claim| !open.remove(&(claim.scope_hash.to_vec(), claim.owner))) {
            verdicts.push(Verdict::Answer(Err(AppendError::ClaimLost)));
            continue;
        }
        verdicts.push(Verdict::Append(*version));
        *version += i64::try_from(append.events.len()).unwrap_or_default();
        accepted.extend(command.map(|command| (command, at)));
    }
    Ok(verdicts)
}

/// The rows of the commands that may go in.
pub(super) fn accepted<'a>(candidates: &[Candidate<'a>], verdicts: &[Verdict]) -> Rows<'a> {
    Rows::of(candidates.iter().zip(verdicts).filter_map(|(candidate, verdict)| match *verdict {
        Verdict::Append(base) => {
            let Candidate { append, partition, metadata, .. } = *candidate;
            Some(Item { append, partition, metadata, base })
        }
        Verdict::Answer(_) | Verdict::Repeats(_) => None,
    }))
}

/// Every command's answer, once the accepted ones are in.
pub(super) fn answers(verdicts: Vec<Verdict>, appended: Vec<Appended>) -> Vec<Result<Appended, AppendError>> {
    let mut appended = appended.into_iter();
    let mut answers: Vec<Result<Appended, AppendError>> = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        let answer = match verdict {
            Verdict::Answer(answer) => answer,
            Verdict::Append(_) => appended.next().ok_or(AppendError::Unknown),
            Verdict::Repeats(earlier) => answers[earlier].clone().map(|first| Appended { duplicate: true, ..first }),
        };
        answers.push(answer);
    }
    answers
}

/// The streams of a batch, each once.
pub(crate) struct Streams<'a> {
    pub(super) partitions: Vec<i32>,
    pub(super) ids: Vec<&'a str>,
}

impl<'a> Streams<'a> {
    fn of(candidates: &[Candidate<'a>]) -> Self {
        let mut known = HashSet::new();
        let (partitions, ids) = candidates
            .iter()
            .filter(|candidate| known.insert(&candidate.append.stream_id))
            .map(|candidate| (candidate.partition, candidate.append.stream_id.as_str()))
            .unzip();
        Self { partitions, ids }
    }
}

/// The commands that may be in the log already, once per version that they were tried at.
#[derive(Default)]
pub(crate) struct Attempts<'a> {
    pub(super) ordinals: Vec<i64>,
    pub(super) partitions: Vec<i32>,
    pub(super) stream_ids: Vec<&'a str>,
    pub(super) command_ids: Vec<Option<Uuid>>,
    pub(super) event_ids: Vec<Uuid>,
    pub(super) tried: Vec<i64>,
}

impl<'a> Attempts<'a> {
    fn of(candidates: &[Candidate<'a>]) -> Self {
        let mut attempts = Self::default();
        for (at, candidate) in candidates.iter().enumerate() {
            // Version 0 is no event's: such a row only asks for the command_id.
            let by_command = candidate.append.command_id.map(|_| 0);
            for version in by_command.into_iter().chain(candidate.tried.iter().copied()) {
                attempts.push(at, candidate, version);
            }
        }
        attempts
    }

    fn push(&mut self, at: usize, candidate: &Candidate<'a>, tried: i64) {
        let Some(first) = candidate.append.events.first() else { return };
        self.ordinals.push(i64::try_from(at).unwrap_or(i64::MAX));
        self.partitions.push(candidate.partition);
        self.stream_ids.push(&candidate.append.stream_id);
        self.command_ids.push(candidate.append.command_id);
        self.event_ids.push(first.event_id.as_uuid());
        self.tried.push(tried);
    }
}
