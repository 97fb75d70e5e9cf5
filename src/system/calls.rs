//! Calls whose answer matters, whatever it is: each is sent, and sent again under its own Idempotency-Key, until it is
//! answered for good. What is not an answer for good (the system away, overloaded, or still at it) is told and repeated.

use std::time::Duration;

use anyhow::bail;
use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::Api;
use super::api::{Failed, Session};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";
const CONSISTENCY: &str = "oms-consistency";
/// As long as a claim of the server lasts: what takes longer is asked anew.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A request. What is sent again is the same to the letter.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    key: Option<String>,
    after: Option<String>,
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its JSON; null if it is none.
    pub body: Value,
    /// Whether it is the answer that an earlier attempt got.
    pub replayed: bool,
    /// The streams that a read has to have seen to know of it.
    pub consistency: Option<String>,
    /// From the first attempt to this answer.
    pub took: Duration,
}

/// What became of one attempt.
#[derive(Debug, Clone, Copy)]
pub enum Attempt<'a> {
    /// It has this status, and is the answer if `last`.
    Answered {
        /// The status.
        status: u16,
        /// The code of its problem; empty if it is none.
        code: &'a str,
        /// Whether it is the answer to the call; else the call is repeated.
        last: bool,
    },
    /// There was none, for that reason: nobody knows whether it was done.
    Lost(&'a str),
}

struct Response {
    answered: Answered,
    pause: Option<Duration>,
    again: bool,
}

impl Call {
    /// A read.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, key: None, after: None }
    }

    /// A command that is done once, however often it is sent.
    pub fn post(path: impl Into<String>, key: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body), key: Some(key.into()), after: None }
    }

    /// A change that says what is to be, so that it may be sent twice.
    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PUT, path: path.into(), body: Some(body), key: None, after: None }
    }

    /// Archives something.
    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: None, key: None, after: None }
    }

    /// A GraphQL query.
    pub fn graphql(query: &str, variables: &Value) -> Self {
        let body = serde_json::json!({ "query": query, "variables": variables });
        Self { method: Method::POST, path: "/graphql".to_owned(), body: Some(body), key: None, after: None }
    }

    /// The same, as of what those streams say.
    #[must_use]
    pub fn after(mut self, consistency: Option<&str>) -> Self {
        self.after = consistency.map(str::to_owned);
        self
    }
}

impl Api {
    /// Calls until there is an answer for good, or patience is over. `seen` hears of every attempt.
    ///
    /// # Errors
    /// If the system stays away, or the wait was stopped.
    pub async fn call(&self, call: &Call, seen: impl Fn(Attempt<'_>)) -> anyhow::Result<Answered> {
        let began = Instant::now();
        let mut stopping = self.stopping.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = timeout(LONGEST_ATTEMPT, self.attempt(call)).await;
            let (why, asked) = match attempt.unwrap_or_else(|_| Err("it does not answer".to_owned())) {
                Ok(Response { mut answered, pause, again }) => {
                    seen(Attempt::Answered { status: answered.status, code: answered.text("code"), last: !again });
                    if !again {
                        answered.took = began.elapsed();
                        return Ok(answered);
                    }
                    (format!("{} {}", answered.status, answered.text("detail")), pause)
                }
                Err(why) => {
                    seen(Attempt::Lost(&why));
                    (why, None)
                }
            };
            if *stopping.borrow() {
                bail!("stopped while {} {} was not answered: {why}", call.method, call.path);
            }
            if began.elapsed() > self.patience {
                bail!("{} {} was not answered in {} s: {why}", call.method, call.path, self.patience.as_secs());
            }
            tokio::select! {
                () = sleep(asked.unwrap_or(pause)) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Response, String> {
        let session = self.session().await.map_err(|failed| match failed {
            Failed::Later { why, .. } => why,
            Failed::Never(error) => format!("{error:#}"),
        })?;
        let answered = self.send(call, &session).await;
        if !matches!(&answered, Ok(response) if response.answered.status != StatusCode::UNAUTHORIZED) {
            self.forget(&session).await;
        }
        answered
    }

    async fn send(&self, call: &Call, session: &Session) -> Result<Response, String> {
        let mut request = self.http.request(call.method.clone(), format!("{}{}", session.url, call.path));
        request = request.bearer_auth(&session.token).header(header::ACCEPT, ACCEPTED);
        if let Some(key) = &call.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(after) = &call.after {
            request = request.header(CONSISTENCY, after);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let why = |error: reqwest::Error| format!("{:#}", anyhow::Error::from(error.without_url()));
        let response = request.send().await.map_err(why)?;
        let status = response.status();
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (replayed, consistency) = (text(REPLAYED).is_some(), text(CONSISTENCY));
        let pause = text("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let bytes = response.bytes().await.map_err(why)?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let answered = Answered { status: status.as_u16(), body, replayed, consistency, took: Duration::ZERO };
        let busy = answered.is_problem(409, "IDEMPOTENCY_IN_PROGRESS");
        let later = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS);
        Ok(Response { again: busy || later || status.is_server_error(), answered, pause })
    }
}

const ACCEPTED: &str = "application/graphql-response+json, application/json, application/problem+json";

impl Answered {
    /// A text of its body; empty if it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// Whether it is this problem.
    pub fn is_problem(&self, status: u16, code: &str) -> bool {
        self.status == status && self.text("code") == code
    }

    /// What it says, for people.
    pub fn told(&self) -> String {
        match self.text("code") {
            "" => format!("{} {}", self.status, self.body.to_string().chars().take(300).collect::<String>()),
            code => format!("{} {code}: {}", self.status, self.text("detail")),
        }
    }
}
