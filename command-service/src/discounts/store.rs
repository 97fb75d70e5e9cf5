//! The rows of discounts.

use super::{Discounts, StoredDiscount, Terms};
use crate::rows::{PATIENCE, RowsError};
use order::pricing::DiscountKind;
use serde::de::Error;
use serde_json::Value;
use shared_events::Currency;
use tokio::time::timeout;
use tokio_postgres::{Row, types::ToSql};

const FIND: &str = include_str!("find.sql");
const LIST: &str = include_str!("list.sql");
const INSERT: &str = include_str!("insert.sql");
const UPDATE: &str = include_str!("update.sql");
const DELETE: &str = include_str!("delete.sql");

impl StoredDiscount {
    fn of(row: &Row) -> Result<Self, RowsError> {
        let kind: &str = row.try_get("kind")?;
        let currency: Option<String> = row.try_get("currency")?;
        let terms = Terms {
            code: row.try_get("code")?,
            kind: DiscountKind::parse(kind).ok_or_else(|| serde_json::Error::custom("a kind of discount"))?,
            value: row.try_get("value")?,
            currency: currency.map(|code| serde_json::from_value::<Currency>(code.into())).transpose()?,
            written: row.try_get("written")?,
            valid_from: row.try_get("valid_from")?,
            valid_to: row.try_get("valid_to")?,
            limit: row.try_get("use_limit")?,
            limit_per_customer: row.try_get("limit_per_customer")?,
        };
        Ok(Self {
            terms,
            uses: row.try_get("uses")?,
            uses_of_customer: row.try_get("uses_of_customer")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl Discounts {
    /// The discount of that code, in any case, with all its uses.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn find(&self, code: &str) -> Result<Option<StoredDiscount>, RowsError> {
        Ok(self.rows(FIND, &[&code, &None::<&str>, &true]).await?.pop())
    }

    /// The same for an order of that customer: its uses are counted where they are limited.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn find_for(&self, code: &str, customer: Option<&str>) -> Result<Option<StoredDiscount>, RowsError> {
        Ok(self.rows(FIND, &[&code, &customer, &false]).await?.pop())
    }

    /// Discounts by code, after the given one, at most so many.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn list(&self, after: Option<&str>, most: i64) -> Result<Vec<StoredDiscount>, RowsError> {
        self.rows(LIST, &[&after, &most]).await
    }

    /// Keeps a new discount; none where its code is taken.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn insert(&self, terms: &Terms) -> Result<Option<StoredDiscount>, RowsError> {
        self.write(INSERT, terms, &[]).await
    }

    /// Gives a discount other terms, if it still has the `expected` version; none where it is gone or has another.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn update(&self, terms: &Terms, expected: Option<i64>) -> Result<Option<StoredDiscount>, RowsError> {
        self.write(UPDATE, terms, &[&expected]).await
    }

    /// Takes a discount away and forgets its uses. False where it is gone or has another version than `expected`.
    ///
    /// # Errors
    /// [`RowsError`] when the database is away.
    pub async fn delete(&self, code: &str, expected: Option<i64>) -> Result<bool, RowsError> {
        let client = self.pool.get().await?;
        let deleted = timeout(PATIENCE, client.query_one(DELETE, &[&code, &expected])).await;
        Ok(pg::in_time(client, deleted)??.try_get::<_, i64>(0)? > 0)
    }

    async fn write(
        &self,
        statement: &str,
        terms: &Terms,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<StoredDiscount>, RowsError> {
        let (kind, currency) = (terms.kind.as_str(), terms.currency.map(Currency::code));
        let written: &Value = &terms.written;
        let mut arguments: Vec<&(dyn ToSql + Sync)> = vec![
            &terms.code,
            &kind,
            &terms.value,
            &currency,
            written,
            &terms.valid_from,
            &terms.valid_to,
            &terms.limit,
            &terms.limit_per_customer,
        ];
        arguments.extend(more);
        Ok(self.rows(statement, &arguments).await?.pop())
    }

    async fn rows(&self, statement: &str, arguments: &[&(dyn ToSql + Sync)]) -> Result<Vec<StoredDiscount>, RowsError> {
        let client = self.pool.get().await?;
        let read = timeout(PATIENCE, client.query(statement, arguments)).await;
        pg::in_time(client, read)??.iter().map(StoredDiscount::of).collect()
    }
}
