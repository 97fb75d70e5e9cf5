//! The routes that reads are compared with: one prepared query of a stored document, and a fixed answer. They run in
//! a process of their own, started from this very binary, with the same HTTP server as the system.

use crate::client::Connection;
use crate::error::BenchError;
use crate::ground::Ground;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pg::{Database, Pool};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use uuid::Uuid;

/// As many as a service of the system has.
const CONNECTIONS: usize = 16;
const DOCUMENT: &str = "select document from document where order_id = $1";
const STATIC: &str = r#"{"data":{"order":{"number":"B-000000001","status":"PENDING"}}}"#;
const PATIENCE: Duration = Duration::from_secs(10);
/// The schema of the stored documents.
pub(crate) const SCHEMA: &str = "bench_documents";

/// A running server of those routes.
pub(crate) struct Reference {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Reference {
    pub(crate) async fn start(ground: &Ground) -> Result<Self, BenchError> {
        let binary = std::env::current_exe().map_err(BenchError::file("find", "the binary of this process"))?;
        let mut command = Command::new(&binary);
        command.args(["bench", "--reference-of"]).arg(ground.postgres.socket_url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(BenchError::file("run", &binary))?;
        let mut line = String::new();
        if let Some(said) = process.stdout.take() {
            BufReader::new(said).read_line(&mut line).await.map_err(BenchError::file("read", &binary))?;
        }
        let address = line.trim().parse();
        let address = address.map_err(|_| BenchError::Unexpected(format!("the reference said `{}`", line.trim())))?;
        let began = Instant::now();
        while Connection::open(address).await.is_err() && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { address, process })
    }

    pub(crate) async fn stop(mut self) -> Result<(), BenchError> {
        self.process.kill().await.map_err(BenchError::file("end", "the reference"))
    }
}

/// Serves the routes until the process is ended; prints the address first.
///
/// # Errors
/// [`BenchError`] when there is no database or no port.
pub async fn serve(database_url: &str) -> Result<(), BenchError> {
    let pool = Database::new(database_url, CONNECTIONS)?.pool(SCHEMA, None).await?;
    let router = Router::new()
        .route("/document/{id}", get(document))
        .route("/static", get(|| async { json(STATIC.into()) }))
        .with_state(pool);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(BenchError::Http)?;
    println!("{}", listener.local_addr().map_err(BenchError::Http)?);
    axum::serve(listener, router).await.map_err(BenchError::Http)
}

async fn document(State(pool): State<Pool>, Path(id): Path<Uuid>) -> Response {
    match read(&pool, id).await {
        Ok(document) => json(document),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn read(pool: &Pool, id: Uuid) -> Result<String, BenchError> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(DOCUMENT).await?;
    Ok(client.query_one(&statement, &[&id]).await?.get(0))
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
