//! What providers are to do for orders, as durable timers: set in the transaction that follows the orders log, fired until
//! done. A firing looks at the order as it stands and does whatever is due; every step is asked for under a key of its own,
//! so a repeat, or two at the same time, move no money twice.

use super::{
    facts::{Facts, NotRecorded},
    provider::{NewPayment, PaymentProvider, ProviderError, SeenPayment, Stage},
    refunds::{Progress, Refunds},
};
use chrono::{TimeDelta, Utc};
use feeds::{
    HandleError, Page, Projector,
    timer::{self, DueTimer, NewTimer, TimerHandler},
};
use order::{CapturePolicy, Order, PaymentMethod, RaiseException};
use pg::{Pool, deadpool_postgres::Transaction};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared_events::{Currency, ExceptionId, Money, OrderId, order::OrderEvent};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use web::request_context::now;

/// An order has something for its provider to do.
const WORK: &str = "payment-work";
/// A payment that was started is to be looked at.
const CHECK: &str = "payment-check";
/// How long it is never longer than until the next look.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);
/// After so many looks, more than a week, a payment that nobody agreed to is taken back.
const MOST_LOOKS: u32 = 200;
/// Longer than the request takes that starts a payment.
const STARTING: TimeDelta = TimeDelta::seconds(30);

/// The timer of an order's work.
#[must_use]
pub fn timer_id(order_id: &str) -> String {
    format!("{WORK}/{order_id}")
}

/// Sets the timers. Imports bring their own history: nobody is asked to move money for them.
pub struct PaymentTimers;

#[derive(Deserialize)]
struct Reported {
    provider: Option<String>,
}

/// Events after which there may be something to do, where the order has a payment of a provider.
fn may_need_work(event_type: &str) -> bool {
    matches!(
        event_type,
        "PaymentAuthorized"
            | "PaymentCompleted"
            | "OrderConfirmed"
            | "OrderAmended"
            | "OrderResumed"
            | "OrderCancelled"
            | "OrderExpired"
            | "LineCancelled"
            | "ShipmentDispatched"
            | "RefundRequested"
    )
}

impl Projector for PaymentTimers {
    fn name(&self) -> &'static str {
        "payment-work"
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let events = pages.iter().flat_map(|page| &page.events);
        let events: Vec<_> =
            events.filter(|event| !event.metadata.import && may_need_work(&event.event_type)).collect();
        let mut ours: BTreeSet<&str> = BTreeSet::new();
        for event in &events {
            let told = matches!(event.event_type.as_str(), "PaymentAuthorized" | "PaymentCompleted");
            if told && event.fields::<OrderEvent, Reported>()?.provider.is_some() {
                ours.insert(&event.stream_id);
            }
        }
        if !ours.is_empty() {
            let ids: Vec<&str> = ours.iter().copied().collect();
            let keep = "INSERT INTO provider_order SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
            transaction.execute(keep, &[&ids]).await?;
        }
        let others: BTreeSet<&str> = events.iter().map(|event| event.stream_id.as_str()).collect();
        let others: Vec<&str> = others.difference(&ours).copied().collect();
        if !others.is_empty() {
            let known = "SELECT order_id FROM provider_order WHERE order_id = ANY($1)";
            let rows = transaction.query(known, &[&others]).await?;
            let known: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
            ours.extend(others.into_iter().filter(|id| known.contains(*id)));
        }
        let mut timers = BTreeMap::new();
        for event in events.iter().filter(|event| ours.contains(event.stream_id.as_str())) {
            let timer = NewTimer {
                timer_id: timer_id(&event.stream_id),
                kind: WORK.to_owned(),
                stream_id: event.stream_id.clone(),
                payload: Value::Null,
                due_at: event.recorded_at,
            };
            timers.insert(timer.timer_id.clone(), timer);
        }
        timer::reschedule_all(transaction, &timers).await?;
        Ok(())
    }
}

