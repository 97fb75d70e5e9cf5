//! Stripe, by its public REST API: PaymentIntents, captures, cancels and refunds, form-encoded, with `Idempotency-Key`.
//! Its keys are forgotten after a day, and a refund that was asked for before is looked for before it is asked for again.

use super::{
    client::{Answered, Client, percent_encoded},
    provider::{NewPayment, ProviderError, RefundPart, RefundStage, SeenPayment, SeenRefund, Stage, Started},
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::Deserialize;
use serde_json::Value;
use shared_events::{Currency, Money};
use std::collections::BTreeMap;

/// Its name.
pub const NAME: &str = "stripe";
/// The version of its API that this is written for.
const VERSION: &str = "2025-09-30.clover";

/// Stripe.
#[derive(Debug, Clone)]
pub struct Stripe {
    /// Asks it.
    pub client: Client,
}

/// A PaymentIntent, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub struct Intent {
    /// Its id, `pi_…`.
    pub id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_capturable: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    client_secret: Option<String>,
    last_payment_error: Option<Value>,
    next_action: Option<Value>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// A Refund, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    /// Its id, `re_…`.
    pub id: String,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct Page {
    data: Vec<Refund>,
    #[serde(default)]
    has_more: bool,
}

impl Stripe {
    pub(super) async fn authorise(&self, payment: &NewPayment) -> Result<Started, ProviderError> {
        let capture = if payment.capture { "automatic" } else { "manual" };
        let mut form = vec![
            ("amount", minor(payment.amount)?.to_string()),
            ("currency", payment.amount.currency().to_string().to_lowercase()),
            ("capture_method", capture.to_owned()),
            ("automatic_payment_methods[enabled]", "true".to_owned()),
            ("description", payment.order_number.clone()),
            ("metadata[order_id]", payment.order_id.to_string()),
            ("metadata[order_number]", payment.order_number.clone()),
        ];
        if let Some(url) = &payment.return_url {
            form.push(("metadata[return_url]", url.clone()));
        }
        let intent: Intent = read(&self.post("/v1/payment_intents", &payment.attempt.to_string(), &form).await?)?;
        let redirect = intent.next_action.as_ref().and_then(|action| action["redirect_to_url"]["url"].as_str());
        let redirect_url = redirect.map(ToOwned::to_owned);
        Ok(Started { client_secret: intent.client_secret.clone(), redirect_url, seen: intent.seen()? })
    }

    pub(super) async fn capture(&self, payment_id: &str, amount: Money) -> Result<SeenPayment, ProviderError> {
        let minor = minor(amount)?;
        let path = format!("/v1/payment_intents/{}/capture", percent_encoded(payment_id));
        let form = [("amount_to_capture", minor.to_string())];
        read::<Intent>(&self.post(&path, &format!("capture/{payment_id}/{minor}"), &form).await?)?.seen()
    }

    pub(super) async fn void(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        let path = format!("/v1/payment_intents/{}/cancel", percent_encoded(payment_id));
        read::<Intent>(&self.post(&path, &format!("void/{payment_id}"), &[]).await?)?.seen()
    }

    pub(super) async fn refund(&self, part: &RefundPart) -> Result<SeenRefund, ProviderError> {
        let form = [
            ("payment_intent", part.payment_id.clone()),
            ("amount", minor(part.amount)?.to_string()),
            ("metadata[order_id]", part.order_id.to_string()),
            ("metadata[refund_id]", part.refund_id.to_string()),
            ("metadata[part]", part.number.to_string()),
        ];
        Ok(read::<Refund>(&self.post("/v1/refunds", &part.key(), &form).await?)?.seen())
    }

    pub(super) async fn fetch(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        let path = format!("/v1/payment_intents/{}", percent_encoded(payment_id));
        read::<Intent>(&self.get(&path).await?)?.seen()
    }

    pub(super) async fn fetch_refund(&self, part: &RefundPart) -> Result<Option<SeenRefund>, ProviderError> {
        let mut after = String::new();
        loop {
            let payment = percent_encoded(&part.payment_id);
            let path = format!("/v1/refunds?payment_intent={payment}&limit=100{after}");
            let page: Page = read(&self.get(&path).await?)?;
            let asked = (part.refund_id.to_string(), part.number.to_string());
            let found = page.data.iter().find(|refund| {
                refund.metadata("refund_id") == Some(&asked.0) && refund.metadata("part") == Some(&asked.1)
            });
            if let Some(found) = found {
                return Ok(Some(found.seen()));
            }
            match page.data.last() {
                Some(last) if page.has_more => after = format!("&starting_after={}", percent_encoded(&last.id)),
                _ => return Ok(None),
            }
        }
    }

    async fn post(&self, path: &str, key: &str, form: &[(&str, String)]) -> Result<Answered, ProviderError> {
        let request = self.client.request(http::Method::POST, path).header("idempotency-key", key);
        self.client.send(request.header("stripe-version", VERSION).form(form)).await
    }

    async fn get(&self, path: &str) -> Result<Answered, ProviderError> {
        let request = self.client.request(http::Method::GET, path);
        self.client.send(request.header("stripe-version", VERSION)).await
    }
}

/// What came, if it did what it was asked.
fn read<T: serde::de::DeserializeOwned>(answered: &Answered) -> Result<T, ProviderError> {
    if (200..300).contains(&answered.status) {
        return answered.json();
    }
    let told: Value = answered.json().unwrap_or_default();
    let error = &told["error"];
    // The code is for programs and people; messages may tell of the customer.
    let reason = [&error["code"], &error["decline_code"], &error["type"]].into_iter().find_map(Value::as_str);
    if error["type"] == "idempotency_error" {
        let reason = "the key was used for something else".to_owned();
        return Err(ProviderError::Unavailable { provider: NAME, reason });
    }
    Err(answered.refusal(reason.unwrap_or("no reason was given")))
}

impl Intent {
    /// The payment that it is.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when it is none that can be understood.
    pub fn seen(&self) -> Result<SeenPayment, ProviderError> {
        let stage = match self.status.as_str() {
            "requires_capture" => Stage::Authorized(self.money(self.amount_capturable)?),
            "succeeded" => Stage::Completed(self.money(self.amount_received)?),
            "canceled" => Stage::Voided,
            _ => Stage::Open,
        };
        Ok(SeenPayment { payment_id: self.id.clone(), stage, method: None })
    }

    /// The attempt that just failed, though another may follow.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when it is none that can be understood.
    pub fn failed(&self) -> Result<SeenPayment, ProviderError> {
        let error = self.last_payment_error.as_ref();
        let reason = error.and_then(|error| error["decline_code"].as_str().or_else(|| error["code"].as_str()));
        let stage = Stage::Failed { amount: self.money(self.amount)?, reason: reason.map(ToOwned::to_owned) };
        Ok(SeenPayment { payment_id: self.id.clone(), stage, method: None })
    }

    /// What was noted with it.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&String> {
        self.metadata.get(name)
    }

    fn money(&self, minor: i64) -> Result<Money, ProviderError> {
        let unexpected = |reason: String| ProviderError::Unavailable { provider: NAME, reason };
        let currency = Currency::parse(&self.currency.to_uppercase()).map_err(|error| unexpected(error.to_string()))?;
        Money::exact(Decimal::new(minor, decimals(currency)).normalize(), currency)
            .map_err(|error| unexpected(error.to_string()))
    }
}

