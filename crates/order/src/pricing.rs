//! What an order costs: prices, discounts and tax of each part, rounded half up to the currency's smallest
//! unit part by part, so that the parts always sum up to the total. A discount's share of each line is
//! frozen here, by largest remainder, and never moves later.

use crate::{
    amounts::{minus, plus, sum},
    rejection::FieldError,
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use shared_events::{
    Attributes, Currency, LineId, ProductId,
    order::{AppliedDiscount, OrderLine, ShippingCharge, Totals},
};

/// How many lines an order may have.
pub const MOST_LINES: usize = 1_500;
/// How many pieces a line may have.
pub const MOST_PIECES: u32 = 9_999;
pub use shared_events::money::LARGEST_AMOUNT;

/// What kind of discount it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DiscountKind {
    /// So many percent of every line.
    Percentage,
    /// An amount off the lines, at most what they cost.
    Fixed,
    /// Shipping costs nothing.
    FreeShipping,
}

impl DiscountKind {
    /// Its name in events and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Percentage => "PERCENTAGE",
            Self::Fixed => "FIXED",
            Self::FreeShipping => "FREE_SHIPPING",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Percentage, Self::Fixed, Self::FreeShipping].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A discount that is to be granted; whether it may be was checked before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discount {
    /// The code that was given.
    pub code: String,
    /// What kind.
    pub kind: DiscountKind,
    /// Percent (10 is ten percent) or amount.
    pub value: Decimal,
}

/// A line that is to be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineToPrice {
    /// Its id.
    pub line_id: LineId,
    /// The product.
    pub product_id: ProductId,
    /// Its sku now.
    pub sku: String,
    /// Its name now.
    pub name: String,
    /// Pieces.
    pub quantity: u32,
    /// The price of one piece now, or the quote's.
    pub unit_price: Decimal,
    /// The tax rate as a fraction.
    pub tax_rate: Decimal,
    /// Its sales channel.
    pub channel: String,
    /// Who sells it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop wants to remember about it.
    pub attributes: Attributes,
}

/// Everything that prices depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToPrice {
    /// The one currency.
    pub currency: Currency,
    /// Whether prices contain tax.
    pub prices_include_tax: bool,
    /// The lines.
    pub lines: Vec<LineToPrice>,
    /// Code of the shipping method.
    pub shipping_method: Option<String>,
    /// The price of shipping.
    pub shipping_amount: Decimal,
    /// From which amount of goods, after their discounts, shipping costs nothing.
    pub shipping_free_from: Option<Decimal>,
    /// Shipping's tax rate as a fraction.
    pub shipping_tax_rate: Decimal,
    /// The discounts, applied one after the other.
    pub discounts: Vec<Discount>,
}

/// The priced parts of an order and their sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Priced {
    /// The one currency.
    pub currency: Currency,
    /// Whether prices contain tax.
    pub prices_include_tax: bool,
    /// The lines with their frozen discounts and tax.
    pub lines: Vec<OrderLine>,
    /// Shipping with its discount and tax.
    pub shipping: ShippingCharge,
    /// The discounts and what each took off.
    pub discounts: Vec<AppliedDiscount>,
    /// The sums.
    pub totals: Totals,
}

