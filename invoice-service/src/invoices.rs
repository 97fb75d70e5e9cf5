//! Reads the table `invoice`.

use crate::view::{InvoiceView, Kind};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use pg::{Pool, tokio_postgres::Row};
use service::{KeyClient, KeyClientError};
use shared_events::{
    Actor, EventId, Metadata, OrderId, PayloadError, RecordedEvent, UserId,
    invoice::{InvoiceEvent, STREAM_TYPE},
    sealed::key_ids,
};
use uuid::Uuid;

/// Why invoices could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InvoicesError {
    /// No connection.
    #[error("no connection for the invoices")]
    Pool(#[from] pg::deadpool_postgres::PoolError),
    /// The database refused.
    #[error("the invoices could not be read")]
    Database(#[from] pg::tokio_postgres::Error),
    /// The keys are not to be had.
    #[error("the keys of the invoices could not be fetched")]
    Keys(#[from] KeyClientError),
    /// A document is broken.
    #[error("a stored invoice could not be opened")]
    Payload(#[from] PayloadError),
}

/// Which invoices.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this order.
    pub order_id: Option<OrderId>,
    /// Of this customer.
    pub customer_id: Option<UserId>,
    /// Issued before this one, in the order of the list.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// An invoice with its place in lists.
#[derive(Debug, Clone)]
pub struct Found {
    /// What readers get.
    pub view: InvoiceView,
    /// Where it stands in lists.
    pub place: (DateTime<Utc>, Uuid),
}

/// The invoices. Cheap to clone.
#[derive(Clone)]
pub struct Invoices {
    pool: Pool,
    keys: KeyClient,
}

impl Invoices {
    /// In the schema of that pool.
    #[must_use]
    pub const fn new(pool: Pool, keys: KeyClient) -> Self {
        Self { pool, keys }
    }

    /// The document with this id; none where there is none, or it is another customer's.
    ///
    /// # Errors
    /// [`InvoicesError`].
    pub async fn find(&self, id: Uuid, kind: Kind, of: Option<UserId>) -> Result<Option<InvoiceView>, InvoicesError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/find_invoice.sql")).await?;
        let rows = client.query(&statement, &[&id, &kind.as_str(), &of.map(|id| id.as_uuid())]).await?;
        Ok(self.open(&rows).await?.pop().map(|found| found.view))
    }

    /// Documents, newest first.
    ///
    /// # Errors
    /// [`InvoicesError`].
    pub async fn list(&self, filter: &Filter, limit: i64) -> Result<Vec<Found>, InvoicesError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(include_str!("sql/list_invoices.sql")).await?;
        let order_id = filter.order_id.map(|id| id.as_uuid());
        let customer_id = filter.customer_id.map(|id| id.as_uuid());
        let (issued_at, id) = filter.after.unzip();
        let rows = client.query(&statement, &[&order_id, &customer_id, &issued_at, &id, &limit]).await?;
        self.open(&rows).await
    }

    async fn open(&self, rows: &[Row]) -> Result<Vec<Found>, InvoicesError> {
        let recorded: Vec<(RecordedEvent, Uuid)> =
            rows.iter().map(|row| (from_row(row), row.get("document_id"))).collect();
        let ids: Vec<_> = recorded.iter().flat_map(|(event, _)| key_ids::<InvoiceEvent>(event)).collect();
        let ring = self.keys.ring(&ids).await?;
        let open = |(event, id): (RecordedEvent, Uuid)| {
            Ok(Found { view: InvoiceView::open(&event, &ring)?, place: (event.recorded_at, id) })
        };
        recorded.into_iter().map(open).collect()
    }
}

/// The row as the event it was made from, as far as reading it needs.
fn from_row(row: &Row) -> RecordedEvent {
    let event_type =
        if row.get::<_, &str>("kind") == Kind::Invoice.as_str() { "InvoiceIssued" } else { "CreditNoteIssued" };
    RecordedEvent {
        partition: 0,
        position: 0,
        stream_id: row.get("series"),
        stream_type: STREAM_TYPE.to_owned(),
        version: row.get("version"),
        event_id: EventId::from_uuid(row.get("document_id")),
        command_id: None,
        event_type: event_type.to_owned(),
        schema_version: row.get("schema_version"),
        payload: Bytes::copy_from_slice(row.get("payload")),
        metadata: Metadata {
            correlation_id: row.get("document_id"),
            causation_id: None,
            actor: Actor::internal(),
            traceparent: None,
            import: false,
        },
        recorded_at: row.get("issued_at"),
    }
}
