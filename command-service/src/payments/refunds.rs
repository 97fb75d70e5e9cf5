//! Refunds that a provider carries out. Which payments the money goes back to is settled in a table before the provider is
//! first asked, and whoever was asked before is asked what became of it before it is asked again: killed anywhere, the
//! money moves once.

use super::{
    facts::{Facts, NotRecorded},
    provider::{PaymentProvider, ProviderError, RefundPart, RefundStage, SeenRefund},
};
use feeds::HandleError;
use order::{CompleteRefund, FailRefund, Order, RaiseException, RefundStatus};
use pg::{Pool, deadpool_postgres::Transaction, tokio_postgres::Row};
use rust_decimal::Decimal;
use shared_events::{Currency, ExceptionId, Money, OrderId, RefundId};
use uuid::Uuid;
use web::request_context::now;

/// Carries refunds out. Cheap to clone.
#[derive(Clone)]
pub struct Refunds {
    /// Where the parts are.
    pub pool: Pool,
    /// Where the outcome goes.
    pub facts: Facts,
}

/// How far a part got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartState {
    Planned,
    Asked,
    Completed,
    Failed,
}

/// A part as it is kept.
#[derive(Debug, Clone)]
struct Kept {
    part: RefundPart,
    provider: String,
    state: PartState,
    reference: Option<String>,
    reason: Option<String>,
}

/// Whether all is settled, or somebody has to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is on its way.
    Settled,
    /// A provider has not said yet what became of it.
    OnItsWay,
}

