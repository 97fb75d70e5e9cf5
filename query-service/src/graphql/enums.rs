//! The enumerations of the schema: those of the domain under the same names.

use async_graphql::Enum;

/// Where an order stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::OrderStatus")]
pub enum OrderStatus {
    /// Not covered by a payment yet.
    Pending,
    /// Covered.
    Confirmed,
    /// Being picked and packed.
    Processing,
    /// Some of it has left.
    PartiallyShipped,
    /// All of it has left.
    Shipped,
    /// All of it arrived.
    Delivered,
    /// Delivered, and the return window is over.
    Completed,
    /// Some of it came back.
    PartiallyReturned,
    /// All of it came back.
    Returned,
    /// It waits for a person.
    OnHold,
    /// Not paid in time.
    Expired,
    /// Nothing more of it will be delivered.
    Cancelled,
}

/// Where an order's payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::PaymentStatus")]
pub enum PaymentStatus {
    /// Nothing came yet.
    Pending,
    /// The total is held or captured, some of it only held.
    Authorized,
    /// Some of the total was captured.
    PartiallyPaid,
    /// The total was captured.
    Paid,
    /// The last attempt failed.
    Failed,
    /// Some of the captured went back.
    PartiallyRefunded,
    /// All of the captured went back.
    Refunded,
    /// What was held was given back.
    Voided,
}

/// Where an order's goods are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::FulfilmentStatus")]
pub enum FulfilmentStatus {
    /// All here.
    Unfulfilled,
    /// Some have left.
    PartiallyShipped,
    /// All have left.
    Shipped,
    /// Some arrived.
    PartiallyDelivered,
    /// All arrived.
    Delivered,
    /// Some came back.
    PartiallyReturned,
    /// All came back.
    Returned,
}

/// How far a payment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::PaymentState")]
pub enum PaymentState {
    /// The provider holds the money.
    Authorized,
    /// The money is here.
    Completed,
    /// It did not come.
    Failed,
    /// It is held no longer.
    Voided,
}

/// How far a shipment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::ShipmentStatus")]
pub enum ShipmentStatus {
    /// Not dispatched yet.
    Planned,
    /// On its way.
    Dispatched,
    /// Arrived.
    Delivered,
    /// Could not be delivered, or never left.
    Failed,
    /// Came back to the shop undelivered.
    Returned,
    /// Nothing is left to put in it.
    Cancelled,
}

/// How far a return got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::ReturnStatus")]
pub enum ReturnStatus {
    /// It is to come.
    Requested,
    /// It came.
    Received,
    /// It is not taken back.
    Rejected,
}

/// How far a refund got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::RefundStatus")]
pub enum RefundStatus {
    /// The provider is to carry it out.
    Requested,
    /// The money went back.
    Completed,
    /// It could not be sent back.
    Failed,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "shared_events::order::RefundCause")]
pub enum RefundCause {
    /// Staff decided so.
    Requested,
    /// The order, or lines of it, were cancelled.
    Cancellation,
    /// The total fell.
    Amendment,
    /// Money came for an order that was over already.
    LateCapture,
    /// For a received return.
    Return,
}

/// Who asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "shared_events::order::Party")]
pub enum Party {
    /// The customer.
    Customer,
    /// A member of the shop's staff, or a client of the shop.
    Staff,
    /// One of our own services: a timer or a reaction.
    System,
}

/// What happened to an order, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::MilestoneType")]
pub enum MilestoneType {
    Placed,
    Amended,
    PaymentAuthorized,
    Paid,
    PaymentFailed,
    Confirmed,
    OnHold,
    Resumed,
    Processing,
    Shipped,
    Delivered,
    DeliveryFailed,
    LineCancelled,
    Cancelled,
    Expired,
    ReturnRequested,
    Returned,
    Refunded,
    Completed,
}

/// Something that may be done with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::Action")]
pub enum OrderAction {
    /// Pay what is missing.
    Pay,
    /// Change lines, addresses, contact or note.
    Amend,
    /// Cancel it, or pieces of it.
    Cancel,
    /// Make it wait.
    Hold,
    /// Let it go on.
    Resume,
    /// Begin to pick and pack.
    StartProcessing,
    /// Put goods into a shipment.
    CreateShipment,
    /// Say that a shipment has left.
    Dispatch,
    /// Say that a shipment arrived.
    Deliver,
    /// Send something back.
    RequestReturn,
    /// Take it back.
    ReceiveReturn,
    /// Not take it back.
    RejectReturn,
    /// Give money back.
    Refund,
    /// Complete it.
    Complete,
    /// Deal with an exception.
    ResolveException,
    /// Write on it.
    AddNote,
    /// Set its tags.
    ChangeTags,
}

/// What an order can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::WaitingReason")]
pub enum WaitingReason {
    /// Somebody has to resume it.
    Hold,
    /// Somebody has to look at an exception.
    Exception,
    /// Its stock was given up.
    Stock,
    /// The customer has to pay.
    Payment,
    /// Somebody has to say where it goes.
    Address,
    /// Somebody has to begin with it.
    Processing,
    /// Somebody has to dispatch it.
    Dispatch,
    /// The carrier has to deliver it.
    Delivery,
    /// A return has to arrive.
    Return,
    /// A refund has to be carried out.
    Refund,
    /// The return window has to end.
    ReturnWindow,
}

/// Whether a product can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "shared_events::inventory::ProductStatus")]
pub enum ProductStatus {
    /// It can.
    Active,
    /// Not any more.
    Archived,
}

/// Which of the two documents it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::read_models::invoices::InvoiceKind")]
pub enum InvoiceKind {
    /// Money is asked for.
    Invoice,
    /// Money is given back.
    CreditNote,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "OrderDirection")]
pub enum SortDirection {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// What orders can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::read_models::orders::OrderSort")]
pub enum OrderOrderField {
    /// When they were placed.
    PlacedAt,
    /// When something last happened to them.
    UpdatedAt,
    /// Their total.
    Total,
    /// Their number.
    Number,
}
