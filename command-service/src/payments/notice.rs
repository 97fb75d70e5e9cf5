//! What providers' webhooks say, once their signature is known to be good.

use super::{
    provider::{RefundStage, SeenPayment, SeenRefund, Stage},
    stripe,
};
use order::PaymentMethod;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared_events::{OrderId, RefundId, money::MoneyInput};

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Of a payment.
    Payment(OrderId, SeenPayment),
    /// Of a part of a refund that an order asked for.
    Refund {
        /// The order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// Which part of it.
        number: i16,
        /// Where it stands.
        seen: SeenRefund,
    },
    /// Of something that is no affair of an order's.
    Other,
}

/// A webhook that says nothing that can be understood: why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    order_id: OrderId,
    payment_id: Option<String>,
    amount: Option<MoneyInput>,
    method: Option<String>,
    reason: Option<String>,
    refund_id: Option<RefundId>,
    part: Option<i16>,
    reference: Option<String>,
}

fn unreadable(error: impl std::fmt::Display) -> Unreadable {
    Unreadable(error.to_string())
}

/// Reads `{"type": "payment.completed", "data": {"orderId", "paymentId", "amount", …}}`.
///
/// # Errors
/// [`Unreadable`].
pub fn of_generic(body: &[u8]) -> Result<Notice, Unreadable> {
    let Envelope { kind, data } = serde_json::from_slice(body).map_err(unreadable)?;
    if !kind.starts_with("payment.") && !kind.starts_with("refund.") {
        return Ok(Notice::Other);
    }
    let told: Told = serde_json::from_value(data).map_err(unreadable)?;
    let amount = || {
        let amount = told.amount.as_ref().ok_or_else(|| Unreadable("data.amount is missing".to_owned()))?;
        amount.parse().map_err(|error| Unreadable(format!("data.amount: {error}")))
    };
    let stage = match kind.as_str() {
        "payment.authorized" => Stage::Authorized(amount()?),
        "payment.completed" => Stage::Completed(amount()?),
        "payment.failed" => Stage::Failed { amount: amount()?, reason: told.reason.clone() },
        "payment.voided" => Stage::Voided,
        "refund.completed" => return told.of_refund(RefundStage::Completed),
        "refund.failed" => {
            let reason = told.reason.clone();
            return told.of_refund(RefundStage::Failed(reason));
        }
        _ => return Ok(Notice::Other),
    };
    let payment_id = told.payment_id.ok_or_else(|| Unreadable("data.paymentId is missing".to_owned()))?;
    let method = told.method.as_deref().and_then(PaymentMethod::parse);
    Ok(Notice::Payment(told.order_id, SeenPayment { payment_id, stage, method }))
}

impl Told {
    fn of_refund(self, stage: RefundStage) -> Result<Notice, Unreadable> {
        let refund_id = self.refund_id.ok_or_else(|| Unreadable("data.refundId is missing".to_owned()))?;
        let seen = SeenRefund { reference: self.reference, stage };
        Ok(Notice::Refund { order_id: self.order_id, refund_id, number: self.part.unwrap_or(1), seen })
    }
}

#[derive(Deserialize)]
struct StripeEvent {
    #[serde(rename = "type")]
    kind: String,
    data: StripeObject,
}

#[derive(Deserialize)]
struct StripeObject {
    object: Value,
}

/// Reads an Event of Stripe's.
///
/// # Errors
/// [`Unreadable`].
pub fn of_stripe(body: &[u8]) -> Result<Notice, Unreadable> {
    let StripeEvent { kind, data } = serde_json::from_slice(body).map_err(unreadable)?;
    match kind.as_str() {
        "payment_intent.amount_capturable_updated"
        | "payment_intent.succeeded"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled" => {
            let intent: stripe::Intent = serde_json::from_value(data.object).map_err(unreadable)?;
            // The account may take money for others too.
            let Some(order_id) = intent.metadata("order_id") else { return Ok(Notice::Other) };
            let order_id = order_of(Some(order_id))?;
            let seen = if kind == "payment_intent.payment_failed" { intent.failed() } else { intent.seen() };
            Ok(Notice::Payment(order_id, seen.map_err(unreadable)?))
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let refund: stripe::Refund = serde_json::from_value(data.object).map_err(unreadable)?;
            let order_id = order_of(refund.metadata("order_id"))?;
            let refund_id = refund.metadata("refund_id").and_then(|id| RefundId::parse(id).ok());
            let refund_id =
                refund_id.ok_or_else(|| Unreadable("the refund was not asked for by an order".to_owned()))?;
            let number = refund.metadata("part").and_then(|part| part.parse().ok()).unwrap_or(1);
            Ok(Notice::Refund { order_id, refund_id, number, seen: refund.seen() })
        }
        _ => Ok(Notice::Other),
    }
}

fn order_of(id: Option<&String>) -> Result<OrderId, Unreadable> {
    let id = id.ok_or_else(|| Unreadable("it names no order in metadata.order_id".to_owned()))?;
    OrderId::parse(id).map_err(|error| Unreadable(format!("metadata.order_id: {error}")))
}