/// Prices an order.
///
/// # Errors
/// Every field that breaks a rule, by pointers into `/items`, `/shipping` and `/discounts`.
pub fn price(to_price: ToPrice) -> Result<Priced, Vec<FieldError>> {
    let ToPrice { currency, prices_include_tax, lines, .. } = &to_price;
    let (currency, prices_include_tax) = (*currency, *prices_include_tax);
    let mut errors = line_errors(lines.iter().map(|line| (line.quantity, line.unit_price, line.tax_rate)));
    errors.extend(out_of_range("/shipping/amount", to_price.shipping_amount));
    errors.extend(bad_rate("/shipping/taxRate", to_price.shipping_tax_rate));
    for (index, discount) in to_price.discounts.iter().enumerate() {
        errors.extend(out_of_range(&format!("/discounts/{index}/value"), discount.value));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let full: Vec<_> =
        lines.iter().map(|line| currency.round(line.unit_price * Decimal::from(line.quantity))).collect();
    let mut off = vec![Decimal::ZERO; full.len()];
    let mut amounts = vec![Decimal::ZERO; to_price.discounts.len()];
    for (amount, discount) in amounts.iter_mut().zip(&to_price.discounts) {
        let left: Vec<_> = full.iter().zip(&off).map(|(amount, off)| minus(*amount, *off)).collect();
        let wanted = match discount.kind {
            DiscountKind::Percentage => percent(sum(left.iter().copied()), discount.value),
            DiscountKind::Fixed => discount.value,
            DiscountKind::FreeShipping => continue,
        };
        *amount = currency.round(wanted).min(sum(left.iter().copied()));
        for (off, share) in off.iter_mut().zip(allocate(*amount, &left, currency)) {
            *off = plus(*off, share);
        }
    }
    let goods = minus(sum(full.iter().copied()), sum(off.iter().copied()));
    let is_free = to_price.shipping_free_from.is_some_and(|from| goods >= from);
    let shipping_amount = currency.round(if is_free { Decimal::ZERO } else { to_price.shipping_amount });
    let mut shipping_off = Decimal::ZERO;
    for (amount, discount) in amounts.iter_mut().zip(&to_price.discounts) {
        if discount.kind == DiscountKind::FreeShipping {
            *amount = minus(shipping_amount, shipping_off);
            shipping_off = shipping_amount;
        }
    }
    let discounts = to_price.discounts.iter().zip(amounts).map(|(discount, amount)| AppliedDiscount {
        code: discount.code.clone(),
        kind: discount.kind.as_str().to_owned(),
        value: discount.value,
        amount: currency.round(amount),
    });
    let discounts = discounts.collect();
    let lines: Vec<_> = to_price
        .lines
        .into_iter()
        .zip(full.iter().zip(off))
        .map(|(line, (amount, discount))| OrderLine {
            line_id: line.line_id,
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: currency.round(discount),
            tax_amount: tax(minus(*amount, discount), line.tax_rate, prices_include_tax, currency),
            tax_rate: line.tax_rate,
            channel: line.channel,
            legal_entity: line.legal_entity,
            external_id: line.external_id,
            attributes: line.attributes,
        })
        .collect();
    let shipping_net = minus(shipping_amount, shipping_off);
    let shipping = ShippingCharge {
        method: to_price.shipping_method,
        amount: shipping_amount,
        discount: currency.round(shipping_off),
        tax_rate: to_price.shipping_tax_rate,
        tax_amount: tax(shipping_net, to_price.shipping_tax_rate, prices_include_tax, currency),
    };
    let totals = totals(&lines, &shipping, prices_include_tax, currency);
    if totals.subtotal > LARGEST_AMOUNT || totals.total > LARGEST_AMOUNT {
        return Err(vec![FieldError::new("/items", format!("the total is larger than {LARGEST_AMOUNT}"))]);
    }
    Ok(Priced { currency, prices_include_tax, lines, shipping, discounts, totals })
}

/// The sums of priced parts: `total` = Σ lines − discounts + shipping, plus tax where prices are without.
#[must_use]
pub fn totals(lines: &[OrderLine], shipping: &ShippingCharge, prices_include_tax: bool, currency: Currency) -> Totals {
    let amount = |line: &OrderLine| currency.round(line.unit_price.saturating_mul(Decimal::from(line.quantity)));
    let subtotal = sum(lines.iter().map(amount));
    let discount_total = plus(sum(lines.iter().map(|line| line.discount)), shipping.discount);
    let tax_total = plus(sum(lines.iter().map(|line| line.tax_amount)), shipping.tax_amount);
    let net = plus(minus(subtotal, discount_total), shipping.amount);
    Totals {
        subtotal: currency.round(subtotal),
        discount_total: currency.round(discount_total),
        shipping_total: currency.round(shipping.amount),
        tax_total: currency.round(tax_total),
        total: currency.round(if prices_include_tax { net } else { plus(net, tax_total) }),
    }
}

/// The tax in an amount (prices with tax) or on it, rounded half up.
#[must_use]
pub fn tax(amount: Decimal, rate: Decimal, prices_include_tax: bool, currency: Currency) -> Decimal {
    let on_top = amount.saturating_mul(rate);
    let tax =
        if prices_include_tax { on_top.checked_div(plus(Decimal::ONE, rate)).unwrap_or_default() } else { on_top };
    currency.round(tax)
}

/// Splits an amount by weights into smallest units whose sum is the amount: each gets its exact share rounded
/// down, and what is left goes unit by unit to the largest remainders, earlier ones first among equals. No
/// share exceeds its weight where the amount does not exceed their sum.
#[must_use]
pub fn allocate(amount: Decimal, weights: &[Decimal], currency: Currency) -> Vec<Decimal> {
    let whole = sum(weights.iter().copied());
    if whole <= Decimal::ZERO || amount <= Decimal::ZERO {
        return vec![Decimal::ZERO; weights.len()];
    }
    let exact = |weight: Decimal| {
        let product = amount.checked_mul(weight).and_then(|product| product.checked_div(whole));
        product.or_else(|| amount.checked_mul(weight.checked_div(whole)?)).unwrap_or_default()
    };
    let mut shares = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let exact = exact(*weight).min(*weight.max(&Decimal::ZERO));
        let share = exact.round_dp_with_strategy(currency.decimals(), RoundingStrategy::ToZero);
        remainders.push((minus(exact, share), index));
        shares.push(share);
    }
    remainders.sort_by(|(left, left_index), (right, right_index)| right.cmp(left).then(left_index.cmp(right_index)));
    let unit = currency.minor_unit();
    let mut left = minus(amount, sum(shares.iter().copied()));
    for (_, index) in remainders.iter().cycle().take(weights.len() * 2) {
        if left < unit {
            break;
        }
        if plus(shares[*index], unit) <= weights[*index] || amount > whole {
            shares[*index] = plus(shares[*index], unit);
            left = minus(left, unit);
        }
    }
    shares
}

