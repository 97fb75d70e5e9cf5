//! Words on an order.

use crate::{Order, Rejection};
use chrono::{DateTime, Utc};
use shared_events::{
    NoteId,
    order::{NoteAdded, OrderEvent, Party},
};

/// How many characters a note may have.
pub(crate) const LONGEST_NOTE: usize = 10_000;

/// Write on it.
#[derive(Debug, Clone, PartialEq)]
pub struct AddNote {
    /// Its id.
    pub note_id: NoteId,
    /// The words.
    pub text: String,
    /// Who writes.
    pub by: Party,
    /// When.
    pub now: DateTime<Utc>,
}

impl AddNote {
    pub(crate) fn decide(self, order: &Order) -> Result<Vec<OrderEvent>, Rejection> {
        if order.notes.iter().any(|note| note.note_id == self.note_id) {
            return Ok(Vec::new());
        }
        if self.text.trim().is_empty() || self.text.chars().count() > LONGEST_NOTE {
            return Err(Rejection::invalid("/text", format!("must have 1 to {LONGEST_NOTE} characters")));
        }
        Ok(vec![OrderEvent::from(NoteAdded {
            note_id: self.note_id,
            text: Some(self.text),
            by: self.by,
            occurred_at: self.now,
        })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_note_has_words_and_is_added_once() {
        let note = |text: &str| AddNote { note_id: note_id(1), text: text.to_owned(), by: Party::Staff, now: later(1) };
        let order = given([place()]).when(note("call back")).then(&["NoteAdded"]);
        assert_eq!(order.notes[0].text.as_deref(), Some("call back"));
        given([place(), note("call back").into()]).when(note("call back")).then_nothing();
        given([place()]).when(note(" ")).then_invalid("/text");
        given([place()]).when(note(&"x".repeat(10_001))).then_invalid("/text");
    }
}
