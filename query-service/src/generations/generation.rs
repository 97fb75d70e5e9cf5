//! One generation in this process: its connections, its reader, its cache, and the reads that it answers.

use crate::{
    ROLE, SCHEMA,
    cache::OrderCache,
    consistency::ReadYourWrites,
    history::History,
    projectors::{self, ReadTables},
    read_models::{invoices::Invoices, orders::Orders, products::Products, stock::Stocks},
    reads::Reads,
    tail,
};
use feeds::{FeedRegistry, Reader, ReaderHandle};
use pg::{Database, PgError, Pool};
use service::{KeyClient, Peer};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const TABLES: &str = include_str!("../sql/generation/tables.sql");
const INDEXES: &str = include_str!("../sql/generation/indexes.sql");
/// Holds the generation's row, so that one instance alone makes its tables.
const LOCK: &str = "SELECT FROM generation WHERE generation = $1 FOR NO KEY UPDATE";
const IS_THERE: &str = "SELECT to_regclass($1) IS NOT NULL";
/// The last index that is made.
const LAST_INDEX: &str = "invoice_view_order";
const PAUSE: Duration = Duration::from_secs(1);

/// What generations are made of.
pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) role: Option<String>,
    pub(crate) keys: KeyClient,
    pub(crate) feeds: FeedRegistry,
    pub(crate) users: Peer,
    pub(crate) return_window: chrono::TimeDelta,
}

/// One generation of the read tables.
pub(crate) struct Generation {
    pub(crate) number: i32,
    pub(crate) reads: Arc<Reads>,
    pub(crate) reader: ReaderHandle,
    pool: Pool,
    feeds: FeedRegistry,
    not_started: Mutex<Option<Reader>>,
    was_live: AtomicBool,
    indexes: Mutex<Indexes>,
    stop: CancellationToken,
    ended: CancellationToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indexes {
    Missing,
    BeingMade,
    Made,
}

/// The schema of a generation.
pub(crate) fn schema_of(number: i32) -> String {
    format!("{SCHEMA}_{number}")
}

impl Parts {
    /// Opens a generation that this instance is a member of; makes its schema and tables where they are missing. It
    /// gets its indexes when it has caught up.
    ///
    /// # Errors
    /// [`PgError`].
    pub(crate) async fn open(&self, number: i32, is_live: bool) -> Result<Generation, PgError> {
        let schema = schema_of(number);
        self.database.ensure_owner(ROLE, &[&schema]).await?;
        let pool = self.database.pool_over(&[&schema, SCHEMA], self.role.as_deref()).await?;
        let has_indexes = make_tables(&pool, number).await?;

        let orders = Orders::new(pool.clone());
        let cache = Arc::new(OrderCache::new(orders.clone()));
        let logs = projectors::LOGS.map(|log| self.feeds.subscribe(log));
        let tables = ReadTables::new(number, self.keys.clone(), Arc::clone(&cache));
        let reader = Reader::projector(tables, pool.clone(), logs.to_vec());
        let handle = reader.handle();
        let reads = Arc::new(Reads {
            orders,
            cache: Arc::clone(&cache),
            products: Products::new(pool.clone()),
            stocks: Stocks::new(pool.clone()),
            invoices: Invoices::new(pool.clone()),
            history: History::new(self.feeds.subscribe(History::log()), self.keys.clone()),
            writes: ReadYourWrites::new(pool.clone(), handle.clone(), cache),
            users: self.users.clone(),
            return_window: self.return_window,
        });
        Ok(Generation {
            number,
            reads,
            reader: handle,
            pool,
            feeds: self.feeds.clone(),
            not_started: Mutex::new(Some(reader)),
            was_live: AtomicBool::new(is_live),
            indexes: Mutex::new(if has_indexes { Indexes::Made } else { Indexes::Missing }),
            stop: CancellationToken::new(),
            ended: CancellationToken::new(),
        })
    }
}

/// Makes the tables that are missing; says whether the indexes are there as well.
async fn make_tables(pool: &Pool, number: i32) -> Result<bool, PgError> {
    let failed = |source| PgError::Statement { action: "make the tables of a generation", source };
    let mut client = pool.get().await?;
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.execute(LOCK, &[&number]).await.map_err(failed)?;
    let schema = schema_of(number);
    let is_there = async |name: &str| -> Result<bool, PgError> {
        let row = transaction.query_one(IS_THERE, &[&format!("{schema}.{name}")]).await.map_err(failed)?;
        Ok(row.get(0))
    };
    if !is_there("order_view").await? {
        transaction.batch_execute(TABLES).await.map_err(failed)?;
    }
    let has_indexes = is_there(LAST_INDEX).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(has_indexes)
}

impl Generation {
    /// Whether it was ever the live one.
    pub(crate) fn was_live(&self) -> bool {
        self.was_live.load(Ordering::Relaxed)
    }

