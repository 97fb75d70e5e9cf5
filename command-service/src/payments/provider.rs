//! The port to payment providers: what they are asked for and what they say. There are three; which one starts payments is a
//! setting, and each is asked with a key that makes a repeat harmless.

use super::{generic::Generic, simulated::Simulated, stripe::Stripe};
use order::PaymentMethod;
use shared_events::{Money, OrderId, RefundId};
use uuid::Uuid;

/// Who moves the money.
#[derive(Debug, Clone)]
pub enum PaymentProvider {
    /// Nobody: for development.
    Simulated(Simulated),
    /// A service of the shop's own, by signed HTTP.
    Generic(Generic),
    /// Stripe, by its public API.
    Stripe(Stripe),
}

/// A payment that is to be started.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Which attempt this is: the same attempt asked for twice is one payment.
    pub attempt: Uuid,
    /// The order.
    pub order_id: OrderId,
    /// Its number, for people.
    pub order_number: String,
    /// How much.
    pub amount: Money,
    /// How it is to be paid.
    pub method: PaymentMethod,
    /// Whether the money is to be captured as soon as the customer agrees.
    pub capture: bool,
    /// Where the customer goes afterwards.
    pub return_url: Option<String>,
    /// What the simulated provider is to do.
    pub simulate: Option<String>,
}

/// A payment that the customer can go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Where it stands.
    pub seen: SeenPayment,
    /// What the provider's own front end needs.
    pub client_secret: Option<String>,
    /// Where the customer has to go.
    pub redirect_url: Option<String>,
}

/// A payment as its provider sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPayment {
    /// The provider's own reference.
    pub payment_id: String,
    /// How far it got.
    pub stage: Stage,
    /// The method that was used, where it is known.
    pub method: Option<PaymentMethod>,
}

/// How far a payment got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The customer has not agreed yet.
    Open,
    /// So much is held.
    Authorized(Money),
    /// So much was captured.
    Completed(Money),
    /// It did not come.
    Failed {
        /// What was tried.
        amount: Money,
        /// Why.
        reason: Option<String>,
    },
    /// Nothing is held any more, and nothing was captured.
    Voided,
}

/// One part of a refund: the money of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPart {
    /// The refund.
    pub refund_id: RefundId,
    /// Which part, from 1.
    pub number: i16,
    /// The order.
    pub order_id: OrderId,
    /// The payment it goes back to.
    pub payment_id: String,
    /// How much.
    pub amount: Money,
}

impl RefundPart {
    /// What makes a repeat harmless: the refund's id, for further parts with their number.
    #[must_use]
    pub fn key(&self) -> String {
        if self.number == 1 { self.refund_id.to_string() } else { format!("{}-{}", self.refund_id, self.number) }
    }
}

/// A refund as its provider sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRefund {
    /// The provider's own reference.
    pub reference: Option<String>,
    /// How far it got.
    pub stage: RefundStage,
}

/// How far a refund got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStage {
    /// It is on its way.
    Pending,
    /// It arrived.
    Completed,
    /// It could not be sent back.
    Failed(Option<String>),
}

/// Why a provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It did not answer, or not now: whether it did it is not known, and the same is asked again later.
    #[error("{provider} is not available: {reason}")]
    Unavailable {
        /// The provider.
        provider: &'static str,
        /// What happened.
        reason: String,
    },
    /// It will not, however often it is asked.
    #[error("{provider} refused: {reason}")]
    Refused {
        /// The provider.
        provider: &'static str,
        /// Its reason.
        reason: String,
    },
}

macro_rules! ask {
    ($self:ident, $provider:ident => $asked:expr) => {
        match $self {
            Self::Simulated($provider) => $asked,
            Self::Generic($provider) => $asked.await,
            Self::Stripe($provider) => $asked.await,
        }
    };
}

impl PaymentProvider {
    /// Its name, in events, paths and settings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Simulated(_) => super::simulated::NAME,
            Self::Generic(_) => super::generic::NAME,
            Self::Stripe(_) => super::stripe::NAME,
        }
    }

    /// Starts a payment.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn authorise(&self, payment: &NewPayment) -> Result<Started, ProviderError> {
        ask!(self, provider => provider.authorise(payment))
    }

    /// Captures so much of what is held; the rest is let go.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn capture(&self, payment_id: &str, amount: Money) -> Result<SeenPayment, ProviderError> {
        ask!(self, provider => provider.capture(payment_id, amount))
    }

    /// Gives back what is held, or takes back a payment that the customer has not agreed to.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn void(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        ask!(self, provider => provider.void(payment_id))
    }

    /// Sends captured money back.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn refund(&self, part: &RefundPart) -> Result<SeenRefund, ProviderError> {
        ask!(self, provider => provider.refund(part))
    }

    /// Where a payment stands.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn fetch(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        ask!(self, provider => provider.fetch(payment_id))
    }

    /// Where a part of a refund stands; none where the provider was never asked for it.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn fetch_refund(&self, part: &RefundPart) -> Result<Option<SeenRefund>, ProviderError> {
        ask!(self, provider => provider.fetch_refund(part))
    }
}
