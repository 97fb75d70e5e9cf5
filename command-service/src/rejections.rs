//! What the domain refuses, as HTTP says it: the one place where both are known.

use order::Rejection;
use serde_json::json;
use web::{Code, Problem};

/// The problem for a rejection.
#[must_use]
pub fn problem(rejection: Rejection) -> Problem {
    let detail = rejection.to_string();
    match rejection {
        Rejection::NotFound { what, .. } => Problem::not_found(format!("there is no such {what}")),
        Rejection::AlreadyPlaced => Problem::illegal_transition(detail).with_extension("allowed", json!([])),
        Rejection::IllegalTransition { allowed, .. } => {
            let allowed: Vec<&str> = allowed.iter().map(|status| status.as_str()).collect();
            Problem::illegal_transition(detail).with_extension("allowed", allowed)
        }
        Rejection::NotCancellable { .. } => Problem::not_cancellable(detail),
        Rejection::NotAmendable { .. } => Problem::not_amendable(detail),
        Rejection::NotCovered { .. } => Problem::not_covered(detail),
        Rejection::QuantityExceeded { line_id, requested, available } => {
            let exceeded = json!({"lineId": line_id, "requested": requested, "available": available});
            Problem::quantity_exceeded(detail).with_extension("exceeded", exceeded)
        }
        Rejection::AddressRequired => Problem::address_required(detail),
        Rejection::RefundExceedsCaptured { .. } => Problem::refund_exceeds_captured(detail),
        Rejection::Invalid(errors) => errors.into_iter().fold(Problem::validation_failed(detail), |problem, error| {
            problem.with_error(error.pointer, Code::ValidationFailed.as_str(), error.detail)
        }),
    }
}
