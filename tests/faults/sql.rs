//! Plain SQL on the system's database, by a login that may do everything.

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

pub struct Sql {
    runtime: Runtime,
    url: String,
}

impl Sql {
    pub fn new(url: String) -> Self {
        Self { runtime: runtime(), url }
    }

    /// The same as [`Session::ask`] on a session of its own; none if the server is away.
    pub fn try_ask(&self, question: &str) -> Option<Vec<String>> {
        let (client, connection) = self.runtime.block_on(tokio_postgres::connect(&self.url, NoTls)).ok()?;
        self.runtime.spawn(connection);
        let rows = self.runtime.block_on(client.query(question, &[])).ok()?;
        Some(rows.iter().map(|row| row.get(0)).collect())
    }

    /// A session; it ends with the server that it is on.
    pub fn connect(&self) -> Session<'_> {
        let (client, connection) = self.runtime.block_on(tokio_postgres::connect(&self.url, NoTls)).unwrap();
        self.runtime.spawn(connection);
        Session { runtime: &self.runtime, client }
    }
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub struct Session<'a> {
    runtime: &'a Runtime,
    pub client: Client,
}

impl Session<'_> {
    /// The first column of what is answered, all of it text.
    pub fn ask(&self, question: &str) -> Vec<String> {
        let rows = self.runtime.block_on(self.client.query(question, &[]));
        rows.unwrap_or_else(|error| panic!("{error:?} in {question}")).iter().map(|row| row.get(0)).collect()
    }

    /// Runs statements.
    pub fn run(&self, statements: &str) {
        self.runtime.block_on(self.client.batch_execute(statements)).unwrap();
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}
