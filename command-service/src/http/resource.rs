//! What a command on an order is answered with: the order, or the part of it that the command made.

use crate::app::{App, concerned};
use order::{
    Order, Shipment,
    view::{RefundAnswer, ReturnAnswer, ShipmentAnswer},
};
use serde::Serialize;
use service::{Answer, CommandRequest};
use shared_events::{OrderId, RefundId, ReturnId, ShipmentId, order::LineQuantity};
use utoipa::ToSchema;
use web::Consistency;

/// What an answer is about.
#[derive(Debug, Clone)]
pub enum Resource {
    /// The order as it is now.
    Order,
    /// The shipment of this id, or the planned one that was filled in its place.
    Shipment(ShipmentId),
    /// The return of this id.
    Return(ReturnId),
    /// The refund of this id, and the lines that it was asked for.
    Refund(RefundId, Vec<LineQuantity>),
}

/// A part of an order, with the order's own id and version.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartOfOrder<T> {
    /// The part.
    #[serde(flatten)]
    part: T,
    /// The order.
    order_id: OrderId,
    /// The order's version.
    version: i64,
}

/// A refund as it was just asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedRefund {
    /// The refund.
    #[serde(flatten)]
    refund: RefundAnswer,
    /// The lines that it was asked for; empty where only an amount was named.
    lines: Vec<LineQuantity>,
    /// The order.
    order_id: OrderId,
    /// The order's version.
    version: i64,
}

impl Resource {
    /// The answer, from the order as the command left it.
    pub fn answer(&self, app: &App, order: &Order, request: &CommandRequest) -> Answer {
        match self {
            Self::Order => None,
            Self::Shipment(id) => shipment(order, *id).map(|made| made_part(order, ShipmentAnswer::from_state(made))),
            Self::Return(id) => order.find_return(*id).map(|made| made_part(order, ReturnAnswer::from_state(made))),
            Self::Refund(id, lines) => order.refund(*id).map(|made| {
                let refund = RefundAnswer::from_state(made, order.currency);
                let (order_id, version) = (order.id, order.version);
                created(order, &RequestedRefund { refund, lines: lines.clone(), order_id, version })
            }),
        }
        .unwrap_or_else(|| app.answer(order, request))
    }
}

/// Only the planned shipment, which every order begins with, is filled under another id than the command's.
fn shipment(order: &Order, id: ShipmentId) -> Option<&Shipment> {
    order.shipment(id).or_else(|| order.shipments.first())
}

fn made_part(order: &Order, part: impl Serialize) -> Answer {
    created(order, &PartOfOrder { part, order_id: order.id, version: order.version })
}

fn created(order: &Order, made: &impl Serialize) -> Answer {
    Answer::json(201, made)
        .etag(order.version)
        .consistency(&Consistency::of(order.id, order.version))
        .concerning(concerned(order))
}
