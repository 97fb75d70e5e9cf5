//! Money: an exact decimal amount with its currency, never a float. Amounts are written with the
//! currency's own number of decimals (`12.34` EUR, `1200` JPY, `1.234` KWD).

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The largest amount that is accepted from outside: far above any order, far below overflow.
pub const LARGEST_AMOUNT: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(iso_currency::Currency);

/// Why a text or number is no money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// No such currency.
    #[error("`{0}` is no ISO 4217 currency code, such as EUR")]
    UnknownCurrency(String),
    /// Not a decimal number.
    #[error("`{0}` is no decimal number, such as \"12.34\"")]
    NotDecimal(String),
    /// More decimals than the currency has.
    #[error("{currency} has {decimals} decimals, not more")]
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// How many decimals it has.
        decimals: u32,
    },
    /// Above what is accepted.
    #[error("the amount is larger than {LARGEST_AMOUNT}")]
    TooLarge,
    /// Two currencies met in one sum.
    #[error("{left} and {right} cannot be added")]
    Mixed {
        /// The one.
        left: Currency,
        /// The other.
        right: Currency,
    },
}

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// Reads a code of three upper-case letters.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`].
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(12).collect()))
    }

    /// The code of three upper-case letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its smallest unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// Its smallest unit: 0.01 for EUR.
    #[must_use]
    pub fn minor_unit(self) -> Decimal {
        Decimal::new(1, self.decimals())
    }

    /// Rounds half away from zero to the smallest unit, and writes all its decimals.
    #[must_use]
    pub fn round(self, amount: Decimal) -> Decimal {
        let mut rounded = amount.round_dp_with_strategy(self.decimals(), RoundingStrategy::MidpointAwayFromZero);
        rounded.rescale(self.decimals());
        if rounded.is_zero() { Decimal::new(0, self.decimals()) } else { rounded }
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::parse(code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .examples(["EUR"])
            .into()
    }
}

impl utoipa::ToSchema for Currency {}

/// An amount in a currency; always rounded to the currency's smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An amount, rounded half up to the currency's smallest unit.
    #[must_use]
    pub fn rounded(amount: Decimal, currency: Currency) -> Self {
        Self { amount: currency.round(amount), currency }
    }

    /// Nothing, in that currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self::rounded(Decimal::ZERO, currency)
    }

    /// Reads an amount that comes from outside: no more decimals than the currency has, within bounds.
    ///
    /// # Errors
    /// [`MoneyError`] says what is wrong with it.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, MoneyError> {
        let currency = Currency::parse(currency)?;
        let digits = amount.strip_prefix('-').unwrap_or(amount);
        let plain = digits.len() <= 40
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && digits.starts_with(|first: char| first.is_ascii_digit())
            && !digits.ends_with('.');
        let not_decimal = || MoneyError::NotDecimal(amount.chars().take(40).collect());
        if !plain {
            return Err(not_decimal());
        }
        let amount: Decimal = amount.parse().map_err(|_| not_decimal())?;
        Self::exact(amount, currency)
    }

    /// An amount that must already fit the currency.
    ///
    /// # Errors
    /// [`MoneyError::TooPrecise`] and [`MoneyError::TooLarge`].
    pub fn exact(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let money = Self::rounded(amount, currency);
        if money.amount != amount {
            return Err(MoneyError::TooPrecise { currency, decimals: currency.decimals() });
        }
        if amount.abs() > LARGEST_AMOUNT { Err(MoneyError::TooLarge) } else { Ok(money) }
    }

    /// The exact decimal.
    #[must_use]
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyText<'a> {
    #[serde(borrow)]
    amount: std::borrow::Cow<'a, str>,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText { amount: self.amount.to_string().into(), currency: self.currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        let amount: Decimal = text
            .amount
            .parse()
            .map_err(|_| serde::de::Error::custom(MoneyError::NotDecimal(text.amount.to_string())))?;
        Ok(Self::rounded(amount, text.currency))
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{ObjectBuilder, schema::Type};
        ObjectBuilder::new()
            .property("amount", ObjectBuilder::new().schema_type(Type::String).examples(["12.34"]))
            .property("currency", <Currency as utoipa::PartialSchema>::schema())
            .required("amount")
            .required("currency")
            .into()
    }
}

impl utoipa::ToSchema for Money {}

/// Money as a client writes it. It is checked by [`MoneyInput::parse`], so that a wrong amount is a broken
/// rule (422) and not a syntax error (400).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyInput {
    /// A decimal number as text, such as `"12.34"`.
    pub amount: String,
    /// An ISO 4217 code.
    pub currency: String,
}

impl MoneyInput {
    /// The money it stands for.
    ///
    /// # Errors
    /// [`MoneyError`] says what is wrong with it.
    pub fn parse(&self) -> Result<Money, MoneyError> {
        Money::parse(&self.amount, &self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_with_all_decimals_of_its_currency() {
        for (amount, code, text) in
            [("1.5", "EUR", "1.50"), ("7", "JPY", "7"), ("1.2345", "KWD", "1.235"), ("0", "EUR", "0.00")]
        {
            let money = Money::rounded(amount.parse().unwrap(), Currency::parse(code).unwrap());
            let json = serde_json::to_string(&money).unwrap();
            assert_eq!(json, format!(r#"{{"amount":"{text}","currency":"{code}"}}"#));
            assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }
    }

    #[test]
    fn halves_round_away_from_zero() {
        let round = |text: &str| Money::rounded(text.parse().unwrap(), Currency::EUR).amount().to_string();
        assert_eq!(round("0.005"), "0.01");
        assert_eq!(round("-0.005"), "-0.01");
        assert_eq!(round("2.675"), "2.68");
    }

    #[test]
    fn amounts_from_outside_must_fit_the_currency() {
        assert!(Money::parse("1.23", "EUR").is_ok());
        assert!(matches!(Money::parse("1.234", "EUR"), Err(MoneyError::TooPrecise { .. })));
        assert!(matches!(Money::parse("1.5", "JPY"), Err(MoneyError::TooPrecise { .. })));
        assert!(matches!(Money::parse("1", "EURO"), Err(MoneyError::UnknownCurrency(_))));
        assert!(matches!(Money::parse("1", "XXX"), Err(MoneyError::UnknownCurrency(_))));
        assert_eq!(Money::parse("9999999999999999", "EUR"), Err(MoneyError::TooLarge));
        for text in ["", " 1", "1e3", "NaN", "1.", ".5", "+1", "1_000", "١"] {
            assert!(matches!(Money::parse(text, "EUR"), Err(MoneyError::NotDecimal(_))), "{text}");
        }
    }
}
