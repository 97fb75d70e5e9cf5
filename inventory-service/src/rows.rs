//! How stock and reservations stand in their tables. Other modules see [`StockRow`] and [`ReservationRow`], never
//! columns.

use crate::domain::reservation::{Reservation, ReservationState};
use crate::domain::stock::{Elsewhere, Level, Quantities};
use serde_json::Value;
use shared_events::{OrderId, ProductId};
use std::collections::BTreeMap;
use tokio_postgres::{Error, GenericClient, Row};
use uuid::Uuid;

const SELECT_STOCK: &str = include_str!("sql/select_stock.sql");
const LIST_STOCK: &str = include_str!("sql/list_stock.sql");
const SELECT_RESERVATION: &str = include_str!("sql/select_reservation.sql");
const EXPIRED_RESERVATIONS: &str = include_str!("sql/expired_reservations.sql");

/// The guard of a product's stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// The product.
    pub product_id: ProductId,
    /// Its levels over all locations.
    pub level: Level,
    /// What of it lies at other locations than the default one.
    pub elsewhere: Elsewhere,
    /// The version of its own stream.
    pub stream_version: i64,
}

/// A reservation with what only its row knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationRow {
    /// What follows from its events.
    pub reservation: Reservation,
    /// The last version of the order whose effect is in it.
    pub order_version: i64,
}

/// Where the stock of a reservation's products stands.
pub type StockVersions = BTreeMap<ProductId, i64>;

impl StockRow {
    /// Reads a row of `stock`.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self {
            product_id: ProductId::from_uuid(row.get(0)),
            level: Level {
                on_hand: row.get(1),
                reserved: row.get(2),
                backorder: row.get(3),
                low_stock_threshold: row.get(4),
                version: row.get(5),
            },
            stream_version: row.get(6),
            elsewhere: serde_json::from_value(row.get(7)).expect("only `elsewhere` writes this column"),
        }
    }
}

impl ReservationRow {
    /// The row of an order that nothing was ever reserved for.
    #[must_use]
    pub const fn none(order_id: OrderId) -> Self {
        Self { reservation: Reservation::none(order_id), order_version: 0 }
    }

    /// Reads a row of `reservation`.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let state: &str = row.get(2);
        Self {
            reservation: Reservation {
                order_id: OrderId::from_uuid(row.get(0)),
                revision: row.get(1),
                state: ReservationState::parse(state).expect("the table's check allows only these states"),
                lines: quantities(row.get(3)),
                expires_at: row.get(4),
                version: row.get(5),
            },
            order_version: row.get(6),
        }
    }
}

/// The stored form of what lies at other locations.
#[must_use]
pub fn elsewhere(elsewhere: &Elsewhere) -> Value {
    elsewhere.iter().map(|(location, pieces)| (location.clone(), Value::from(*pieces))).collect()
}

/// The stored form of a reservation's lines.
#[must_use]
pub fn lines(quantities: &Quantities) -> Value {
    quantities.iter().map(|(product, pieces)| (product.as_uuid().to_string(), Value::from(*pieces))).collect()
}

fn quantities(lines: Value) -> Quantities {
    let lines: BTreeMap<Uuid, i64> = serde_json::from_value(lines).expect("only `lines` writes this column");
    lines.into_iter().map(|(product, pieces)| (ProductId::from_uuid(product), pieces)).collect()
}

/// The stock of these products, ascending; unknown ones are left out.
///
/// # Errors
/// The database's.
pub async fn stock(client: &impl GenericClient, products: &[ProductId]) -> Result<Vec<StockRow>, Error> {
    let ids: Vec<Uuid> = products.iter().map(ProductId::as_uuid).collect();
    let rows = client.query_typed(SELECT_STOCK, &[(&ids, tokio_postgres::types::Type::UUID_ARRAY)]).await?;
    Ok(rows.iter().map(StockRow::of).collect())
}

/// The stock of products after one, at most `limit`, of which less than `below` is available.
///
/// # Errors
/// The database's.
pub async fn list_stock(
    client: &impl GenericClient,
    after: Option<Uuid>,
    below: Option<i64>,
    limit: i64,
) -> Result<Vec<StockRow>, Error> {
    Ok(client.query(LIST_STOCK, &[&after, &below, &limit]).await?.iter().map(StockRow::of).collect())
}

/// The reservation of an order, with the stock versions of its products.
///
/// # Errors
/// The database's.
pub async fn reservation(
    client: &impl GenericClient,
    order_id: OrderId,
) -> Result<Option<(Reservation, StockVersions)>, Error> {
    let row = client.query_opt(SELECT_RESERVATION, &[&order_id.as_uuid()]).await?;
    Ok(row.map(|row| (ReservationRow::of(&row).reservation, quantities(row.get(7)))))
}

/// Orders whose pending reservation's time is over by the database's clock, the longest overdue first.
///
/// # Errors
/// The database's.
pub async fn expired(client: &impl GenericClient, limit: i64) -> Result<Vec<OrderId>, Error> {
    let rows = client.query(EXPIRED_RESERVATIONS, &[&limit]).await?;
    Ok(rows.iter().map(|row| OrderId::from_uuid(row.get(0))).collect())
}
