//! How a command finds the running system that it works on: a ready file, else DATABASE_URL, else what `oms up` left in
//! the default data folder.

mod api;
mod calls;

pub use api::Api;
pub use calls::{Answered, Attempt, Call};

use std::fs;
use std::path::Path;

use anyhow::Context;
use auth_service::Directory;
use pg::Database;
use serde::Deserialize;
use service::Settings;

use crate::{cli, ready_file};

const CONNECTIONS: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    database_url: String,
}

/// The users and clients of the system.
pub async fn directory(system: &cli::System) -> anyhow::Result<Directory> {
    Directory::open(&database(system).await?).await.context("cannot open the users and clients of the system")
}

/// The database of the system.
pub async fn database(system: &cli::System) -> anyhow::Result<Database> {
    Ok(Database::new(&database_url(system).await?, CONNECTIONS)?)
}

async fn database_url(system: &cli::System) -> anyhow::Result<String> {
    if let Some(path) = &system.ready_file {
        return from_ready_file(path);
    }
    let settings = Settings::load()?;
    if let Some(url) = settings.optional("DATABASE_URL") {
        return Ok(url);
    }
    let data_dir = match settings.optional("OMS_DATA_DIR") {
        Some(data_dir) => data_dir.into(),
        None => pg::embedded::default_data_dir().await?,
    };
    let path = ready_file::kept_in(&data_dir);
    from_ready_file(&path).context("no running system was found: start one with `oms up`, or set DATABASE_URL")
}

fn from_ready_file(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let ready: Ready = serde_json::from_str(&text).with_context(|| format!("{} is no ready file", path.display()))?;
    Ok(ready.database_url)
}
