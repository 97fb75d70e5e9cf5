//! The parts of an order: lines, payments, shipments, returns, refunds, notes, exceptions, and what it waits for.

use super::date_time::DateTime;
use super::{
    enums::{Party, PaymentState, RefundCause, RefundStatus, ReturnStatus, ShipmentStatus},
    loaders::Batches,
    money::{Attribute, Money},
    product::Product,
    query::loader,
};
use crate::graphql::error::FromRead as _;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use rust_decimal::Decimal;
use shared_events::{Currency, order::LineQuantity};
use std::sync::Arc;

fn money(amount: Decimal, currency: Currency) -> Money {
    shared_events::Money::rounded(amount, currency).into()
}

/// A line of an order, as it was bought.
pub struct OrderLine {
    order: Arc<order::Order>,
    index: usize,
}

impl OrderLine {
    /// The line at a place that the order has.
    #[must_use]
    pub const fn new(order: Arc<order::Order>, index: usize) -> Self {
        Self { order, index }
    }

    fn line(&self) -> &order::Line {
        &self.order.lines[self.index]
    }
}

/// A line of an order, as it was bought.
#[Object]
impl OrderLine {
    /// Its id: `line_…`.
    async fn id(&self) -> ID {
        self.line().line_id.into()
    }

    /// The product's id.
    async fn product_id(&self) -> ID {
        self.line().product_id.into()
    }

    /// The product as it is now.
    #[graphql(complexity = "2 + child_complexity")]
    async fn product(&self, context: &Context<'_>) -> Result<Option<Product>> {
        Ok(loader::<Batches>(context)?.load_one(self.line().product_id).await.coded()?.map(Product))
    }

    /// The product's sku then.
    async fn sku(&self) -> &str {
        &self.line().sku
    }

    /// The product's name then.
    async fn name(&self) -> &str {
        &self.line().name
    }

    /// Pieces.
    async fn quantity(&self) -> u32 {
        self.line().quantity
    }

    /// Price of one piece.
    async fn unit_price(&self) -> Money {
        money(self.line().unit_price, self.order.currency)
    }

    /// Quantity × unit price.
    async fn line_total(&self) -> Money {
        money(self.line().line_total(self.order.currency), self.order.currency)
    }

    /// The tax rate as a fraction: `0.19`.
    async fn tax_rate(&self) -> String {
        self.line().tax_rate.to_string()
    }

    /// Pieces that will not be delivered.
    async fn cancelled_quantity(&self) -> u32 {
        self.line().cancelled
    }

    /// Pieces that have left.
    async fn shipped_quantity(&self) -> u32 {
        self.line().shipped
    }

    /// Pieces that arrived.
    async fn delivered_quantity(&self) -> u32 {
        self.line().delivered
    }

    /// Pieces that came back.
    async fn returned_quantity(&self) -> u32 {
        self.line().returned
    }

    /// Its id in another system.
    async fn external_id(&self) -> Option<&str> {
        self.line().external_id.as_deref()
    }

    /// What the shop remembers about it.
    async fn attributes(&self) -> Vec<Attribute> {
        Attribute::list(&self.line().attributes)
    }
}

/// A number of pieces of a line.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "LineQuantity")]
pub struct PartOfLine {
    /// The line's id.
    line_id: ID,
    /// How many pieces of it.
    quantity: u32,
}

fn parts(lines: &[LineQuantity]) -> Vec<PartOfLine> {
    lines.iter().map(|part| PartOfLine { line_id: part.line_id.into(), quantity: part.quantity }).collect()
}

/// A payment.
#[derive(Debug, Clone, SimpleObject)]
pub struct Payment {
    /// The provider's own reference.
    id: ID,
    /// Which provider.
    provider: Option<String>,
    /// The method that was used.
    method: Option<&'static str>,
    /// How far it got.
    status: PaymentState,
    /// What it is about.
    amount: Money,
    /// What the provider holds now.
    authorized_amount: Money,
    /// What was captured.
    captured_amount: Money,
    /// The provider's reason, where it failed or was voided.
    reason: Option<String>,
    /// When something last happened to it.
    updated_at: DateTime,
}

impl Payment {
    /// A payment whose amounts are in the order's currency.
    #[must_use]
    pub fn from_state(payment: &order::Payment, currency: Currency) -> Self {
        Self {
            id: ID(payment.payment_id.clone()),
            provider: payment.provider.clone(),
            method: payment.method.map(order::PaymentMethod::as_str),
            status: payment.status.into(),
            amount: money(payment.amount, currency),
            authorized_amount: money(payment.authorized, currency),
            captured_amount: money(payment.captured, currency),
            reason: payment.reason.clone(),
            updated_at: payment.updated_at.into(),
        }
    }
}

