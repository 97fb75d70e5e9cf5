//! Making, changing and archiving products.

use super::answers::ProductAnswer;
use super::{App, problems, substance};
use crate::catalogue::{CatalogueError, Cause, NewProduct, Product, ProductChange};
use crate::causes;
use crate::domain::product::{BrokenRule, ProductDraft};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use service::idempotent::Attempt;
use service::{Answer, CommandRequest, Outcome};
use shared_events::inventory::{ProductDetails, ProductStatus};
use shared_events::money::MoneyInput;
use shared_events::{Attributes, Metadata, Money, ProductId};
use utoipa::ToSchema;
use web::{Caller, Consistency, ETag, IfMatch, JsonBody, OptionalJsonBody, PathParams, Problem, RequestContext};

const ATTEMPTS: u32 = 50;

/// A product that is to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewProductBody {
    /// The shop's own code for it, unique.
    sku: String,
    /// What people call it.
    name: String,
    /// What one piece costs from now on.
    price: MoneyInput,
    /// More words.
    description: Option<String>,
    /// Which tax rate applies; `standard` if none is given.
    tax_class: Option<String>,
    /// What the shop wants to remember about it.
    attributes: Option<Attributes>,
    /// Where it is sold.
    channel: Option<String>,
    /// Who sells it.
    legal_entity: Option<String>,
    /// Its id in another system.
    external_id: Option<String>,
    /// Whether more may be sold than there is.
    backorder: Option<bool>,
    /// Below this, stock is low.
    low_stock_threshold: Option<i64>,
}

/// What a product is to be from now on. What is absent stays as it is; null takes an optional part away.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductBody {
    /// The shop's own code for it, unique.
    sku: Option<String>,
    /// What people call it.
    name: Option<String>,
    /// What one piece costs from now on, unless that is so already.
    price: Option<MoneyInput>,
    /// More words.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Which tax rate applies.
    tax_class: Option<String>,
    /// What the shop wants to remember about it, as a whole.
    attributes: Option<Attributes>,
    /// Where it is sold.
    channel: Option<String>,
    /// Who sells it.
    legal_entity: Option<String>,
    /// Its id in another system.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    /// Whether more may be sold than there is.
    backorder: Option<bool>,
    /// Below this, stock is low.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    low_stock_threshold: Option<Option<i64>>,
    /// Whether it can be bought.
    status: Option<ProductStatus>,
}

impl NewProductBody {
    /// What a product that is there is to be: what the body leaves out stays.
    pub(super) fn onto(self, before: &Product) -> Result<ProductChange, Problem> {
        let price = parse_price(&self.price);
        let body = ProductBody {
            sku: None,
            name: Some(self.name),
            price: None,
            description: self.description.map(Some),
            tax_class: self.tax_class,
            attributes: self.attributes,
            channel: self.channel,
            legal_entity: self.legal_entity,
            external_id: self.external_id.map(Some),
            backorder: self.backorder,
            low_stock_threshold: self.low_stock_threshold.map(Some),
            status: None,
        };
        match (body.over(before.details.clone()).parse(), price) {
            (Ok(details), Ok(price)) => {
                let (product_id, expected) = (before.product_id, Some(before.version));
                Ok(ProductChange { product_id, details, price: Some(price), status: None, expected })
            }
            (details, price) => {
                let mut rules = details.err().unwrap_or_default();
                rules.extend(price.err());
                Err(problems::broken(rules))
            }
        }
    }

    pub(super) fn parse(self) -> Result<(ProductDetails, Money), Problem> {
        let price = parse_price(&self.price);
        let draft = ProductDraft {
            sku: self.sku,
            name: self.name,
            description: self.description,
            tax_class: self.tax_class,
            channel: self.channel,
            legal_entity: self.legal_entity,
            external_id: self.external_id,
            attributes: self.attributes.unwrap_or_default(),
            backorder: self.backorder.unwrap_or(false),
            low_stock_threshold: self.low_stock_threshold,
            images: Vec::new(),
        };
        match (draft.parse(), price) {
            (Ok(details), Ok(price)) => Ok((details, price)),
            (details, price) => {
                let mut rules = details.err().unwrap_or_default();
                rules.extend(price.err());
                Err(problems::broken(rules))
            }
        }
    }
}

/// What a request to make a product reserves: a repeat makes the same one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reserved {
    product_id: ProductId,
}

/// `POST /api/products`.
pub async fn post(
    State(app): State<App>,
    request: CommandRequest,
    JsonBody(body): JsonBody<NewProductBody>,
) -> Response {
    let reserve = json!(Reserved { product_id: ProductId::generate() });
    let metadata = causes::request(&request.caller, &request.context);
    let substance = substance(&body);
    let idempotency = app.idempotency.clone();
    idempotency
        .run(&request, &substance, reserve, move |attempt| async move {
            match create(&app, body, metadata, &attempt).await {
                Ok(answer) => Outcome::Appended(answer),
                Err(outcome) => outcome,
            }
        })
        .await
}

