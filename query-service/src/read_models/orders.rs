//! `order_view`: orders by id, by number, and in pages.

use super::keyset::{Direction, Page, PageRequest, Place, Select, SortColumn};
use crate::read_error::ReadError;
use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};
use order::{FulfilmentStatus, Order, OrderStatus, PaymentStatus};
use pg::{Pool, tokio_postgres::Row, tokio_postgres::types::Json};
use rust_decimal::Decimal;
use shared_events::{Currency, OrderId, ProductId, UserId};
use std::collections::HashMap;

const TABLE: &str = "order_view";
const BY_ID: &str = "SELECT state FROM order_view WHERE order_id = $1";
const BY_IDS: &str = "SELECT state FROM order_view WHERE order_id = ANY($1)";
// Numbers of imported orders are their own; where two have the same, the newest is meant.
const BY_NUMBER: &str =
    "SELECT order_id FROM order_view WHERE number = $1 ORDER BY placed_at DESC, order_id DESC LIMIT 1";
const HAS_ORDERS: &str = "SELECT EXISTS (SELECT FROM order_view WHERE customer_id = $1)";

/// Which orders are wanted; parts that are absent or empty ask for nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrderFilter {
    /// Only this customer's, whatever else is asked for: whose orders the caller may see.
    pub confined_to: Option<UserId>,
    /// In one of these statuses.
    pub statuses: Vec<OrderStatus>,
    /// In one of these.
    pub payment_statuses: Vec<PaymentStatus>,
    /// In one of these.
    pub fulfilment_statuses: Vec<FulfilmentStatus>,
    /// Of this customer.
    pub customer_id: Option<UserId>,
    /// With this product.
    pub product_id: Option<ProductId>,
    /// With this number.
    pub number: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Placed then or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Placed before.
    pub placed_to: Option<DateTime<Utc>>,
    /// At least this total.
    pub total_min: Option<Decimal>,
    /// At most this total.
    pub total_max: Option<Decimal>,
    /// With (or without) something that a person has to look at.
    pub open_exception: Option<bool>,
}

/// What orders can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderSort {
    /// When they were placed.
    PlacedAt,
    /// When something last happened to them.
    UpdatedAt,
    /// Their total.
    Total,
    /// Their number.
    Number,
}

impl OrderSort {
    const fn column(self) -> SortColumn {
        match self {
            Self::PlacedAt => SortColumn { name: "placed_at", sql_type: "timestamptz" },
            Self::UpdatedAt => SortColumn { name: "updated_at", sql_type: "timestamptz" },
            Self::Total => SortColumn { name: "total", sql_type: "numeric" },
            Self::Number => SortColumn { name: "number", sql_type: "text" },
        }
    }

    /// The name that cursors carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.column().name
    }

    /// Where an order stands in a list sorted so.
    #[must_use]
    pub fn place(self, order: &Order) -> Place {
        let value = match self {
            Self::PlacedAt => text_of_time(order.placed_at),
            Self::UpdatedAt => text_of_time(order.updated_at),
            Self::Total => order.totals.total.to_string(),
            Self::Number => order.number.clone(),
        };
        Place { sorted_by: self.name().to_owned(), value, id: order.id.as_uuid() }
    }

    /// Reads a cursor of a list sorted so; its value is checked here, so that no cursor makes a statement fail.
    ///
    /// # Errors
    /// 400 `INVALID_CURSOR`.
    pub fn parse_cursor(self, cursor: &str) -> Result<Place, web::Problem> {
        let place = Place::parse(cursor, self.name())?;
        // Written anew from what was read: what Rust takes for a time or number, Postgres might not.
        let value = match self {
            Self::PlacedAt | Self::UpdatedAt => {
                let at = DateTime::parse_from_rfc3339(&place.value).ok().map(|at| at.to_utc());
                at.filter(|at| is_storable(*at)).map(text_of_time)
            }
            Self::Total => place.value.parse::<Decimal>().ok().map(|total| total.to_string()),
            Self::Number => Some(place.value),
        };
        let value =
            value.ok_or_else(|| web::Problem::invalid_cursor("the cursor is not one that this list has given"))?;
        Ok(Place { value, ..place })
    }
}

fn text_of_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Whether Postgres has a place for this moment, and people a use.
#[must_use]
pub fn is_storable(at: DateTime<Utc>) -> bool {
    (1..=9999).contains(&at.year())
}

