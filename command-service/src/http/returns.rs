//! POST /api/orders/{id}/returns and what becomes of them. A received return refunds nothing by itself.

use super::{
    resource::Resource,
    step::{At, Step, Wanted, Wrong},
};
use crate::input::{Checks, LineQuantityBody, named_lines};
use order::{ReceiveReturn, RejectReturn, RequestReturn};
use serde::{Deserialize, Serialize};
use shared_events::ReturnId;
use utoipa::ToSchema;

const LONGEST_REASON: usize = 500;

/// POST …/returns: what is to come back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReturnBody {
    /// What, of what was delivered.
    lines: Option<Vec<LineQuantityBody>>,
    /// Why, at most 500 characters.
    reason: Option<String>,
}

impl Step for ReturnBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let lines = named_lines(self.lines.as_deref(), &mut checks)?;
        if lines.is_none() {
            checks.broken("/lines", "this field is required");
        }
        let reason = checks.required("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        let return_id = ReturnId::generate();
        let command = RequestReturn { return_id, lines: lines.unwrap_or_default(), reason, by: at.by, now: at.now };
        Ok(Wanted::from(command).answering(Resource::Return(return_id)))
    }
}

/// POST …/returns/{returnId}/received: what came.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceivedBody {
    /// Whether it goes back into stock; it does where missing.
    restock: Option<bool>,
    /// What came of what was announced; all of it where missing.
    lines: Option<Vec<LineQuantityBody>>,
    /// The code of the stock location it comes to; the default one where missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

impl Step for ReceivedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let return_id = at.params.id("returnId")?;
        let mut checks = Checks::default();
        let lines = named_lines(self.lines.as_deref(), &mut checks)?;
        let location = checks.location("/location", self.location.as_deref());
        checks.finish()?;
        let restock = self.restock.unwrap_or(true);
        Ok(ReceiveReturn { return_id, lines, restock, location, now: at.now }.into())
    }
}

/// POST …/returns/{returnId}/rejected: it is not taken back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectedBody {
    /// Why.
    reason: Option<String>,
}

impl Step for RejectedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let return_id = at.params.id("returnId")?;
        let mut checks = Checks::default();
        let reason = checks.optional("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        Ok(RejectReturn { return_id, reason, now: at.now }.into())
    }
}
