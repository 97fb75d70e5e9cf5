//! OAuth clients: their rows, what grants they may use, and whether a secret is theirs.

use crate::audit;
use crate::secret::Secret;
use crate::store::{self, StoreError};
use chrono::{DateTime, Utc};
use pg::deadpool_postgres::{GenericClient, Transaction};
use serde::{Deserialize, Serialize};
use shared_events::ClientId;
use tokio_postgres::Row;
use utoipa::ToSchema;
use web::{Scope, Scopes};

/// A way to get a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// RFC 6749 §4.1 with PKCE.
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::ClientCredentials, Self::RefreshToken];

    /// The text in requests and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// Reads the text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What people call it; unique.
    pub name: String,
    /// Whether it can prove who it is, by a secret or by a key of its own; a public client can't.
    pub confidential: bool,
    /// Its public keys, where it proves itself by one: the text of a JSON Web Key Set.
    pub jwks: Option<String>,
    /// The most it may ask for.
    pub scopes: Scopes,
    /// How it may get tokens.
    pub grants: Vec<Grant>,
    /// Where codes may be sent, compared as bytes.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after logging out, compared as bytes.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether it is the shop's own: people are not asked whether it may act for them.
    pub first_party: bool,
    /// When it was disabled, if so.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub version: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

impl Client {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let scopes: Vec<&str> = row.try_get("scopes")?;
        let grants: Vec<&str> = row.try_get("grants")?;
        Ok(Self {
            id: ClientId::from_uuid(row.try_get("id")?),
            name: row.try_get("name")?,
            confidential: row.try_get("confidential")?,
            jwks: row.try_get("jwks")?,
            // A scope or grant that this version does not know (any more) grants nothing.
            scopes: scopes.into_iter().filter_map(Scope::parse).collect(),
            grants: grants.into_iter().filter_map(Grant::parse).collect(),
            redirect_uris: row.try_get("redirect_uris")?,
            post_logout_redirect_uris: row.try_get("post_logout_redirect_uris")?,
            first_party: row.try_get("first_party")?,
            disabled_at: row.try_get("disabled_at")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }

    /// Whether it may use a grant.
    #[must_use]
    pub fn may_use(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }
}

/// What a client is registered with.
#[derive(Debug, Clone, Default)]
pub struct ClientSpec {
    /// What people call it; unique.
    pub name: String,
    /// The most it may ask for.
    pub scopes: Scopes,
    /// How it may get tokens.
    pub grants: Vec<Grant>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after logging out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether it is the shop's own, so that nobody is asked whether it may act for them.
    pub first_party: bool,
    /// Its public keys, where it proves itself by one instead of by a secret.
    pub jwks: Option<String>,
}

/// Inserts a client; `None` when the name is taken. A client without a secret and without keys is public.
pub(crate) async fn insert(
    client: &impl GenericClient,
    spec: &ClientSpec,
    secret: Option<&Secret>,
    made_by: &str,
) -> Result<Option<Client>, StoreError> {
    let id = ClientId::generate();
    let hash = secret.map(|secret| secret.hash().to_vec());
    let grants: Vec<&str> = spec.grants.iter().map(|grant| grant.as_str()).collect();
    let row = store::query_opt(
        client,
        include_str!("sql/insert_client.sql"),
        &[
            &id.as_uuid(),
            &spec.name,
            &hash,
            &names(spec.scopes),
            &grants,
            &spec.redirect_uris,
            &spec.post_logout_redirect_uris,
            &spec.first_party,
            &spec.jwks,
        ],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id_text = id.to_string();
    audit::record(client, &audit::Entry::by(made_by, "CLIENT_CREATED").on(&id_text).with(&spec.name)).await?;
    Client::from_row(&row).map(Some)
}

/// Makes the client of that name what the specification says; a secret is replaced only if one is given.
pub(crate) async fn update(
    client: &impl GenericClient,
    spec: &ClientSpec,
    secret: Option<&Secret>,
    made_by: &str,
) -> Result<Option<Client>, StoreError> {
    let hash = secret.map(|secret| secret.hash().to_vec());
    let grants: Vec<&str> = spec.grants.iter().map(|grant| grant.as_str()).collect();
    let row = store::query_opt(
        client,
        include_str!("sql/update_client.sql"),
        &[
            &spec.name,
            &hash,
            &names(spec.scopes),
            &grants,
            &spec.redirect_uris,
            &spec.post_logout_redirect_uris,
            &spec.first_party,
        ],
    )
    .await?;
    let Some(row) = row else { return find_by_name(client, &spec.name).await };
    let changed = Client::from_row(&row)?;
    let id_text = changed.id.to_string();
    audit::record(client, &audit::Entry::by(made_by, "CLIENT_CHANGED").on(&id_text).with(&spec.name)).await?;
    Ok(Some(changed))
}

/// The client with that name.
pub(crate) async fn find_by_name(client: &impl GenericClient, name: &str) -> Result<Option<Client>, StoreError> {
    let row = store::query_opt(client, include_str!("sql/select_client_by_name.sql"), &[&name]).await?;
    row.as_ref().map(Client::from_row).transpose()
}

/// The client with that id.
pub(crate) async fn find(client: &impl GenericClient, id: ClientId) -> Result<Option<Client>, StoreError> {
    let row = store::query_opt(client, include_str!("sql/select_client.sql"), &[&id.as_uuid()]).await?;
    row.as_ref().map(Client::from_row).transpose()
}

/// The enabled client with that id whose secret this is; a public client has none and gives none, one with keys has to
/// prove itself by them.
pub(crate) async fn authenticate(
    client: &impl GenericClient,
    id: &str,
    secret: Option<&Secret>,
) -> Result<Option<Client>, StoreError> {
    // Only the form that was handed out is accepted: a client id is text to RFC 6749.
    let Some(id) = ClientId::parse(id).ok().filter(|parsed| parsed.to_string() == id) else { return Ok(None) };
    let Some(row) = store::query_opt(client, include_str!("sql/select_client.sql"), &[&id.as_uuid()]).await? else {
        return Ok(None);
    };
    let stored: Option<&[u8]> = row.try_get("secret_hash")?;
    let genuine = match (stored, secret) {
        (Some(hash), Some(secret)) => secret.matches(hash),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let client = Client::from_row(&row)?;
    Ok((genuine && client.jwks.is_none() && client.disabled_at.is_none()).then_some(client))
}

/// Disables a client; a second time changes nothing.
pub(crate) async fn disable(transaction: &Transaction<'_>, id: ClientId, made_by: &str) -> Result<(), StoreError> {
    let update = "UPDATE clients SET disabled_at = now(), version = version + 1, updated_at = now()
                  WHERE id = $1 AND disabled_at IS NULL";
    if store::execute(transaction, update, &[&id.as_uuid()]).await? > 0 {
        let id = id.to_string();
        audit::record(transaction, &audit::Entry::by(made_by, "CLIENT_DISABLED").on(&id)).await?;
    }
    Ok(())
}

/// Clients after the given one, by id; at most `limit`.
pub(crate) async fn list(
    client: &impl GenericClient,
    after: Option<ClientId>,
    limit: i64,
) -> Result<Vec<Client>, StoreError> {
    let after = after.map(|id| id.as_uuid());
    let rows = store::query(client, include_str!("sql/list_clients.sql"), &[&after, &limit]).await?;
    rows.iter().map(Client::from_row).collect()
}

fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::as_str).collect()
}
