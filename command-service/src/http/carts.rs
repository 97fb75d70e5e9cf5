//! Carts over HTTP: made, filled, merged on login, checked out. Prices are asked of the catalogue whenever a cart is
//! answered; a guest's cart is open to whoever knows its id and is no customer.

mod answer;

pub use answer::CartAnswer;

use super::run::fingerprint;
use crate::{
    app::{App, confined_to},
    carts::{Cart, CartStatus},
    input::Checks,
    pipeline::{
        source,
        validate::{MOST_LINES, customer, pieces},
    },
    rejections,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use order::pricing::MOST_PIECES;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Answer, CommandRequest, PeerError};
use shared_events::{CartId, Currency, ProductId, UserId};
use web::{Caller, ETag, IfMatch, JsonBody, OptionalJsonBody, PathParams, Problem};

/// How often a change is begun anew when the cart changes meanwhile.
const MOST_ATTEMPTS: usize = 10;

/// POST /api/carts: which cart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCartBody {
    /// ISO 4217; the shop's own where missing.
    currency: Option<String>,
    /// Whose it is; a customer's own token needs none, without one staff and services make a guest's.
    customer_id: Option<String>,
}

/// PUT …/items/{productId}: how much of it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CartItemBody {
    /// 1 to 9,999 pieces in all, not more of them.
    quantity: Option<i64>,
}

/// POST …/merge: into whose cart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MergeBody {
    /// Whose; a customer's own token needs none.
    customer_id: Option<String>,
}

/// POST …/checked-out: nothing has to be said.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckedOutBody {}

/// POST /api/carts
pub async fn create(
    State(app): State<App>,
    request: CommandRequest,
    OptionalJsonBody(body): OptionalJsonBody<NewCartBody>,
) -> Result<Response, Problem> {
    let named = body.customer_id.as_deref().map(|id| (id, "/customerId"));
    let customer_id = customer(named, &request.caller)?;
    let (idempotency, fingerprint) = (app.idempotency.clone(), fingerprint(&body));
    let work = async move |_| Box::pin(open(&app, &body, customer_id)).await.into();
    Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await)
}

async fn open(app: &App, body: &NewCartBody, customer_id: Option<UserId>) -> Result<Answer, Problem> {
    let mut checks = Checks::default();
    let currency = body.currency.as_deref().and_then(|code| checks.value("/currency", Currency::parse(code)));
    checks.finish().map_err(rejections::problem)?;
    let cart = opened(app, customer_id, currency).await?;
    let answer = answer(app, 201, &cart).await?;
    Ok(answer.location(format_args!("/api/carts/{}", cart.cart_id)))
}

/// A new cart, or the customer's open one, which takes the currency that is wanted now.
async fn opened(app: &App, customer_id: Option<UserId>, currency: Option<Currency>) -> Result<Cart, Problem> {
    for _ in 0..MOST_ATTEMPTS {
        let mut cart = app.carts.open(customer_id, currency.unwrap_or(app.config.currency)).await?;
        let Some(currency) = currency.filter(|currency| *currency != cart.currency) else { return Ok(cart) };
        cart.currency = currency;
        if let Some(saved) = app.carts.save(&cart).await? {
            return Ok(saved);
        }
    }
    Err(keeps_changing())
}

/// GET /api/carts/{cartId}
pub async fn get(State(app): State<App>, caller: Caller, params: PathParams) -> Result<Response, Problem> {
    let cart = source::cart(&app, params.id("cartId")?, &caller, None).await?;
    respond(&app, &cart).await
}

/// GET /cart/{userId}: the open cart of a user.
pub async fn of_user(State(app): State<App>, caller: Caller, params: PathParams) -> Result<Response, Problem> {
    let user: UserId = params.id("userId")?;
    let nothing = || Problem::not_found("this user has no open cart");
    if confined_to(&caller)?.is_some_and(|own| own != user) {
        return Err(nothing());
    }
    respond(&app, &app.carts.open_of(user).await?.ok_or_else(nothing)?).await
}

/// PUT /api/carts/{cartId}/items/{productId}
pub async fn put_item(
    State(app): State<App>,
    caller: Caller,
    if_match: IfMatch,
    params: PathParams,
    JsonBody(body): JsonBody<CartItemBody>,
) -> Result<Response, Problem> {
    let (cart_id, product_id) = (params.id("cartId")?, params.id::<ProductId>("productId")?);
    let cart = found(&app, cart_id, &caller, &if_match).await?;
    let mut checks = Checks::default();
    let quantity = pieces(body.quantity, "/quantity", &mut checks);
    let is_new = cart.lines.iter().all(|line| line.product_id != product_id);
    if is_new && cart.lines.len() >= MOST_LINES {
        checks.broken("/productId", format!("a cart has at most {MOST_LINES} products"));
    }
    let products = app.inventory.products(&[product_id], cart.currency).await.map_err(PeerError::into_problem)?;
    let sold = products.first().ok_or_else(|| format!("there is no product {product_id}"));
    if let Err(detail) = sold.and_then(|product| product.sold_for(cart.currency)) {
        checks.broken("/productId", detail);
    }
    checks.finish().map_err(rejections::problem)?;
    let change = |cart: &mut Cart| cart.put(product_id, quantity.unwrap_or(1));
    changed(&app, cart, &caller, &if_match, change).await
}

