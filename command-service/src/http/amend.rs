//! PUT /api/orders/{id}. New items take their stock before the order decides: what more they need is held beside what the
//! order has, so that it has one or the other whole, whatever happens in between.

use super::{
    resource::Resource,
    run::{OnOrder, fingerprint, key_of, once, order_id, refused},
};
use crate::{
    aggregate::OrderCommand,
    app::{App, concerned, confined_to, metadata, party},
    input::{AddressInput, Checks, ContactInput},
    inventory::{CatalogueProduct, Demand},
    orders::Request,
    pipeline::validate::ItemBody,
    rejections::problem,
    tables::{Destination, Tables},
};
use axum::{extract::State, response::Response};
use eventstore::{AppendError, ExecuteError};
use order::{
    AmendOrder, AmendedItem, FieldError, NewProduct, Order, OrderEvent, Rejection,
    pricing::{MOST_LINES, MOST_PIECES},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{CommandRequest, Outcome, PeerError, problem_of};
use shared_events::{Attributes, LineId, OrderId, ProductId, RefundId};
use std::collections::{BTreeMap, HashMap};
use web::{IfMatch, OptionalJsonBody, PathParams, Problem, etag, request_context::now};

const LONGEST_NOTE: usize = 2_000;
/// How often a change of items is begun anew when the order changes meanwhile.
const MOST_ATTEMPTS: usize = 10;

/// What is to change; what is missing stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmendBody {
    /// All items from now on: products on the order keep their price, others take today's.
    items: Option<Vec<ItemBody>>,
    /// Where it goes.
    shipping_address: Option<AddressInput>,
    /// Who gets the bill.
    billing_address: Option<AddressInput>,
    /// How the customer is reached.
    contact: Option<ContactInput>,
    /// What the customer wants to say.
    note: Option<String>,
}

/// Amends an order.
pub async fn put(
    State(app): State<App>,
    request: CommandRequest,
    if_match: IfMatch,
    params: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<AmendBody>,
) -> Result<Response, Problem> {
    let order_id = order_id(&params)?;
    let products = body.items.as_deref().map(identify).transpose()?;
    let amendment = amendment(&body, products.as_deref(), &app, &request);
    if products.is_some() {
        let (idempotency, of, fingerprint) = (app.idempotency.clone(), request.clone(), fingerprint(&body));
        let work = async move |_| {
            let amending = Amending { app: &app, request: &of, order_id, if_match, amendment };
            Box::pin(amending.items()).await.unwrap_or_else(|refused| refused)
        };
        return Ok(Box::pin(idempotency.run(&request, &fingerprint, Value::Null, work)).await);
    }
    let of = app.clone();
    let wanted = async move {
        let sealing_key = Some(key_of(&of, order_id).await?);
        let command = amendment.map(Into::into);
        Ok(OnOrder { order_id, command, answers: Resource::Order, if_match, command_id: None, sealing_key })
    };
    Ok(Box::pin(once(app, request, &body, wanted)).await)
}

/// The products of the items; none where an item names none.
fn identify(items: &[ItemBody]) -> Result<Vec<Option<ProductId>>, Problem> {
    let product = |(index, item): (usize, &ItemBody)| {
        let pointer = format!("/items/{index}/productId");
        let id = item.product_id.as_deref().map(ProductId::parse).transpose();
        id.map_err(|error| Problem::invalid_id(error.to_string()).with_error(&pointer, "INVALID_ID", error.to_string()))
    };
    items.iter().enumerate().map(product).collect()
}

