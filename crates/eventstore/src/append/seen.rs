//! Versions of streams that were seen committed. A version only grows, so what was seen stays true as a lower bound;
//! that is why an expected version that was seen can conflict but never leave a hole.

use super::{Append, Expected};
use std::{collections::HashMap, sync::Mutex, sync::PoisonError};

const STREAMS_PER_GENERATION: usize = 32_768;

/// The newest version seen of each of the streams used lately.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<String, i64>,
    old: HashMap<String, i64>,
}

impl Seen {
    /// The newest version seen of a stream, if it is remembered.
    pub(crate) fn get(&self, stream_id: &str) -> Option<i64> {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.get(stream_id).or_else(|| generations.old.get(stream_id)).copied()
    }

    /// Whether a command has to be judged on a fresh snapshot: a version that nobody here saw could leave a hole, which
    /// the unique keys would not notice.
    pub(crate) fn must_look(&self, append: &Append) -> bool {
        matches!(append.expected, Expected::Version(version) if version > self.get(&append.stream_id).unwrap_or(0))
    }

    /// Remembers a version that was read or committed.
    pub(crate) fn note(&self, stream_id: &str, version: i64) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = generations.young.get_mut(stream_id) {
            *known = version.max(*known);
            return;
        }
        if generations.young.len() >= STREAMS_PER_GENERATION {
            generations.old = std::mem::take(&mut generations.young);
        }
        let version = generations.old.get(stream_id).map_or(version, |known| version.max(*known));
        generations.young.insert(stream_id.to_owned(), version);
    }

    /// Forgets everything: after a lost connection the next server may be one that was restored.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Generations::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn what_was_seen_of_a_stream_never_goes_back() {
        let seen = Seen::default();
        seen.note("a", 3);
        seen.note("a", 2);
        assert_eq!(seen.get("a"), Some(3));
        assert_eq!(seen.get("b"), None);
        seen.clear();
        assert_eq!(seen.get("a"), None);
    }

    #[test]
    fn streams_used_long_ago_are_forgotten() {
        let seen = Seen::default();
        seen.note("first", 1);
        for n in 0..2 * super::STREAMS_PER_GENERATION + 1 {
            seen.note(&format!("stream-{n}"), 1);
        }
        assert_eq!(seen.get("first"), None);
    }
}
