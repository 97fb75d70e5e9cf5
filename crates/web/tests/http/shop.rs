//! A service of a few routes, its issuer, and one request to it.

use axum::body::Body;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use utoipa::{IntoParams, ToSchema};
use web::auth::{JwksSource, ServiceToken, TokenVerifier, VerifierConfig, authenticate};
use web::pagination::{Limit, PageParams};
use web::*;

pub const SERVICE_TOKEN: &str = "a-service-token-of-the-tests";

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Thing {
    pub name: String,
    #[serde(default)]
    pub parts: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    pub quantity: u32,
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct Filter {
    pub status: Option<String>,
    #[serde(default)]
    #[param(inline)]
    pub limit: Limit,
    pub at: Option<i64>,
}

pub fn routes() -> Routes<()> {
    Routes::new("shop")
        .get("/things", Access::Public, Doc::new("All things").query::<Filter>().answers::<Vec<Part>>(200), list)
        .post(
            "/api/things",
            Access::Scope(Scope::OrdersWrite),
            Doc::new("A thing").body::<Thing>().answers::<Part>(201),
            add,
        )
        .alias("/thing")
        .get("/api/things/{id}", Access::Any, Doc::new("One thing").answers::<Part>(200), one)
        .post("/api/things/{id}/seen", Access::Internal(Scope::EventsRead), Doc::new("Seen").answers_empty(200), seen)
        .alias("/things/{id}/seen")
        .with_state("state")
}

async fn list(State(_): State<&'static str>, QueryParams(filter): QueryParams<Filter>) -> Json<Value> {
    Json(json!({"limit": filter.limit.get(), "status": filter.status, "at": filter.at}))
}

async fn add(caller: Caller, JsonBody(thing): JsonBody<Thing>) -> (StatusCode, ETag, Consistency, Json<Value>) {
    let body = Json(json!({"name": thing.name, "parts": thing.parts, "by": caller.subject}));
    (StatusCode::CREATED, ETag(3), Consistency::of("ord_1", 3), body)
}

async fn one(params: PathParams) -> Result<Json<Value>, Problem> {
    let id: u32 = params.id("id")?;
    Ok(Json(json!({"id": id})))
}

async fn seen(
    params: PathParams,
    template: axum::Extension<RouteTemplate>,
    body: OptionalJsonBody<PageParamsBody>,
) -> String {
    drop(body);
    template.concrete(&params)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageParamsBody {
    #[expect(dead_code, reason = "only whether it can be read matters")]
    pub note: Option<String>,
}

pub fn keys() -> (EncodingKey, JwkSet) {
    let secret = p256::SecretKey::from_slice(&[7; 32]).expect("a number below the order of the curve");
    let key = EncodingKey::from_ec_der(secret.to_pkcs8_der().expect("a P-256 key has a PKCS#8 form").as_bytes());
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a P-256 key has a JWK form");
    jwk.common.key_id = Some("k1".to_owned());
    (key, JwkSet { keys: vec![jwk] })
}

pub fn verifier(source: JwksSource) -> TokenVerifier {
    let service_token = ServiceToken::parse(SERVICE_TOKEN).ok();
    TokenVerifier::new(
        VerifierConfig { issuer: "http://issuer".to_owned(), audience: "oms".to_owned(), service_token },
        source,
    )
}

pub fn shop() -> Router {
    shop_with(verifier(JwksSource::Static(keys().1)))
}

pub fn shop_with(verifier: TokenVerifier) -> Router {
    routes()
        .into_router()
        .fallback(|| async { Problem::not_found("no such path").into_response() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed("no such method").into_response() })
        .layer(middleware::from_fn_with_state(verifier, authenticate))
        .layer(from_fn(request_context::provide))
}

pub fn claims() -> Value {
    let now = request_context::now().timestamp();
    json!({
        "iss": "http://issuer", "aud": "oms", "sub": "usr_1", "client_id": "storefront", "role": "customer",
        "scope": "orders:write orders:read", "iat": now, "exp": now + 600, "jti": "token-1", "sid": "session-1",
        "email": "ada@example.org",
    })
}

pub fn sign(claims: &Value) -> String {
    let header = Header { typ: Some("at+jwt".to_owned()), kid: Some("k1".to_owned()), ..Header::new(Algorithm::ES256) };
    sign_with(&header, claims)
}

pub fn sign_with(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &keys().0).expect("claims are JSON and the key fits ES256")
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["error"], self.body["detail"]);
        assert_eq!(self.body["status"], status);
        assert!(self.body["traceId"].as_str().is_some_and(|id| id.len() == 32));
        assert!(self.body["instance"].as_str().is_some_and(|path| path.starts_with('/')));
    }
}

pub async fn send(router: Router, request: Request<Body>) -> Answer {
    let response: Response = router.oneshot(request).await.expect("a router never fails");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("the body is in memory").to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status.as_u16(), headers: parts.headers, body, text }
}

pub async fn get(path: &str, headers: &[(&str, &str)]) -> Answer {
    send(shop(), request("GET", path, headers, Body::empty())).await
}

pub async fn post(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    send(shop(), request("POST", path, headers, body.into())).await
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body).expect("method, path and headers are valid")
}

/// Only so that the type of list parameters is seen to work flattened out of a query string.
#[derive(Debug, Deserialize)]
pub struct Flattened {
    #[serde(flatten)]
    pub page: PageParams,
}
