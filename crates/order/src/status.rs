//! The three statuses that people see, each derived from the facts by one function.

use crate::order::{Order, PaymentState};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name for clients.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads its name, in any letter case.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|status| status.as_str().eq_ignore_ascii_case(name))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

status! {
    /// Where an order stands, in one word.
    OrderStatus {
        /// Not covered by a payment yet.
        Pending = "PENDING",
        /// Covered.
        Confirmed = "CONFIRMED",
        /// Being picked and packed.
        Processing = "PROCESSING",
        /// Some of it has left.
        PartiallyShipped = "PARTIALLY_SHIPPED",
        /// All of it has left.
        Shipped = "SHIPPED",
        /// All of it arrived.
        Delivered = "DELIVERED",
        /// Delivered, and the return window is over.
        Completed = "COMPLETED",
        /// Some of it came back.
        PartiallyReturned = "PARTIALLY_RETURNED",
        /// All of it came back.
        Returned = "RETURNED",
        /// It waits for a person.
        OnHold = "ON_HOLD",
        /// Not paid in time.
        Expired = "EXPIRED",
        /// Nothing more of it will be delivered.
        Cancelled = "CANCELLED",
    }
}

status! {
    /// Where its payment stands.
    PaymentStatus {
        /// Nothing came yet.
        Pending = "PENDING",
        /// The total is held or captured, some of it only held.
        Authorized = "AUTHORIZED",
        /// Some of the total was captured.
        PartiallyPaid = "PARTIALLY_PAID",
        /// The total was captured.
        Paid = "PAID",
        /// The last attempt failed.
        Failed = "FAILED",
        /// Some of the captured went back.
        PartiallyRefunded = "PARTIALLY_REFUNDED",
        /// All of the captured went back.
        Refunded = "REFUNDED",
        /// What was held was given back.
        Voided = "VOIDED",
    }
}

status! {
    /// Where its goods are.
    FulfilmentStatus {
        /// All here.
        Unfulfilled = "UNFULFILLED",
        /// Some have left.
        PartiallyShipped = "PARTIALLY_SHIPPED",
        /// All have left.
        Shipped = "SHIPPED",
        /// Some arrived.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All arrived.
        Delivered = "DELIVERED",
        /// Some came back.
        PartiallyReturned = "PARTIALLY_RETURNED",
        /// All came back.
        Returned = "RETURNED",
    }
}

/// Pieces of all lines together.
struct Pieces {
    live: u64,
    shipped: u64,
    delivered: u64,
    returned: u64,
}

impl Order {
    fn pieces(&self) -> Pieces {
        let sum = |of: fn(&crate::order::Line) -> u32| self.lines.iter().map(|line| u64::from(of(line))).sum();
        Pieces {
            live: sum(crate::order::Line::live),
            shipped: sum(|line| line.shipped),
            delivered: sum(|line| line.delivered),
            returned: sum(|line| line.returned),
        }
    }

    /// Where its goods are.
    #[must_use]
    pub fn fulfilment_status(&self) -> FulfilmentStatus {
        let Pieces { live, shipped, delivered, returned } = self.pieces();
        if returned > 0 {
            if returned >= live { FulfilmentStatus::Returned } else { FulfilmentStatus::PartiallyReturned }
        } else if delivered > 0 {
            if delivered >= live { FulfilmentStatus::Delivered } else { FulfilmentStatus::PartiallyDelivered }
        } else if shipped > 0 {
            if shipped >= live { FulfilmentStatus::Shipped } else { FulfilmentStatus::PartiallyShipped }
        } else {
            FulfilmentStatus::Unfulfilled
        }
    }

    /// Where its payment stands.
    #[must_use]
    pub fn payment_status(&self) -> PaymentStatus {
        let (captured, refunded, held) = (self.paid_total(), self.refunded_total(), self.authorized_total());
        if captured > Decimal::ZERO && refunded >= captured {
            return PaymentStatus::Refunded;
        }
        if refunded > Decimal::ZERO {
            return PaymentStatus::PartiallyRefunded;
        }
        if captured >= self.totals.total {
            return PaymentStatus::Paid;
        }
        if held > Decimal::ZERO && captured.saturating_add(held) >= self.totals.total {
            return PaymentStatus::Authorized;
        }
        if captured > Decimal::ZERO {
            return PaymentStatus::PartiallyPaid;
        }
        let last = self.payments.iter().max_by_key(|payment| payment.updated_at);
        match last.map(|payment| payment.status) {
            _ if held > Decimal::ZERO => PaymentStatus::Pending,
            Some(PaymentState::Failed) => PaymentStatus::Failed,
            Some(PaymentState::Voided) => PaymentStatus::Voided,
            Some(PaymentState::Authorized | PaymentState::Completed) | None => PaymentStatus::Pending,
        }
    }

    /// Where it stands, in one word: the first that applies.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        let Pieces { live, shipped, delivered, .. } = self.pieces();
        let returned = self.fulfilment_status();
        if self.cancellation.is_some() {
            OrderStatus::Cancelled
        } else if self.expired_at.is_some() {
            OrderStatus::Expired
        } else if self.hold.is_some() {
            OrderStatus::OnHold
        } else if returned == FulfilmentStatus::Returned {
            OrderStatus::Returned
        } else if returned == FulfilmentStatus::PartiallyReturned {
            OrderStatus::PartiallyReturned
        } else if self.completed_at.is_some() {
            OrderStatus::Completed
        } else if shipped > 0 && delivered >= live {
            OrderStatus::Delivered
        } else if shipped > 0 && shipped >= live {
            OrderStatus::Shipped
        } else if shipped > 0 {
            OrderStatus::PartiallyShipped
        } else if self.processing_at.is_some() {
            OrderStatus::Processing
        } else if self.covered() {
            OrderStatus::Confirmed
        } else {
            OrderStatus::Pending
        }
    }
}