async fn create(app: &App, body: NewProductBody, metadata: Metadata, attempt: &Attempt) -> Result<Answer, Outcome> {
    let Reserved { product_id } = attempt.reserved()?;
    let (details, price) = body.parse()?;
    let new = NewProduct { product_id, details, price, now: web::request_context::now() };
    let made = ProductAnswer::of(new.made(), app.currency);
    let answer = Answer::json(201, &made)
        .etag(made.version)
        .location(format_args!("/api/products/{product_id}"))
        .consistency(&made.consistency());
    let cause = Cause { metadata, claim: attempt.done(&answer) };
    app.catalogue.create(new, cause).await.map_err(problems::outcome)?;
    Ok(answer)
}

/// `PUT /api/products/{id}`.
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    if_match: IfMatch,
    path: PathParams,
    OptionalJsonBody(body): OptionalJsonBody<ProductBody>,
) -> Result<Changed, Problem> {
    let product_id: ProductId = path.id("id")?;
    let metadata = causes::request(&caller, &context);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let change = change(&app, product_id, &if_match, body.clone()).await?;
        let cause = Cause { metadata: metadata.clone(), claim: None };
        match app.catalogue.update(change, cause).await {
            Ok(product) => return Ok(changed(ProductAnswer::of(product, app.currency))),
            // Somebody else changed it meanwhile. Who named no version does not mind.
            Err(CatalogueError::VersionMismatch { .. }) if if_match.version().is_none() && attempts < ATTEMPTS => {}
            Err(error) => return Err(problems::catalogue(error)),
        }
    }
}

/// What the product is to be: parts that the body leaves out stay as they are at the version that was read.
async fn change(
    app: &App,
    product_id: ProductId,
    if_match: &IfMatch,
    body: ProductBody,
) -> Result<ProductChange, Problem> {
    let before = app.catalogue.product(product_id).await.map_err(problems::catalogue)?;
    if_match.check(before.version)?;
    let price = body.price.as_ref().map(parse_price).transpose();
    let status = body.status;
    match (body.over(before.details).parse(), price) {
        (Ok(details), Ok(price)) => {
            Ok(ProductChange { product_id, details, price, status, expected: Some(before.version) })
        }
        (details, price) => {
            let mut rules = details.err().unwrap_or_default();
            rules.extend(price.err());
            Err(problems::broken(rules))
        }
    }
}

/// `DELETE /api/products/{id}`: archives it.
pub async fn archive(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    if_match: IfMatch,
    path: PathParams,
) -> Result<Changed, Problem> {
    let cause = Cause { metadata: causes::request(&caller, &context), claim: None };
    let archived = app.catalogue.archive(path.id("id")?, if_match.version(), cause).await;
    let product = archived.map_err(problems::catalogue)?;
    Ok(changed(ProductAnswer::of(product, app.currency)))
}

/// A product after a change.
type Changed = (ETag, Consistency, Json<ProductAnswer>);

fn changed(answer: ProductAnswer) -> Changed {
    (ETag(answer.version), answer.consistency(), Json(answer))
}

/// A price of a product: money that is not negative.
pub(super) fn parse_price(input: &MoneyInput) -> Result<Money, BrokenRule> {
    let broken = |rule: String| BrokenRule { pointer: "/price".to_owned(), rule };
    match input.parse() {
        Ok(price) if price.amount().is_sign_negative() && !price.amount().is_zero() => {
            Err(broken("must not be negative".to_owned()))
        }
        Ok(price) => Ok(price),
        Err(error) => Err(broken(error.to_string())),
    }
}

impl ProductBody {
    fn over(self, before: ProductDetails) -> ProductDraft {
        ProductDraft {
            sku: self.sku.unwrap_or(before.sku),
            name: self.name.unwrap_or(before.name),
            description: self.description.unwrap_or(before.description),
            tax_class: Some(self.tax_class.unwrap_or(before.tax_class)),
            channel: Some(self.channel.unwrap_or(before.channel)),
            legal_entity: Some(self.legal_entity.unwrap_or(before.legal_entity)),
            external_id: self.external_id.unwrap_or(before.external_id),
            attributes: self.attributes.unwrap_or(before.attributes),
            backorder: self.backorder.unwrap_or(before.backorder),
            low_stock_threshold: self.low_stock_threshold.unwrap_or(before.low_stock_threshold),
            images: before.images,
        }
    }
}

/// Tells null from absent.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