/// DELETE /api/carts/{cartId}/items/{productId}
pub async fn delete_item(
    State(app): State<App>,
    caller: Caller,
    if_match: IfMatch,
    params: PathParams,
) -> Result<Response, Problem> {
    let (cart_id, product_id) = (params.id("cartId")?, params.id::<ProductId>("productId")?);
    let cart = found(&app, cart_id, &caller, &if_match).await?;
    changed(&app, cart, &caller, &if_match, |cart| cart.put(product_id, 0)).await
}

/// The cart as the caller saw it.
async fn found(app: &App, cart_id: CartId, caller: &Caller, if_match: &IfMatch) -> Result<Cart, Problem> {
    let cart = source::cart(app, cart_id, caller, None).await?;
    if_match.check(cart.version)?;
    Ok(cart)
}

/// Changes a cart, again where somebody else changed it meanwhile and the caller named no version.
async fn changed(
    app: &App,
    mut cart: Cart,
    caller: &Caller,
    if_match: &IfMatch,
    change: impl Fn(&mut Cart),
) -> Result<Response, Problem> {
    for _ in 0..MOST_ATTEMPTS {
        if cart.status != CartStatus::Open {
            return Err(checked_out(&cart));
        }
        let before = cart.lines.clone();
        change(&mut cart);
        if cart.lines == before {
            return respond(app, &cart).await;
        }
        if let Some(saved) = app.carts.save(&cart).await? {
            return respond(app, &saved).await;
        }
        cart = found(app, cart.cart_id, caller, if_match).await?;
    }
    Err(keeps_changing())
}

/// POST /api/carts/{cartId}/merge
pub async fn merge(
    State(app): State<App>,
    request: CommandRequest,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<MergeBody>,
) -> Result<Response, Problem> {
    let cart_id = params.id("cartId")?;
    let named = body.customer_id.as_deref().map(|id| (id, "/customerId"));
    let customer_id = customer(named, &request.caller)?;
    let (idempotency, fingerprint) = (app.idempotency.clone(), fingerprint(&body));
    let work = async move |_| Box::pin(merged(&app, cart_id, customer_id)).await.into();
    Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await)
}

async fn merged(app: &App, cart_id: CartId, customer_id: Option<UserId>) -> Result<Answer, Problem> {
    for _ in 0..MOST_ATTEMPTS {
        let guest = app.carts.find(cart_id).await?;
        let is_there = |cart: &Cart| cart.customer_id.is_none() || cart.customer_id == customer_id;
        let guest = guest.filter(is_there).ok_or_else(|| Problem::not_found("there is no such cart"))?;
        let Some(customer_id) = customer_id else {
            return Err(Problem::invalid_field("/customerId", "this field is required"));
        };
        if guest.status == CartStatus::CheckedOut {
            return Err(checked_out(&guest));
        }
        let own = app.carts.open_of(customer_id).await?;
        if guest.customer_id.is_some() {
            return answer(app, 200, &guest).await;
        }
        if guest.status == CartStatus::Merged {
            let into = own.filter(|own| guest.merged_into == Some(own.cart_id));
            let into = into.ok_or_else(|| Problem::not_found("there is no such cart"))?;
            return answer(app, 200, &into).await;
        }
        let mut own = match own {
            Some(own) => own,
            None => app.carts.open(Some(customer_id), guest.currency).await?,
        };
        own.take_over(&guest.lines, MOST_PIECES);
        if own.lines.len() > MOST_LINES {
            return Err(Problem::invalid_field("/cartId", format!("a cart has at most {MOST_LINES} products")));
        }
        if let Some(merged) = app.carts.save_merged(&guest, &own).await? {
            return answer(app, 200, &merged).await;
        }
    }
    Err(Problem::unavailable("the carts keep changing; try again"))
}

/// POST /api/carts/{cartId}/checked-out
pub async fn check_out(
    State(app): State<App>,
    request: CommandRequest,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<CheckedOutBody>,
) -> Result<Response, Problem> {
    let cart_id = params.id("cartId")?;
    let (idempotency, fingerprint, caller) = (app.idempotency.clone(), fingerprint(&body), request.caller.clone());
    let work = async move |_| Box::pin(marked(&app, cart_id, &caller)).await.into();
    Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await)
}

async fn marked(app: &App, cart_id: CartId, caller: &Caller) -> Result<Answer, Problem> {
    for _ in 0..MOST_ATTEMPTS {
        let mut cart = source::cart(app, cart_id, caller, None).await?;
        if cart.status == CartStatus::CheckedOut {
            return answer(app, 200, &cart).await;
        }
        cart.status = CartStatus::CheckedOut;
        if let Some(saved) = app.carts.save(&cart).await? {
            return answer(app, 200, &saved).await;
        }
    }
    Err(keeps_changing())
}

fn keeps_changing() -> Problem {
    Problem::unavailable("the cart keeps changing; try again")
}

fn checked_out(cart: &Cart) -> Problem {
    let problem = Problem::cart_checked_out("this cart is checked out and cannot be changed");
    if cart.is_ordered { problem.with_extension("orderId", cart.order_id.to_string()) } else { problem }
}

/// The cart, priced at this moment.
async fn answer(app: &App, status: u16, cart: &Cart) -> Result<Answer, Problem> {
    let priced = CartAnswer::priced(app, cart).await?;
    let answer = Answer::json(status, &priced).etag(cart.version);
    Ok(match cart.customer_id {
        Some(customer) => answer.concerning(customer),
        None => answer,
    })
}

async fn respond(app: &App, cart: &Cart) -> Result<Response, Problem> {
    Ok((ETag(cart.version), Json(CartAnswer::priced(app, cart).await?)).into_response())
}
