//! Pieces of lines, as every command that is about some of an order names them.

use super::Checks;
use serde::{Deserialize, Serialize};
use shared_events::{LineId, order::LineQuantity};
use web::Problem;

/// So many pieces of a line.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineQuantityBody {
    /// The line.
    line_id: Option<String>,
    /// Pieces.
    quantity: Option<i64>,
}

/// The lines that a body names at `/lines`; none where it names none. What is missing or wrong is noted.
///
/// # Errors
/// 400 for an id of another form, which comes before any other rule.
pub fn named_lines(
    lines: Option<&[LineQuantityBody]>,
    checks: &mut Checks,
) -> Result<Option<Vec<LineQuantity>>, Problem> {
    let Some(lines) = lines else { return Ok(None) };
    let mut named = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let pointer = format!("/lines/{index}/lineId");
        let Some(id) = line.line_id.as_deref() else {
            checks.broken(pointer, "this field is required");
            continue;
        };
        let line_id = LineId::parse(id).map_err(|error| {
            Problem::invalid_id(error.to_string()).with_error(&pointer, "INVALID_ID", error.to_string())
        })?;
        let pointer = format!("/lines/{index}/quantity");
        match line.quantity.map(u32::try_from) {
            Some(Ok(quantity @ 1..)) => named.push(LineQuantity { line_id, quantity }),
            Some(_) => checks.broken(pointer, "at least 1 piece"),
            None => checks.broken(pointer, "this field is required"),
        }
    }
    Ok(Some(named))
}
