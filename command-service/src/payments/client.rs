//! The one HTTP client to payment providers: a limit on every call, and one reading of what a status means for a request
//! that moves money.

use super::provider::ProviderError;
use serde::de::DeserializeOwned;
use service::Secret;
use std::{fmt::Write, time::Duration};

/// A call takes no longer.
const DEADLINE: Duration = Duration::from_secs(10);
/// Answers are no longer than this.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Asks a provider.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    provider: &'static str,
    base_url: String,
    bearer: Option<Secret>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answered {
    provider: &'static str,
    /// The HTTP status.
    pub status: u16,
    body: Vec<u8>,
}

impl Client {
    /// A client of the provider at that URL.
    #[must_use]
    pub const fn new(http: reqwest::Client, provider: &'static str, base_url: String, bearer: Option<Secret>) -> Self {
        Self { http, provider, base_url, bearer }
    }

    /// A request of a path.
    pub fn request(&self, method: http::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base_url)).timeout(DEADLINE);
        match &self.bearer {
            Some(secret) => request.bearer_auth(secret.expose()),
            None => request,
        }
    }

    /// Sends it and reads the answer, whatever its status.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when none came.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answered, ProviderError> {
        let lost = |error: reqwest::Error| ProviderError::Unavailable {
            provider: self.provider,
            reason: error.without_url().to_string(),
        };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                let reason = "it answered more than was expected".to_owned();
                return Err(ProviderError::Unavailable { provider: self.provider, reason });
            }
        }
        Ok(Answered { provider: self.provider, status, body })
    }
}

impl Answered {
    /// Its body.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when it is not what was expected: what it did is not known.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ProviderError> {
        serde_json::from_slice(&self.body).map_err(|error| ProviderError::Unavailable {
            provider: self.provider,
            reason: format!("it answered {} with something that was not expected: {error}", self.status),
        })
    }

    /// What an error status means: a refusal, unless it passes by itself or by somebody's mending the settings.
    #[must_use]
    pub fn refusal(&self, reason: &str) -> ProviderError {
        let (provider, reason) = (self.provider, format!("{} {reason}", self.status));
        let passes =
            self.status < 400 || self.status >= 500 || matches!(self.status, 401 | 403 | 408 | 409 | 425 | 429);
        if passes {
            ProviderError::Unavailable { provider, reason }
        } else {
            ProviderError::Refused { provider, reason }
        }
    }
}

/// A text as one part of a path or form: everything but letters, digits, `-`, `.`, `_` and `~` is escaped.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
