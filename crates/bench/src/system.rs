//! The system under test: `oms up` of this very binary, in a process of its own, on the database of the run.

use crate::client::{Connection, request};
use crate::error::BenchError;
use crate::ground::Ground;
use serde::Deserialize;
use serde_json::json;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

const READY_FILE: &str = "told.json";
const PATIENCE: Duration = Duration::from_secs(120);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// So many pieces of each product that no load empties the shelf.
const PLENTY: i64 = 1_000_000_000;

/// A running system.
pub(crate) struct System {
    pub(crate) address: SocketAddr,
    /// From the start of the process until everything served.
    pub(crate) ready_after: Duration,
    folder: PathBuf,
    process: Child,
    secret: (String, String),
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
    client_id: String,
    client_secret: Option<String>,
}

/// Where the system finds its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The server of the run.
    OfTheRun,
    /// One of its own, as people use it.
    ItsOwn,
}

impl System {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(ground: &Ground, storage: Storage) -> Result<Self, BenchError> {
        let folder = ground.folder().join(match storage {
            Storage::OfTheRun => "system",
            Storage::ItsOwn => "system-with-postgres",
        });
        std::fs::create_dir_all(&folder).map_err(BenchError::file("create", &folder))?;
        let ready_file = folder.join(READY_FILE);
        let _ = std::fs::remove_file(&ready_file);
        let binary = std::env::current_exe().map_err(BenchError::file("find", "the binary of this process"))?;
        let log_path = folder.join("oms.log");
        let log = File::create(&log_path).map_err(BenchError::file("create", &log_path))?;
        let errors = log.try_clone().map_err(BenchError::file("open", &log_path))?;
        let mut command = Command::new(&binary);
        command.args(["up", "--port", "0", "--data-dir"]).arg(&folder).arg("--ready-file").arg(&ready_file);
        command.env("OMS_RATE_LIMIT", "off").stdout(log).stderr(errors).stdin(Stdio::null()).kill_on_drop(true);
        match storage {
            Storage::OfTheRun => command.env("DATABASE_URL", ground.postgres.socket_url()),
            Storage::ItsOwn => command.env_remove("DATABASE_URL"),
        };
        let began = Instant::now();
        let mut process = command.spawn().map_err(BenchError::file("run", &binary))?;
        let ready = Self::until_ready(&mut process, &ready_file, began, &log_path).await?;
        let ready_after = began.elapsed();
        let address = ready.url.trim_start_matches("http://").parse();
        let address = address.map_err(|_| BenchError::Unexpected(format!("{} is no address", ready.url)))?;
        let client = ready.clients.into_iter().find_map(|client| Some((client.client_id, client.client_secret?)));
        let secret = client.ok_or_else(|| BenchError::Unexpected("the system told of no client".to_owned()))?;
        Ok(Self { address, ready_after, folder, process, secret })
    }

    async fn until_ready(
        process: &mut Child,
        ready_file: &PathBuf,
        began: Instant,
        log: &PathBuf,
    ) -> Result<Ready, BenchError> {
        loop {
            if let Some(ready) = std::fs::read(ready_file).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
                return Ok(ready);
            }
            let ended = process.try_wait().map_err(BenchError::file("wait for", "the system"))?;
            if ended.is_some() || began.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                return Err(BenchError::Unexpected(format!("the system did not start: {}", last.join(" / "))));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Another word of the same binary, told to work on this system.
    pub(crate) fn word(&self, words: &[&str]) -> Result<Command, BenchError> {
        let binary = std::env::current_exe().map_err(BenchError::file("find", "the binary of this process"))?;
        let mut command = Command::new(binary);
        command.args(words).arg("--ready-file").arg(self.folder.join(READY_FILE));
        Ok(command)
    }

    /// The process id of the Postgres of its own, if it has one.
    pub(crate) fn postgres_id(&self) -> Option<u32> {
        let pid_file = self.folder.join("postgres").join("postmaster.pid");
        std::fs::read_to_string(pid_file).ok()?.lines().next()?.trim().parse().ok()
    }

    /// Its process id.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Asks it to stop, and waits for it.
    pub(crate) async fn stop(mut self) -> Result<(), BenchError> {
        let Some(process_id) = self.process.id() else { return Ok(()) };
        let told = Command::new("kill").args(["-TERM", &process_id.to_string()]).status().await;
        told.map_err(BenchError::file("run", "kill"))?;
        match tokio::time::timeout(STOP_PATIENCE, self.process.wait()).await {
            Ok(ended) => ended.map(drop).map_err(BenchError::file("wait for", "the system")),
            Err(_) => Err(BenchError::Unexpected("the system does not stop".to_owned())),
        }
    }

    /// A header with a token for everything.
    pub(crate) async fn authorization(&self) -> Result<String, BenchError> {
        let (id, secret) = &self.secret;
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let asked = format!(
            "POST /oauth/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.send(asked.as_bytes()).await?;
        let token = answer.json()?["access_token"].as_str().map(str::to_owned);
        Ok(format!("Bearer {}", token.ok_or_else(|| answer.unexpected("no token"))?))
    }

    /// Makes products with plenty of stock; answers their ids.
    pub(crate) async fn products(&self, authorization: &str, count: usize) -> Result<Vec<String>, BenchError> {
        let mut connection = Connection::open(self.address).await?;
        let headers = [("authorization", authorization)];
        let mut ids = Vec::new();
        for n in 0..count {
            let sku = format!("BENCH-{}-{n}", shared_events::EventId::generate());
            let product = json!({ "sku": sku, "name": format!("Product {n} of the benchmark"),
                                  "price": { "amount": "2.55", "currency": "EUR" } });
            let made = connection.send(&request("POST", "/api/products", &headers, &product.to_string())).await?;
            let id = made.json()?["productId"].as_str().map(str::to_owned);
            let id = id.ok_or_else(|| made.unexpected("no product"))?;
            let stock = json!({ "onHand": PLENTY, "reason": "benchmark" }).to_string();
            let put = connection.send(&request("PUT", &format!("/api/inventory/{id}"), &headers, &stock)).await?;
            if put.status != 200 {
                return Err(put.unexpected("no stock"));
            }
            ids.push(id);
        }
        Ok(ids)
    }
}
