//! Pictures of products: written by staff, read by anyone.

use super::answers::ImageAnswer;
use super::{App, problems};
use crate::catalogue::{CatalogueError, Cause, Product, ProductChange};
use crate::causes;
use crate::domain::image::{MOST_IMAGES, described, format_of, is_name, with};
use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use service::unavailable_or_internal;
use shared_events::ProductId;
use shared_events::inventory::ProductImage;
use utoipa::ToSchema;
use web::json_body::{LARGEST_BODY, read_limited};
use web::{Caller, Consistency, ETag, IfMatch, PathParams, Problem, RequestContext};

const ATTEMPTS: usize = 50;
/// A name may get other bytes; five minutes later everybody has seen them.
const CACHING: &str = "public, max-age=300";

/// The bytes of a picture, of 1 MiB at most as every body.
#[derive(Debug)]
pub struct ImageBody {
    bytes: Bytes,
    content_type: &'static str,
}

/// A picture that was kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptImage {
    /// The product.
    product_id: ProductId,
    /// The picture.
    #[serde(flatten)]
    image: ImageAnswer,
    /// The product's version.
    version: i64,
}

impl<S: Sync> FromRequest<S> for ImageBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_limited(body, LARGEST_BODY).await?;
        let said = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let said = said.split(';').next().unwrap_or_default().trim();
        let content_type = format_of(&bytes).filter(|content_type| said.eq_ignore_ascii_case(content_type));
        let detail = "the body must be a PNG, JPEG, GIF, WebP or AVIF picture, sent as the media type that it has";
        Ok(Self { bytes, content_type: content_type.ok_or_else(|| Problem::unsupported_media_type(detail))? })
    }
}

/// `PUT /api/products/{id}/images/{name}`: the bytes first, then the event that names them.
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    if_match: IfMatch,
    path: PathParams,
    body: ImageBody,
) -> Result<(ETag, Consistency, Json<KeptImage>), Problem> {
    let product_id: ProductId = path.id("id")?;
    let before = app.catalogue.product(product_id).await.map_err(problems::catalogue)?;
    if_match.check(before.version)?;
    let name = path.get("name");
    if !is_name(name) {
        let rule = "must have 1 to 100 letters, digits, `.`, `-` or `_`, and no `.` at its beginning";
        return Err(Problem::invalid_field("/name", rule));
    }
    let image = described(name, body.content_type, &body.bytes);
    if with(before.details.images, image.clone()).len() > MOST_IMAGES {
        return Err(Problem::invalid_field("/images", format!("a product has at most {MOST_IMAGES} pictures")));
    }
    app.images
        .put(product_id, &image.sha256, body.bytes)
        .await
        .map_err(|error| unavailable_or_internal(&error, true))?;
    let kept = image.clone();
    let product = change(&app, product_id, &if_match, &caller, &context, |images| with(images, kept.clone())).await?;
    let image = ImageAnswer::of(product_id, image);
    let consistency = Consistency::of(product_id, product.version);
    Ok((ETag(product.version), consistency, Json(KeptImage { product_id, image, version: product.version })))
}

/// `DELETE /api/products/{id}/images/{name}`: it is no longer the product's. Its bytes stay in the store.
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    context: RequestContext,
    if_match: IfMatch,
    path: PathParams,
) -> Result<(StatusCode, ETag, Consistency, ()), Problem> {
    let product_id: ProductId = path.id("id")?;
    let before = app.catalogue.product(product_id).await.map_err(problems::catalogue)?;
    let name = image_of(&before, path.get("name"))?.name.clone();
    if_match.check(before.version)?;
    let without = |mut images: Vec<ProductImage>| {
        images.retain(|image| image.name != name);
        images
    };
    let product = change(&app, product_id, &if_match, &caller, &context, without).await?;
    Ok((StatusCode::NO_CONTENT, ETag(product.version), Consistency::of(product_id, product.version), ()))
}

/// `GET /api/products/{id}/images/{name}`.
pub async fn get(State(app): State<App>, headers: HeaderMap, path: PathParams) -> Result<Response, Problem> {
    let product_id: ProductId = path.id("id")?;
    let product = app.catalogue.product(product_id).await.map_err(problems::catalogue)?;
    let image = image_of(&product, path.get("name"))?;
    let tag = format!("\"{}\"", image.sha256);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let said = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, CACHING)];
    if known.split(',').any(|one| matches!(one.trim().trim_start_matches("W/"), "*") || one.trim().ends_with(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, said).into_response());
    }
    let bytes = app.images.get(product_id, &image.sha256).await;
    let bytes = bytes.map_err(|error| unavailable_or_internal(&error, true))?;
    Ok((said, [(header::CONTENT_TYPE, image.content_type.as_str())], Body::from(bytes)).into_response())
}

fn image_of<'a>(product: &'a Product, name: &str) -> Result<&'a ProductImage, Problem> {
    let image = product.details.images.iter().find(|image| image.name == name);
    image.ok_or_else(|| Problem::not_found(format!("product {} has no such picture", product.product_id)))
}

/// Gives a product other pictures, on top of whatever else changes meanwhile.
async fn change(
    app: &App,
    product_id: ProductId,
    if_match: &IfMatch,
    caller: &Caller,
    context: &RequestContext,
    change: impl Fn(Vec<ProductImage>) -> Vec<ProductImage> + Send + Sync,
) -> Result<Product, Problem> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let before = app.catalogue.product(product_id).await.map_err(problems::catalogue)?;
        if_match.check(before.version)?;
        let mut details = before.details;
        details.images = change(details.images);
        let expected = Some(before.version);
        let change = ProductChange { product_id, details, price: None, status: None, expected };
        let cause = Cause { metadata: causes::request(caller, context), claim: None };
        match app.catalogue.update(change, cause).await {
            Ok(product) => return Ok(product),
            Err(CatalogueError::VersionMismatch { .. }) if if_match.version().is_none() && attempts < ATTEMPTS => {}
            Err(error) => return Err(problems::catalogue(error)),
        }
    }
}
