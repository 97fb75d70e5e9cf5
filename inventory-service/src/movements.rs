//! Every change of a product's stock, in the order of its versions: the table `stock_movement`, which a reader fills
//! from the log, so that no order waits for it.

use crate::domain::stock::lines_of;
use chrono::{DateTime, Utc};
use eventstore::{EventLog, ReadError};
use feeds::{HandleError, Page, Projector, ReaderHandle, Target, WaitError};
use pg::deadpool_postgres::{PoolError, Transaction};
use pg::tokio_postgres::{self, Row};
use pg::{Pool, tokio_postgres::types::ToSql};
use shared_events::inventory::{InventoryEvent, StockLine};
use shared_events::sealed::{KeyRing, open_event};
use shared_events::{EventBody as _, OrderId, ProductId, RecordedEvent};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// The reader's name.
pub const NAME: &str = "stock-movements";

const INSERT: &str = include_str!("sql/insert_movements.sql");
const LIST: &str = include_str!("sql/list_movements.sql");
const MOVED_SINCE: &str = include_str!("sql/moved_since.sql");
const PATIENCE: Duration = Duration::from_secs(5);

/// Fills the table.
pub struct StockMovements;

/// A change of a product's stock at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The product.
    pub product_id: ProductId,
    /// Counts the changes of the product's stock, over all locations.
    pub stock_version: i64,
    /// The event that says so.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// Where.
    pub location: String,
    /// How many pieces changed hands; signed where it can go both ways.
    pub quantity: i64,
    /// Pieces there afterwards.
    pub on_hand: i64,
    /// Pieces promised afterwards; all are counted at the default location.
    pub reserved: i64,
    /// The order, where one is the cause.
    pub order_id: Option<OrderId>,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The moment whose stock was counted, if it is a count.
    pub counted_at: Option<DateTime<Utc>>,
}

/// What happened at a location since a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Pieces that came, less those that left; what counts corrected is not among them.
    pub moved: i64,
    /// Whether it was counted at that moment, or at a later one.
    pub was_counted: bool,
}

