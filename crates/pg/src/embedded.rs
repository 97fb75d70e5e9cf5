//! A Postgres server of our own, for development and tests: found binaries, a private data folder, stopped with us.
//!
//! One process at a time owns a data folder. A server that outlived its process is adopted; its pid file is never
//! removed by us. Durability settings stay as Postgres ships them unless a caller names others in so many words.

mod account;
mod binaries;
mod cluster;
mod error;
mod postmaster;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use account::Account;
use binaries::Binaries;
use cluster::Cluster;
pub use error::EmbeddedError;

use crate::{Database, PgError};

/// How to run the server.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedOptions {
    /// Where the cluster, its password and its log live; [`default_data_dir`] if unset.
    pub data_dir: Option<PathBuf>,
    /// Server settings on top of ours, as `postgresql.conf` takes them. Tests only: nothing here is judged.
    pub settings: Vec<(String, String)>,
}

/// A running server. Dropping it leaves the server running, to be adopted by the next start; [`Embedded::stop`] ends it.
#[derive(Debug)]
pub struct Embedded {
    account: Account,
    binaries: Binaries,
    cluster: Cluster,
    url: String,
    socket_url: String,
    version: String,
    settings: Vec<(String, String)>,
    _owner: File,
}

/// How soon a server that crashed is started again.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Embedded {
    /// Starts the server on its data folder, creating the cluster first if there is none, and waits until it answers.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let account = Account::to_run_as().await?;
        let data_dir = match options.data_dir {
            Some(data_dir) => std::path::absolute(&data_dir).map_err(EmbeddedError::file("resolve", &data_dir))?,
            None => data_dir_for(&account)?,
        };
        let cluster = Cluster::at(&data_dir, &account)?;
        let owner = own(&data_dir)?;
        let binaries = Binaries::find(cluster.major_version()?, &account).await?;
        cluster.create_if_missing(&binaries, &account).await?;

        let port = if let Some(port) = adopt(&cluster).await? {
            tracing::info!(port, "adopted the server that was still running");
            port
        } else {
            if postmaster::is_running(&cluster) {
                tracing::warn!("the server that was still running does not answer: stopping it");
                postmaster::stop(&binaries, &account, &cluster).await?;
            }
            postmaster::start(&binaries, &account, &cluster, &options.settings).await?
        };
        let password = cluster.password()?;
        create_database(&cluster.tcp_url(&password, port, "postgres")).await?;
        Ok(Self {
            url: cluster.tcp_url(&password, port, cluster::DATABASE),
            socket_url: cluster.socket_url(&password, port, cluster::DATABASE),
            version: binaries.version().to_owned(),
            account,
            binaries,
            cluster,
            settings: options.settings,
            _owner: owner,
        })
    }

    /// A libpq URI with password, over loopback TCP, that any local user can use.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same database over the private unix socket: a little faster, but only for the user we run as (and root).
    pub fn socket_url(&self) -> &str {
        &self.socket_url
    }

    /// The server's version as its binary names it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder with the cluster, the password and the server's log.
    pub fn data_dir(&self) -> &Path {
        self.cluster.data_dir()
    }

    /// The process id of the server, if it runs.
    pub fn process_id(&self) -> Option<u32> {
        postmaster::PidFile::read(&self.cluster).map(|file| file.process_id)
    }

    /// Starts the server again whenever it has crashed or was killed, at its old address. Runs until it is dropped.
    pub async fn keep_running(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if postmaster::is_running(&self.cluster) {
                continue;
            }
            tracing::warn!("the database server has ended: starting it again");
            match postmaster::start(&self.binaries, &self.account, &self.cluster, &self.settings).await {
                Ok(port) => tracing::info!(port, "the database server runs again"),
                Err(error) => tracing::error!(%error, "the database server could not be started again"),
            }
        }
    }

    /// Asks the server for a fast shutdown and waits for its end.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        if postmaster::is_running(&self.cluster) {
            postmaster::stop(&self.binaries, &self.account, &self.cluster).await?;
        }
        Ok(())
    }
}

/// The data folder used where none is named: `/var/lib/oms` for root, else `~/.local/share/oms`.
pub async fn default_data_dir() -> Result<PathBuf, EmbeddedError> {
    data_dir_for(&Account::to_run_as().await?)
}

fn data_dir_for(account: &Account) -> Result<PathBuf, EmbeddedError> {
    if account.is_dropped_from_root() {
        return Ok(PathBuf::from("/var/lib/oms"));
    }
    std::env::home_dir().map(|home| home.join(".local/share/oms")).ok_or(EmbeddedError::NoHome)
}

fn own(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("oms.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(EmbeddedError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse { data_dir: data_dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(EmbeddedError::File { action: "lock", path, source }),
    }
}

/// The port of a server that still runs on this cluster and answers with our password.
async fn adopt(cluster: &Cluster) -> Result<Option<u16>, EmbeddedError> {
    if !postmaster::is_running(cluster) {
        return Ok(None);
    }
    let Some(port) = postmaster::PidFile::read(cluster).and_then(|file| file.port) else { return Ok(None) };
    let url = cluster.tcp_url(&cluster.password()?, port, "postgres");
    let answers = match Database::new(&url, 1) {
        Ok(database) => database.connect().await.is_ok(),
        Err(_) => false,
    };
    Ok(answers.then_some(port))
}

async fn create_database(url: &str) -> Result<(), EmbeddedError> {
    let client = Database::new(url, 1)?.connect().await?;
    let exists = client
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&cluster::DATABASE])
        .await
        .map_err(PgError::statement("look up the database"))?
        .is_some();
    if !exists {
        client
            .batch_execute(&format!("CREATE DATABASE {}", cluster::DATABASE))
            .await
            .map_err(PgError::statement("create the database"))?;
    }
    Ok(())
}
