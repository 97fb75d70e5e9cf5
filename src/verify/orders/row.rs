//! A row of `order_view` beside the order that it must show: its document, and every column that lists filter or sort
//! by.

use crate::verify::{difference, keys};
use chrono::{DateTime, SubsecRound, Utc};
use order::Order;
use pg::tokio_postgres::{Row, types::Json};
use serde_json::value::RawValue;
use std::fmt::Debug;
use uuid::Uuid;

/// Postgres keeps microseconds.
const DIGITS: u16 = 6;

/// Everything in which a row differs from the order; `personal` where personal fields can be compared.
pub fn differences(row: &Row, order: &Order, partition: i32, position: i64, personal: bool) -> Vec<String> {
    let mut products: Vec<Uuid> = order.lines.iter().map(|line| line.product_id.as_uuid()).collect();
    products.sort_unstable();
    products.dedup();
    let mut told = Vec::new();
    let mut compare = |what: &str, difference: Option<String>| {
        told.extend(difference.map(|difference| format!("{what} {difference}")));
    };
    compare("version", column(row, "version", &order.version));
    compare("number", column(row, "number", &order.number));
    compare("customer", column(row, "customer_id", &order.customer_id.map(|id| id.as_uuid())));
    compare("status", column(row, "status", &order.status().as_str().to_owned()));
    compare("payment status", column(row, "payment_status", &order.payment_status().as_str().to_owned()));
    compare("fulfilment status", column(row, "fulfilment_status", &order.fulfilment_status().as_str().to_owned()));
    compare("currency", column(row, "currency", &order.currency.code().to_owned()));
    compare("total", column(row, "total", &order.totals.total));
    compare("placed at", moment(row, "placed_at", order.placed_at));
    compare("updated at", moment(row, "updated_at", order.updated_at));
    compare("open exception", column(row, "open_exception", &order.has_open_exception()));
    compare("tags", column(row, "tags", &order.tags));
    compare("products", column(row, "product_ids", &products));
    compare("partition", column(row, "partition", &partition));
    compare("position", column(row, "position", &position));
    compare("document", document(row, order, personal));
    told
}

fn column<T>(row: &Row, name: &str, expected: &T) -> Option<String>
where
    T: PartialEq + Debug + for<'a> pg::tokio_postgres::types::FromSql<'a>,
{
    match row.try_get::<_, T>(name) {
        Ok(found) if found == *expected => None,
        Ok(found) => Some(is_not(&found, expected)),
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}

fn moment(row: &Row, name: &str, expected: DateTime<Utc>) -> Option<String> {
    let found: DateTime<Utc> = row.try_get(name).ok()?;
    // The driver cuts what is finer, the server rounds it.
    let apart = (found - expected.trunc_subsecs(DIGITS)).num_microseconds().unwrap_or(i64::MAX).abs();
    (apart > 1).then(|| is_not(&found, &expected))
}

fn is_not(found: &impl Debug, expected: &impl Debug) -> String {
    format!("is {found:?} and should be {expected:?}")
}

fn document(row: &Row, order: &Order, personal: bool) -> Option<String> {
    let found = match row.try_get::<_, Json<Box<RawValue>>>("state") {
        Ok(Json(found)) => found,
        Err(error) => return Some(format!("cannot be read: {error}")),
    };
    let expected = serde_json::to_vec(order).ok()?;
    if personal {
        return difference::between(&expected, found.get().as_bytes());
    }
    match serde_json::from_str::<Order>(found.get()) {
        Ok(found) => difference::between(&expected, &serde_json::to_vec(&keys::without_personal_fields(found)).ok()?),
        Err(error) => Some(format!("is no order: {error}")),
    }
}