/// What is wanted, before the order and the catalogue are asked.
fn amendment(
    body: &AmendBody,
    products: Option<&[Option<ProductId>]>,
    app: &App,
    request: &CommandRequest,
) -> Result<AmendOrder, Rejection> {
    let mut checks = Checks::default();
    let mut items = Vec::new();
    let quantities = body.items.iter().flatten().map(|item| item.quantity);
    for (index, (product_id, quantity)) in products.unwrap_or_default().iter().zip(quantities).enumerate() {
        if product_id.is_none() {
            checks.broken(format!("/items/{index}/productId"), "this field is required");
        }
        let pointer = format!("/items/{index}/quantity");
        match quantity.map(u32::try_from) {
            Some(Ok(quantity @ 1..=MOST_PIECES)) => {
                items.extend(product_id.map(|product_id| AmendedItem { product_id, quantity, new: None }));
            }
            Some(_) => checks.broken(pointer, format!("1 to {MOST_PIECES} pieces")),
            None => checks.broken(pointer, "this field is required"),
        }
    }
    if products.is_some_and(|products| products.is_empty() || products.len() > MOST_LINES) {
        checks.broken("/items", format!("1 to {MOST_LINES} items"));
    }
    let shipping_address =
        body.shipping_address.as_ref().and_then(|address| address.check("/shippingAddress", &mut checks));
    let billing_address =
        body.billing_address.as_ref().and_then(|address| address.check("/billingAddress", &mut checks));
    let contact = body.contact.as_ref().and_then(|contact| contact.check("/contact", &mut checks));
    let note = checks.optional("/note", body.note.as_deref(), LONGEST_NOTE);
    checks.finish()?;
    let now = now();
    Ok(AmendOrder {
        items: products.map(|_| items),
        shipping_address,
        billing_address,
        contact,
        note,
        reservation_revision: None,
        expires_at: now + app.config.payment_window,
        refund_id: RefundId::generate(),
        by: party(&request.caller),
        now,
    })
}

/// A change of an order's items.
struct Amending<'a> {
    app: &'a App,
    request: &'a CommandRequest,
    order_id: OrderId,
    if_match: IfMatch,
    amendment: Result<AmendOrder, Rejection>,
}

/// What came of one attempt.
enum Attempted {
    Done(Outcome),
    /// The order, or what is held for it, changed meanwhile.
    Overtaken {
        actual: i64,
    },
}

