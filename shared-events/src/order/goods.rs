//! Where an order's goods are: held, packed, on their way, back again, or not to be delivered at all.

use super::{LineQuantity, Party};
use crate::{
    default_name,
    ids::{LineId, ReturnId, ShipmentId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The reservation holds the order's lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockConfirmed {
    /// The reservation's revision.
    pub reservation_revision: i32,
    /// Whether it is held for a covered order, so that only a cancellation gives it up.
    pub firm: bool,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The reservation was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockReleased {
    /// The reservation's revision.
    pub reservation_revision: i32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Picking and packing began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingStarted {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Goods were assigned to a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentCreated {
    /// Its id; the first shipment's where that is filled.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// The stock location it leaves from.
    #[serde(default = "default_name")]
    pub location: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The carrier has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDispatched {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// The stock location it left from.
    #[serde(default = "default_name")]
    pub location: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The customer has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDelivered {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// Where the carrier left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// They could not be delivered, or came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentFailed {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The carrier's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the goods came back to the shop.
    #[serde(default)]
    pub returned_to_sender: bool,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Part of one line will not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineCancelled {
    /// The line.
    pub line_id: LineId,
    /// How many pieces of it.
    pub quantity: u32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reservation's revision that holds what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_revision: Option<i32>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Nothing more of it will be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everything that was still to be dispatched.
    pub lines: Vec<LineQuantity>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It was not paid in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderExpired {
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// The customer wants to send something back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnRequested {
    /// Its id.
    pub return_id: ReturnId,
    /// What is to come back.
    pub lines: Vec<LineQuantity>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked for it.
    pub by: Party,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnReceived {
    /// The return.
    pub return_id: ReturnId,
    /// What came back.
    pub lines: Vec<LineQuantity>,
    /// Whether it goes back into stock.
    pub restock: bool,
    /// The stock location it came to.
    #[serde(default = "default_name")]
    pub location: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// It will not be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnRejected {
    /// The return.
    pub return_id: ReturnId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Delivered, and the return window is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCompleted {
    /// When.
    pub occurred_at: DateTime<Utc>,
}
