//! Users: their rows, their roles and what a role may do.

use crate::email::Email;
use crate::roles::{self, RoleChoice};
use crate::store::{self, StoreError};
use crate::{audit, sessions};
use chrono::{DateTime, Utc};
use pg::deadpool_postgres::{GenericClient, Transaction};
use serde::{Deserialize, Serialize};
use shared_events::{SessionId, UserId};
use tokio_postgres::Row;
use utoipa::ToSchema;
use web::{CallerKind, Scope, Scopes};

/// What a user is to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys: acts on their own data alone.
    Customer,
    /// Works in the shop.
    Staff,
    /// Runs the shop: may do everything.
    Admin,
}

impl Role {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Staff, Self::Admin];

    /// The text in tokens and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }

    /// What a caller with this role's token is.
    #[must_use]
    pub const fn kind(self) -> CallerKind {
        match self {
            Self::Customer => CallerKind::Customer,
            Self::Staff => CallerKind::Staff,
            Self::Admin => CallerKind::Admin,
        }
    }

    /// Reads the text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What a login of this role may do: a customer what a storefront needs; staff everything but the
    /// administration of clients and webhooks and the raw events; an admin everything.
    #[must_use]
    pub fn login_scopes(self) -> Scopes {
        let beyond_staff = [Scope::ClientsAdmin, Scope::WebhooksAdmin, Scope::EventsRead];
        let everything = Scopes::all().without(Scope::OfflineAccess);
        match self {
            Self::Customer => [
                Scope::OrdersRead,
                Scope::OrdersWrite,
                Scope::InventoryRead,
                Scope::InvoicesRead,
                Scope::OpenId,
                Scope::Profile,
                Scope::Email,
            ]
            .into_iter()
            .collect(),
            Self::Staff => everything.iter().filter(|scope| !beyond_staff.contains(scope)).collect(),
            Self::Admin => everything,
        }
    }
}

/// A user as the rest of the system may know them.
#[derive(Debug, Clone)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Normalised.
    pub email: String,
    /// Whether the address was proven.
    pub email_verified: bool,
    /// What to call them.
    pub name: Option<String>,
    /// A phone number as they wrote it.
    pub phone: Option<String>,
    /// What they are to the shop.
    pub role: Role,
    /// Their role of the shop's own and its scopes, if they have one.
    pub custom_role: Option<(String, Scopes)>,
    /// When they were disabled, if so.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Counts their changes.
    pub version: i64,
    /// When they registered.
    pub created_at: DateTime<Utc>,
}