/// A shipment.
#[derive(Debug, Clone, SimpleObject)]
pub struct Shipment {
    /// Its id: `shp_…`.
    id: ID,
    /// How far it got.
    status: ShipmentStatus,
    /// What is in it.
    lines: Vec<PartOfLine>,
    /// The carrier.
    carrier: Option<String>,
    /// The carrier's number for it.
    tracking_number: Option<String>,
    /// Why it failed.
    reason: Option<String>,
    /// When it was planned or filled.
    created_at: DateTime,
    /// When the carrier got it.
    dispatched_at: Option<DateTime>,
    /// When the customer got it.
    delivered_at: Option<DateTime>,
    /// When it failed.
    failed_at: Option<DateTime>,
}

impl Shipment {
    /// A shipment.
    #[must_use]
    pub fn from_state(shipment: &order::Shipment) -> Self {
        Self {
            id: shipment.shipment_id.into(),
            status: shipment.status.into(),
            lines: parts(&shipment.lines),
            carrier: shipment.carrier.clone(),
            tracking_number: shipment.tracking_number.clone(),
            reason: shipment.reason.clone(),
            created_at: shipment.created_at.into(),
            dispatched_at: shipment.dispatched_at.map(DateTime),
            delivered_at: shipment.delivered_at.map(DateTime),
            failed_at: shipment.failed_at.map(DateTime),
        }
    }
}

/// A return.
#[derive(Debug, Clone, SimpleObject)]
pub struct Return {
    /// Its id: `ret_…`.
    id: ID,
    /// How far it got.
    status: ReturnStatus,
    /// What comes back.
    lines: Vec<PartOfLine>,
    /// Why.
    reason: Option<String>,
    /// Whether it went back into stock.
    restocked: bool,
    /// When it was asked for.
    requested_at: DateTime,
    /// When it was received or rejected.
    closed_at: Option<DateTime>,
}

impl Return {
    /// A return.
    #[must_use]
    pub fn from_state(found: &order::Return) -> Self {
        Self {
            id: found.return_id.into(),
            status: found.status.into(),
            lines: parts(&found.lines),
            reason: found.reason.clone(),
            restocked: found.restocked,
            requested_at: found.requested_at.into(),
            closed_at: found.closed_at.map(DateTime),
        }
    }
}

/// A refund.
#[derive(Debug, Clone, SimpleObject)]
pub struct Refund {
    /// Its id: `ref_…`.
    id: ID,
    /// How far it got.
    status: RefundStatus,
    /// How much.
    amount: Money,
    /// What made it necessary.
    cause: RefundCause,
    /// Why, in words.
    reason: Option<String>,
    /// The payment it goes back to.
    payment_id: Option<ID>,
    /// The return it is for.
    return_id: Option<ID>,
    /// When it was asked for.
    requested_at: DateTime,
    /// When it was completed.
    completed_at: Option<DateTime>,
    /// When it failed.
    failed_at: Option<DateTime>,
}

impl Refund {
    /// A refund whose amount is in the order's currency.
    #[must_use]
    pub fn from_state(refund: &order::Refund, currency: Currency) -> Self {
        Self {
            id: refund.refund_id.into(),
            status: refund.status.into(),
            amount: money(refund.amount, currency),
            cause: refund.cause.into(),
            reason: refund.reason.clone(),
            payment_id: refund.payment_id.clone().map(ID),
            return_id: refund.return_id.map(ID::from),
            requested_at: refund.requested_at.into(),
            completed_at: refund.completed_at.map(DateTime),
            failed_at: refund.failed_at.map(DateTime),
        }
    }
}

/// Words on an order.
#[derive(Debug, Clone, SimpleObject)]
pub struct Note {
    /// Its id: `note_…`.
    id: ID,
    /// The words; null once erased.
    text: Option<String>,
    /// Who wrote it.
    by: Party,
    /// When.
    created_at: DateTime,
}

impl Note {
    /// A note.
    #[must_use]
    pub fn from_state(note: &order::Note) -> Self {
        Self {
            id: note.note_id.into(),
            text: note.text.clone(),
            by: note.by.into(),
            created_at: note.occurred_at.into(),
        }
    }
}

/// Something that a person has to look at.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "OrderException")]
pub struct Exception {
    /// Its id: `exc_…`.
    id: ID,
    /// What kind.
    kind: String,
    /// What happened.
    detail: Option<String>,
    /// When it was raised.
    raised_at: DateTime,
    /// When somebody dealt with it; null while it is open.
    resolved_at: Option<DateTime>,
    /// What was done.
    resolution: Option<String>,
}

impl Exception {
    /// An exception.
    #[must_use]
    pub fn from_state(exception: &order::Exception) -> Self {
        Self {
            id: exception.exception_id.into(),
            kind: exception.kind.clone(),
            detail: exception.detail.clone(),
            raised_at: exception.raised_at.into(),
            resolved_at: exception.resolved_at.map(DateTime),
            resolution: exception.resolution.clone(),
        }
    }
}
