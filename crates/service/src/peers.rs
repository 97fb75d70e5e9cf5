//! Calls to the other services: the same handlers with the same rules, whether the service runs in this process (its
//! router is called) or elsewhere (HTTP with the service token). Every call has a deadline and carries the trace on.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tower::ServiceExt as _;
use web::auth::{ServiceToken, X_SERVICE_TOKEN};
use web::request_context::{TRACEPARENT, X_REQUEST_ID};
use web::{Caller, Problem, RequestContext};

/// How long a call may take unless it says otherwise.
const DEADLINE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(2);

/// Why a call did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PeerError {
    /// The service answered with a problem.
    #[error("{service} answered {status} {code}")]
    Problem {
        /// The service that was called.
        service: &'static str,
        /// The HTTP status.
        status: u16,
        /// The code of the problem; empty when the answer was none.
        code: String,
        /// The body of the answer.
        body: Value,
    },
    /// The service did not answer, not in time, or not with what was expected. Whether it did what it was asked to is
    /// not known.
    #[error("{service} is not available: {reason}")]
    Unavailable {
        /// The service that was called.
        service: &'static str,
        /// What happened.
        reason: String,
    },
}

impl PeerError {
    /// The status of the problem, if it is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { status, .. } => Some(*status),
            Self::Unavailable { .. } => None,
        }
    }

    /// The code of the problem, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem { code, .. } => Some(code),
            Self::Unavailable { .. } => None,
        }
    }

    /// Whether trying again later may help, and nothing is known about what the first try did.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Problem { status, .. } => *status >= 500 || *status == 429,
            Self::Unavailable { .. } => true,
        }
    }

    /// The problem for a caller whose request needed this call and who cannot do anything about its failure.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        if self.is_unavailable() {
            tracing::warn!(error = %self, "a call to another service failed");
            return Problem::unavailable("another part of the system does not answer right now");
        }
        tracing::error!(error = %self, "a call to another service was refused");
        Problem::internal_error("something went wrong here; it has been logged under this trace")
    }
}

impl From<PeerError> for Problem {
    fn from(error: PeerError) -> Self {
        error.into_problem()
    }
}

/// Another service. Clones are the same.
#[derive(Clone)]
pub struct Peer {
    name: &'static str,
    way: Way,
}

#[derive(Clone)]
enum Way {
    InProcess(Arc<OnceLock<Router>>),
    Http { base_url: Arc<str>, token: Option<ServiceToken>, client: reqwest::Client },
    Nowhere,
}

impl Peer {
    /// A service in this process; its router is given later.
    #[must_use]
    pub fn in_process(name: &'static str, router: Arc<OnceLock<Router>>) -> Self {
        Self { name, way: Way::InProcess(router) }
    }

    /// A service at that URL.
    #[must_use]
    pub fn http(name: &'static str, base_url: &str, token: Option<ServiceToken>, client: reqwest::Client) -> Self {
        Self { name, way: Way::Http { base_url: base_url.trim_end_matches('/').into(), token, client } }
    }

    /// A service that is not configured: every call fails and says so.
    #[must_use]
    pub fn nowhere(name: &'static str) -> Self {
        Self { name, way: Way::Nowhere }
    }