/// Why movements can't be read.
#[derive(Debug, thiserror::Error)]
pub enum MovementsError {
    /// No connection.
    #[error("no database connection could be had")]
    Connection(#[from] PoolError),
    /// A statement failed.
    #[error("the movements of stock can't be read")]
    Statement(#[from] tokio_postgres::Error),
    /// The head of the log can't be read.
    #[error("the inventory log can't be read")]
    Log(#[from] ReadError),
    /// The table is too far behind the log.
    #[error("the movements of stock are not readable yet")]
    Behind(#[source] WaitError),
}

impl Movement {
    fn all_of(recorded: &RecordedEvent) -> Result<Vec<Self>, HandleError> {
        let event = open_event::<InventoryEvent>(recorded, &KeyRing::default())?;
        let Some((order_id, reason, occurred_at)) = cause_of(&event) else { return Ok(Vec::new()) };
        let counted_at = match &event {
            InventoryEvent::StockAdjusted(adjusted) => adjusted.counted_at,
            _ => None,
        };
        let movement = |line: &StockLine| Self {
            product_id: line.product_id,
            stock_version: line.stock_version,
            event_id: recorded.event_id.as_uuid(),
            event_type: recorded.event_type.clone(),
            location: line.location.clone(),
            quantity: line.quantity,
            on_hand: line.on_hand,
            reserved: line.reserved,
            order_id,
            reason: reason.clone(),
            occurred_at,
            counted_at,
        };
        Ok(lines_of(&event).iter().map(movement).collect())
    }

    fn read(row: &Row) -> Self {
        Self {
            product_id: ProductId::from_uuid(row.get(0)),
            stock_version: row.get(1),
            event_id: row.get(2),
            event_type: row.get(3),
            location: row.get(4),
            quantity: row.get(5),
            on_hand: row.get(6),
            reserved: row.get(7),
            order_id: row.get::<_, Option<Uuid>>(8).map(OrderId::from_uuid),
            reason: row.get(9),
            occurred_at: row.get(10),
            counted_at: row.get(11),
        }
    }
}

type CauseOfMovement = (Option<OrderId>, Option<String>, DateTime<Utc>);

/// The order, the reason and the time of an event that moves stock.
fn cause_of(event: &InventoryEvent) -> Option<CauseOfMovement> {
    use InventoryEvent as E;
    Some(match event {
        E::StockReceived(event) => (None, event.reason.clone(), event.occurred_at),
        E::StockAdjusted(event) => (None, event.reason.clone(), event.occurred_at),
        E::StockReserved(event) => (Some(event.order_id), None, event.occurred_at),
        E::ReservationChanged(event) => (Some(event.order_id), None, event.occurred_at),
        E::ReservationReleased(event) => (Some(event.order_id), event.reason.clone(), event.occurred_at),
        E::ReservationExpired(event) => (Some(event.order_id), None, event.occurred_at),
        E::StockShipped(event) => (Some(event.order_id), None, event.occurred_at),
        E::StockRestocked(event) => (Some(event.order_id), None, event.occurred_at),
        E::ProductCreated(_)
        | E::ProductUpdated(_)
        | E::ProductArchived(_)
        | E::PriceSet(_)
        | E::ReservationAttached(_)
        | E::ReservationConfirmed(_)
        | E::ReservationLapsed(_)
        | E::LowStockReached(_) => return None,
    })
}

impl Projector for StockMovements {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn handle(&self, transaction: &Transaction<'_>, pages: &[Page]) -> Result<(), HandleError> {
        let mut movements = BTreeMap::new();
        let events = pages.iter().flat_map(|page| &page.events);
        for recorded in events.filter(|recorded| InventoryEvent::is_known(&recorded.event_type)) {
            for movement in Movement::all_of(recorded)? {
                movements.insert((movement.product_id, movement.stock_version), movement);
            }
        }
        if movements.is_empty() {
            return Ok(());
        }
        let rows: Vec<&Movement> = movements.values().collect();
        let uuids = |pick: fn(&Movement) -> Uuid| rows.iter().map(|row| pick(row)).collect::<Vec<_>>();
        let numbers = |pick: fn(&Movement) -> i64| rows.iter().map(|row| pick(row)).collect::<Vec<_>>();
        let texts = |pick: fn(&Movement) -> &str| rows.iter().map(|row| pick(row)).collect::<Vec<_>>();
        let params: [&(dyn ToSql + Sync); 12] = [
            &uuids(|row| row.product_id.as_uuid()),
            &numbers(|row| row.stock_version),
            &uuids(|row| row.event_id),
            &texts(|row| &row.event_type),
            &texts(|row| &row.location),
            &numbers(|row| row.quantity),
            &numbers(|row| row.on_hand),
            &numbers(|row| row.reserved),
            &rows.iter().map(|row| row.order_id.map(|id| id.as_uuid())).collect::<Vec<_>>(),
            &rows.iter().map(|row| row.reason.as_deref()).collect::<Vec<_>>(),
            &rows.iter().map(|row| row.occurred_at).collect::<Vec<_>>(),
            &rows.iter().map(|row| row.counted_at).collect::<Vec<_>>(),
        ];
        let insert = transaction.prepare_cached(INSERT).await?;
        transaction.execute(&insert, &params).await?;
        Ok(())
    }
}

/// Reads the table.
#[derive(Clone)]
pub struct Movements {
    pool: Pool,
    log: EventLog,
    reader: ReaderHandle,
}

impl Movements {
    /// Reads what the reader with this handle fills from `log`.
    #[must_use]
    pub const fn new(pool: Pool, log: EventLog, reader: ReaderHandle) -> Self {
        Self { pool, log, reader }
    }

    /// The movements of a product before a stock version, newest first.
    ///
    /// # Errors
    /// [`MovementsError`].
    pub async fn before(
        &self,
        product_id: ProductId,
        version: i64,
        limit: i64,
    ) -> Result<Vec<Movement>, MovementsError> {
        let client = self.pool.get().await?;
        let rows = client.query(LIST, &[&product_id.as_uuid(), &version, &limit]).await?;
        Ok(rows.iter().map(Movement::read).collect())
    }

    /// What happened to what lies of a product at a location since a moment, up to a stock version. The table has to
    /// have all of it: see [`Self::catch_up`].
    ///
    /// # Errors
    /// [`MovementsError`].
    pub async fn since(
        &self,
        product_id: ProductId,
        location: &str,
        moment: DateTime<Utc>,
        version: i64,
    ) -> Result<Since, MovementsError> {
        let client = self.pool.get().await?;
        let params: [&(dyn ToSql + Sync); 4] = [&product_id.as_uuid(), &location, &moment, &version];
        let row = client.query_one(MOVED_SINCE, &params).await?;
        Ok(Since { moved: row.get(0), was_counted: row.get(1) })
    }

    /// Waits until the table has all that is in the log now, for 5 s at most.
    ///
    /// # Errors
    /// [`MovementsError::Behind`] among others.
    pub async fn catch_up(&self) -> Result<(), MovementsError> {
        let heads = self.log.heads().await?;
        let targets = (0..).zip(heads.positions).map(|(partition, position)| Target {
            log: crate::NAME.to_owned(),
            partition,
            position,
        });
        let targets: Vec<Target> = targets.collect();
        self.reader.wait_until(&targets, PATIENCE).await.map_err(MovementsError::Behind)
    }
}
