//! The database of `oms up`: the one that DATABASE_URL names, or a server of our own in the data folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use pg::embedded::{Embedded, EmbeddedOptions};

/// Where the data is, and the server if it is ours to stop.
pub struct Storage {
    /// The libpq URI to tell others.
    pub database_url: String,
    /// The URI that our own pools use.
    pub own_url: String,
    /// Where credentials and files are kept.
    pub data_dir: PathBuf,
    embedded: Option<Embedded>,
}

impl Storage {
    /// Uses the database that is given, or starts one.
    pub async fn open(given_url: Option<String>, data_dir: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(url) = given_url {
            let data_dir = match data_dir {
                Some(data_dir) => data_dir,
                None => pg::embedded::default_data_dir().await?,
            };
            create(&data_dir)?;
            return Ok(Self { database_url: url.clone(), own_url: url, data_dir, embedded: None });
        }
        let options = EmbeddedOptions { data_dir, ..EmbeddedOptions::default() };
        let embedded = Embedded::start(options).await.context("cannot start the embedded Postgres")?;
        tracing::info!(version = embedded.version(), data_dir = %embedded.data_dir().display(), "embedded Postgres runs");
        Ok(Self {
            database_url: embedded.url().to_owned(),
            own_url: embedded.socket_url().to_owned(),
            data_dir: embedded.data_dir().to_owned(),
            embedded: Some(embedded),
        })
    }

    /// Starts the server again whenever it has ended, if it is ours. Runs until it is dropped.
    pub async fn keep_running(&self) -> std::convert::Infallible {
        if let Some(embedded) = &self.embedded {
            embedded.keep_running().await;
        }
        std::future::pending().await
    }

    /// Stops the server if it is ours.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.embedded {
            Some(embedded) => embedded.stop().await.context("cannot stop the embedded Postgres"),
            None => Ok(()),
        }
    }
}

fn create(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