/// The id of an Event of Stripe's; a fingerprint of what is none.
#[must_use]
pub fn stripe_event_id(body: &[u8]) -> String {
    let named: Option<Value> = serde_json::from_slice(body).ok();
    let id = named.as_ref().and_then(|event| event["id"].as_str()).filter(|id| id.len() <= 200);
    id.map_or_else(|| Sha256::digest(body).iter().take(16).map(|byte| format!("{byte:02x}")).collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared_events::Money;

    const ORDER: &str = "ord_01h455vb4pex5vsknk084sn02q";
    const REFUND: &str = "ref_01h455vb4pex5vsknk084sn02q";

    fn euros(amount: &str) -> Money {
        Money::parse(amount, "EUR").unwrap()
    }

    fn stage(notice: Result<Notice, Unreadable>) -> Stage {
        let Ok(Notice::Payment(order, seen)) = notice else { panic!("{notice:?}") };
        assert_eq!(order.to_string(), ORDER);
        seen.stage
    }

    #[test]
    fn what_the_shops_own_service_says_is_understood() {
        let told = |kind: &str| {
            let amount = json!({"amount": "12.50", "currency": "EUR"});
            let data = json!({"orderId": ORDER, "paymentId": "p", "amount": amount, "reason": "declined", "more": 1});
            of_generic(json!({"type": kind, "data": data}).to_string().as_bytes())
        };
        assert_eq!(stage(told("payment.authorized")), Stage::Authorized(euros("12.50")));
        assert_eq!(stage(told("payment.completed")), Stage::Completed(euros("12.50")));
        assert_eq!(stage(told("payment.voided")), Stage::Voided);
        let failed = Stage::Failed { amount: euros("12.50"), reason: Some("declined".to_owned()) };
        assert_eq!(stage(told("payment.failed")), failed);
        assert_eq!(told("customer.created"), Ok(Notice::Other));
        let refund =
            json!({"type": "refund.completed", "data": {"orderId": ORDER, "refundId": REFUND, "reference": "r"}});
        let seen = SeenRefund { reference: Some("r".to_owned()), stage: RefundStage::Completed };
        let (order_id, refund_id) = (OrderId::parse(ORDER).unwrap(), RefundId::parse(REFUND).unwrap());
        let expected = Notice::Refund { order_id, refund_id, number: 1, seen };
        assert_eq!(of_generic(refund.to_string().as_bytes()), Ok(expected));
    }

    #[test]
    fn what_stripe_says_is_understood() {
        let told = |kind: &str, status: &str| {
            let object = json!({
                "id": "pi_1", "object": "payment_intent", "status": status, "amount": 1250, "currency": "eur",
                "amount_capturable": 1250, "amount_received": 1250, "metadata": {"order_id": ORDER},
                "last_payment_error": {"code": "card_declined", "decline_code": "lost_card"},
            });
            of_stripe(json!({"id": "evt_1", "type": kind, "data": {"object": object}}).to_string().as_bytes())
        };
        let held = told("payment_intent.amount_capturable_updated", "requires_capture");
        assert_eq!(stage(held), Stage::Authorized(euros("12.50")));
        assert_eq!(stage(told("payment_intent.succeeded", "succeeded")), Stage::Completed(euros("12.50")));
        assert_eq!(stage(told("payment_intent.canceled", "canceled")), Stage::Voided);
        let failed = Stage::Failed { amount: euros("12.50"), reason: Some("lost_card".to_owned()) };
        assert_eq!(stage(told("payment_intent.payment_failed", "requires_payment_method")), failed);
        assert_eq!(told("invoice.paid", "paid"), Ok(Notice::Other));
        let metadata = json!({"order_id": ORDER, "refund_id": REFUND, "part": "2"});
        let object = json!({"id": "re_1", "status": "failed", "failure_reason": "expired_card", "metadata": metadata});
        let refund = of_stripe(json!({"type": "refund.updated", "data": {"object": object}}).to_string().as_bytes());
        let Ok(Notice::Refund { number: 2, seen, .. }) = refund else { panic!("{refund:?}") };
        assert_eq!(seen.stage, RefundStage::Failed(Some("expired_card".to_owned())));
    }

    #[test]
    fn what_names_no_order_says_why() {
        for body in ["", "[]", "{}", r#"{"type": "payment.completed", "data": {}}"#] {
            of_generic(body.as_bytes()).unwrap_err();
        }
        let object = json!({"id": "pi_1", "status": "succeeded", "amount": 1, "currency": "eur"});
        let unnamed = json!({"type": "payment_intent.succeeded", "data": {"object": object}}).to_string();
        assert_eq!(of_stripe(unnamed.as_bytes()), Ok(Notice::Other), "it is no order's");
        let object = json!({"id": "re_1", "status": "succeeded"});
        let unnamed = json!({"type": "refund.updated", "data": {"object": object}}).to_string();
        assert!(of_stripe(unnamed.as_bytes()).unwrap_err().to_string().contains("names no order"));
        assert_eq!(stripe_event_id(br#"{"id": "evt_1"}"#), "evt_1");
        assert_eq!(stripe_event_id(b"garbage").len(), 32);
    }
}
