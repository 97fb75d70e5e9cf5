//! POST /api/checkout and its alias: a cart or items become a quote, with prices that hold for a while.

use super::run::fingerprint;
use crate::{
    app::App,
    carts::CartStatus,
    discounts::user_of,
    input::{AddressInput, Checks},
    pipeline::{
        offer,
        quote::{self, ToQuote},
        source::{Source, find},
        validate::{Draft, Identified, ItemBody, PlaceOrderBody, identify, validate},
    },
    quotes::QuoteAnswer,
    rejections,
};
use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Answer, CommandRequest};
use shared_events::OrderId;
use web::{JsonBody, Problem};

/// What is to be quoted.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckoutBody {
    /// The cart.
    cart_id: Option<String>,
    /// What is bought, where that is no cart.
    items: Option<Vec<ItemBody>>,
    /// ISO 4217; the cart's or the shop's own where missing.
    currency: Option<String>,
    /// Where it goes; required.
    shipping_address: Option<AddressInput>,
    /// The code of a discount.
    discount_code: Option<String>,
    /// card, bank_transfer, paypal, invoice, cash_on_delivery or other.
    payment_method: Option<String>,
    /// The code of a shipping method; the usual one where missing.
    shipping_method: Option<String>,
    /// The customer; a customer's own token needs none, without one staff and services quote for a guest.
    customer_id: Option<String>,
}

impl CheckoutBody {
    /// A quote is of what an order would be of.
    fn as_order(&self) -> PlaceOrderBody {
        PlaceOrderBody {
            customer_id: self.customer_id.clone(),
            items: self.items.clone(),
            cart_id: self.cart_id.clone(),
            currency: self.currency.clone(),
            shipping_address: self.shipping_address.clone(),
            payment_method: self.payment_method.clone(),
            shipping_method: self.shipping_method.clone(),
            discount_code: self.discount_code.clone(),
            ..PlaceOrderBody::default()
        }
    }
}

/// Makes a quote.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<CheckoutBody>,
) -> Result<Response, Problem> {
    let order = body.as_order();
    let identified = identify(&order, &request.caller)?;
    let (idempotency, fingerprint, of) = (app.idempotency.clone(), fingerprint(&body), request.clone());
    let work = async move |_| Box::pin(quoted(&app, &of, order, identified)).await.into();
    Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await)
}

async fn quoted(
    app: &App,
    request: &CommandRequest,
    body: PlaceOrderBody,
    identified: Identified,
) -> Result<Answer, Problem> {
    let source = find(app, &identified, &request.caller).await?;
    let (asks_payment, has_address) = (body.payment_method.is_some(), body.shipping_address.is_some());
    let draft = validate(body, identified, &source, app.config.currency).map_err(rejections::problem)?;
    let mut checks = Checks::default();
    if !has_address {
        checks.broken("/shippingAddress", "this field is required");
    }
    checks.finish().map_err(rejections::problem)?;
    let (order_id, cart) = match &source {
        Source::Cart(cart) if cart.status == CartStatus::CheckedOut => {
            let problem = Problem::cart_checked_out("this cart has become an order already");
            let ordered = cart.is_ordered.then(|| cart.order_id.to_string());
            return Err(ordered.into_iter().fold(problem, |problem, id| problem.with_extension("orderId", id)));
        }
        Source::Cart(cart) => (cart.order_id, Some((cart.cart_id, cart.version))),
        Source::Items | Source::Quote(..) => (OrderId::generate(), None),
    };
    let user = user_of(draft.customer_id, None);
    let granted = offer::discount(app, draft.discount_code.as_deref(), draft.currency, user.as_deref()).await?;
    let Draft { customer_id, items, currency, shipping_method, payment_method, shipping_address, .. } = draft;
    let wanted = ToQuote {
        order_id,
        cart,
        customer_id,
        items,
        currency,
        shipping_method,
        discount: granted.map(|(granted, _)| granted),
        payment_method: asks_payment.then_some(payment_method),
        shipping_address,
    };
    let quote = quote::make(app, wanted).await?;
    let answer = Answer::json(200, &QuoteAnswer::from(&quote));
    Ok(match customer_id {
        Some(customer) => answer.concerning(customer),
        None => answer,
    })
}
