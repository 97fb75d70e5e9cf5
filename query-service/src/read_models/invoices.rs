//! `invoice_view`: invoices and credit notes by id, by number, and by order.

use crate::read_error::ReadError;
use pg::{Pool, tokio_postgres::Row, tokio_postgres::types::Json};
use serde::{Deserialize, Serialize};
use shared_events::{InvoiceId, OrderId, invoice::InvoiceDocument};
use std::collections::HashMap;
use uuid::Uuid;

const TABLE: &str = "invoice_view";
const BY_ID: &str = "SELECT document FROM invoice_view WHERE document_id = $1 AND kind = $2";
const BY_NUMBER: &str = "SELECT document FROM invoice_view WHERE number = $1 ORDER BY issued_at DESC LIMIT 1";
const BY_ORDERS: &str =
    "SELECT document FROM invoice_view WHERE order_id = ANY($1) ORDER BY order_id, issued_at, number";

/// An invoice or credit note; the row's document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// The bits of its id; the kind says of which type.
    pub document_id: Uuid,
    /// Which of the two it is.
    pub kind: InvoiceKind,
    /// Its number: the series and its place in it.
    pub number: String,
    /// The invoice that a credit note corrects.
    pub corrects: Option<InvoiceId>,
    /// Why a credit note was issued.
    pub reason: Option<String>,
    /// What it says.
    pub document: InvoiceDocument,
}

/// Which of the two documents it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InvoiceKind {
    /// Money is asked for.
    Invoice,
    /// Money is given back.
    CreditNote,
}

impl InvoiceKind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "INVOICE",
            Self::CreditNote => "CREDIT_NOTE",
        }
    }
}

/// Reads `invoice_view`.
#[derive(Clone)]
pub struct Invoices {
    pool: Pool,
}

impl Invoices {
    /// Reads with these connections.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The document of this kind with this id.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_id(&self, kind: InvoiceKind, id: Uuid) -> Result<Option<Invoice>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_ID).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_opt(&statement, &[&id, &kind.as_str()]).await.map_err(ReadError::statement(TABLE))?;
        row.as_ref().map(document).transpose()
    }

    /// The document with this number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_number(&self, number: &str) -> Result<Option<Invoice>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_NUMBER).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_opt(&statement, &[&number]).await.map_err(ReadError::statement(TABLE))?;
        row.as_ref().map(document).transpose()
    }

    /// The documents of these orders, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_orders(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Vec<Invoice>>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_ORDERS).await.map_err(ReadError::statement(TABLE))?;
        let uuids: Vec<_> = ids.iter().map(OrderId::as_uuid).collect();
        let rows = client.query(&statement, &[&uuids]).await.map_err(ReadError::statement(TABLE))?;
        let mut invoices: HashMap<OrderId, Vec<Invoice>> = HashMap::new();
        for row in &rows {
            let invoice = document(row)?;
            invoices.entry(invoice.document.order_id).or_default().push(invoice);
        }
        Ok(invoices)
    }
}

fn document(row: &Row) -> Result<Invoice, ReadError> {
    row.try_get::<_, Json<Invoice>>(0).map(|Json(invoice)| invoice).map_err(ReadError::statement(TABLE))
}
