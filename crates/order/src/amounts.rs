//! Arithmetic of amounts that can't overflow: what comes from outside is bounded at the edge, and what was
//! stored must never stop a fold, so sums saturate instead of panicking.

use rust_decimal::Decimal;
use shared_events::Currency;

/// `left + right`.
pub(crate) fn plus(left: Decimal, right: Decimal) -> Decimal {
    left.saturating_add(right)
}

/// `left − right`.
pub(crate) fn minus(left: Decimal, right: Decimal) -> Decimal {
    left.saturating_sub(right)
}

/// `left − right`, or nothing where that is negative.
pub(crate) fn surplus(left: Decimal, right: Decimal) -> Decimal {
    minus(left, right).max(Decimal::ZERO)
}

/// The sum of all.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Decimal {
    amounts.into_iter().fold(Decimal::ZERO, plus)
}

/// What `part` of `whole` pieces have of an amount, rounded half up to the currency's smallest unit. All
/// pieces have all of it.
pub(crate) fn portion(amount: Decimal, part: u32, whole: u32, currency: Currency) -> Decimal {
    if part >= whole {
        return amount;
    }
    let share = amount.saturating_mul(Decimal::from(part)).checked_div(Decimal::from(whole));
    currency.round(share.unwrap_or_default())
}
