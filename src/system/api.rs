//! The HTTP half of a running system, for commands that go through its front door: where it is, a token by client
//! credentials, and patience. A system that goes away and comes back, at another address even, is found again.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::{StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service::Settings;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{cli, ready_file};

const SERVICE_CLIENT: &str = "service";
/// Longer than the server lets a request take.
const LONGEST_CALL: Duration = Duration::from_secs(100);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A token is renewed when this much of its time is left.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);

/// Calls to the system.
pub struct Api {
    found: Found,
    pub(super) http: reqwest::Client,
    session: Mutex<Option<Session>>,
    pub(super) patience: Duration,
    pub(super) stopping: watch::Receiver<bool>,
}

/// How the system is found, again and again.
enum Found {
    ReadyFile(PathBuf),
    At(Target),
}

#[derive(Debug, Clone)]
struct Target {
    url: String,
    client_id: String,
    client_secret: String,
}

/// Where the system is now, and a token for it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) url: String,
    pub(super) token: String,
    renewed_at: Instant,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    url: String,
    clients: Vec<ReadyClient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadyClient {
    name: String,
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Option<u64>,
}

/// Why a call did not get its answer now.
pub(super) enum Failed {
    /// It may be answered later.
    Later { why: String, pause: Option<Duration> },
    /// It will not.
    Never(anyhow::Error),
}

impl Api {
    /// The system that the options or the settings name. `patience`: how long a call waits for it to be back;
    /// `stopping` ends every wait.
    pub async fn find(
        system: &cli::System,
        patience: Duration,
        stopping: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let found = find(system).await?;
        // What is wrong with the way there is said at once; only a system that is away is waited for.
        found.target()?;
        Ok(Self { found, http: service::peers::http_client()?, session: Mutex::new(None), patience, stopping })
    }

    /// Posts lines of JSON until they are answered, or patience is over. `waiting` hears why it takes longer.
    pub async fn post_lines<T: DeserializeOwned>(
        &self,
        path: &str,
        lines: String,
        waiting: impl Fn(&str),
    ) -> anyhow::Result<T> {
        let body = bytes::Bytes::from(lines);
        let deadline = Instant::now() + self.patience;
        let mut stopping = self.stopping.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            let failed =
                match timeout_at(deadline.max(Instant::now() + LONGEST_PAUSE), self.post(path, body.clone())).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(failed)) => failed,
                    Err(_) => Failed::Later { why: "it does not answer".to_owned(), pause: None },
                };
            let (why, asked) = match failed {
                Failed::Later { why, pause } => (why, pause),
                Failed::Never(error) => return Err(error),
            };
            if *stopping.borrow() {
                bail!("stopped while the system was away: {why}");
            }
            let wait = asked.unwrap_or_default().max(pause);
            if Instant::now() + wait > deadline {
                bail!("the system was away for {} s: {why}", self.patience.as_secs());
            }
            waiting(&why);
            tokio::select! {
                () = sleep(wait) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: bytes::Bytes) -> Result<T, Failed> {
        let session = self.session().await?;
        let request = self
            .http
            .post(format!("{}{path}", session.url))
            .bearer_auth(&session.token)
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .timeout(LONGEST_CALL)
            .body(body);
        match answer(request).await {
            Ok(answer) => Ok(answer),
            Err(failed) => {
                // It may be elsewhere by now, or know the token no more.
                *self.session.lock().await = None;
                Err(failed)
            }
        }
    }

    pub(super) async fn session(&self) -> Result<Session, Failed> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| Instant::now() < session.renewed_at) {
            return Ok(session.clone());
        }
        let target = self.found.target().map_err(|error| Failed::Later { why: format!("{error:#}"), pause: None })?;
        let request = self
            .http
            .post(format!("{}/oauth/token", target.url))
            .basic_auth(&target.client_id, Some(&target.client_secret))
            .timeout(LONGEST_CALL)
            .form(&[("grant_type", "client_credentials")]);
        let token: Token = answer(request).await?;
        let lasts = Duration::from_secs(token.expires_in.unwrap_or_default());
        let renewed_at = Instant::now() + lasts.saturating_sub(RENEWED_BEFORE).max(RENEWED_BEFORE / 2);
        let new = Session { url: target.url, token: token.access_token, renewed_at };
        Ok(session.insert(new).clone())
    }
}

impl Api {
    /// The session was of no use: it may be elsewhere by now, or know the token no more. One that was opened since stays.
    pub(super) async fn forget(&self, used: &Session) {
        self.session.lock().await.take_if(|session| session.token == used.token);
    }
}

/// Sends a request and reads its answer, or says whether it is worth another try.
async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Failed> {
    let later = |error: reqwest::Error| Failed::Later { why: format!("{:#}", anyhow!(error)), pause: None };
    let response = request.send().await.map_err(later)?;
    let status = response.status();
    let pause = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = response.bytes().await.map_err(later)?;
    if status.is_success() {
        return serde_json::from_slice(&bytes).context("the answer is not what it should be").map_err(Failed::Never);
    }
    let why = format!("{status}: {}", detail(&bytes));
    let again = status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED);
    if again {
        return Err(Failed::Later { why, pause: pause.map(Duration::from_secs) });
    }
    Err(Failed::Never(anyhow!("the system refuses: {why}")))
}

/// What a problem says to people; of anything else the beginning.
fn detail(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => problem.detail,
        Err(_) => String::from_utf8_lossy(body).chars().take(200).collect(),
    }
}

impl Found {
    fn target(&self) -> anyhow::Result<Target> {
        let path = match self {
            Self::At(target) => return Ok(target.clone()),
            Self::ReadyFile(path) => path,
        };
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let ready: Ready =
            serde_json::from_str(&text).with_context(|| format!("{} is no ready file", path.display()))?;
        let client = ready.clients.into_iter().find(|client| client.name == SERVICE_CLIENT);
        let client = client.with_context(|| format!("{} has no client {SERVICE_CLIENT}", path.display()))?;
        let client_secret = client.client_secret.context("its client has no secret")?;
        Ok(Target { url: ready.url.trim_end_matches('/').to_owned(), client_id: client.client_id, client_secret })
    }
}

async fn find(system: &cli::System) -> anyhow::Result<Found> {
    if let Some(path) = &system.ready_file {
        return Ok(Found::ReadyFile(path.clone()));
    }
    let settings = Settings::load()?;
    if let Some(url) = settings.optional("OMS_URL") {
        let needed = |name: &str| settings.optional(name).with_context(|| format!("OMS_URL needs {name} beside it"));
        let url = url.trim_end_matches('/').to_owned();
        let (client_id, client_secret) = (needed("OMS_CLIENT_ID")?, needed("OMS_CLIENT_SECRET")?);
        return Ok(Found::At(Target { url, client_id, client_secret }));
    }
    let data_dir = match settings.optional("OMS_DATA_DIR") {
        Some(data_dir) => data_dir.into(),
        None => pg::embedded::default_data_dir().await?,
    };
    let path = ready_file::kept_in(&data_dir);
    anyhow::ensure!(path.exists(), "no running system was found: start one with `oms up`, or set OMS_URL");
    Ok(Found::ReadyFile(path))
}
