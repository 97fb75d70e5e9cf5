//! One database: its URL, and the pools and lone connections made from it.
//!
//! Every wait here is bounded, so a server that is away gives an error within seconds, and a restarted server is used
//! again without a restart of ours: a closed connection is dropped when it is taken from the pool.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use deadpool::managed::QueueMode;
use deadpool_postgres::{Connect, Hook, HookError, Manager, ManagerConfig, RecyclingMethod, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Socket};

use crate::tls::{self, Stream, Tls};
use crate::{PgError, Pool, owner};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
const CREATE_TIMEOUT: Duration = Duration::from_secs(4);
const RECYCLE_TIMEOUT: Duration = Duration::from_secs(2);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Far more than anything of ours thinks between two statements; time that a statement takes does not count.
const IDLE_IN_TRANSACTION: &str = "10s";
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(15);

pub(crate) type Connection = tokio_postgres::Connection<Socket, Stream>;

/// A database that pools and connections are opened to. Cloning it is cheap and opens nothing.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: Tls,
    max_connections: usize,
}

impl Database {
    /// Reads a libpq URI or key-value string; no pool made from it opens more than `max_connections`.
    pub fn new(url: &str, max_connections: usize) -> Result<Self, PgError> {
        let mut config: Config = url.parse().map_err(PgError::InvalidUrl)?;
        config.keepalives_idle(KEEPALIVE_IDLE).tcp_user_timeout(UNACKNOWLEDGED_LIMIT);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let tls = tls::for_mode(&mut config)?;
        Ok(Self { config, tls, max_connections: max_connections.max(1) })
    }

    /// The same database with another limit for the pools made from it.
    pub fn with_max_connections(&self, max_connections: usize) -> Self {
        Self { max_connections: max_connections.max(1), ..self.clone() }
    }

    /// The same database, with sessions whose commits do not wait for the disk: for what is made from a log, with how
    /// far it got in the same transaction. A crash of the server takes back the last moments of both, never one of them.
    pub fn without_waiting_for_the_disk(&self) -> Self {
        self.with_option("synchronous_commit=off")
    }

    /// The same database, with sessions that plan a prepared statement once and keep the plan: for statements that find
    /// rows by their keys, of which planning costs more than running.
    pub fn keeping_plans(&self) -> Self {
        self.with_option("plan_cache_mode=force_generic_plan")
    }

    fn with_option(&self, option: &str) -> Self {
        let mut database = self.clone();
        let options = database.config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        database.config.options(format!("{options}-c {option}"));
        database
    }

    /// A pool whose connections run `SET ROLE role` (if given) and have `schema` first on their search path.
    ///
    /// Opens one connection at once, so a wrong role, password or address shows here.
    pub async fn pool(&self, schema: &str, role: Option<&str>) -> Result<Pool, PgError> {
        self.pool_over(&[schema], role).await
    }

    /// Like [`Database::pool`], with several schemas on the search path: new tables are made in the first.
    pub async fn pool_over(&self, schemas: &[&str], role: Option<&str>) -> Result<Pool, PgError> {
        let mut config = self.config.clone();
        if config.get_application_name().is_none() {
            config.application_name(format!("oms {}", schemas.first().copied().unwrap_or("public")));
        }
        let manager = Manager::from_connect(
            config,
            Connector(self.tls.clone()),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(self.max_connections)
            .wait_timeout(Some(WAIT_TIMEOUT))
            .create_timeout(Some(CREATE_TIMEOUT))
            .recycle_timeout(Some(RECYCLE_TIMEOUT))
            // The connection used last knows the statements best, and its process has what it needs at hand.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .post_create(session_settings(schemas, role))
            .build()
            .map_err(PgError::BuildPool)?;
        drop(pool.get().await?);
        Ok(pool)
    }

    /// A connection of its own, outside every pool, with the login's role and search path.
    pub async fn connect(&self) -> Result<Client, PgError> {
        let (client, connection) = self.open().await?;
        drive(connection);
        Ok(client)
    }

    /// A connection that nobody drives yet.
    pub(crate) async fn open(&self) -> Result<(Client, Connection), PgError> {
        self.config.connect(self.tls.clone()).await.map_err(PgError::Connect)
    }

    /// Refuses a server older than 14, and one whose settings lose acknowledged writes on a crash.
    pub async fn check_durability(&self) -> Result<(), PgError> {
        const SETTINGS: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];
        let client = self.connect().await?;
        let version = client
            .query_one("SELECT current_setting('server_version_num')::int, current_setting('server_version')", &[])
            .await
            .map_err(PgError::statement("read the server's version"))?;
        if version.get::<_, i32>(0) < 140_000 {
            return Err(PgError::TooOld { found: version.get(1) });
        }
        for setting in SETTINGS {
            let row = client
                .query_one("SELECT current_setting($1)", &[&setting])
                .await
                .map_err(PgError::statement("read the server's durability settings"))?;
            if row.get::<_, &str>(0) == "off" {
                return Err(PgError::NotDurable { setting });
            }
        }
        Ok(())
    }

    /// Makes `role` (a role without login) the owner of `schemas`, creating what is missing, and lets the login become it.
    ///
    /// Where the login may not create roles and none was prepared, the schemas are made for the login itself and
    /// [`RoleSeparation::Shared`] is answered. Safe to call from several instances at once.
    pub async fn ensure_owner(&self, role: &str, schemas: &[&str]) -> Result<owner::RoleSeparation, PgError> {
        owner::ensure(self, role, schemas).await
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Database")
            .field("hosts", &self.config.get_hosts())
            .field("name", &self.config.get_dbname())
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// Quotes an identifier for use in a statement that takes no parameters.
pub(crate) fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Rows are found by their keys, whatever the planner believes: the plan of a prepared statement is kept, and one that
/// was made while a table was small would read all of it every time once it is large.
/// A plan that has no other way than to read a table costs so much then that Postgres would compile it each time.
const ROWS_BY_KEY: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// Role and search path, and the end of a transaction whose process froze in it: its locks must not stay for ever.
fn session_settings(schemas: &[&str], role: Option<&str>) -> Hook {
    let set_role = role.map(|role| format!("SET ROLE {};", quote_identifier(role))).unwrap_or_default();
    let path: String = schemas.iter().map(|schema| format!("{}, ", quote_identifier(schema))).collect();
    let statement = format!(
        "{set_role} SET search_path = {path}public; \
         SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'; {ROWS_BY_KEY}"
    );
    Hook::async_fn(move |client, _| {
        let statement = statement.clone();
        Box::pin(async move { client.batch_execute(&statement).await.map_err(HookError::Backend) })
    })
}

/// Opens the connections of a pool. A connection that ends is no news: the pool replaces it when it is next wanted.
struct Connector(Tls);

type Driven = (Client, JoinHandle<()>);

impl Connect for Connector {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<Driven, tokio_postgres::Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(self.0.clone()).await?;
            Ok((client, drive(connection)))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the driver of a connection ends by itself when its client is dropped")]
fn drive(connection: Connection) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = %error, "a database connection ended");
        }
    })
}