impl PartState {
    fn parse(name: &str) -> Self {
        match name {
            "PLANNED" => Self::Planned,
            "ASKED" => Self::Asked,
            "COMPLETED" => Self::Completed,
            _ => Self::Failed,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "PLANNED",
            Self::Asked => "ASKED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

impl Refunds {
    /// Carries out what an order wants refunded, as far as it is this provider's.
    ///
    /// # Errors
    /// [`HandleError`], to be tried again; what could be done is done.
    pub async fn carry_out(&self, provider: &PaymentProvider, order: &Order) -> Result<Progress, HandleError> {
        let mut progress = Progress::Settled;
        let mut failure = None;
        for refund in order.refunds.iter().filter(|refund| refund.status == RefundStatus::Requested) {
            match self.one(provider, order, refund.refund_id).await {
                Ok(Progress::Settled) => {}
                Ok(Progress::OnItsWay) => progress = Progress::OnItsWay,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(progress), Err)
    }

    async fn one(
        &self,
        provider: &PaymentProvider,
        order: &Order,
        refund_id: RefundId,
    ) -> Result<Progress, HandleError> {
        let parts = self.planned(provider.name(), order, refund_id).await?;
        for kept in parts.iter().filter(|kept| kept.provider == provider.name()) {
            let seen = match kept.state {
                PartState::Planned => self.ask(provider, &kept.part).await,
                PartState::Asked => match provider.fetch_refund(&kept.part).await {
                    Ok(Some(seen)) => Ok(seen),
                    Ok(None) => self.ask(provider, &kept.part).await,
                    Err(error) => Err(HandleError::retry(error)),
                },
                PartState::Completed | PartState::Failed => continue,
            }?;
            self.keep(&kept.part, &seen).await?;
        }
        self.settle(order.id, refund_id, provider.name()).await
    }

    async fn ask(&self, provider: &PaymentProvider, part: &RefundPart) -> Result<SeenRefund, HandleError> {
        let asked = self.pool.get().await?;
        let (id, state) = (part.refund_id.as_uuid(), PartState::Asked.as_str());
        let none: Option<&str> = None;
        asked.execute(include_str!("sql/note_part.sql"), &[&id, &part.number, &state, &none, &none]).await?;
        drop(asked);
        match provider.refund(part).await {
            Ok(seen) => Ok(seen),
            Err(ProviderError::Refused { reason, .. }) => {
                Ok(SeenRefund { reference: None, stage: RefundStage::Failed(Some(reason)) })
            }
            Err(error @ ProviderError::Unavailable { .. }) => Err(HandleError::retry(error)),
        }
    }

    /// What a provider says of a part by itself.
    ///
    /// # Errors
    /// [`NotRecorded`].
    pub async fn hear(
        &self,
        provider: &'static str,
        order_id: OrderId,
        (refund_id, number): (RefundId, i16),
        seen: &SeenRefund,
    ) -> Result<(), NotRecorded> {
        let parts = self.parts(order_id).await.map_err(NotRecorded::Later)?;
        let known = parts
            .iter()
            .find(|kept| kept.part.refund_id == refund_id && kept.part.number == number && kept.provider == provider);
        let Some(kept) = known else {
            return Err(NotRecorded::Refused(format!("{refund_id} was never asked of {provider} for {order_id}")));
        };
        self.keep(&kept.part, seen).await.map_err(NotRecorded::Later)?;
        self.settle(order_id, refund_id, provider).await.map(drop).map_err(|error| match error {
            HandleError::Poison(cause) => NotRecorded::Refused(cause.to_string()),
            error @ HandleError::Retry(_) => NotRecorded::Later(error),
        })
    }

    /// The parts of a refund, settled now where they were not; none where it is not this provider's.
    async fn planned(&self, provider: &str, order: &Order, refund_id: RefundId) -> Result<Vec<Kept>, HandleError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        // Who plans for the same order at the same time waits here.
        let timer = super::work::timer_id(&order.id.to_string());
        transaction.execute("SELECT 1 FROM timer WHERE timer_id = $1 FOR UPDATE", &[&timer]).await?;
        let mut parts = kept_of(&transaction, order.id).await?;
        if !parts.iter().any(|kept| kept.part.refund_id == refund_id) {
            let sent_back = |payment_id: &str| -> Decimal {
                let of = parts.iter().filter(|kept| kept.part.payment_id == payment_id);
                of.filter(|kept| kept.state != PartState::Failed).map(|kept| kept.part.amount.amount()).sum()
            };
            let planned = order.refund_parts(refund_id, provider, sent_back).unwrap_or_default();
            for (number, (payment_id, amount)) in (1_i16..).zip(&planned) {
                let amount = order.currency.round(*amount).to_string();
                transaction
                    .execute(
                        include_str!("sql/plan_part.sql"),
                        &[
                            &refund_id.as_uuid(),
                            &number,
                            &order.id.as_uuid(),
                            &provider,
                            payment_id,
                            &amount,
                            &order.currency.code(),
                        ],
                    )
                    .await?;
            }
            parts = kept_of(&transaction, order.id).await?;
        }
        transaction.commit().await?;
        parts.retain(|kept| kept.part.refund_id == refund_id);
        Ok(parts)
    }

    async fn parts(&self, order_id: OrderId) -> Result<Vec<Kept>, HandleError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        kept_of(&transaction, order_id).await
    }

    async fn keep(&self, part: &RefundPart, seen: &SeenRefund) -> Result<(), HandleError> {
        let (state, reason) = match &seen.stage {
            RefundStage::Pending => (PartState::Asked, None),
            RefundStage::Completed => (PartState::Completed, None),
            RefundStage::Failed(reason) => (PartState::Failed, reason.clone()),
        };
        let client = self.pool.get().await?;
        client
            .execute(
                include_str!("sql/note_part.sql"),
                &[&part.refund_id.as_uuid(), &part.number, &state.as_str(), &seen.reference, &reason],
            )
            .await?;
        Ok(())
    }

    /// Tells the order what became of a refund once all its parts have ended.
    async fn settle(
        &self,
        order_id: OrderId,
        refund_id: RefundId,
        provider: &'static str,
    ) -> Result<Progress, HandleError> {
        let mut parts = self.parts(order_id).await?;
        parts.retain(|kept| kept.part.refund_id == refund_id);
        let any = |state: PartState| parts.iter().any(|kept| kept.state == state);
        if any(PartState::Planned) || any(PartState::Asked) {
            return Ok(Progress::OnItsWay);
        }
        let reason = || parts.iter().find_map(|kept| kept.reason.clone());
        let step = |step: &str| Uuid::new_v5(&refund_id.as_uuid(), format!("provider/{step}").as_bytes());
        match (any(PartState::Completed), any(PartState::Failed)) {
            (false, false) => {}
            (true, false) => {
                let references: Vec<&str> = parts.iter().filter_map(|kept| kept.reference.as_deref()).collect();
                let provider_reference = Some(references.join(",")).filter(|text| !text.is_empty());
                let exception_id = ExceptionId::from_uuid(step("completed"));
                let complete = CompleteRefund { refund_id, provider_reference, exception_id, now: now() };
                self.facts.run(order_id, complete, provider, step("completed")).await?;
            }
            (false, true) => {
                let exception_id = ExceptionId::from_uuid(step("failed"));
                let fail = FailRefund { refund_id, reason: reason(), exception_id, now: now() };
                self.facts.run(order_id, fail, provider, step("failed")).await?;
            }
            (true, true) => {
                let raise = RaiseException {
                    exception_id: ExceptionId::from_uuid(step("partly")),
                    kind: "REFUND_PARTLY_FAILED".to_owned(),
                    detail: Some(format!("of {refund_id}, which went back to several payments, some did not arrive")),
                    now: now(),
                };
                self.facts.run(order_id, raise, provider, step("partly")).await?;
            }
        }
        Ok(Progress::Settled)
    }
}

async fn kept_of(transaction: &Transaction<'_>, order_id: OrderId) -> Result<Vec<Kept>, HandleError> {
    let statement = transaction.prepare_cached(include_str!("sql/parts_of_order.sql")).await?;
    let rows = transaction.query(&statement, &[&order_id.as_uuid()]).await?;
    rows.iter().map(|row| kept(row, order_id)).collect()
}

fn kept(row: &Row, order_id: OrderId) -> Result<Kept, HandleError> {
    let amount: Decimal = row.get::<_, &str>("amount").parse().map_err(HandleError::poison)?;
    let currency = Currency::parse(row.get("currency")).map_err(HandleError::poison)?;
    Ok(Kept {
        part: RefundPart {
            refund_id: RefundId::from_uuid(row.get("refund_id")),
            number: row.get("number"),
            order_id,
            payment_id: row.get("payment_id"),
            amount: Money::rounded(amount, currency),
        },
        provider: row.get("provider"),
        state: PartState::parse(row.get("state")),
        reference: row.get("reference"),
        reason: row.get("reason"),
    })
}
