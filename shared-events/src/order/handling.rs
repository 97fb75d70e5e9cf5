//! How people handle an order: holds, notes, tags, exceptions, and erasure.

use super::Party;
use crate::ids::{ExceptionId, NoteId, RefundId, ShipmentId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// It waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderHeld {
    /// Why.
    pub reason: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderResumed {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Somebody wrote something on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteAdded {
    /// Its id.
    pub note_id: NoteId,
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Its set of tags is now this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagsChanged {
    /// All tags from now on, sorted.
    pub tags: Vec<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Something happened that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionRaised {
    /// Its id.
    pub exception_id: ExceptionId,
    /// What kind, such as `DISPATCHED_AFTER_CANCELLATION`.
    pub kind: String,
    /// What happened, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The shipment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
    /// The payment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The refund it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Somebody looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionResolved {
    /// The exception.
    pub exception_id: ExceptionId,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The customer's key is gone; personal fields read as null everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonalDataErased {
    /// When.
    pub occurred_at: DateTime<Utc>,
}
