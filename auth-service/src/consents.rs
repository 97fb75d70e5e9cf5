//! What people have allowed clients that are not the shop's own: asked once, and again when a client asks for more.

use crate::audit;
use crate::store::{self, StoreError};
use pg::deadpool_postgres::{GenericClient, Transaction};
use shared_events::{ClientId, UserId};
use web::Scopes;

/// What a user has allowed a client so far.
pub(crate) async fn given(client: &impl GenericClient, user: UserId, to: ClientId) -> Result<Scopes, StoreError> {
    let select = "SELECT scope FROM consents WHERE user_id = $1 AND client_id = $2";
    let row = store::query_opt(client, select, &[&user.as_uuid(), &to.as_uuid()]).await?;
    row.map_or(Ok(Scopes::NONE), |row| Ok(Scopes::parse(row.try_get(0)?)))
}

/// Remembers that a user allows a client these scopes.
pub(crate) async fn give(
    transaction: &Transaction<'_>,
    user: UserId,
    to: ClientId,
    scopes: Scopes,
) -> Result<(), StoreError> {
    let all: Scopes = given(transaction, user, to).await?.iter().chain(scopes.iter()).collect();
    let upsert = include_str!("sql/upsert_consent.sql");
    store::execute(transaction, upsert, &[&user.as_uuid(), &to.as_uuid(), &all.to_string()]).await?;
    let (user, to, scopes) = (user.to_string(), to.to_string(), scopes.to_string());
    audit::record(transaction, &audit::Entry::by(&user, "CONSENT_GIVEN").on(&to).with(&scopes)).await
}
