//! A database of its own for each test, so that tests run side by side and none cleans up after another.

use std::ops::Deref;
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use pg::Database;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::cluster::cluster_url;

const MAX_CONNECTIONS: usize = 10;

/// A fresh, empty database. It is dropped, with whatever still uses it, when this value is.
pub struct TestDatabase {
    name: String,
    url: String,
    database: Database,
}

/// Creates an empty database on the test server, which is started at the first call.
///
/// # Panics
/// If the server cannot be started or used.
pub async fn database() -> TestDatabase {
    let cluster = cluster_url().await;
    let name = format!("test_{}", Uuid::from_bytes(rand::random()).simple());
    let client = Database::new(cluster, 1).expect("the test server's URL is valid").connect().await;
    let create = format!("CREATE DATABASE {name}");
    client.expect("the test server answers").batch_execute(&create).await.expect("the test server makes databases");
    let url = format!("{}/{name}", server_part(cluster));
    let database = Database::new(&url, MAX_CONNECTIONS).expect("the test database's URL is valid");
    TestDatabase { name, url, database }
}

impl TestDatabase {
    /// A libpq URI of this database, its login being a superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Deref for TestDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A test that ends while the process does leaves its database to the end of the server.
        let _ = JANITOR.send(std::mem::take(&mut self.name));
    }
}

/// Dropping needs a runtime that outlives the test's own.
static JANITOR: LazyLock<Sender<String>> = LazyLock::new(|| {
    let (sender, names) = channel::<String>();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime of one thread can be made");
        for name in names {
            if let Err(error) = runtime.block_on(drop_database(&name)) {
                eprintln!("the test database {name} was not dropped: {error}");
            }
        }
    });
    sender
});

async fn drop_database(name: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(cluster_url().await, NoTls).await?;
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    tokio::select! {
        dropped = client.batch_execute(&statement) => dropped,
        ended = connection => ended,
    }
}

/// Everything of a URL before the name of its database.
fn server_part(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(server, _)| server)
}
