//! Products and their prices: each change is one transaction of rows and events. The product's row is locked first,
//! then its stock's, then the log's heads. The events are the truth; the rows are what folding them gives.

mod change;
mod create_many;
mod read;

pub use change::{NewPrice, NewProduct, ProductChange};
pub use create_many::MOST_AT_ONCE;
pub use read::{Product, ProductFilter};

use crate::domain::product::BrokenRules;
use eventstore::{Append, AppendError, ClaimDone, EventLog, Expected};
use pg::deadpool_postgres::Transaction;
use pg::sqlstate::{SqlClass, classify};
use pg::{Pool, deadpool_postgres::PoolError, tokio_postgres};
use shared_events::inventory::{InventoryEvent, PRODUCT_STREAM};
use shared_events::sealed::seal_event;
use shared_events::{Metadata, NewEvent, PayloadError, ProductId};
use std::error::Error;
use uuid::Uuid;

/// The catalogue of one shop.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pool: Pool,
    log: EventLog,
}

/// Who changes something, and how often at most.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Who, and why.
    pub metadata: Metadata,
    /// The request's claim on its Idempotency-Key, if it has one, already answered.
    pub claim: Option<ClaimDone>,
}

/// Why the catalogue did not change or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is no such product.
    #[error("there is no product {0}")]
    NotFound(ProductId),
    /// Another product has that sku.
    #[error("another product has the sku {0}")]
    SkuTaken(String),
    /// It is at another version than was expected.
    #[error("the product is at version {actual}")]
    VersionMismatch {
        /// The version it has.
        actual: i64,
    },
    /// Backorders can't end while more is promised than there is.
    #[error("{reserved} pieces are reserved and only {on_hand} are on hand, so backorders can't end yet")]
    Oversold {
        /// Pieces on the shelf.
        on_hand: i64,
        /// Pieces promised.
        reserved: i64,
    },
    /// It breaks rules.
    #[error("the product breaks {} rules", .0.len())]
    Invalid(BrokenRules),
    /// No connection.
    #[error("no database connection could be had")]
    Connection(#[from] PoolError),
    /// A statement failed; nothing changed.
    #[error("a statement on the catalogue failed")]
    Statement(#[from] tokio_postgres::Error),
    /// The commit failed; whether it changed is not known.
    #[error("a change of the catalogue could not be committed")]
    Commit(#[source] tokio_postgres::Error),
    /// The log did not take the events.
    #[error("the product's events could not be appended")]
    Append(#[from] AppendError),
    /// An event can't be written.
    #[error("an event of the product can't be written")]
    Payload(#[from] PayloadError),
    /// A stored value can't be read.
    #[error("a stored {column} of product {product_id} can't be read")]
    Stored {
        /// The product.
        product_id: ProductId,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl CatalogueError {
    /// Whether the same request may be made again later, unchanged.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Append(error) => error.is_unavailable() || matches!(error, AppendError::Conflict { .. }),
            other => pg::is_unavailable(other),
        }
    }
}

impl Catalogue {
    /// The catalogue in the pool's schema.
    #[must_use]
    pub const fn new(pool: Pool, log: EventLog) -> Self {
        Self { pool, log }
    }

    /// Appends a product's events after `version` and commits.
    async fn commit(
        &self,
        tx: Transaction<'_>,
        product_id: ProductId,
        version: i64,
        events: &[InventoryEvent],
        cause: Cause,
    ) -> Result<(), CatalogueError> {
        let stream_id = product_id.to_string();
        let events: Vec<NewEvent> =
            events.iter().map(|event| seal_event(event, &stream_id, None)).collect::<Result<_, _>>()?;
        let append = Append {
            stream_id,
            stream_type: PRODUCT_STREAM,
            expected: Expected::Version(version),
            command_id: None,
            events,
            metadata: cause.metadata,
            claim: cause.claim,
        };
        self.log.append_in(&tx, &[append]).await?;
        tx.commit().await.map_err(CatalogueError::Commit)?;
        self.log.committed();
        Ok(())
    }
}

/// What a unique key that was violated says.
fn taken(error: tokio_postgres::Error, sku: &str) -> CatalogueError {
    match classify(&error) {
        SqlClass::UniqueViolation { constraint } if constraint == "product_sku_key" => {
            CatalogueError::SkuTaken(sku.to_owned())
        }
        _ => error.into(),
    }
}

fn uuids(products: &[ProductId]) -> Vec<Uuid> {
    products.iter().map(ProductId::as_uuid).collect()
}
