//! One service on a database of its own, and the few requests that every test makes.

use auth_service::{ClientSpec, Config, Directory, Grant, Keys, Role, Secrecy, Secret, Surroundings};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use test_support::TestDatabase;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use web::auth::{JwksError, Revocations};
use web::{JwksSource, Scopes, ServiceToken, TokenVerifier, VerifierConfig};

pub const ISSUER: &str = "http://127.0.0.1:8080";
pub const SERVICE_TOKEN: &str = "a-service-token-for-tests";
pub const PASSWORD: &str = "correct horse battery staple";

pub struct Harness {
    router: Router,
    pub pool: pg::Pool,
    pub directory: Directory,
    pub keys: Arc<Keys>,
    pub database: TestDatabase,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

pub struct TestClient {
    pub id: String,
    pub secret: String,
}

impl TestClient {
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.secret)))
    }
}

impl Harness {
    pub async fn new() -> Self {
        Self::with_rate_limit(false).await
    }

    pub async fn with_rate_limit(rate_limit: bool) -> Self {
        let database = test_support::database().await;
        Self::on(database, Config { key_encryption_key: None, key_rotation: None, rate_limit, mail: None }).await
    }

    pub async fn on(database: TestDatabase, config: Config) -> Self {
        Self::issued_by(database, config, ISSUER).await
    }

    pub async fn issued_by(database: TestDatabase, config: Config, issuer: &str) -> Self {
        let router: Arc<std::sync::OnceLock<Router>> = Arc::default();
        let source = Arc::clone(&router);
        let fetch = Arc::new(move || -> futures_util::future::BoxFuture<'static, _> {
            let router = source.get().expect("the router is there before the first request").clone();
            Box::pin(async move {
                let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
                let answer = router.oneshot(request).await.unwrap();
                let bytes = answer.into_body().collect().await.unwrap().to_bytes();
                serde_json::from_slice(&bytes).map_err(|error| JwksError(error.to_string()))
            })
        });
        let verifier = TokenVerifier::new(
            VerifierConfig {
                issuer: issuer.to_owned(),
                audience: "oms".to_owned(),
                service_token: Some(ServiceToken::parse(SERVICE_TOKEN).unwrap()),
            },
            JwksSource::Fetch(fetch),
        );
        let surroundings = Surroundings { issuer: issuer.to_owned(), ..surroundings(verifier.revocations().clone()) };
        let opened = auth_service::open(&database, config, surroundings).await.unwrap();
        let inner = opened.routes.into_router();
        router.set(inner.clone()).expect("it is set once");
        let authenticate = axum::middleware::from_fn_with_state(verifier.clone(), web::auth::authenticate);
        let provide = axum::middleware::from_fn(web::request_context::provide);
        let router = inner.layer(authenticate).layer(provide);
        let directory = Directory::open(&database).await.unwrap();
        Self { router, pool: opened.pool, directory, keys: opened.keys, database }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| text(&bytes))
        };
        Answer { status, headers, body }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(json_request(Method::POST, path, None, body)).await
    }

    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(json_request(Method::POST, path, Some(token), body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.call_as(Method::GET, token, path).await
    }

    pub async fn call_as(&self, method: Method, token: &str, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        self.send(request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap()).await
    }

    pub async fn get_as_service(&self, path: &str) -> Answer {
        self.send(Request::get(path).header("x-service-token", SERVICE_TOKEN).body(Body::empty()).unwrap()).await
    }

    /// A form-encoded request, with Basic authentication where a client is given.
    pub async fn form(&self, path: &str, client: Option<&TestClient>, parameters: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(client) = client {
            request = request.header(header::AUTHORIZATION, client.basic());
        }
        self.send(request.body(Body::from(encode(parameters))).unwrap()).await
    }

    pub async fn register(&self, email: &str) -> Answer {
        self.post("/auth/register", &json!({"email": email, "password": PASSWORD, "name": "Ada", "phone": "+49 30 1"}))
            .await
    }

    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/auth/login", &json!({"email": email, "password": password})).await
    }

    /// A confidential client with these scopes and the grants client_credentials and refresh_token.
    pub async fn client(&self, name: &str, scopes: &str) -> TestClient {
        let grants = vec![Grant::ClientCredentials, Grant::RefreshToken];
        self.client_with(name, scopes, grants).await
    }

    pub async fn client_with(&self, name: &str, scopes: &str, grants: Vec<Grant>) -> TestClient {
        let spec = ClientSpec { name: name.to_owned(), scopes: Scopes::parse(scopes), grants, ..ClientSpec::default() };
        let (id, secret) = self.directory.create_client(&spec, Secrecy::Generated).await.unwrap();
        TestClient { id: id.to_string(), secret: secret.unwrap().expose().to_owned() }
    }

    pub async fn client_token(&self, client: &TestClient) -> String {
        let answer = self.form("/oauth/token", Some(client), &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("access_token")
    }

    pub async fn user(&self, email: &str, role: Role) -> String {
        self.directory.create_user(email, &Secret::new(PASSWORD), role).await.unwrap().to_string()
    }

    pub async fn is_active(&self, client: &TestClient, token: &str) -> bool {
        let answer = self.form("/oauth/introspect", Some(client), &[("token", token)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["active"].as_bool().unwrap()
    }
}

fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8(bytes.to_vec()).unwrap())
}

impl Answer {
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem, or status and `error` of an OAuth error.
    pub fn error(&self) -> (u16, &str) {
        let code = self.body["code"].as_str().or(self.body["error"].as_str());
        (self.status.as_u16(), code.unwrap_or(""))
    }
}

pub fn json_request(method: Method, path: &str, token: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::from(body.to_string())).unwrap()
}

/// A process that never stops.
pub fn surroundings(in_force: Revocations) -> Surroundings {
    Surroundings { issuer: ISSUER.to_owned(), in_force, draining: CancellationToken::new() }
}

/// The parameters, form-encoded.
pub fn encode(parameters: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            encoded
        })
    };
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token, unverified.
pub fn jose_header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
