//! A provider for development that moves no money. It keeps nothing: what becomes of a payment is written in its
//! reference, so a restart changes nothing. `simulate` says how it is to go.

use super::provider::{NewPayment, ProviderError, RefundPart, RefundStage, SeenPayment, SeenRefund, Stage, Started};
use chrono::{DateTime, TimeDelta, Utc};
use shared_events::{Currency, Money};
use uuid::Uuid;

/// Its name.
pub const NAME: &str = "simulated";
/// What is delayed takes so long.
const DELAY: TimeDelta = TimeDelta::seconds(3);

/// What a payment can be told to do.
pub const WISHES: [&str; 6] = ["completes", "fails", "delays", "repeats", "refund-fails", "refund-delays"];

/// Development's provider.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulated;

/// What a reference says.
struct Reference<'a> {
    wish: &'a str,
    captures: bool,
    amount: Money,
    started_at: DateTime<Utc>,
}

impl Simulated {
    pub(super) fn authorise(&self, payment: &NewPayment) -> Result<Started, ProviderError> {
        let wish = payment.simulate.as_deref().unwrap_or(WISHES[0]);
        let how = if payment.capture { "now" } else { "held" };
        let (amount, currency) = (payment.amount.amount(), payment.amount.currency());
        let attempt = payment.attempt.simple();
        let payment_id = format!("sim_{wish}_{how}_{amount}_{currency}_{attempt}");
        let seen = self.fetch(&payment_id)?;
        Ok(Started { seen, client_secret: Some(format!("sim_secret_{attempt}")), redirect_url: None })
    }

    pub(super) fn capture(&self, payment_id: &str, amount: Money) -> Result<SeenPayment, ProviderError> {
        read(payment_id)?;
        Ok(seen(payment_id, Stage::Completed(amount)))
    }

    pub(super) fn void(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        read(payment_id)?;
        Ok(seen(payment_id, Stage::Voided))
    }

    pub(super) fn refund(&self, part: &RefundPart) -> Result<SeenRefund, ProviderError> {
        let paid = read(&part.payment_id)?;
        let stage = match paid.wish {
            "refund-fails" => RefundStage::Failed(Some("simulated".to_owned())),
            "refund-delays" if is_recent(time_of(part.refund_id.as_uuid())) => RefundStage::Pending,
            _ => RefundStage::Completed,
        };
        Ok(SeenRefund { reference: Some(format!("sim_{}", part.key())), stage })
    }

    pub(super) fn fetch(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        let Reference { wish, captures, amount, started_at } = read(payment_id)?;
        let stage = match wish {
            "fails" => Stage::Failed { amount, reason: Some("simulated".to_owned()) },
            "delays" if is_recent(started_at) => Stage::Open,
            _ if captures => Stage::Completed(amount),
            _ => Stage::Authorized(amount),
        };
        Ok(seen(payment_id, stage))
    }

    pub(super) fn fetch_refund(&self, part: &RefundPart) -> Result<Option<SeenRefund>, ProviderError> {
        self.refund(part).map(Some)
    }
}

fn seen(payment_id: &str, stage: Stage) -> SeenPayment {
    SeenPayment { payment_id: payment_id.to_owned(), stage, method: None }
}

fn read(payment_id: &str) -> Result<Reference<'_>, ProviderError> {
    parse(payment_id).ok_or_else(|| ProviderError::Refused {
        provider: NAME,
        reason: format!("{payment_id} is no payment that was simulated"),
    })
}

fn parse(payment_id: &str) -> Option<Reference<'_>> {
    let mut parts = payment_id.strip_prefix("sim_")?.split('_');
    let (wish, how, amount, currency, attempt) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let amount = Money::exact(amount.parse().ok()?, Currency::parse(currency).ok()?).ok()?;
    let started_at = time_of(Uuid::parse_str(attempt).ok()?);
    Some(Reference { wish, captures: how == "now", amount, started_at })
}

/// When a UUIDv7 was made.
fn time_of(id: Uuid) -> DateTime<Utc> {
    let made = id.get_timestamp().and_then(|time| {
        let (seconds, nanos) = time.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    });
    made.unwrap_or(DateTime::UNIX_EPOCH)
}

fn is_recent(at: DateTime<Utc>) -> bool {
    web::request_context::now().signed_duration_since(at) < DELAY
}