    pub(crate) fn note_live(&self) {
        self.was_live.store(true, Ordering::Relaxed);
    }

    /// What runs it, the first time it is asked for.
    pub(crate) fn runner(
        self: &Arc<Self>,
    ) -> Option<impl FnOnce(CancellationToken) -> futures_util::future::BoxFuture<'static, ()> + Send + 'static> {
        let reader = self.not_started.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let generation = Arc::clone(self);
        Some(move |stop: CancellationToken| -> futures_util::future::BoxFuture<'static, ()> {
            Box::pin(async move { generation.run(reader, stop).await })
        })
    }

    async fn run(&self, reader: Reader, stop: CancellationToken) {
        let _ended = self.ended.clone().drop_guard();
        let either = stop.child_token();
        let told = async {
            either.run_until_cancelled(self.stop.cancelled()).await;
            either.cancel();
        };
        tokio::join!(reader.run(either.clone()), self.tail(&either), told);
    }

    /// The cache hears what other instances project.
    async fn tail(&self, stop: &CancellationToken) {
        loop {
            let log = self.feeds.subscribe(History::log());
            match tail::follow(log, Arc::clone(&self.reads.cache), stop.clone()).await {
                Ok(()) => return,
                Err(error) => tracing::error!(generation = self.number, %error, "the cache begins anew"),
            }
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }

    /// Whether no request reads it any more; asked of one that is not the current one.
    pub(crate) fn is_drained(&self) -> bool {
        Arc::strong_count(&self.reads) == 1
    }

    /// Stops its reader and gives its connections back.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        let never_ran = self.not_started.lock().unwrap_or_else(PoisonError::into_inner).take().is_some();
        if !never_ran {
            self.ended.cancelled().await;
        }
        self.pool.close();
    }

    /// Whether it has its indexes.
    pub(crate) fn has_indexes(&self) -> bool {
        *self.indexes() == Indexes::Made
    }

    /// What makes its indexes, where they are missing and nobody is at it.
    pub(crate) fn indexer(self: &Arc<Self>) -> Option<impl Future<Output = ()> + Send + 'static> {
        {
            let mut indexes = self.indexes();
            if *indexes != Indexes::Missing {
                return None;
            }
            *indexes = Indexes::BeingMade;
        }
        let generation = Arc::clone(self);
        Some(async move {
            let made = generation.stop.run_until_cancelled(generation.make_indexes()).await;
            if let Some(Err(error)) = &made {
                tracing::warn!(generation = generation.number, %error, "the indexes have to be made again");
            }
            *generation.indexes() = if matches!(made, Some(Ok(()))) { Indexes::Made } else { Indexes::Missing };
        })
    }

    async fn make_indexes(&self) -> Result<(), PgError> {
        let failed = |source| PgError::Statement { action: "make the indexes of a generation", source };
        let client = self.pool.get().await?;
        client.batch_execute(INDEXES).await.map_err(failed)
    }

    fn indexes(&self) -> std::sync::MutexGuard<'_, Indexes> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
