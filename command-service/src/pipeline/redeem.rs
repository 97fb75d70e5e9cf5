//! Before stock is held, the discount of an order is claimed within its limits. It is given back where the order is known
//! not to be, and by nobody else: an attempt gives back its own claim alone.

use crate::{
    app::App,
    discounts::{StoredDiscount, Use, user_of},
    rows::RowsError,
};
use order::Order;

/// A claimed use.
#[derive(Debug, Clone)]
pub struct Redeemed {
    code: String,
    order_number: String,
}

/// Why a discount is not granted after all.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// Others were faster, or nobody knows whose use it would be.
    #[error("the discount is used up, or limited per customer and the order names none")]
    UsedUp,
    /// The database is away.
    #[error("the discount could not be claimed")]
    Rows(#[from] RowsError),
}

/// Claims the discount of an order, where it is limited.
///
/// # Errors
/// [`RedeemError`].
pub async fn run(
    app: &App,
    order: &Order,
    order_number: &str,
    discount: Option<&StoredDiscount>,
) -> Result<Option<Redeemed>, RedeemError> {
    let Some(discount) = discount.filter(|discount| discount.is_limited()) else { return Ok(None) };
    let customer = user_of(order.customer_id, order.contact.as_ref());
    let code = discount.terms.code.clone();
    let wanted = Use { code: &code, order_number, order_id: order.id, customer: customer.as_deref() };
    if !app.discounts.claim(wanted).await? {
        return Err(RedeemError::UsedUp);
    }
    Ok(Some(Redeemed { code, order_number: order_number.to_owned() }))
}

/// Gives the use back. Where that fails, it is settled later.
pub async fn undo(app: &App, redeemed: Option<&Redeemed>) {
    let Some(Redeemed { code, order_number }) = redeemed else { return };
    if let Err(error) = app.discounts.give_back(code, order_number).await {
        tracing::debug!(order.number = order_number, %error, "the use of a discount will be given back later");
    }
}
