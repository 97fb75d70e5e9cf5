//! POST /api/orders/{id}/refunds, by staff's decision, and what the payment provider says of them.

use super::{
    resource::Resource,
    step::{At, Step, Wanted, Wrong},
};
use crate::input::{Checks, LineQuantityBody, named_lines};
use order::{CompleteRefund, FailRefund, RefundWhat, RequestRefund};
use serde::{Deserialize, Serialize};
use shared_events::{ExceptionId, RefundId, money::MoneyInput};
use utoipa::ToSchema;

const LONGEST_REASON: usize = 500;
const LONGEST_REFERENCE: usize = 200;

/// POST …/refunds: what goes back. Neither an amount nor lines is all that can be given back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundBody {
    /// How much, in the order's currency; what the lines cost where only those are named.
    amount: Option<MoneyInput>,
    /// The pieces that it is for.
    lines: Option<Vec<LineQuantityBody>>,
    /// Why, at most 500 characters.
    reason: Option<String>,
}

impl Step for RefundBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let lines = named_lines(self.lines.as_deref(), &mut checks)?;
        let amount = self.amount.as_ref().and_then(|amount| checks.value("/amount", amount.parse()));
        let reason = checks.required("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        let refund_id = RefundId::generate();
        let answers = Resource::Refund(refund_id, lines.clone().unwrap_or_default());
        let what = match (amount, lines) {
            (None, None) => RefundWhat::Everything,
            (Some(amount), None) => RefundWhat::Amount(amount),
            (None, Some(lines)) => RefundWhat::Lines(lines),
            (Some(amount), Some(lines)) => RefundWhat::AmountOfLines(amount, lines),
        };
        let command = RequestRefund { refund_id, what, reason, return_id: None, now: at.now };
        Ok(Wanted::from(command).answering(answers))
    }
}

/// POST …/refunds/{refundId}/completed: the money went back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundCompletedBody {
    /// The provider's own reference.
    provider_reference: Option<String>,
}

impl Step for RefundCompletedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let refund_id = at.params.id("refundId")?;
        let mut checks = Checks::default();
        let provider_reference =
            checks.optional("/providerReference", self.provider_reference.as_deref(), LONGEST_REFERENCE);
        checks.finish()?;
        let exception_id = ExceptionId::generate();
        Ok(CompleteRefund { refund_id, provider_reference, exception_id, now: at.now }.into())
    }
}

/// POST …/refunds/{refundId}/failed: the money could not be sent back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundFailedBody {
    /// The provider's reason.
    reason: Option<String>,
}

impl Step for RefundFailedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let refund_id = at.params.id("refundId")?;
        let mut checks = Checks::default();
        let reason = checks.optional("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        Ok(FailRefund { refund_id, reason, exception_id: ExceptionId::generate(), now: at.now }.into())
    }
}