impl Amending<'_> {
    async fn items(&self) -> Result<Outcome, Outcome> {
        let mut version = 0;
        for _ in 0..MOST_ATTEMPTS {
            match self.attempt().await? {
                Attempted::Done(outcome) => return Ok(outcome),
                Attempted::Overtaken { actual } => version = actual,
            }
        }
        Ok(etag::mismatch(version).into())
    }

    async fn attempt(&self) -> Result<Attempted, Outcome> {
        let order = self.order().await?;
        let mut amendment = self.amendment.clone().map_err(problem)?;
        amendment.expires_at = amendment.now + self.app.config.payment_window_of(order.payment_method);
        self.name_new_products(&order, &mut amendment).await?;
        let decided = order::decide(&order, amendment.clone()).map_err(problem)?;
        let moves_stock = decided.iter().any(|event| matches!(event, OrderEvent::OrderAmended(e) if e.lines.is_some()));
        if moves_stock && order.reservation.is_some() {
            match self.hold(&order, &amendment).await? {
                Some(revision) => amendment.reservation_revision = Some(revision),
                None => return Ok(Attempted::Overtaken { actual: order.version }),
            }
        }
        let key = self.app.orders.keys().for_own_append(&concerned(&order)).await;
        let to_execute = Request {
            order_id: self.order_id,
            command: OrderCommand { confined_to: None, command: Ok(amendment.into()) },
            expected_version: Some(order.version),
            command_id: None,
            metadata: metadata(self.request),
            sealing_key: Some(key.map_err(|error| problem_of(&error))?),
        };
        let error = match self.app.orders.execute(to_execute, |_| None).await {
            Ok(order) => return Ok(Attempted::Done(Outcome::Answered(self.app.answer(&order, self.request)))),
            Err(error) => error,
        };
        let unknown = matches!(&error, ExecuteError::Append(AppendError::Unknown));
        if moves_stock
            && !unknown
            && let Err(error) = self.app.stock_check.settle(self.order_id).await
        {
            tracing::debug!(order.id = %self.order_id, %error, "the reservation will be brought back by its timer");
        }
        match error {
            ExecuteError::VersionMismatch { actual } if self.if_match.version().is_none() => {
                Ok(Attempted::Overtaken { actual })
            }
            error => Err(refused(error)),
        }
    }

    /// The order, if it is there for the caller, and as the caller saw it.
    async fn order(&self) -> Result<Order, Outcome> {
        let confined_to = confined_to(&self.request.caller)?;
        let order = self.app.orders.load(self.order_id).await.map_err(refused)?;
        let order = order.filter(|order| confined_to.is_none_or(|customer| order.customer_id == Some(customer)));
        let order = order.ok_or_else(|| Problem::not_found("there is no such order"))?;
        match self.if_match.version() {
            Some(expected) if expected != order.version => Err(etag::mismatch(order.version).into()),
            _ => Ok(order),
        }
    }

    /// Products that come onto the order are as the catalogue has them today.
    async fn name_new_products(&self, order: &Order, amendment: &mut AmendOrder) -> Result<(), Outcome> {
        let is_new = |item: &AmendedItem| order.lines.iter().all(|line| line.product_id != item.product_id);
        let items = amendment.items.iter_mut().flatten().enumerate().filter(|(_, item)| is_new(item));
        let mut items: Vec<(usize, &mut AmendedItem)> = items.collect();
        if items.is_empty() {
            return Ok(());
        }
        let ids: Vec<ProductId> = items.iter().map(|(_, item)| item.product_id).collect();
        let found = self.app.inventory.products(&ids, order.currency).await.map_err(PeerError::into_problem)?;
        let found: HashMap<_, _> = found.into_iter().map(|product| (product.product_id, product)).collect();
        let shipping = amendment.shipping_address.as_ref().or(order.shipping_address.as_ref());
        let billing = amendment.billing_address.as_ref().or(order.billing_address.as_ref());
        let destination = Destination::of(shipping, billing);
        let mut errors = Vec::new();
        for (index, item) in &mut items {
            match new_product(found.get(&item.product_id), order, &destination, &self.app.tables.now()) {
                Ok(new) => item.new = Some(new),
                Err(detail) => errors.push(FieldError::new(format!("/items/{index}/productId"), detail)),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(problem(Rejection::Invalid(errors)).into()) }
    }

    /// Holds what the new items need more, and gives the revision under which the order is to ask for them; none
    /// where somebody else was faster. What they need less is given up by the order's own event.
    async fn hold(&self, order: &Order, amendment: &AmendOrder) -> Result<Option<i32>, Outcome> {
        let held = order.held_quantities();
        let mut demand = held.clone();
        let mut wanted = BTreeMap::<ProductId, u32>::new();
        for item in amendment.items.iter().flatten() {
            let sum = wanted.entry(item.product_id).or_default();
            *sum = sum.saturating_add(item.quantity);
        }
        for (product, pieces) in wanted {
            let most = demand.entry(product).or_default();
            *most = pieces.max(*most);
        }
        let revision = self.app.inventory.next_revision(order.id, order.reservation_revision()).await;
        let revision = revision.map_err(PeerError::into_problem)?;
        if demand == held {
            return Ok(Some(revision));
        }
        let watched = self.app.stock_check.watch(order.id, revision).await;
        watched.map_err(|error| problem_of(&error))?;
        let demand: Vec<Demand> =
            demand.into_iter().map(|(product_id, quantity)| Demand { product_id, quantity: quantity.into() }).collect();
        let reserved = self.app.inventory.reserve(order.id, revision, &demand).await.map_err(super::stock::shortage)?;
        Ok(reserved.holds(revision, &demand).then_some(revision))
    }
}

fn new_product(
    product: Option<&CatalogueProduct>,
    order: &Order,
    destination: &Destination,
    tables: &Tables,
) -> Result<NewProduct, String> {
    let product = product.ok_or("there is no such product")?;
    let unit_price = product.sold_for(order.currency)?;
    Ok(NewProduct {
        line_id: LineId::generate(),
        sku: product.sku.clone(),
        name: product.name.clone(),
        unit_price: unit_price.amount(),
        tax_rate: tables.tax_rate(destination, &product.tax_class),
        channel: order.channel.clone(),
        legal_entity: order.legal_entity.clone(),
        attributes: Attributes::new(),
    })
}