/// A payment that was started, as its timer keeps it: enough to ask for it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    provider: String,
    attempt: Uuid,
    payment_id: Option<String>,
    order_number: String,
    amount: Decimal,
    currency: Currency,
    method: PaymentMethod,
    capture: bool,
    return_url: Option<String>,
    simulate: Option<String>,
    looks: u32,
}

/// Does what is due. Cheap to clone.
#[derive(Clone)]
pub struct PaymentWork {
    /// Who moves the money.
    pub provider: PaymentProvider,
    /// When held money is captured.
    pub capture: CapturePolicy,
    /// How long after it was asked a provider is asked again, the first time.
    pub poll: TimeDelta,
    /// Where facts go.
    pub facts: Facts,
    /// Sends money back.
    pub refunds: Refunds,
    /// Where the timers are.
    pub pool: Pool,
}

impl TimerHandler for PaymentWork {
    fn kinds(&self) -> &'static [&'static str] {
        &[WORK, CHECK]
    }

    async fn fire(&self, due: &DueTimer) -> Result<(), HandleError> {
        let order_id = OrderId::parse(&due.stream_id).map_err(HandleError::poison)?;
        if due.kind == CHECK {
            let check = serde_json::from_value(due.payload.clone())?;
            return self.look_at(order_id, check).await;
        }
        let Some(order) = self.facts.load(order_id).await? else { return Ok(()) };
        let looks = due.payload["looks"].as_u64().and_then(|looks| u32::try_from(looks).ok()).unwrap_or(0);
        let moved = self.move_held(&order, looks > 0).await;
        let refunded = self.refunds.carry_out(&self.provider, &order).await?;
        if [moved?, refunded].contains(&Progress::OnItsWay) {
            // Another timer than that of new work, which must not be put off.
            let timer_id = format!("{}/poll", timer_id(&due.stream_id));
            self.again(timer_id, WORK, order_id, &json!({"looks": looks + 1}), self.pause(looks)).await?;
        }
        Ok(())
    }
}

