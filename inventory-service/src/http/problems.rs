//! What the service's errors are over HTTP: one exhaustive match per error.

use crate::catalogue::CatalogueError;
use crate::domain::product::BrokenRules;
use crate::domain::reservation::decide::Rejection;
use crate::domain::stock::AdjustmentRejection;
use crate::locations::LocationError;
use crate::movements::MovementsError;
use crate::stock_writer::StockError;
use eventstore::AppendError;
use serde_json::json;
use service::{Outcome, problem_of, unavailable_or_internal};
use web::{Code, Problem, etag};

/// The problem for an error of the catalogue.
pub fn catalogue(error: CatalogueError) -> Problem {
    let unavailable = error.is_unavailable();
    match error {
        CatalogueError::NotFound(product_id) => Problem::not_found(format!("there is no product {product_id}")),
        CatalogueError::SkuTaken(sku) => Problem::sku_taken(format!("another product has the sku {sku}")).with_error(
            "/sku",
            Code::SkuTaken.as_str(),
            "another product has it",
        ),
        CatalogueError::VersionMismatch { actual } => etag::mismatch(actual),
        CatalogueError::Oversold { .. } => Problem::insufficient_stock(error.to_string()).with_error(
            "/backorder",
            Code::InsufficientStock.as_str(),
            error.to_string(),
        ),
        CatalogueError::Invalid(rules) => broken(rules),
        CatalogueError::Append(AppendError::ClaimLost) => {
            Problem::idempotency_in_progress("another request with this Idempotency-Key has taken over")
        }
        CatalogueError::Connection(_)
        | CatalogueError::Statement(_)
        | CatalogueError::Commit(_)
        | CatalogueError::Append(_)
        | CatalogueError::Payload(_)
        | CatalogueError::Stored { .. } => unavailable_or_internal(&error, unavailable),
    }
}

/// What became of a command that ended with an error of the catalogue.
pub fn outcome(error: CatalogueError) -> Outcome {
    if matches!(error, CatalogueError::Commit(_)) {
        return Outcome::Unknown(catalogue(error));
    }
    Outcome::Refused(catalogue(error))
}

/// The problem for values that break rules.
pub fn broken(rules: BrokenRules) -> Problem {
    let detail = rules.first().map_or_else(String::new, |rule| format!("`{}` {}", rule.pointer, rule.rule));
    rules.into_iter().fold(Problem::validation_failed(detail), |problem, rule| {
        problem.with_error(rule.pointer, Code::ValidationFailed.as_str(), rule.rule)
    })
}

/// The problem for an error of a location.
pub fn location(error: &LocationError) -> Problem {
    match error {
        LocationError::CodeTaken(_) => Problem::invalid_field("/code", error.to_string()),
        LocationError::Connection(_) | LocationError::Statement(_) => problem_of(error),
    }
}

/// The problem for movements that can't be read.
pub fn movements(error: &MovementsError) -> Problem {
    match error {
        MovementsError::Behind(_) => Problem::read_timeout(error.to_string()),
        MovementsError::Log(cause) => unavailable_or_internal(error, cause.is_unavailable()),
        MovementsError::Connection(_) | MovementsError::Statement(_) => problem_of(error),
    }
}

/// The problem for an error of stock or a reservation.
pub fn stock(error: StockError) -> Problem {
    match error {
        StockError::Reservation(rejection) => reservation(rejection),
        StockError::Adjustment(rejection) => adjustment(rejection),
        StockError::UnknownProduct => Problem::not_found("there is no such product"),
        StockError::VersionMismatch { actual } => etag::mismatch(actual),
        StockError::Overloaded => Problem::overloaded("too many changes of stock are waiting"),
        StockError::Unavailable => Problem::unavailable("stock can't be changed right now"),
        StockError::Failed(cause) => problem_of(&*cause),
    }
}

fn reservation(rejection: Rejection) -> Problem {
    let detail = rejection.to_string();
    match rejection {
        Rejection::InsufficientStock(shortages) => {
            Problem::insufficient_stock(detail).with_extension("unavailable", json!(shortages))
        }
        Rejection::UnknownProducts(products) => {
            let unknown = Problem::validation_failed(detail).with_extension("unknownProducts", json!(products));
            unknown.with_error("/items", Code::ValidationFailed.as_str(), "a product of these does not exist")
        }
        Rejection::NotReserved => Problem::not_found(detail),
        Rejection::Gone(state) => Problem::illegal_transition(detail).with_extension("state", json!(state)),
    }
}

fn adjustment(rejection: AdjustmentRejection) -> Problem {
    let detail = rejection.to_string();
    match rejection {
        AdjustmentRejection::TooMany => Problem::validation_failed(detail),
        AdjustmentRejection::Negative(_) | AdjustmentRejection::BelowReserved { .. } => {
            Problem::insufficient_stock(detail)
        }
    }
}