fn percent(amount: Decimal, percent: Decimal) -> Decimal {
    amount.saturating_mul(percent.min(Decimal::ONE_HUNDRED)) / Decimal::ONE_HUNDRED
}

/// What is wrong with lines' quantities, prices and tax rates.
pub(crate) fn line_errors(lines: impl ExactSizeIterator<Item = (u32, Decimal, Decimal)>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if lines.len() == 0 || lines.len() > MOST_LINES {
        errors.push(FieldError::new("/items", format!("an order has 1 to {MOST_LINES} lines")));
    }
    for (index, (quantity, unit_price, tax_rate)) in lines.enumerate() {
        if quantity == 0 || quantity > MOST_PIECES {
            let detail = format!("must be 1 to {MOST_PIECES}");
            errors.push(FieldError::new(format!("/items/{index}/quantity"), detail));
        }
        errors.extend(out_of_range(&format!("/items/{index}/unitPrice"), unit_price));
        errors.extend(bad_rate(&format!("/items/{index}/taxRate"), tax_rate));
    }
    errors
}

fn out_of_range(pointer: &str, amount: Decimal) -> Option<FieldError> {
    let fits = amount >= Decimal::ZERO && amount <= LARGEST_AMOUNT;
    (!fits).then(|| FieldError::new(pointer, format!("must be 0 to {LARGEST_AMOUNT}")))
}