impl PaymentWork {
    /// Captures what is due and gives back what is not needed. Where it was asked for before, what became of that is looked
    /// at first: the answer to a repeat may be the old one.
    async fn move_held(&self, order: &Order, was_asked: bool) -> Result<Progress, HandleError> {
        let name = self.provider.name();
        let captures = order.captures(self.capture).into_iter().map(|(payment, amount)| (payment, Some(amount)));
        let steps = captures.chain(order.voids().into_iter().map(|payment| (payment, None)));
        let (mut progress, mut failure) = (Progress::Settled, None);
        for (payment, amount) in steps.filter(|(payment, _)| payment.provider.as_deref() == Some(name)) {
            let amount = amount.map(|amount| Money::rounded(amount, order.currency));
            match self.move_one(order.id, &payment.payment_id, amount, was_asked).await {
                Ok(Progress::OnItsWay) => progress = Progress::OnItsWay,
                Ok(Progress::Settled) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(progress), Err)
    }

    /// Captures so much of a payment, or gives it back.
    async fn move_one(
        &self,
        order_id: OrderId,
        payment_id: &str,
        amount: Option<Money>,
        was_asked: bool,
    ) -> Result<Progress, HandleError> {
        if was_asked {
            let seen = self.provider.fetch(payment_id).await.map_err(HandleError::retry)?;
            match seen.stage {
                Stage::Open => return Ok(Progress::OnItsWay),
                Stage::Authorized(_) => {}
                _ => return self.record(order_id, &seen).await.map(|()| Progress::Settled),
            }
        }
        let (step, asked) = match amount {
            Some(amount) => ("capture", self.provider.capture(payment_id, amount).await),
            None => ("void", self.provider.void(payment_id).await),
        };
        self.told(order_id, payment_id, step, asked).await
    }

    /// Records what came of a request; one that was taken and not done yet is on its way. One that was refused is looked at
    /// as it stands; if it is still held, a person is called.
    async fn told(
        &self,
        order_id: OrderId,
        payment_id: &str,
        step: &str,
        asked: Result<SeenPayment, ProviderError>,
    ) -> Result<Progress, HandleError> {
        let seen = match asked {
            Ok(seen) if matches!(seen.stage, Stage::Open | Stage::Authorized(_)) => return Ok(Progress::OnItsWay),
            Ok(seen) => seen,
            Err(error @ ProviderError::Unavailable { .. }) => return Err(HandleError::retry(error)),
            Err(ProviderError::Refused { reason, .. }) => {
                let seen = self.provider.fetch(payment_id).await.map_err(HandleError::retry)?;
                if matches!(seen.stage, Stage::Open | Stage::Authorized(_)) {
                    self.call_a_person(order_id, payment_id, step, &reason).await?;
                    return Ok(Progress::Settled);
                }
                seen
            }
        };
        self.record(order_id, &seen).await.map(|()| Progress::Settled)
    }

    /// What a provider's webhook is taken for. That a payment failed may be told late, after another attempt of the same
    /// payment was held: then the provider is asked how it stands.
    ///
    /// # Errors
    /// [`NotRecorded::Later`] when the provider does not answer, [`NotRecorded::Refused`] when it will not say.
    pub async fn hear(&self, order_id: OrderId, told: SeenPayment) -> Result<SeenPayment, NotRecorded> {
        let seen = self.provider.fetch(&told.payment_id).await.map_err(|error| match error {
            ProviderError::Unavailable { .. } => NotRecorded::Later(HandleError::retry(error)),
            ProviderError::Refused { .. } => NotRecorded::Refused(error.to_string()),
        })?;
        if seen.stage == Stage::Open {
            tracing::warn!(order.id = %order_id, "a payment that was held is said to have failed, and is open");
            let reason = "the payment was held and is said to have failed; the provider says that it is open";
            return Err(NotRecorded::Refused(reason.to_owned()));
        }
        Ok(seen)
    }

    async fn record(&self, order_id: OrderId, seen: &SeenPayment) -> Result<(), HandleError> {
        let stage = match seen.stage {
            Stage::Open => return Ok(()),
            Stage::Authorized(_) => "authorized",
            Stage::Completed(_) => "completed",
            Stage::Failed { .. } => "failed",
            Stage::Voided => "voided",
        };
        let name = self.provider.name();
        let command = format!("provider/{name}/{stage}/{}", seen.payment_id);
        let command_id = Uuid::new_v5(&order_id.as_uuid(), command.as_bytes());
        match self.facts.payment(order_id, name, seen, command_id).await {
            // An order that cannot take it will not take it later either.
            Err(NotRecorded::Refused(reason)) => {
                tracing::error!(order.id = %order_id, reason, "a payment could not be recorded");
                Ok(())
            }
            other => Ok(other?),
        }
    }

    async fn call_a_person(
        &self,
        order_id: OrderId,
        payment_id: &str,
        step: &str,
        reason: &str,
    ) -> Result<(), HandleError> {
        let command_id = Uuid::new_v5(&order_id.as_uuid(), format!("provider/{step}-refused/{payment_id}").as_bytes());
        let raise = RaiseException {
            exception_id: ExceptionId::from_uuid(command_id),
            kind: format!("{}_REFUSED", step.to_uppercase()),
            detail: Some(format!("the provider refuses to {step} {payment_id}: {reason}")),
            now: now(),
        };
        Ok(self.facts.run(order_id, raise, self.provider.name(), command_id).await?)
    }

    /// Before a payment is started: whatever happens, somebody looks what became of it.
    ///
    /// # Errors
    /// [`HandleError`] when the database is away.
    pub async fn watch(&self, payment: &NewPayment) -> Result<(), HandleError> {
        self.check_in(payment.order_id, self.check_of(payment, None), STARTING).await
    }

    /// Once it is started: its webhook may be lost.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn started(&self, payment: &NewPayment, seen: &SeenPayment) -> Result<(), HandleError> {
        let check = self.check_of(payment, Some(seen.payment_id.clone()));
        self.check_in(payment.order_id, check, self.poll).await?;
        self.record(payment.order_id, seen).await
    }

