//! A provider behind a service of the shop's own: JSON over HTTP, each request signed by Standard Webhooks, its
//! `webhook-id` being the key that makes a repeat harmless. See docs/guides/payment-providers.md.

use super::{
    client::{Answered, Client},
    provider::{NewPayment, ProviderError, RefundPart, RefundStage, SeenPayment, SeenRefund, Stage, Started},
};
use order::PaymentMethod;
use serde::Deserialize;
use serde_json::{Value, json};
use shared_events::{Money, money::MoneyInput};
use web::standard_webhooks::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, WebhookSecret};

/// Its name.
pub const NAME: &str = "generic";

/// A service that moves money.
#[derive(Debug, Clone)]
pub struct Generic {
    /// Asks it.
    pub client: Client,
    /// Signs what it is asked.
    pub secret: WebhookSecret,
}

/// A payment, as it is told by the service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldPayment {
    payment_id: String,
    status: String,
    amount: MoneyInput,
    method: Option<String>,
    reason: Option<String>,
    client_secret: Option<String>,
    redirect_url: Option<String>,
}

/// A refund, as it is told by the service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldRefund {
    status: String,
    reference: Option<String>,
    reason: Option<String>,
}

impl Generic {
    pub(super) async fn authorise(&self, payment: &NewPayment) -> Result<Started, ProviderError> {
        let attempt = payment.attempt.to_string();
        let body = json!({
            "requestId": attempt,
            "orderId": payment.order_id,
            "orderNumber": payment.order_number,
            "amount": payment.amount,
            "method": payment.method,
            "capture": payment.capture,
            "returnUrl": payment.return_url,
        });
        let told: ToldPayment = read(&self.post("/payments", &attempt, &body).await?)?;
        let (client_secret, redirect_url) = (told.client_secret.clone(), told.redirect_url.clone());
        Ok(Started { seen: seen(told)?, client_secret, redirect_url })
    }

    pub(super) async fn capture(&self, payment_id: &str, amount: Money) -> Result<SeenPayment, ProviderError> {
        let path = format!("/payments/{}/capture", encoded(payment_id));
        let key = format!("capture/{payment_id}/{}", amount.amount());
        seen(read(&self.post(&path, &key, &json!({"amount": amount})).await?)?)
    }

    pub(super) async fn void(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        let path = format!("/payments/{}/void", encoded(payment_id));
        seen(read(&self.post(&path, &format!("void/{payment_id}"), &json!({})).await?)?)
    }

    pub(super) async fn refund(&self, part: &RefundPart) -> Result<SeenRefund, ProviderError> {
        let body = json!({
            "refundId": part.refund_id, "part": part.number, "orderId": part.order_id, "amount": part.amount,
        });
        let path = format!("/payments/{}/refunds", encoded(&part.payment_id));
        seen_refund(read(&self.post(&path, &part.key(), &body).await?)?)
    }

    pub(super) async fn fetch(&self, payment_id: &str) -> Result<SeenPayment, ProviderError> {
        seen(read(&self.get(&format!("/payments/{}", encoded(payment_id))).await?)?)
    }

    pub(super) async fn fetch_refund(&self, part: &RefundPart) -> Result<Option<SeenRefund>, ProviderError> {
        let answered = self.get(&format!("/refunds/{}", part.key())).await?;
        if answered.status == 404 {
            return Ok(None);
        }
        seen_refund(read(&answered)?).map(Some)
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answered, ProviderError> {
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        let request = self.client.request(http::Method::POST, path).header("content-type", "application/json");
        let request = self.signed(request, key, &bytes);
        self.client.send(request.body(bytes)).await
    }

    async fn get(&self, path: &str) -> Result<Answered, ProviderError> {
        let request = self.client.request(http::Method::GET, path);
        self.client.send(self.signed(request, path, b"")).await
    }

    fn signed(&self, request: reqwest::RequestBuilder, id: &str, body: &[u8]) -> reqwest::RequestBuilder {
        let now = web::request_context::now();
        request
            .header(WEBHOOK_ID, id)
            .header(WEBHOOK_TIMESTAMP, now.timestamp())
            .header(WEBHOOK_SIGNATURE, self.secret.sign(id, now, body))
    }
}

/// What came, if it did what it was asked. 4xx is a refusal, but for those that pass.
fn read<T: serde::de::DeserializeOwned>(answered: &Answered) -> Result<T, ProviderError> {
    if !(200..300).contains(&answered.status) {
        let told: Value = answered.json().unwrap_or_default();
        let reason = told["detail"].as_str().or_else(|| told["reason"].as_str()).unwrap_or("no reason was given");
        return Err(answered.refusal(reason));
    }
    answered.json()
}

fn unexpected(what: &str) -> ProviderError {
    ProviderError::Unavailable {
        provider: NAME,
        reason: format!("it answered something that was not expected: {what}"),
    }
}

fn seen(told: ToldPayment) -> Result<SeenPayment, ProviderError> {
    let amount = told.amount.parse().map_err(|error| unexpected(&error.to_string()))?;
    let stage = match told.status.as_str() {
        "requires_action" | "pending" => Stage::Open,
        "authorized" => Stage::Authorized(amount),
        "completed" => Stage::Completed(amount),
        "failed" => Stage::Failed { amount, reason: told.reason },
        "voided" => Stage::Voided,
        other => return Err(unexpected(&format!("status {other}"))),
    };
    let method = told.method.as_deref().and_then(PaymentMethod::parse);
    Ok(SeenPayment { payment_id: told.payment_id, stage, method })
}

fn seen_refund(told: ToldRefund) -> Result<SeenRefund, ProviderError> {
    let stage = match told.status.as_str() {
        "pending" => RefundStage::Pending,
        "completed" => RefundStage::Completed,
        "failed" => RefundStage::Failed(told.reason),
        other => return Err(unexpected(&format!("status {other}"))),
    };
    Ok(SeenRefund { reference: told.reference, stage })
}

/// A payment's reference as a part of a path.
fn encoded(payment_id: &str) -> String {
    super::client::percent_encoded(payment_id)
}