    /// The service's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// GET of a path with its query.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, PeerError> {
        self.get_within(path, DEADLINE).await
    }

    /// The same with a deadline of its own, for long polls.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn get_within<T: DeserializeOwned>(&self, path: &str, deadline: Duration) -> Result<T, PeerError> {
        self.parsed(self.call(Method::GET, path, None, &[], deadline).await?)
    }

    /// POST of a JSON body.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, PeerError> {
        let body = self.written(body)?;
        self.parsed(self.call(Method::POST, path, Some(body), &[], DEADLINE).await?)
    }

    /// POST of a JSON body whose answer does not matter.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn post_only(&self, path: &str, body: &impl Serialize) -> Result<(), PeerError> {
        let body = self.written(body)?;
        self.call(Method::POST, path, Some(body), &[], DEADLINE).await.map(drop)
    }

    /// POST of a JSON body under an idempotency key.
    ///
    /// # Errors
    /// [`PeerError`].
    pub async fn post_once<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: &str,
    ) -> Result<T, PeerError> {
        let body = self.written(body)?;
        self.parsed(self.call(Method::POST, path, Some(body), &[("idempotency-key", key)], DEADLINE).await?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&'static str, &str)],
        deadline: Duration,
    ) -> Result<Bytes, PeerError> {
        let context = RequestContext::current().unwrap_or_default();
        let sent = async {
            match &self.way {
                Way::InProcess(router) => self.send_here(router, method, path, body, headers, &context).await,
                Way::Http { base_url, token, client } => {
                    let mut request = client
                        .request(method, format!("{base_url}{path}"))
                        .header(X_REQUEST_ID, &context.request_id)
                        .header(TRACEPARENT, &context.traceparent);
                    if let Some(token) = token {
                        request = request.header(X_SERVICE_TOKEN, token.expose());
                    }
                    for (name, value) in headers {
                        request = request.header(*name, *value);
                    }
                    if let Some(body) = body {
                        request = request.header(header::CONTENT_TYPE, "application/json").body(body);
                    }
                    let response = request.send().await.map_err(|error| self.unavailable(&error.without_url()))?;
                    let status = response.status();
                    Ok((status, response.bytes().await.map_err(|error| self.unavailable(&error.without_url()))?))
                }
                Way::Nowhere => Err(self.unavailable(&"no URL is configured for it")),
            }
        };
        let (status, bytes) = tokio::time::timeout(deadline, sent)
            .await
            .map_err(|_| self.unavailable(&format!("no answer within {} ms", deadline.as_millis())))??;
        if status.is_success() {
            return Ok(bytes);
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        Err(PeerError::Problem { service: self.name, status: status.as_u16(), code, body })
    }

    async fn send_here(
        &self,
        router: &OnceLock<Router>,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&'static str, &str)],
        context: &RequestContext,
    ) -> Result<(StatusCode, Bytes), PeerError> {
        let router = router.get().ok_or_else(|| self.unavailable(&"it is still starting"))?.clone();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(X_REQUEST_ID, &context.request_id)
            .header(TRACEPARENT, &context.traceparent);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let mut request =
            request.body(body.map_or_else(Body::empty, Body::from)).map_err(|error| self.unavailable(&error))?;
        request.extensions_mut().insert(Caller::internal());
        // A task of its own keeps the other service's future out of this one's size.
        let response = Box::pin(router.oneshot(request)).await.unwrap_or_else(|never| match never {});
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| self.unavailable(&error))?;
        Ok((status, body.to_bytes()))
    }

    fn written(&self, body: &impl Serialize) -> Result<Vec<u8>, PeerError> {
        serde_json::to_vec(body).map_err(|error| self.unavailable(&error))
    }

    fn parsed<T: DeserializeOwned>(&self, bytes: Bytes) -> Result<T, PeerError> {
        let bytes = if bytes.is_empty() { Bytes::from_static(b"null") } else { bytes };
        serde_json::from_slice(&bytes)
            .map_err(|error| self.unavailable(&format!("it answered something that was not expected: {error}")))
    }

    fn unavailable(&self, reason: &dyn std::fmt::Display) -> PeerError {
        PeerError::Unavailable { service: self.name, reason: reason.to_string() }
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Peer").field(&self.name).finish()
    }
}

/// The five services. Clones are the same.
#[derive(Debug, Clone)]
pub struct Peers {
    /// command-service.
    pub command: Peer,
    /// query-service.
    pub query: Peer,
    /// inventory-service.
    pub inventory: Peer,
    /// invoice-service.
    pub invoice: Peer,
    /// auth-service.
    pub auth: Peer,
    router: Arc<OnceLock<Router>>,
}

impl Peers {
    /// Finds each service by its short name: `peer("command", router)` says how it is reached.
    pub fn new(mut peer: impl FnMut(&'static str, &Arc<OnceLock<Router>>) -> Peer) -> Self {
        let router = Arc::default();
        Self {
            command: peer("command", &router),
            query: peer("query", &router),
            inventory: peer("inventory", &router),
            invoice: peer("invoice", &router),
            auth: peer("auth", &router),
            router,
        }
    }

    /// All five in this process.
    #[must_use]
    pub fn all_in_process() -> Self {
        Self::new(|name, router| Peer::in_process(name, router.clone()))
    }

    /// Gives the services of this process their router; calls before that fail as unavailable.
    pub fn connect(&self, router: Router) {
        if self.router.set(router).is_err() {
            tracing::warn!("the peers are connected already");
        }
    }
}

/// The client for calls to other services.
///
/// # Errors
/// When TLS cannot be set up on this machine.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    http_client_builder().build()
}

/// A client to be, for calls to others than our own services. It follows no redirects.
pub fn http_client_builder() -> reqwest::ClientBuilder {
    // Whoever installs one first decides for the whole process; any will do here.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none())
}
