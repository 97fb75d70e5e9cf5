//! `Order`: an order with everything that hangs on it.
#![expect(clippy::unused_async, reason = "every resolver is async, whether it waits or not")]

use super::date_time::DateTime;
use super::{
    customer::Customer,
    enums::{FulfilmentStatus, OrderAction, OrderStatus, PaymentStatus, WaitingReason},
    history::{HistoryConnection, TimelineConnection},
    invoice::Invoice,
    loaders::{Batches, InvoicesOf},
    money::{Attribute, Money, OrderContact, PostalAddress},
    order_parts::{Exception, Note, OrderLine, Payment, Refund, Return, Shipment},
    paging::page_cost,
    query::{loader, reads, viewer},
};
use crate::graphql::error::FromRead as _;
use async_graphql::{Context, ID, Object, Result};
use rust_decimal::Decimal;
use shared_events::OrderId;
use std::sync::Arc;
use web::Scope;

/// An order.
pub struct Order(pub Arc<order::Order>);

impl Order {
    fn money(&self, amount: Decimal) -> Money {
        shared_events::Money::rounded(amount, self.0.currency).into()
    }

    fn id_of(&self) -> OrderId {
        self.0.id
    }
}

/// An order.
#[Object]
impl Order {
    /// Its id: `ord_…`.
    pub(super) async fn id(&self) -> ID {
        self.id_of().into()
    }

    /// What people call it.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// Where it stands, in one word.
    async fn status(&self) -> OrderStatus {
        self.0.status().into()
    }

    /// Where its money stands.
    async fn payment_status(&self) -> PaymentStatus {
        self.0.payment_status().into()
    }

    /// Where its goods are.
    async fn fulfilment_status(&self) -> FulfilmentStatus {
        self.0.fulfilment_status().into()
    }

    /// What you may do next.
    async fn allowed_actions(&self, context: &Context<'_>) -> Result<Vec<OrderAction>> {
        let actions = self.0.allowed_actions(viewer(context)?.party());
        Ok(actions.into_iter().map(OrderAction::from).collect())
    }

    /// Why it stands where it stands; null where nothing more is to happen.
    async fn waiting_for(&self, context: &Context<'_>) -> Result<Option<WaitingReason>> {
        Ok(self.0.waiting_for(reads(context)?.return_window).map(|waiting| waiting.reason.into()))
    }

    /// Until when it waits for that; null without a deadline.
    async fn waiting_until(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.0.waiting_for(reads(context)?.return_window).and_then(|waiting| waiting.until).map(DateTime))
    }

    /// How many events it has had.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime {
        self.0.placed_at.into()
    }

    /// When something last happened to it.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// When it expires unless it is paid by then.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires().map(DateTime)
    }

    /// Who ordered; null for a guest.
    async fn customer(&self) -> Option<Customer> {
        self.0.customer_id.map(Customer::new)
    }

    /// How the customer is reached; null once erased.
    async fn contact(&self) -> Option<OrderContact> {
        self.0.contact.clone().map(OrderContact::from)
    }

    /// The currency of all its amounts.
    async fn currency(&self) -> &'static str {
        self.0.currency.code()
    }

    /// What was bought.
    async fn lines(&self) -> Vec<OrderLine> {
        (0..self.0.lines.len()).map(|index| OrderLine::new(Arc::clone(&self.0), index)).collect()
    }

    /// Sum of all lines, before discount.
    async fn subtotal(&self) -> Money {
        self.money(self.0.totals.subtotal)
    }

    /// Sum of all discounts.
    async fn discount_total(&self) -> Money {
        self.money(self.0.totals.discount_total)
    }

    /// Shipping, before discount.
    async fn shipping_total(&self) -> Money {
        self.money(self.0.totals.shipping_total)
    }

    /// Sum of all tax.
    async fn tax_total(&self) -> Money {
        self.money(self.0.totals.tax_total)
    }

    /// What the customer pays.
    async fn total(&self) -> Money {
        self.money(self.0.totals.total)
    }

    /// What was captured.
    async fn paid_total(&self) -> Money {
        self.money(self.0.paid_total())
    }

    /// What went back.
    async fn refunded_total(&self) -> Money {
        self.money(self.0.refunded_total())
    }

    /// How it is paid: `card`, `bank_transfer`, `paypal`, `invoice`, `cash_on_delivery` or `other`.
    async fn payment_method(&self) -> &'static str {
        self.0.payment_method.as_str()
    }

    /// Where it goes; null once erased.
    async fn shipping_address(&self) -> Option<PostalAddress> {
        self.0.shipping_address.clone().map(PostalAddress::from)
    }

    /// Who gets the bill, where that is another address.
    async fn billing_address(&self) -> Option<PostalAddress> {
        self.0.billing_address.clone().map(PostalAddress::from)
    }

    /// Every payment that was heard of.
    async fn payments(&self) -> Vec<Payment> {
        self.0.payments.iter().map(|payment| Payment::from_state(payment, self.0.currency)).collect()
    }

    /// All shipments; the first was planned with the order.
    async fn shipments(&self) -> Vec<Shipment> {
        self.0.shipments.iter().map(Shipment::from_state).collect()
    }

    /// All returns.
    async fn returns(&self) -> Vec<Return> {
        self.0.returns.iter().map(Return::from_state).collect()
    }

    /// All refunds.
    async fn refunds(&self) -> Vec<Refund> {
        self.0.refunds.iter().map(|refund| Refund::from_state(refund, self.0.currency)).collect()
    }

    /// Its invoices and credit notes, oldest first. Needs the scope `invoices:read`.
    #[graphql(complexity = "3 + child_complexity")]
    async fn invoices(&self, context: &Context<'_>) -> Result<Option<Vec<Invoice>>> {
        viewer(context)?.require(Scope::InvoicesRead).coded()?;
        let invoices = loader::<Batches>(context)?.load_one(InvoicesOf(self.id_of())).await.coded()?;
        Ok(Some(invoices.unwrap_or_default().into_iter().map(Invoice).collect()))
    }

    /// Its tags, sorted.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// What the shop wrote on it; customers get none.
    async fn notes(&self, context: &Context<'_>) -> Result<Vec<Note>> {
        let shown = viewer(context)?.confined_to().is_none();
        Ok(self.0.notes.iter().filter(|_| shown).map(Note::from_state).collect())
    }

    /// What the customer wrote with it; null once erased.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// What a person had to look at; customers get none.
    async fn exceptions(&self, context: &Context<'_>) -> Result<Vec<Exception>> {
        let shown = viewer(context)?.confined_to().is_none();
        Ok(self.0.exceptions.iter().filter(|_| shown).map(Exception::from_state).collect())
    }

    /// Where it was sold.
    async fn channel(&self) -> &str {
        &self.0.channel
    }

    /// Who sold it.
    async fn legal_entity(&self) -> &str {
        &self.0.legal_entity
    }

    /// Its id in another system.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// What the shop remembers about it.
    async fn attributes(&self) -> Vec<Attribute> {
        Attribute::list(&self.0.attributes)
    }

    /// What happened to it, for people, oldest first.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn timeline(&self, first: Option<i32>, after: Option<String>) -> Result<TimelineConnection> {
        TimelineConnection::of(&self.0, first, after.as_deref())
    }

    /// Its events as the log has them, oldest first. Who did it and with which data needs the scope `events:read`.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn history(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<HistoryConnection> {
        HistoryConnection::of(context, &self.0, first, after.as_deref()).await
    }
}
