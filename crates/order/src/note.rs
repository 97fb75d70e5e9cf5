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
