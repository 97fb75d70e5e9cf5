//! What staff do with an order by hand: its status, holds, notes, tags and exceptions.

use super::step::{At, Step, Wanted, Wrong};
use crate::input::Checks;
use order::{AddNote, ChangeTags, HoldOrder, ResolveException, ResumeOrder, SetStatus};
use serde::{Deserialize, Serialize};
use shared_events::{NoteId, RefundId, ShipmentId};
use utoipa::ToSchema;

const LONGEST_STATUS: usize = 100;
const LONGEST_REASON: usize = 500;
const LONGEST_NOTE: usize = 2_000;

/// PUT …/status: the status to bring it to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusBody {
    /// PROCESSING, SHIPPED, DELIVERED, CANCELLED, COMPLETED, ON_HOLD or CONFIRMED, in any letter case.
    status: Option<String>,
    /// The reason of a cancellation or hold; on others it is added as a note.
    note: Option<String>,
}

impl Step for StatusBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let status = checks.required("/status", self.status.as_deref(), LONGEST_STATUS);
        let note = checks.optional("/note", self.note.as_deref(), LONGEST_NOTE);
        checks.finish()?;
        let noted = note.is_some();
        let command = SetStatus {
            status: status.unwrap_or_default(),
            note,
            by: at.by,
            note_id: NoteId::generate(),
            shipment_id: ShipmentId::generate(),
            refund_id: RefundId::generate(),
            now: at.now,
        };
        Ok(Wanted::from(command).with_personal_data(noted))
    }
}

/// POST …/notes: words on it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoteBody {
    /// The words, at most 2,000 characters.
    text: Option<String>,
}

impl Step for NoteBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let text = checks.required("/text", self.text.as_deref(), LONGEST_NOTE);
        checks.finish()?;
        let command = AddNote { note_id: NoteId::generate(), text: text.unwrap_or_default(), by: at.by, now: at.now };
        Ok(Wanted::from(command).with_personal_data(true))
    }
}

/// PUT …/tags: all of its tags from now on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagsBody {
    /// At most 50 tags of at most 100 characters.
    tags: Option<Vec<String>>,
}

impl Step for TagsBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        if self.tags.is_none() {
            checks.broken("/tags", "this field is required");
        }
        checks.finish()?;
        Ok(ChangeTags { tags: self.tags.clone().unwrap_or_default(), now: at.now }.into())
    }
}

/// POST …/hold: why it waits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldBody {
    /// Why, at most 500 characters.
    reason: Option<String>,
}

impl Step for HoldBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let reason = checks.required("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        Ok(HoldOrder { reason: reason.unwrap_or_default(), now: at.now }.into())
    }
}

/// POST …/resume: nothing has to be said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResumeBody {}

impl Step for ResumeBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        Ok(ResumeOrder { now: at.now }.into())
    }
}

/// POST …/exceptions/{exceptionId}/resolved: what was done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolvedBody {
    /// What was done, at most 500 characters.
    note: Option<String>,
}

impl Step for ResolvedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let exception_id = at.params.id("exceptionId")?;
        let mut checks = Checks::default();
        let note = checks.required("/note", self.note.as_deref(), LONGEST_REASON);
        checks.finish()?;
        Ok(ResolveException { exception_id, note, now: at.now }.into())
    }
}
