//! Lists of products and quantities, as carts and reservations have them.

use crate::domain::stock::{Quantities, summed};
use serde::{Deserialize, Serialize};
use shared_events::ProductId;
use utoipa::ToSchema;
use web::{Code, Problem};

const MOST_ITEMS: usize = 1_500;
const MOST_PIECES: i64 = 9_999;

/// Pieces of a product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces: 1 to 9,999.
    #[schema(minimum = 1, maximum = 9999)]
    pub quantity: i64,
}

/// The demand of a list per product.
///
/// # Errors
/// 422 with every item that breaks a rule.
pub fn demand(items: &[Item]) -> Result<Quantities, Problem> {
    if items.is_empty() || items.len() > MOST_ITEMS {
        return Err(Problem::invalid_field("/items", format!("must have 1 to {MOST_ITEMS} entries")));
    }
    let rule = format!("must be a whole number from 1 to {MOST_PIECES}");
    let wrong: Vec<usize> = (0..items.len()).filter(|at| !(1..=MOST_PIECES).contains(&items[*at].quantity)).collect();
    if !wrong.is_empty() {
        let problem = Problem::validation_failed(format!("a quantity {rule}"));
        return Err(wrong.into_iter().fold(problem, |problem, at| {
            problem.with_error(format!("/items/{at}/quantity"), Code::ValidationFailed.as_str(), &rule)
        }));
    }
    Ok(summed(items.iter().map(|item| (item.product_id, item.quantity))))
}
