//! What is known about an order: facts only. Everything that people see beyond them (statuses, what is
//! allowed, what is awaited) is derived, by one function each, so that nothing can disagree.

mod parts;

pub use parts::{
    Cancellation, Exception, Hold, Line, Milestone, MilestoneType, Note, Payment, PaymentState, Refund, RefundStatus,
    Reservation, ReservationState, Return, ReturnStatus, Shipment, ShipmentStatus,
};

use crate::ledger::Ledger;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{
    Address, Attributes, CartId, Contact, Currency, DEFAULT, LineId, OrderId, QuoteId, RefundId, ReturnId, ShipmentId,
    UserId,
    order::{AppliedDiscount, LineQuantity, PaymentMethod, ShippingCharge, Totals},
};

/// An order: the fold of its events. As JSON it is also the read side's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id, which is its stream.
    pub id: OrderId,
    /// How many events it has had; 0 is no order yet.
    pub version: i64,
    /// What people call it.
    pub number: String,
    /// The customer; none for a guest.
    pub customer_id: Option<UserId>,
    /// Where it was sold.
    pub channel: String,
    /// Who sold it.
    pub legal_entity: String,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// What the shop remembers about it.
    pub attributes: Attributes,
    /// The cart it came from.
    pub cart_id: Option<CartId>,
    /// The quote it came from.
    pub quote_id: Option<QuoteId>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// What was bought.
    pub lines: Vec<Line>,
    /// What shipping costs.
    pub shipping: ShippingCharge,
    /// The discounts that were granted.
    pub discounts: Vec<AppliedDiscount>,
    /// The sums as the order stands: without lines cancelled one by one; a cancelled order keeps them.
    pub totals: Totals,
    /// How it is to be paid.
    pub payment_method: PaymentMethod,
    /// How the customer is reached.
    pub contact: Option<Contact>,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// Who gets the bill, where that is another address.
    pub billing_address: Option<Address>,
    /// What the customer wrote with it.
    pub note: Option<String>,
    /// The invoice that another system issued for it; then none of ours is.
    pub foreign_invoice_number: Option<String>,
    /// Every payment that was heard of, in that order.
    pub payments: Vec<Payment>,
    /// Captured and refunded money by line and shipping.
    pub ledger: Ledger,
    /// All shipments; the first was planned with the order.
    pub shipments: Vec<Shipment>,
    /// All returns.
    pub returns: Vec<Return>,
    /// All refunds.
    pub refunds: Vec<Refund>,
    /// What a person has, or had, to look at.
    pub exceptions: Vec<Exception>,
    /// What was written on it.
    pub notes: Vec<Note>,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// The stock that is held for it; none where nothing was ever reserved.
    pub reservation: Option<Reservation>,
    /// What happened, for people, ascending.
    pub timeline: Vec<Milestone>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When something last happened to it.
    pub updated_at: DateTime<Utc>,
    /// When it expires unless covered by then.
    pub expires_at: Option<DateTime<Utc>>,
    /// When payment first covered the total.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When processing began.
    pub processing_at: Option<DateTime<Utc>>,
    /// Why it waits for a person, while it does.
    pub hold: Option<Hold>,
    /// Its cancellation.
    pub cancellation: Option<Cancellation>,
    /// When it expired.
    pub expired_at: Option<DateTime<Utc>>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When its personal data was erased.
    pub erased_at: Option<DateTime<Utc>>,
}

impl Default for Order {
    fn default() -> Self {
        Self::of(OrderId::from_uuid(uuid::Uuid::nil()))
    }
}

impl Order {
    /// The order of this id before its first event.
    #[must_use]
    pub fn of(id: OrderId) -> Self {
        Self {
            id,
            version: 0,
            number: String::new(),
            customer_id: None,
            channel: DEFAULT.to_owned(),
            legal_entity: DEFAULT.to_owned(),
            external_id: None,
            attributes: Attributes::new(),
            cart_id: None,
            quote_id: None,
            currency: Currency::EUR,
            prices_include_tax: true,
            lines: Vec::new(),
            shipping: ShippingCharge::default(),
            discounts: Vec::new(),
            totals: Totals::default(),
            payment_method: PaymentMethod::Other,
            contact: None,
            shipping_address: None,
            billing_address: None,
            note: None,
            foreign_invoice_number: None,
            payments: Vec::new(),
            ledger: Ledger::default(),
            shipments: Vec::new(),
            returns: Vec::new(),
            refunds: Vec::new(),
            exceptions: Vec::new(),
            notes: Vec::new(),
            tags: Vec::new(),
            reservation: None,
            timeline: Vec::new(),
            placed_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            confirmed_at: None,
            processing_at: None,
            hold: None,
            cancellation: None,
            expired_at: None,
            completed_at: None,
            erased_at: None,
        }
    }

    /// Whether it was placed.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.version > 0
    }

    /// Whether it was cancelled or expired: nothing more of it is to be delivered.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.cancellation.is_some() || self.expired_at.is_some()
    }

    /// The line with this id.
    #[must_use]
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.line_id == id)
    }

    /// The shipment with this id.
    #[must_use]
    pub fn shipment(&self, id: ShipmentId) -> Option<&Shipment> {
        self.shipments.iter().find(|shipment| shipment.shipment_id == id)
    }

    /// The payment with this reference.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.payment_id == id)
    }

    /// The refund with this id.
    #[must_use]
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.refund_id == id)
    }

    /// The return with this id.
    #[must_use]
    pub fn find_return(&self, id: ReturnId) -> Option<&Return> {
        self.returns.iter().find(|found| found.return_id == id)
    }

    /// Whether anything ever left.
    #[must_use]
    pub fn was_dispatched(&self) -> bool {
        self.shipments.iter().any(|shipment| shipment.dispatched_at.is_some())
    }

    /// Pieces of a line that no undispatched shipment holds by somebody's decision.
    pub(crate) fn unassigned(&self, line: &Line) -> u32 {
        let assigned = self
            .shipments
            .iter()
            .filter(|shipment| shipment.status == ShipmentStatus::Planned && shipment.filled)
            .flat_map(|shipment| &shipment.lines)
            .filter(|part| part.line_id == line.line_id)
            .fold(0_u32, |sum, part| sum.saturating_add(part.quantity));
        line.open().saturating_sub(assigned)
    }

    /// Every piece that is still to be dispatched.
    #[must_use]
    pub fn open_lines(&self) -> Vec<LineQuantity> {
        let open = self.lines.iter().map(|line| LineQuantity { line_id: line.line_id, quantity: line.open() });
        open.filter(|part| part.quantity > 0).collect()
    }
}
