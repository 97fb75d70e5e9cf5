//! E-mails to the customers of orders. What is to be sent is a row without an address; the address is opened when the
//! mail is written and forgotten with it. At least once, and a repeat has the same Message-ID.

mod letter;
mod worker;

pub use worker::Mailing;

use crate::notifications::Notification;
use order::OrderStatus;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The order was placed.
    Confirmation,
    /// A parcel has left.
    Shipped,
    /// Everything arrived.
    Delivered,
    /// Nothing more of it will be delivered.
    Cancelled,
    /// It was not paid in time.
    Expired,
    /// An attempt to pay failed.
    PaymentFailed,
    /// Money went back.
    Refunded,
}

impl MailKind {
    const ALL: [Self; 7] = [
        Self::Confirmation,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::Expired,
        Self::PaymentFailed,
        Self::Refunded,
    ];

    /// Its name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::PaymentFailed => "payment-failed",
            Self::Refunded => "refunded",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What the customer is written about an event: a change of the status, or what matters without one.
    #[must_use]
    pub fn of(event_type: &str, notification: Option<&Notification>) -> Option<Self> {
        match (event_type, notification.map(|notification| (notification.previous_status, notification.status))) {
            ("OrderPlaced", Some((None, _))) => Some(Self::Confirmation),
            ("ShipmentDispatched", _) => Some(Self::Shipped),
            ("PaymentFailed", _) => Some(Self::PaymentFailed),
            ("RefundCompleted", _) => Some(Self::Refunded),
            (_, Some((_, OrderStatus::Delivered))) => Some(Self::Delivered),
            (_, Some((_, OrderStatus::Cancelled))) => Some(Self::Cancelled),
            (_, Some((_, OrderStatus::Expired))) => Some(Self::Expired),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        assert!(MailKind::ALL.iter().all(|kind| MailKind::parse(kind.as_str()) == Some(*kind)));
    }
}
