//! One attempt to deliver: a signed POST, bounded in time and in what is read of the answer, to an address that is
//! allowed, following nothing.

use super::AllowedAddresses;
use bytes::Bytes;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use web::request_context::now;
use web::standard_webhooks::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, WebhookSecret};

/// From the first byte sent to the last byte read.
pub const DEADLINE: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// So much of an answer is read, so that its connection can be used again; what it says does not matter.
const MOST_READ: usize = 16 * 1024;
const LONGEST_ERROR: usize = 300;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the endpoint answered; none where no answer came.
    pub status_code: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed; none where it succeeded.
    pub error: Option<String>,
}

/// Sends. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
    allowed: AllowedAddresses,
}

impl Sender {
    /// A sender to addresses that are allowed.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(allowed: AllowedAddresses) -> Result<Self, reqwest::Error> {
        let client = service::peers::http_client_builder()
            .redirect(redirect::Policy::none())
            // A proxy would resolve names by itself, out of our sight.
            .no_proxy()
            .dns_resolver(Arc::new(allowed))
            .connect_timeout(CONNECT)
            .timeout(DEADLINE)
            .pool_max_idle_per_host(4)
            .user_agent(concat!("oms/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, allowed })
    }

    /// Sends a message once. A redirect is a failure, as is everything but 2xx.
    pub async fn send(&self, url: &str, secret: &WebhookSecret, id: &str, body: String) -> Outcome {
        let began = Instant::now();
        let sent = self.post(url, secret, id, body).await;
        let duration = began.elapsed();
        match sent {
            Ok(status) if status.is_success() => Outcome { status_code: Some(status.as_u16()), duration, error: None },
            Ok(status) => {
                let error = Some(format!("it answered {}", status.as_u16()));
                Outcome { status_code: Some(status.as_u16()), duration, error }
            }
            Err(error) => Outcome { status_code: None, duration, error: Some(error) },
        }
    }

    async fn post(&self, url: &str, secret: &WebhookSecret, id: &str, body: String) -> Result<StatusCode, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        // An address in the URL is never resolved, so it is checked here.
        if !url.host_str().is_some_and(|host| self.allowed.allows_host(host)) {
            return Err("its address is one that webhooks may not go to".to_owned());
        }
        let (at, body) = (now(), Bytes::from(body));
        let request = self
            .client
            .post(url)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(WEBHOOK_ID, id)
            .header(WEBHOOK_TIMESTAMP, at.timestamp().to_string())
            .header(WEBHOOK_SIGNATURE, secret.sign(id, at, &body))
            .body(body);
        let response = request.send().await.map_err(|error| chain(&error.without_url()))?;
        let status = response.status();
        drain(response).await;
        Ok(status)
    }
}

async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MOST_READ {
            return;
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.chars().take(LONGEST_ERROR).collect()
}