impl User {
    /// Reads the columns of `sql/select_user.sql` and its siblings.
    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        let role: &str = row.try_get("role")?;
        let custom_scopes: Option<Vec<&str>> = row.try_get("custom_scopes")?;
        let custom_role: Option<String> = row.try_get("custom_role")?;
        Ok(Self {
            id: UserId::from_uuid(row.try_get("user_id")?),
            email: row.try_get("email")?,
            email_verified: row.try_get("email_verified")?,
            name: row.try_get("name")?,
            phone: row.try_get("phone")?,
            role: Role::parse(role).ok_or(StoreError::Unreadable { what: "role" })?,
            custom_role: custom_role.zip(custom_scopes.as_deref().map(roles::known)),
            disabled_at: row.try_get("disabled_at")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl User {
    /// What a login of theirs may do: what their role gives, and to say who they are.
    #[must_use]
    pub fn login_scopes(&self) -> Scopes {
        match &self.custom_role {
            Some((_, scopes)) => scopes.with(Scope::OpenId).with(Scope::Profile).with(Scope::Email),
            None => self.role.login_scopes(),
        }
    }

    /// The name of their role.
    #[must_use]
    pub fn role_name(&self) -> &str {
        self.custom_role.as_ref().map_or(self.role.as_str(), |(name, _)| name)
    }
}

/// A user and the hash of their password.
pub(crate) struct UserWithHash {
    pub(crate) user: User,
    pub(crate) password_hash: String,
}

/// What a new user begins with.
#[derive(Debug)]
pub(crate) struct NewUser<'a> {
    pub(crate) email: &'a Email,
    pub(crate) password_hash: &'a str,
    pub(crate) role: &'a RoleChoice,
    pub(crate) name: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
    /// The administrator or program that made them; `None` where they registered themselves.
    pub(crate) made_by: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
}

/// Inserts a user; `None` when the e-mail address is taken.
pub(crate) async fn insert(client: &impl GenericClient, new: &NewUser<'_>) -> Result<Option<User>, StoreError> {
    let id = UserId::generate();
    let row = store::query_opt(
        client,
        include_str!("sql/insert_user.sql"),
        &[
            &id.as_uuid(),
            &new.email.as_str(),
            &new.password_hash,
            &new.role.kind().as_str(),
            &new.name,
            &new.phone,
            &new.role.custom(),
        ],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id_text = id.to_string();
    let entry = audit::Entry::by(new.made_by.unwrap_or(&id_text), "USER_CREATED")
        .on(&id_text)
        .at_address(new.address)
        .with(new.role.as_str());
    audit::record(client, &entry).await?;
    User::from_row(&row).map(Some)
}

/// The user with this id.
pub(crate) async fn find(client: &impl GenericClient, id: UserId) -> Result<Option<User>, StoreError> {
    let row = store::query_opt(client, include_str!("sql/select_user.sql"), &[&id.as_uuid()]).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// The user with this id as they are at this moment, to begin a session for; `None` when they are disabled. Until the
/// transaction ends nobody disables them or changes what they may, and whoever then does ends the session as well.
pub(crate) async fn find_to_log_in(transaction: &Transaction<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let lock = "SELECT FROM users WHERE id = $1 AND disabled_at IS NULL FOR SHARE";
    match store::query_opt(transaction, lock, &[&id.as_uuid()]).await? {
        Some(_locked) => find(transaction, id).await,
        None => Ok(None),
    }
}

/// The user with this e-mail address.
pub(crate) async fn find_by_email(
    client: &impl GenericClient,
    email: &Email,
) -> Result<Option<UserWithHash>, StoreError> {
    let row = store::query_opt(client, include_str!("sql/select_user_by_email.sql"), &[&email.as_str()]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(UserWithHash { user: User::from_row(&row)?, password_hash: row.try_get("password_hash")? }))
}

/// What became of the wish to disable a user.
pub(crate) enum Disabling {
    /// They are disabled; these sessions of theirs were ended, to be announced after the commit.
    Done(Vec<SessionId>),
    /// Nobody could administer the shop any more.
    LastAdmin,
    /// There is no such user.
    Unknown,
}

/// Disables a user and ends their sessions; a second time changes nothing.
pub(crate) async fn disable(transaction: &Transaction<'_>, id: UserId, made_by: &str) -> Result<Disabling, StoreError> {
    // The lock makes two who disable each other's admin one after the other.
    let admins = store::query(transaction, include_str!("sql/lock_enabled_admins.sql"), &[]).await?;
    let Some(user) = find(transaction, id).await? else { return Ok(Disabling::Unknown) };
    if user.role == Role::Admin && user.disabled_at.is_none() && admins.len() <= 1 {
        return Ok(Disabling::LastAdmin);
    }
    let update = "UPDATE users SET disabled_at = now(), version = version + 1, updated_at = now()
                  WHERE id = $1 AND disabled_at IS NULL";
    if store::execute(transaction, update, &[&id.as_uuid()]).await? > 0 {
        audit::record(transaction, &audit::Entry::by(made_by, "USER_DISABLED").on(&id.to_string())).await?;
    }
    sessions::end_all(transaction, id, "its user was disabled", made_by).await.map(Disabling::Done)
}

/// What became of the wish to give a user another role.
pub(crate) enum Assigning {
    /// They have it; these sessions of theirs were ended, to be announced after the commit.
    Done(User, Vec<SessionId>),
    /// Nobody could administer the shop any more.
    LastAdmin,
    /// There is no such user.
    UnknownUser,
    /// There is no such role.
    UnknownRole,
}

/// Gives a user another role and ends their sessions; the role they have changes nothing.
pub(crate) async fn assign(
    transaction: &Transaction<'_>,
    id: UserId,
    role: &RoleChoice,
    assigned_by: &str,
) -> Result<Assigning, StoreError> {
    let admins = store::query(transaction, include_str!("sql/lock_enabled_admins.sql"), &[]).await?;
    let Some(user) = find(transaction, id).await? else { return Ok(Assigning::UnknownUser) };
    if !role.is_there(transaction).await? {
        return Ok(Assigning::UnknownRole);
    }
    if user.role_name() == role.as_str() {
        return Ok(Assigning::Done(user, Vec::new()));
    }
    if user.role == Role::Admin && user.disabled_at.is_none() && admins.len() <= 1 {
        return Ok(Assigning::LastAdmin);
    }
    let update =
        "UPDATE users SET role = $2, custom_role = $3, version = version + 1, updated_at = now() WHERE id = $1";
    store::execute(transaction, update, &[&id.as_uuid(), &role.kind().as_str(), &role.custom()]).await?;
    let subject = id.to_string();
    let entry = audit::Entry::by(assigned_by, "USER_ROLE_CHANGED").on(&subject).with(role.as_str());
    audit::record(transaction, &entry).await?;
    let ended = sessions::end_all(transaction, id, "its user got another role", assigned_by).await?;
    let user = find(transaction, id).await?.ok_or(StoreError::Unreadable { what: "user" })?;
    Ok(Assigning::Done(user, ended))
}

/// Users after the given one, by id; at most `limit`.
pub(crate) async fn list(
    client: &impl GenericClient,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<User>, StoreError> {
    let after = after.map(|id| id.as_uuid());
    let rows = store::query(client, include_str!("sql/list_users.sql"), &[&after, &limit]).await?;
    rows.iter().map(User::from_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_logs_in_with_the_scopes_of_a_storefront() {
        let scopes = Role::Customer.login_scopes().to_string();
        let mut names: Vec<&str> = scopes.split(' ').collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["email", "inventory:read", "invoices:read", "openid", "orders:read", "orders:write", "profile"]
        );
    }

    #[test]
    fn staff_do_not_administer_clients() {
        let scopes = Role::Staff.login_scopes().to_string();
        assert!(scopes.contains("orders:admin") && scopes.contains("catalog:write"));
        assert!(!scopes.contains("clients:admin") && !scopes.contains("webhooks:admin"));
        assert!(Role::Admin.login_scopes().contains(Scope::ClientsAdmin));
    }
}