    fn check_of(&self, payment: &NewPayment, payment_id: Option<String>) -> Check {
        Check {
            provider: self.provider.name().to_owned(),
            attempt: payment.attempt,
            payment_id,
            order_number: payment.order_number.clone(),
            amount: payment.amount.amount(),
            currency: payment.amount.currency(),
            method: payment.method,
            capture: payment.capture,
            return_url: payment.return_url.clone(),
            simulate: payment.simulate.clone(),
            looks: 0,
        }
    }

    async fn check_in(&self, order_id: OrderId, check: Check, pause: TimeDelta) -> Result<(), HandleError> {
        let timer_id = format!("{CHECK}/{}", check.attempt);
        self.again(timer_id, CHECK, order_id, &serde_json::to_value(check)?, pause).await
    }

    /// Looks what became of a payment that was started.
    async fn look_at(&self, order_id: OrderId, check: Check) -> Result<(), HandleError> {
        if check.provider != self.provider.name() {
            return Ok(());
        }
        let Some(order) = self.facts.load(order_id).await? else { return Ok(()) };
        let wanted = !order.is_over() && !order.is_paid_for() && check.looks < MOST_LOOKS;
        let seen = match &check.payment_id {
            Some(payment_id) => self.provider.fetch(payment_id).await,
            // Whoever asked for it died before they knew its reference. Its money may have been taken, so it is asked for
            // again, under the same key, even where the order wants it no longer.
            None => self.provider.authorise(&payment_of(order_id, &check)).await.map(|started| started.seen),
        };
        let seen = match seen {
            Ok(seen) => seen,
            Err(ProviderError::Refused { reason, .. }) => {
                tracing::warn!(order.id = %order_id, reason, "a payment that was started is not known to its provider");
                return Ok(());
            }
            Err(error) => return Err(HandleError::retry(error)),
        };
        if seen.stage != Stage::Open {
            return self.record(order_id, &seen).await;
        }
        if !wanted {
            return match self.provider.void(&seen.payment_id).await {
                Ok(voided) if voided.stage == Stage::Open && check.looks < MOST_LOOKS * 2 => {
                    self.look_again(order_id, check, voided.payment_id).await
                }
                Ok(voided) => self.record(order_id, &voided).await,
                // It may just have been paid: the next look tells.
                Err(error) => Err(HandleError::retry(error)),
            };
        }
        self.look_again(order_id, check, seen.payment_id).await
    }

    async fn look_again(&self, order_id: OrderId, mut check: Check, payment_id: String) -> Result<(), HandleError> {
        check.payment_id = Some(payment_id);
        let pause = self.pause(check.looks);
        check.looks += 1;
        self.check_in(order_id, check, pause).await
    }

    fn pause(&self, looks: u32) -> TimeDelta {
        self.poll.checked_mul(2_i32.saturating_pow(looks.min(16))).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
    }

    async fn again(
        &self,
        timer_id: String,
        kind: &str,
        order_id: OrderId,
        payload: &Value,
        pause: TimeDelta,
    ) -> Result<(), HandleError> {
        let (kind, payload) = (kind.to_owned(), payload.clone());
        let due_at = now().checked_add_signed(pause).unwrap_or(chrono::DateTime::<Utc>::MAX_UTC);
        let timer = NewTimer { timer_id, kind, stream_id: order_id.to_string(), payload, due_at };
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        timer::reschedule(&transaction, &timer).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn payment_of(order_id: OrderId, check: &Check) -> NewPayment {
    NewPayment {
        attempt: check.attempt,
        order_id,
        order_number: check.order_number.clone(),
        amount: Money::rounded(check.amount, check.currency),
        method: check.method,
        capture: check.capture,
        return_url: check.return_url.clone(),
        simulate: check.simulate.clone(),
    }
}

#[cfg(test)]
mod tests;
