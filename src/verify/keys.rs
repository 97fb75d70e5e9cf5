//! The keys of personal fields, read where the database has them. Without them every personal field reads as null, and
//! then a row may not be compared in those fields either.

use anyhow::Context;
use order::Order;
use pg::tokio_postgres::Client;
use shared_events::KeyId;
use shared_events::sealed::{KeyRing, SealingKey};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The schema that has them.
pub const SCHEMA: &str = "keys";
const BY_IDS: &str = "select key_id, key from keys.personal_key where key_id = any($1)";

/// The keys with these ids; those that were erased are missing.
pub async fn ring(client: &Client, ids: &BTreeSet<Uuid>) -> anyhow::Result<KeyRing> {
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let rows = client.query(BY_IDS, &[&ids]).await.context("the keys of personal data cannot be read")?;
    rows.iter()
        .map(|row| {
            SealingKey::from_bytes(KeyId::from_uuid(row.get(0)), row.get(1)).context("a key of personal data is broken")
        })
        .collect()
}

/// What an order without its key looks like.
pub fn without_personal_fields(mut order: Order) -> Order {
    order.contact = None;
    order.shipping_address = None;
    order.billing_address = None;
    order.note = None;
    for note in &mut order.notes {
        note.text = None;
    }
    order
}
