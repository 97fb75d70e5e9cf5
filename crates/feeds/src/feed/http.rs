//! The feed of a service in another process, over its internal routes.

use super::wire::{HeadsBody, LONGEST_WAIT, PageBody, StreamBody, into_events};
use super::{FeedError, FeedPage, Heads};
use reqwest::Client;
use serde::de::DeserializeOwned;
use shared_events::RecordedEvent;
use std::{sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// A log behind `GET {base_url}/internal/feeds/{log}`.
#[derive(Clone)]
pub struct HttpFeed {
    base_url: Arc<str>,
    service_token: Arc<str>,
    client: Client,
}

impl HttpFeed {
    /// The feed of `log` at the service with this URL, opened with the internal token.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up on this machine.
    pub fn new(base_url: &str, log: &str, service_token: &str) -> Result<Self, reqwest::Error> {
        // Whoever installs one first decides for the whole process; any will do here.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            base_url: format!("{}/internal/feeds/{log}", base_url.trim_end_matches('/')).into(),
            service_token: service_token.into(),
            client: Client::builder().connect_timeout(CONNECT_PATIENCE).build()?,
        })
    }

    pub(crate) async fn read(&self, partition: i32, after: i64, limit: usize) -> Result<FeedPage, FeedError> {
        let query = [("after", after.to_string()), ("limit", limit.to_string())];
        let body: PageBody = self.get(&format!("/{partition}"), &query, PATIENCE).await?;
        Ok(body.into_page())
    }

    pub(crate) async fn stream(
        &self,
        stream_id: &str,
        after_version: i64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, FeedError> {
        let query = [("after", after_version.to_string()), ("limit", limit.to_string())];
        let body: StreamBody = self.get(&format!("/streams/{stream_id}"), &query, PATIENCE).await?;
        Ok(into_events(body.events))
    }

    /// The heads; waits for others than the known ones, up to `wait`.
    pub(crate) async fn heads(&self, known: Option<&Heads>, wait: Duration) -> Result<Heads, FeedError> {
        let wait = wait.min(LONGEST_WAIT);
        let mut query = vec![("wait", format!("{}ms", wait.as_millis()))];
        if let Some(known) = known {
            query.push(("known", known.positions.iter().sum::<i64>().to_string()));
        }
        let body: HeadsBody = self.get("", &query, wait + PATIENCE).await?;
        Ok(Heads { epoch: body.epoch, positions: body.heads })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        patience: Duration,
    ) -> Result<T, FeedError> {
        let url = format!("{}{path}", self.base_url);
        let unreachable = |source| FeedError::Unreachable { url: url.clone(), source };
        let response = self
            .client
            .get(&url)
            .query(query)
            .header("x-service-token", &*self.service_token)
            .timeout(patience)
            .send()
            .await
            .map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(FeedError::Refused { url, status: response.status().as_u16() });
        }
        let body = response.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&body).map_err(|source| FeedError::Malformed { url, source })
    }
}
