//! What became of payments, recorded on their orders, whoever tells it: a webhook, a poll, the answer to a capture. A fact
//! is never refused for being late; the same fact told in several ways is recorded once, because the order knows it.

use super::provider::{SeenPayment, Stage};
use crate::{
    aggregate::OrderCommand,
    inventory::{Demand, Inventory, ReserveError},
    orders::{Orders, Request},
};
use eventstore::ExecuteError;
use feeds::HandleError;
use order::{AuthorizePayment, Command, CompletePayment, FailPayment, Order, PaymentWindows, VoidPayment};
use rust_decimal::Decimal;
use service::PeerError;
use shared_events::{Actor, ExceptionId, Metadata, Money, OrderId, RefundId};
use uuid::Uuid;
use web::request_context::now;

/// Records facts. Cheap to clone.
#[derive(Clone)]
pub struct Facts {
    /// The orders.
    pub orders: Orders,
    /// Stock that a late payment takes back.
    pub inventory: Inventory,
    /// How long orders wait for their payment.
    pub windows: PaymentWindows,
}

/// Why a fact is not on its order.
#[derive(Debug, thiserror::Error)]
pub enum NotRecorded {
    /// It cannot be, however often it is told.
    #[error("{0}")]
    Refused(String),
    /// Something around it is away: it is to be told again.
    #[error("it cannot be recorded now")]
    Later(#[source] HandleError),
}

impl From<NotRecorded> for HandleError {
    fn from(error: NotRecorded) -> Self {
        match error {
            NotRecorded::Refused(_) => Self::poison(error),
            NotRecorded::Later(later) => later,
        }
    }
}

impl Facts {
    /// Records where a payment stands.
    ///
    /// # Errors
    /// [`NotRecorded`].
    pub async fn payment(
        &self,
        order_id: OrderId,
        provider: &'static str,
        seen: &SeenPayment,
        command_id: Uuid,
    ) -> Result<(), NotRecorded> {
        let SeenPayment { payment_id, stage, method } = seen.clone();
        let named = Some(provider.to_owned());
        let command = match stage {
            Stage::Open => return Ok(()),
            Stage::Authorized(amount) => Command::from(AuthorizePayment {
                payment_id,
                provider: named,
                method,
                amount,
                windows: self.windows,
                exception_id: ExceptionId::generate(),
                now: now(),
            }),
            Stage::Completed(amount) => {
                let order = self.load(order_id).await?;
                let wants_stock = order.filter(|order| order.wants_stock_back(&payment_id, amount));
                let reservation_revision = match wants_stock {
                    Some(order) => stock_back(&self.inventory, &order).await.map_err(later)?,
                    None => None,
                };
                CompletePayment {
                    payment_id,
                    provider: named,
                    method,
                    amount,
                    reservation_revision,
                    refund_id: RefundId::generate(),
                    exception_id: ExceptionId::generate(),
                    now: now(),
                }
                .into()
            }
            Stage::Failed { amount, reason } => {
                // Only the shop itself says that no other attempt will come.
                let reason = reason.filter(|reason| !reason.eq_ignore_ascii_case("final"));
                FailPayment { payment_id, provider: named, method, amount, reason, now: now() }.into()
            }
            Stage::Voided => {
                let order = self.load(order_id).await?;
                let held = order.as_ref().and_then(|order| Some((order, order.payment(&payment_id)?)));
                // One that was never heard of held nothing.
                let Some((order, payment)) = held.filter(|(_, payment)| payment.amount > Decimal::ZERO) else {
                    return Ok(());
                };
                let amount = Money::rounded(payment.amount, order.currency);
                VoidPayment { payment_id, amount, reason: None, now: now() }.into()
            }
        };
        self.run(order_id, command, provider, command_id).await
    }

    /// Runs a command that a provider's words made necessary.
    ///
    /// # Errors
    /// [`NotRecorded`].
    pub async fn run(
        &self,
        order_id: OrderId,
        command: impl Into<Command>,
        provider: &'static str,
        command_id: Uuid,
    ) -> Result<(), NotRecorded> {
        let request = Request {
            order_id,
            command: OrderCommand { confined_to: None, command: Ok(command.into()) },
            expected_version: None,
            command_id: Some(command_id),
            metadata: Metadata {
                correlation_id: order_id.as_uuid(),
                causation_id: None,
                actor: Actor { subject: format!("payments:{provider}"), client: None },
                traceparent: None,
                import: false,
            },
            sealing_key: None,
        };
        match self.orders.execute(request, |_| None).await {
            Ok(_) => Ok(()),
            Err(ExecuteError::Rejected(rejection)) => Err(NotRecorded::Refused(rejection.to_string())),
            Err(ExecuteError::Payload(error)) => Err(NotRecorded::Refused(error.to_string())),
            Err(error) => Err(later(error)),
        }
    }

    /// The order as it stands.
    ///
    /// # Errors
    /// [`NotRecorded`].
    pub async fn load(&self, order_id: OrderId) -> Result<Option<Order>, NotRecorded> {
        self.orders.load(order_id).await.map_err(|error| match error {
            ExecuteError::Payload(error) => NotRecorded::Refused(error.to_string()),
            error => later(error),
        })
    }
}

fn later(error: impl std::error::Error + Send + Sync + 'static) -> NotRecorded {
    NotRecorded::Later(HandleError::retry(error))
}

/// Holds anew the stock of an order that gave it up, if it is still there: the revision by which it is held.
///
/// # Errors
/// [`PeerError`] when inventory-service is away.
pub async fn stock_back(inventory: &Inventory, order: &Order) -> Result<Option<i32>, PeerError> {
    let revision = inventory.next_revision(order.id, order.reservation_revision()).await?;
    let demand: Vec<Demand> = order
        .open_quantities()
        .into_iter()
        .map(|(product_id, quantity)| Demand { product_id, quantity: quantity.into() })
        .collect();
    match inventory.reserve(order.id, revision, &demand).await {
        Ok(reserved) => Ok(reserved.holds(revision, &demand).then_some(revision)),
        Err(ReserveError::Short(_) | ReserveError::GivenUp) => Ok(None),
        Err(ReserveError::Peer(error)) => Err(error),
    }
}
