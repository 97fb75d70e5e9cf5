//! The order aggregate: what an order is, what may be done with it and what follows from that. Everything
//! here is a pure function: no I/O, no clock, no randomness; the time, new ids and prices come in with the
//! command. The query side folds orders with the same [`Order::evolve`].

mod actions;
mod amend;
mod amounts;
mod cancel;
mod command;
mod complete;
mod confirm;
mod erase;
mod evolve;
mod exception;
mod expire;
mod fulfilment;
mod hold;
mod import;
mod ledger;
mod note;
mod order;
mod pay;
mod place;
pub mod pricing;
mod process;
mod provider_work;
mod refund;
mod rejection;
mod return_items;
mod set_status;
mod ship;
mod status;
mod stock;
mod tag;
mod track;
pub mod view;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use actions::{Action, WaitingFor, WaitingReason};
pub use amend::{AmendOrder, AmendedItem, NewProduct};
pub use cancel::{CancelLines, CancelOrder};
pub use command::{Command, decide};
pub use complete::CompleteOrder;
pub use confirm::ConfirmOrder;
pub use erase::EraseCustomer;
pub use exception::{RaiseException, ResolveException};
pub use expire::ExpireOrder;
pub use fulfilment::{Obligation, obligations};
pub use hold::{HoldOrder, ResumeOrder};
pub use import::{ImportOrder, ImportedCancellation, ImportedPayment, ImportedReturn, ImportedShipment};
pub use ledger::{ComponentLedger, Ledger};
pub use note::AddNote;
pub use order::{
    Cancellation, Exception, Hold, Line, Milestone, MilestoneType, Note, Order, Payment, PaymentState, Refund,
    RefundStatus, Reservation, ReservationState, Return, ReturnStatus, Shipment, ShipmentStatus,
};
pub use pay::{AuthorizePayment, CompletePayment, FailPayment, PaymentWindows, VoidPayment};
pub use place::PlaceOrder;
pub use process::StartProcessing;
pub use provider_work::CapturePolicy;
pub use refund::{CompleteRefund, FailRefund, RefundWhat, RequestRefund};
pub use rejection::{FieldError, Missing, Rejection};
pub use return_items::{ReceiveReturn, RejectReturn, RequestReturn};
pub use set_status::{SetStatus, allowed_statuses, command_for_status};
pub use shared_events::order::{LineQuantity, OrderEvent, Party, PaymentMethod};
pub use ship::{CreateShipment, DeliverEverything, DispatchShipment, ShipEverything};
pub use status::{FulfilmentStatus, OrderStatus, PaymentStatus};
pub use stock::{ConfirmStock, ReleaseStock, ReserveStock};
pub use tag::ChangeTags;
pub use track::{DeliverShipment, FailShipment};