impl OrderFilter {
    fn select(&self) -> Select {
        let mut select = Select::default();
        for customer in [self.confined_to, self.customer_id].into_iter().flatten() {
            select.and("customer_id = $?", customer.as_uuid());
        }
        let names = |names: Vec<&'static str>| (!names.is_empty()).then_some(names);
        if let Some(statuses) = names(self.statuses.iter().map(|status| status.as_str()).collect()) {
            select.and("status = ANY($?)", statuses);
        }
        if let Some(statuses) = names(self.payment_statuses.iter().map(|status| status.as_str()).collect()) {
            select.and("payment_status = ANY($?)", statuses);
        }
        if let Some(statuses) = names(self.fulfilment_statuses.iter().map(|status| status.as_str()).collect()) {
            select.and("fulfilment_status = ANY($?)", statuses);
        }
        if let Some(product_id) = self.product_id {
            select.and("product_ids @> ARRAY[$?::uuid]", product_id.as_uuid());
        }
        if let Some(number) = &self.number {
            select.and("number = $?", number.clone());
        }
        if let Some(tag) = &self.tag {
            select.and("tags @> ARRAY[$?::text]", tag.clone());
        }
        if let Some(currency) = self.currency {
            select.and("currency = $?", currency.code());
        }
        if let Some(from) = self.placed_from {
            select.and("placed_at >= $?", from);
        }
        if let Some(to) = self.placed_to {
            select.and("placed_at < $?", to);
        }
        if let Some(least) = self.total_min {
            select.and("total >= $?", least);
        }
        if let Some(most) = self.total_max {
            select.and("total <= $?", most);
        }
        match self.open_exception {
            Some(true) => select.and_fixed("open_exception"),
            Some(false) => select.and_fixed("NOT open_exception"),
            None => {}
        }
        select
    }
}

/// Reads `order_view`.
#[derive(Clone)]
pub struct Orders {
    pool: Pool,
}

impl Orders {
    /// Reads with these connections.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The order with this id.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_id(&self, id: OrderId) -> Result<Option<Order>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_ID).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_opt(&statement, &[&id.as_uuid()]).await.map_err(ReadError::statement(TABLE))?;
        row.as_ref().map(state).transpose()
    }

    /// The orders with these ids, those that exist.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn by_ids(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Order>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_IDS).await.map_err(ReadError::statement(TABLE))?;
        let uuids: Vec<_> = ids.iter().map(OrderId::as_uuid).collect();
        let rows = client.query(&statement, &[&uuids]).await.map_err(ReadError::statement(TABLE))?;
        rows.iter().map(|row| state(row).map(|order| (order.id, order))).collect()
    }

    /// The id of the order with this number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn id_of_number(&self, number: &str) -> Result<Option<OrderId>, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(BY_NUMBER).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_opt(&statement, &[&number]).await.map_err(ReadError::statement(TABLE))?;
        row.map(|row| row.try_get(0).map(OrderId::from_uuid).map_err(ReadError::statement(TABLE))).transpose()
    }

    /// Whether this customer ever ordered.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn has_orders(&self, customer: UserId) -> Result<bool, ReadError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(HAS_ORDERS).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_one(&statement, &[&customer.as_uuid()]).await.map_err(ReadError::statement(TABLE))?;
        row.try_get(0).map_err(ReadError::statement(TABLE))
    }

    /// Part of the list of orders that the filter lets through.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn page(
        &self,
        filter: &OrderFilter,
        sort: OrderSort,
        direction: Direction,
        request: &PageRequest,
    ) -> Result<Page<Order>, ReadError> {
        let mut select = filter.select();
        let rest = select.page(request, sort.column(), "order_id", direction);
        let client = self.pool.get().await?;
        let sql = format!("SELECT state FROM order_view{rest}");
        let statement = client.prepare_cached(&sql).await.map_err(ReadError::statement(TABLE))?;
        let rows = client.query(&statement, &select.parameters()).await.map_err(ReadError::statement(TABLE))?;
        let orders = rows.iter().map(state).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(orders, request))
    }

    /// How many orders the filter lets through.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn count(&self, filter: &OrderFilter) -> Result<i64, ReadError> {
        let select = filter.select();
        let client = self.pool.get().await?;
        let sql = format!("SELECT count(*) FROM order_view{}", select.where_clause());
        let statement = client.prepare_cached(&sql).await.map_err(ReadError::statement(TABLE))?;
        let row = client.query_one(&statement, &select.parameters()).await.map_err(ReadError::statement(TABLE))?;
        row.try_get(0).map_err(ReadError::statement(TABLE))
    }
}

fn state(row: &Row) -> Result<Order, ReadError> {
    row.try_get::<_, Json<Order>>(0).map(|Json(order)| order).map_err(ReadError::statement(TABLE))
}
