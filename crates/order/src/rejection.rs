//! Why a command is refused: one variant per rule, each with the stable code that clients are told.

use crate::status::OrderStatus;
use rust_decimal::Decimal;
use shared_events::LineId;
use std::fmt;

/// A field of a command that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer to the field in the request, such as `/items/0/quantity`.
    pub pointer: String,
    /// What is wrong, in words.
    pub detail: String,
}

impl FieldError {
    /// A field error.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// What a command named that the order does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The order itself.
    Order,
    /// A shipment.
    Shipment,
    /// A return.
    Return,
    /// A refund.
    Refund,
    /// An exception.
    Exception,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Order => "order",
            Self::Shipment => "shipment",
            Self::Return => "return",
            Self::Refund => "refund",
            Self::Exception => "exception",
        })
    }
}

/// Why a command is refused. A refused command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The order, or a part of it that the command names, does not exist.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What is missing.
        what: Missing,
        /// The id that was named.
        id: String,
    },
    /// An order of this id was placed before.
    #[error("this order was placed before")]
    AlreadyPlaced,
    /// The order is not in a state where this could be done.
    #[error("the order is {status}: {detail}")]
    IllegalTransition {
        /// Where it stands.
        status: OrderStatus,
        /// Where it could be brought now.
        allowed: Vec<OrderStatus>,
        /// Why not.
        detail: String,
    },
    /// It is too late to cancel.
    #[error("the order is {status} and can no longer be cancelled")]
    NotCancellable {
        /// Where it stands.
        status: OrderStatus,
    },
    /// It is too late to change it.
    #[error("the order is {status} and can no longer be changed")]
    NotAmendable {
        /// Where it stands.
        status: OrderStatus,
    },
    /// Payment does not cover the total yet.
    #[error("{outstanding} of the total is not covered by a payment yet")]
    NotCovered {
        /// What is missing, in the order's currency.
        outstanding: Decimal,
    },
    /// More pieces than there are.
    #[error("{requested} pieces were asked for and {available} are there")]
    QuantityExceeded {
        /// The line, where it is one line's pieces.
        line_id: Option<LineId>,
        /// What was asked for.
        requested: u64,
        /// What would be possible.
        available: u32,
    },
    /// Nothing ships without an address.
    #[error("the order has no shipping address yet")]
    AddressRequired,
    /// More money than was captured and not yet refunded.
    #[error("{requested} was asked for and {refundable} can be refunded")]
    RefundExceedsCaptured {
        /// What was asked for.
        requested: Decimal,
        /// What would be possible.
        refundable: Decimal,
    },
    /// Fields of the command break rules.
    #[error("{}", match .0.first() { Some(first) => first.detail.as_str(), None => "a field breaks a rule" })]
    Invalid(Vec<FieldError>),
}

impl Rejection {
    /// The stable code of the rule that was broken.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "NOT_FOUND",
            Self::AlreadyPlaced | Self::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
            Self::NotCancellable { .. } => "NOT_CANCELLABLE",
            Self::NotAmendable { .. } => "NOT_AMENDABLE",
            Self::NotCovered { .. } => "NOT_COVERED",
            Self::QuantityExceeded { .. } => "QUANTITY_EXCEEDED",
            Self::AddressRequired => "ADDRESS_REQUIRED",
            Self::RefundExceedsCaptured { .. } => "REFUND_EXCEEDS_CAPTURED",
            Self::Invalid(_) => "VALIDATION_FAILED",
        }
    }

    /// One field that breaks a rule.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }

    pub(crate) fn no(what: Missing, id: &impl fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }
}
