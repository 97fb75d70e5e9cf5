//! DELETE /api/orders/{id} and POST /api/orders/{id}/cancel

use super::step::{At, Step, Wanted, Wrong};
use crate::input::{Checks, LineQuantityBody, named_lines};
use order::{CancelLines, CancelOrder, Command};
use serde::{Deserialize, Serialize};
use shared_events::RefundId;
use utoipa::ToSchema;

const LONGEST_REASON: usize = 500;

/// Why, and what of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelBody {
    /// Why.
    reason: Option<String>,
    /// The lines to cancel; the whole order where missing.
    lines: Option<Vec<LineQuantityBody>>,
}

impl Step for CancelBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let lines = named_lines(self.lines.as_deref(), &mut checks)?;
        let reason = checks.optional("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        let (by, now, refund_id) = (at.by, at.now, RefundId::generate());
        let command = match lines {
            None => Command::from(CancelOrder { by, reason, refund_id, now }),
            Some(lines) => CancelLines { lines, by, reason, refund_id, now }.into(),
        };
        Ok(command.into())
    }
}
