//! What a started system tells about itself: where it is and how to get in.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::credentials::{Client, Credentials, User};
use crate::private_file;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready<'a> {
    url: &'a str,
    database_url: &'a str,
    clients: &'a [Client],
    users: &'a [User],
}

/// Where a system leaves the same for the commands that look in its data folder.
pub fn kept_in(data_dir: &Path) -> PathBuf {
    data_dir.join("ready.json")
}

/// Writes the file that says that everything serves.
pub fn write(path: &Path, url: &str, database_url: &str, credentials: &Credentials) -> anyhow::Result<()> {
    let ready = Ready { url, database_url, clients: &credentials.clients, users: &credentials.users };
    private_file::write(path, &serde_json::to_vec_pretty(&ready)?)
}
