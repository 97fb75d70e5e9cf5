//! The running server: starting it in a session of its own, recognising one that survived, stopping it.
//!
//! Start and stop go through `pg_ctl`, which puts the server into its own session and waits for it. The pid file is
//! only ever read: Postgres alone decides whether it is stale.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use super::EmbeddedError;
use super::account::{Account, run};
use super::binaries::Binaries;
use super::cluster::Cluster;

/// A crashed server may replay a long log before it answers; a busy one may write a long checkpoint before it ends.
const WAIT_SECONDS: &str = "300";
/// After a kill -9 the old server's children need a moment to notice; another program may take the port.
const START_ATTEMPTS: u32 = 40;
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);
const LOG_TAIL_LINES: usize = 5;

/// What the server wrote about itself into its pid file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) process_id: u32,
    /// Missing while the server is still starting.
    pub(super) port: Option<u16>,
}

impl PidFile {
    pub(super) fn read(cluster: &Cluster) -> Option<Self> {
        Self::parse(&fs::read_to_string(cluster.folder().join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let process_id = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2).and_then(|line| line.trim().parse().ok());
        Some(Self { process_id, port })
    }
}

/// Whether the process of the pid file is alive and really serves this cluster: a number that the system gave to an
/// unrelated process since must never be signalled.
pub(super) fn is_running(cluster: &Cluster) -> bool {
    let Some(PidFile { process_id, .. }) = PidFile::read(cluster) else { return false };
    let process = Path::new("/proc").join(process_id.to_string());
    if Path::new("/proc/self").exists() {
        // The server's working directory is its cluster.
        return fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == cluster.folder());
    }
    std::process::Command::new("ps")
        .args(["-o", "command=", "-p", &process_id.to_string()])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("postgres"))
}

/// Starts the server and waits until it accepts connections; answers its port.
pub(super) async fn start(
    binaries: &Binaries,
    account: &Account,
    cluster: &Cluster,
    settings: &[(String, String)],
) -> Result<u16, EmbeddedError> {
    let log_path = cluster.log_path();
    fs::File::options().create(true).append(true).open(&log_path).map_err(EmbeddedError::file("open", &log_path))?;
    account.give(&log_path)?;

    let preferred = cluster.last_port();
    let mut attempt = 1;
    loop {
        let port = free_port(preferred).map_err(EmbeddedError::file("find a free port for", cluster.data_dir()))?;
        cluster.write_settings(account, port, settings)?;
        let mut command = account.command(&binaries.program("pg_ctl"), cluster.data_dir());
        command.arg("start").arg("-D").arg(cluster.folder()).arg("-l").arg(&log_path);
        command.args(["-w", "-t", WAIT_SECONDS, "-s"]);
        // The server inherits these: a pipe would never end.
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let status =
            command.status().await.map_err(|source| EmbeddedError::Run { program: "pg_ctl".to_owned(), source })?;
        if status.success() {
            cluster.remember_port(port)?;
            return Ok(port);
        }
        if attempt == START_ATTEMPTS {
            return Err(EmbeddedError::Failed { program: "postgres".to_owned(), output: log_tail(&log_path) });
        }
        tracing::warn!(attempt, log = log_tail(&log_path), "the server did not start: trying again");
        attempt += 1;
        tokio::time::sleep(PAUSE_BETWEEN_ATTEMPTS).await;
    }
}

/// Ends all sessions, writes what is to be written and waits for the end.
pub(super) async fn stop(binaries: &Binaries, account: &Account, cluster: &Cluster) -> Result<(), EmbeddedError> {
    let mut command = account.command(&binaries.program("pg_ctl"), cluster.data_dir());
    command.arg("stop").arg("-D").arg(cluster.folder()).args(["-m", "fast", "-w", "-t", WAIT_SECONDS, "-s"]);
    run(command).await.map(drop)
}

fn free_port(preferred: Option<u16>) -> std::io::Result<u16> {
    if let Some(port) = preferred
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    {
        return Ok(port);
    }
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn log_tail(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::PidFile;

    #[test]
    fn a_pid_file_of_a_starting_server_has_no_port_yet() {
        let running = "4711\n/var/lib/oms/postgres\n1763719520\n54321\n/var/lib/oms/run\n127.0.0.1\n  1 2\nready   \n";
        assert_eq!(PidFile::parse(running), Some(PidFile { process_id: 4711, port: Some(54321) }));
        assert_eq!(PidFile::parse("4711\n/x\n1\n"), Some(PidFile { process_id: 4711, port: None }));
        assert_eq!(PidFile::parse(""), None);
    }
}
