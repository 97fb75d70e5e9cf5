//! What payment providers report, and what follows for the order.

use super::{ComponentAmount, PaymentMethod, RefundCause};
use crate::{
    ids::{RefundId, ReturnId},
    money::Currency,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A provider holds money for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentAuthorized {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The method that was used.
    pub method: PaymentMethod,
    /// How much is held.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// When the order expires from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Money was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentCompleted {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The method that was used.
    pub method: PaymentMethod,
    /// How much was captured.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// For which lines and shipping; what exceeds the order is not in it.
    #[serde(default)]
    pub components: Vec<ComponentAmount>,
    /// Set where the order had expired and its stock was reserved anew: it is expired no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_revision: Option<i32>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// An attempt to pay failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFailed {
    /// The provider's own reference.
    pub payment_id: String,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The method that was tried.
    pub method: PaymentMethod,
    /// How much was tried.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// The provider's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// No further attempt will come: the stock is released at once.
    #[serde(default, rename = "final")]
    pub is_final: bool,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// An authorisation was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentVoided {
    /// The provider's own reference.
    pub payment_id: String,
    /// How much is held no longer.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Payment covers the total, or credit was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderConfirmed {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Money is to go back to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequested {
    /// Its id.
    pub refund_id: RefundId,
    /// How much in all.
    pub amount: Decimal,
    /// In which currency.
    pub currency: Currency,
    /// Of which lines and shipping; what exceeds the order is not in it.
    pub components: Vec<ComponentAmount>,
    /// What made it necessary.
    pub cause: RefundCause,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The payment it goes back to, where that is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The return it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_id: Option<ReturnId>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The money went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundCompleted {
    /// The refund.
    pub refund_id: RefundId,
    /// The provider's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The money could not be sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundFailed {
    /// The refund.
    pub refund_id: RefundId,
    /// The provider's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}
