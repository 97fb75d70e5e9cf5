//! POST commands that happen once: with an `Idempotency-Key` the first answer is kept, in the transaction of the append
//! it belongs to, and a repeat gets it again. The work runs to its end though the client may hang up meanwhile.

mod answer;
mod purge;

pub use answer::Answer;

use crate::error::chain;
use crate::{Lifecycle, unavailable_or_internal};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use eventstore::{Begun, Claim, ClaimDone, ClaimScope, Claims, StoredAnswer};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use web::idempotency_key::IDEMPOTENCY_REPLAYED;
use web::{Caller, IdempotencyKey, PathParams, Problem, RequestContext, RouteTemplate};

/// The one who waits for a running request asks again this soon at the latest: most are done in a moment.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// What a command is known by: who sends it, where, and under which key.
#[derive(Debug, Clone)]
pub struct CommandRequest {
    /// Who sends it.
    pub caller: Caller,
    /// Its trace.
    pub context: RequestContext,
    /// The method.
    pub method: Method,
    /// The path as it was requested.
    pub path: String,
    /// The main path of the route with the request's values: aliases share their keys with it.
    pub main_path: String,
    /// The key, if the request carries one.
    pub key: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for CommandRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        // Repeating a PUT or DELETE is harmless by itself: they take no key.
        let takes_key = parts.method == Method::POST;
        let key = if takes_key { IdempotencyKey::from_headers(&parts.headers)?.0 } else { None };
        let context =
            RequestContext::from_request_parts(parts, state).await.unwrap_or_else(|never: Infallible| match never {});
        let path = parts.uri.path().to_owned();
        let params = PathParams::from_request_parts(parts, state).await?;
        let template = parts.extensions.get::<RouteTemplate>();
        let main_path = template.map_or_else(|| path.clone(), |template| template.concrete(&params));
        Ok(Self { caller, context, method: parts.method.clone(), path, main_path, key })
    }
}

/// One attempt at a command.
#[derive(Debug, Clone)]
pub struct Attempt {
    claim: Option<Claim>,
    reserved: Value,
}

impl Attempt {
    /// The ids and numbers to use: those of the first attempt where there was one.
    ///
    /// # Errors
    /// When the first attempt was made by software with another shape of them.
    pub fn reserved<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_value(self.reserved.clone()).map_err(|error| {
            tracing::error!(%error, "what an idempotency key has reserved cannot be read");
            Problem::internal_error("something went wrong here; it has been logged under this trace")
        })
    }

    /// The answer to be stored in the append's own transaction: for `Append::claim`. None without a key.
    #[must_use]
    pub fn done(&self, answer: &Answer) -> Option<ClaimDone> {
        self.claim.as_ref().map(|claim| claim.done(answer.stored()))
    }
}

/// What became of a command.
#[derive(Debug)]
pub enum Outcome {
    /// It is done, and its append has stored the answer ([`Attempt::done`]).
    Appended(Answer),
    /// It is answered without an append: nothing had to change, or the answer was not stored with it.
    Answered(Answer),
    /// It is refused, and nothing has happened. 404, 409, 412 and 422 are kept for the key; everything else frees it.
    Refused(Problem),
    /// Whether it happened is not known. The key stays taken until its lease ends; a repeat then goes on with the same
    /// ids, which find out.
    Unknown(Problem),
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<Result<Answer, Problem>> for Outcome {
    fn from(result: Result<Answer, Problem>) -> Self {
        result.map_or_else(Self::Refused, Self::Answered)
    }
}

/// Runs commands once per key.
#[derive(Debug, Clone)]
pub struct Idempotency {
    claims: Claims,
    lifecycle: Lifecycle,
}

impl Idempotency {
    /// Over the claims of a service's schema.
    #[must_use]
    pub const fn new(claims: Claims, lifecycle: Lifecycle) -> Self {
        Self { claims, lifecycle }
    }

    /// The claims, for erasure and purge.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Runs a command. `body` is what a repeat must have in common; `reserve` are the ids and numbers that this
    /// request would use. Without a key the work runs as it is.
    pub async fn run<W, F>(&self, request: &CommandRequest, body: &[u8], reserve: Value, work: W) -> Response
    where
        W: FnOnce(Attempt) -> F + Send + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let claim = match self.begin(request, body, &reserve).await {
            Ok(claim) => claim,
            Err(answered) => return *answered,
        };
        let reserved = claim.as_ref().map_or(reserve, |claim| claim.reserved.clone());
        let attempt = Attempt { claim: claim.clone(), reserved };
        let (claims, request, context) = (self.claims.clone(), request.clone(), request.context.clone());
        let piece = async move {
            let outcome = Box::pin(work(attempt)).await;
            conclude(&claims, claim.as_ref(), &request, outcome).await
        };
        self.lifecycle.finish(context.scope(piece)).await
    }

    /// The claim to work under, none without a key; or the answer, where the work is not to be done.
    async fn begin(
        &self,
        request: &CommandRequest,
        body: &[u8],
        reserve: &Value,
    ) -> Result<Option<Claim>, Box<Response>> {
        let Some(key) = &request.key else { return Ok(None) };
        let scope = ClaimScope {
            client: &request.caller.client_id,
            subject: &request.caller.subject,
            method: request.method.as_str(),
            path: &request.main_path,
            key,
        };
        let problem = match self.claims.begin(&scope, body, reserve).await {
            Ok(Begun::Fresh(claim)) => return Ok(Some(claim)),
            Ok(Begun::Replay(answer)) => {
                let mut response = respond(answer);
                response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
                return Err(Box::new(response));
            }
            Ok(Begun::KeyReused) => {
                Problem::idempotency_key_reused("this Idempotency-Key was used with another body; take a new one")
            }
            Ok(Begun::InProgress { retry_after }) => {
                let seconds = retry_after.min(ASK_AGAIN).as_secs_f64().ceil().max(1.0);
                Problem::idempotency_in_progress("the first request with this Idempotency-Key is still running")
                    .with_header(http::header::RETRY_AFTER, &format!("{seconds:.0}"))
            }
            Err(error) => unavailable_or_internal(&error, error.is_unavailable()),
        };
        Err(Box::new(problem.into_response()))
    }
}

async fn conclude(claims: &Claims, claim: Option<&Claim>, request: &CommandRequest, outcome: Outcome) -> Response {
    match outcome {
        Outcome::Appended(answer) => respond(answer.stored()),
        Outcome::Answered(answer) => {
            let stored = answer.stored();
            keep(claims, claim, &stored).await;
            respond(stored)
        }
        Outcome::Refused(problem) if matches!(problem.status().as_u16(), 404 | 409 | 412 | 422) => {
            let problem = problem.at(&request.path, &request.context.trace_id);
            let stored = Answer::of_problem(&problem).stored();
            keep(claims, claim, &stored).await;
            respond(stored)
        }
        Outcome::Refused(problem) => {
            if let Some(claim) = claim
                && let Err(error) = claims.release(claim).await
            {
                tracing::warn!(error = chain(&error), "an idempotency key could not be freed; its lease will end");
            }
            problem.into_response()
        }
        Outcome::Unknown(problem) => problem.into_response(),
    }
}

async fn keep(claims: &Claims, claim: Option<&Claim>, answer: &StoredAnswer) {
    let Some(claim) = claim else { return };
    if let Err(error) = claims.record(&claim.done(answer.clone())).await {
        // The answer holds all the same: nothing was appended under this key, and a repeat decides anew.
        tracing::warn!(error = chain(&error), "an answer could not be kept for its idempotency key");
    }
}

/// The answer as it goes out, the first time and every time after.
fn respond(answer: StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