fn bad_rate(pointer: &str, rate: Decimal) -> Option<FieldError> {
    let fits = rate >= Decimal::ZERO && rate <= Decimal::TEN;
    (!fits).then(|| FieldError::new(pointer, "must be a fraction such as 0.19"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dec, to_price};

    fn order_of(lines: Vec<LineToPrice>) -> ToPrice {
        ToPrice {
            currency: Currency::EUR,
            prices_include_tax: true,
            lines,
            shipping_method: None,
            shipping_amount: dec("4.90"),
            shipping_free_from: None,
            shipping_tax_rate: dec("0.19"),
            discounts: Vec::new(),
        }
    }

    fn discount(kind: DiscountKind, value: &str) -> Discount {
        Discount { code: "CODE".to_owned(), kind, value: dec(value) }
    }

    #[test]
    fn tax_is_contained_in_prices_with_tax() {
        let priced = price(order_of(vec![to_price(1, 2, "10.00")])).unwrap();
        assert_eq!(priced.lines[0].tax_amount.to_string(), "3.19");
        assert_eq!(priced.totals.tax_total.to_string(), "3.97");
        assert_eq!(priced.totals.total.to_string(), "24.90");
    }

    #[test]
    fn tax_is_added_to_prices_without() {
        let to_price = ToPrice { prices_include_tax: false, ..order_of(vec![to_price(1, 2, "10.00")]) };
        let priced = price(to_price).unwrap();
        assert_eq!(priced.lines[0].tax_amount.to_string(), "3.80");
        assert_eq!(priced.totals.total.to_string(), "29.63");
    }

    #[test]
    fn every_line_is_rounded_half_up_to_the_smallest_unit_of_its_currency() {
        for (code, unit_price, total) in [("EUR", "0.335", "1.01"), ("JPY", "0.5", "2"), ("KWD", "0.0005", "0.002")] {
            let mut order = order_of(vec![to_price(1, 3, unit_price)]);
            order.currency = Currency::parse(code).unwrap();
            order.shipping_amount = Decimal::ZERO;
            assert_eq!(price(order).unwrap().totals.total.to_string(), total, "{code}");
        }
    }

    #[test]
    fn a_discount_is_shared_by_largest_remainder() {
        let lines = vec![to_price(1, 1, "1.00"), to_price(2, 1, "1.00"), to_price(3, 1, "1.00")];
        let mut order = order_of(lines);
        order.discounts = vec![discount(DiscountKind::Fixed, "1.00")];
        let priced = price(order).unwrap();
        let shares: Vec<_> = priced.lines.iter().map(|line| line.discount.to_string()).collect();
        assert_eq!(shares, ["0.34", "0.33", "0.33"]);
        assert_eq!(priced.totals.discount_total.to_string(), "1.00");
    }

    #[test]
    fn discounts_follow_one_another_and_never_take_more_than_there_is() {
        let mut order = order_of(vec![to_price(1, 2, "10.00")]);
        order.discounts = vec![
            discount(DiscountKind::Percentage, "10"),
            discount(DiscountKind::Fixed, "500"),
            discount(DiscountKind::FreeShipping, "0"),
        ];
        let priced = price(order).unwrap();
        let taken: Vec<_> = priced.discounts.iter().map(|discount| discount.amount.to_string()).collect();
        assert_eq!(taken, ["2.00", "18.00", "4.90"]);
        assert_eq!(priced.totals.total.to_string(), "0.00");
        assert_eq!(priced.totals.tax_total.to_string(), "0.00");
    }

    #[test]
    fn shipping_is_free_from_an_amount_of_goods_after_their_discounts() {
        let mut order = order_of(vec![to_price(1, 2, "10.00")]);
        order.shipping_free_from = Some(dec("20.00"));
        assert_eq!(price(order.clone()).unwrap().totals.shipping_total.to_string(), "0.00");
        order.discounts = vec![discount(DiscountKind::FreeShipping, "0"), discount(DiscountKind::Fixed, "0.01")];
        let priced = price(order).unwrap();
        assert_eq!(priced.totals.shipping_total.to_string(), "4.90");
        let taken: Vec<_> = priced.discounts.iter().map(|discount| discount.amount.to_string()).collect();
        assert_eq!(taken, ["4.90", "0.01"]);
        assert_eq!(priced.totals.total.to_string(), "19.99");
    }

    #[test]
    fn the_largest_order_does_not_overflow_and_a_larger_one_is_refused() {
        let mut order = order_of(vec![to_price(1, 1, "500000000000000"), to_price(2, 9_999, "40000000000")]);
        order.shipping_amount = Decimal::ZERO;
        order.discounts = vec![discount(DiscountKind::Percentage, "33.333"), discount(DiscountKind::Fixed, "0.07")];
        let priced = price(order).unwrap();
        assert_eq!(priced.totals.subtotal.to_string(), "899960000000000.00");
        let large = order_of((1..=1_500).map(|number| to_price(number, 9_999, "1000000000000000")).collect());
        assert_eq!(price(large).unwrap_err()[0].pointer, "/items");
        let above = order_of(vec![to_price(1, 1, "1000000000000001")]);
        assert_eq!(price(above).unwrap_err()[0].pointer, "/items/0/unitPrice");
    }
}