impl Refund {
    /// The refund that it is.
    #[must_use]
    pub fn seen(&self) -> SeenRefund {
        let stage = match self.status.as_deref() {
            Some("succeeded") => RefundStage::Completed,
            Some("failed" | "canceled") => RefundStage::Failed(self.failure_reason.clone()),
            _ => RefundStage::Pending,
        };
        SeenRefund { reference: Some(self.id.clone()), stage }
    }

    /// What was noted with it.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&String> {
        self.metadata.as_ref()?.get(name)
    }
}

/// Stripe counts some in hundredths though they have none, and one in whole units though it has fifths.
fn decimals(currency: Currency) -> u32 {
    match currency.code() {
        "ISK" | "UGX" => 2,
        "MGA" => 0,
        _ => currency.decimals(),
    }
}

/// The amount in the smallest unit that Stripe knows; refused where it takes no such amount, rather than rounded.
fn minor(amount: Money) -> Result<i64, ProviderError> {
    let refused = |reason: String| ProviderError::Refused { provider: NAME, reason };
    let currency = amount.currency();
    let factor = Decimal::from(10_u32.pow(decimals(currency)));
    let minor = amount.amount().checked_mul(factor);
    if minor.is_some_and(|minor| !minor.is_integer()) {
        return Err(refused(format!("it takes whole {currency} only")));
    }
    let minor = minor.and_then(|minor| minor.to_i64()).ok_or_else(|| refused("the amount is too large".to_owned()))?;
    if matches!(currency.code(), "BHD" | "JOD" | "KWD" | "OMR" | "TND") && minor % 10 != 0 {
        return Err(refused(format!("it takes {currency} in hundredths only: the last digit has to be 0")));
    }
    Ok(minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_the_smallest_unit_that_stripe_knows() {
        for (amount, currency, expected) in
            [("12.34", "EUR", 1234), ("500", "JPY", 500), ("1.23", "KWD", 1230), ("5", "ISK", 500), ("5", "MGA", 5)]
        {
            let money = Money::parse(amount, currency).unwrap();
            assert_eq!(minor(money).unwrap(), expected);
            let intent = Intent {
                id: "pi_1".to_owned(),
                status: "succeeded".to_owned(),
                amount: expected,
                amount_capturable: 0,
                amount_received: expected,
                currency: currency.to_lowercase(),
                client_secret: None,
                last_payment_error: None,
                next_action: None,
                metadata: BTreeMap::new(),
            };
            assert_eq!(intent.seen().unwrap().stage, Stage::Completed(money));
        }
    }

    #[test]
    fn amounts_that_stripe_does_not_take_are_refused_and_not_rounded() {
        for (amount, currency, says) in
            [("1.234", "KWD", "last digit"), ("1.001", "TND", "last digit"), ("1.20", "MGA", "whole MGA")]
        {
            let refused = minor(Money::parse(amount, currency).unwrap()).unwrap_err();
            assert!(matches!(&refused, ProviderError::Refused { reason, .. } if reason.contains(says)), "{refused}");
        }
    }
}
