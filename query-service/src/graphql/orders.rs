//! The list of orders: its filter, its order, its pages.

use super::date_time::DateTime;
use super::{
    enums::{FulfilmentStatus, OrderOrderField, OrderStatus, PaymentStatus, SortDirection},
    error::{FromRead as _, bad_input},
    ids,
    order::Order,
    paging::{PageArguments, PageInfo},
    query::{reads, viewer},
};
use crate::read_models::{
    keyset::{Direction, Page},
    orders::{self, OrderSort},
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rust_decimal::Decimal;
use shared_events::{Currency, UserId};
use std::sync::Arc;
use web::Scope;

/// Which orders are wanted; every part that is given has to hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct OrderFilter {
    /// In one of these statuses.
    status: Option<Vec<OrderStatus>>,
    /// In one of these payment statuses.
    payment_status: Option<Vec<PaymentStatus>>,
    /// In one of these fulfilment statuses.
    fulfilment_status: Option<Vec<FulfilmentStatus>>,
    /// Of this customer.
    customer_id: Option<ID>,
    /// With this product.
    product_id: Option<ID>,
    /// With this number.
    number: Option<String>,
    /// With this tag.
    tag: Option<String>,
    /// In this currency (ISO 4217).
    currency: Option<String>,
    /// Placed then or later.
    placed_from: Option<DateTime>,
    /// Placed before.
    placed_to: Option<DateTime>,
    /// With at least this total.
    total_min: Option<Decimal>,
    /// With at most this total.
    total_max: Option<Decimal>,
    /// With (or without) something that a person has to look at.
    open_exception: Option<bool>,
}

/// How orders are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct OrderOrder {
    /// By what.
    #[graphql(default_with = "OrderOrderField::PlacedAt")]
    field: OrderOrderField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Desc")]
    direction: SortDirection,
}

impl OrderFilter {
    fn parse(self) -> Result<orders::OrderFilter> {
        let currency = self.currency.map(|code| Currency::parse(&code).map_err(|error| bad_input(error.to_string())));
        Ok(orders::OrderFilter {
            confined_to: None,
            statuses: self.status.into_iter().flatten().map(Into::into).collect(),
            payment_statuses: self.payment_status.into_iter().flatten().map(Into::into).collect(),
            fulfilment_statuses: self.fulfilment_status.into_iter().flatten().map(Into::into).collect(),
            customer_id: self.customer_id.map(|id| ids::parse(&id)).transpose()?,
            product_id: self.product_id.map(|id| ids::parse(&id)).transpose()?,
            number: self.number,
            tag: self.tag,
            currency: currency.transpose()?,
            placed_from: storable(self.placed_from)?,
            placed_to: storable(self.placed_to)?,
            total_min: self.total_min,
            total_max: self.total_max,
            open_exception: self.open_exception,
        })
    }
}

fn storable(at: Option<DateTime>) -> Result<Option<chrono::DateTime<chrono::Utc>>> {
    let at = at.map(|DateTime(at)| at);
    match at.filter(|at| !orders::is_storable(*at)) {
        Some(_) => Err(bad_input("times go from the year 1 to the year 9999")),
        None => Ok(at),
    }
}

/// Part of the list of orders.
pub struct OrderConnection {
    filter: orders::OrderFilter,
    sort: OrderSort,
    page: Page<Arc<order::Order>>,
}

impl OrderConnection {
    /// The orders that the caller may see, of one customer where that is given.
    ///
    /// # Errors
    /// `INSUFFICIENT_SCOPE`, `BAD_USER_INPUT`, `UNAVAILABLE`.
    pub async fn of(
        context: &Context<'_>,
        customer: Option<UserId>,
        filter: Option<OrderFilter>,
        order_by: Option<OrderOrder>,
        page: PageArguments,
    ) -> Result<Self> {
        let viewer = viewer(context)?;
        viewer.require(Scope::OrdersRead).coded()?;
        let (sort, direction) = order_by.map_or((OrderSort::PlacedAt, Direction::Descending), |order_by| {
            let direction = match order_by.direction {
                SortDirection::Asc => Direction::Ascending,
                SortDirection::Desc => Direction::Descending,
            };
            (order_by.field.into(), direction)
        });
        let mut filter = filter.unwrap_or_default().parse()?;
        filter.confined_to = viewer.confined_to();
        if let Some(customer) = customer
            && filter.customer_id.replace(customer).is_some_and(|asked| asked != customer)
        {
            // Of this customer and of another one: of nobody.
            filter.confined_to = Some(UserId::from_uuid(uuid::Uuid::nil()));
        }
        let request = page.request(|cursor| sort.parse_cursor(cursor))?;
        let found = reads(context)?.orders.page(&filter, sort, direction, &request).await.coded()?;
        let Page { rows, has_next, has_previous } = found;
        let rows = rows.into_iter().map(Arc::new).collect();
        Ok(Self { filter, sort, page: Page { rows, has_next, has_previous } })
    }

    fn cursor(&self, order: &order::Order) -> String {
        self.sort.place(order).to_cursor()
    }
}

/// Part of the list of orders.
#[Object]
impl OrderConnection {
    /// How many orders there are in all, counted now.
    #[graphql(complexity = 20)]
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        reads(context)?.orders.count(&self.filter).await.coded()
    }

    /// Where this page stands.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |order| self.cursor(order))
    }

    /// The orders of this page.
    async fn edges(&self) -> Vec<OrderEdge> {
        let edge = |order: &Arc<order::Order>| OrderEdge { cursor: self.cursor(order), node: Order(Arc::clone(order)) };
        self.page.rows.iter().map(edge).collect()
    }

    /// The orders without their cursors.
    async fn nodes(&self) -> Vec<Order> {
        self.page.rows.iter().cloned().map(Order).collect()
    }
}

/// An order with its cursor.
#[derive(SimpleObject)]
pub struct OrderEdge {
    /// Where it stands.
    cursor: String,
    /// The order.
    node: Order,
}
