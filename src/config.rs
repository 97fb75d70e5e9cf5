//! The settings that the binary itself reads or decides; each service reads its own from the same [`Settings`].

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use service::Settings;
use tokio::net::TcpListener;

use crate::cli;

const DEFAULT_PORT: u16 = 8080;
const DEFAULT_CONNECTIONS: usize = 16;

/// What `oms up` was told, by its options first and the environment second.
pub struct UpConfig {
    /// Bound before anything is started; on the loopback interface unless OMS_LISTEN says otherwise.
    pub listener: TcpListener,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The database to use instead of an embedded one.
    pub database_url: Option<String>,
    /// Where to keep data; the default folder if unset.
    pub data_dir: Option<PathBuf>,
    /// The file to write once everything serves.
    pub ready_file: Option<PathBuf>,
}

impl UpConfig {
    /// Reads the options over the settings, and takes the address.
    pub async fn bind(options: cli::Up, settings: &Settings) -> anyhow::Result<Self> {
        let mut listen = settings.parse("OMS_LISTEN", SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)))?;
        if let Some(port) = options.port {
            listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        }
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}; name another port with --port, or 0 for a free one")
        })?;
        Ok(Self {
            listen: listener.local_addr()?,
            listener,
            database_url: settings.optional("DATABASE_URL"),
            data_dir: options.data_dir.or_else(|| settings.optional("OMS_DATA_DIR").map(PathBuf::from)),
            ready_file: options.ready_file,
        })
    }

    /// The URL by which programs on this machine reach the listener.
    pub fn url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }
}

/// How many connections the pool of each service may open.
pub fn connections(settings: &Settings) -> anyhow::Result<usize> {
    Ok(settings.parse("OMS_DATABASE_CONNECTIONS", DEFAULT_CONNECTIONS)?)
}
