//! Roles that the shop makes for itself. Who has one is staff to every service, with the scopes of the role and no
//! others. A role that is changed, or taken from a user, ends the sessions it had opened, so that nobody goes on with what
//! they may no longer do.

use crate::store::{self, StoreError};
use crate::users::Role;
use crate::{audit, sessions};
use chrono::{DateTime, Utc};
use pg::deadpool_postgres::{GenericClient, Transaction};
use shared_events::{SessionId, UserId};
use tokio_postgres::Row;
use web::{Scope, Scopes};

const SHORTEST_NAME: usize = 2;
const LONGEST_NAME: usize = 40;
/// Names that would be taken for something else.
const RESERVED: [&str; 5] = ["customer", "staff", "admin", "service", "internal"];
/// What no role gives: whoever makes clients and users could give themselves everything, and `offline_access` is asked
/// for by clients.
const NOT_FOR_ROLES: [Scope; 2] = [Scope::ClientsAdmin, Scope::OfflineAccess];

/// A role of the shop's own.
#[derive(Debug, Clone)]
pub struct CustomRole {
    /// Lower-case letters, digits and hyphens; unique.
    pub name: String,
    /// What a login may do besides saying who it is.
    pub scopes: Scopes,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The role that somebody is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleChoice {
    /// One that every shop has.
    BuiltIn(Role),
    /// One of the shop's own, by name.
    Custom(String),
}

impl RoleChoice {
    /// The role of that name. Whether the shop has made it is not looked at.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Role::parse(name).map_or_else(|| Self::Custom(name.to_owned()), Self::BuiltIn)
    }

    /// What it is to the services.
    #[must_use]
    pub const fn kind(&self) -> Role {
        match self {
            Self::BuiltIn(role) => *role,
            Self::Custom(_) => Role::Staff,
        }
    }

    /// Its name, if it is one of the shop's own.
    #[must_use]
    pub fn custom(&self) -> Option<&str> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Custom(name) => Some(name),
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.as_str(),
            Self::Custom(name) => name,
        }
    }

    /// Whether there is such a role, which then stays until the transaction has ended.
    pub(crate) async fn is_there(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let Some(name) = self.custom() else { return Ok(true) };
        let select = "SELECT 1 FROM roles WHERE name = $1 FOR SHARE";
        Ok(store::query_opt(transaction, select, &[&name]).await?.is_some())
    }
}

impl From<Role> for RoleChoice {
    fn from(role: Role) -> Self {
        Self::BuiltIn(role)
    }
}

impl CustomRole {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.try_get("name")?,
            scopes: known(&row.try_get::<_, Vec<&str>>("scopes")?),
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// The scopes of a role as a row holds them. One that this version does not know (any more) grants nothing.
pub(crate) fn known(names: &[&str]) -> Scopes {
    names.iter().filter_map(|name| Scope::parse(name)).collect()
}

/// Checks the name of a role to be.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !letters || !begins || !(SHORTEST_NAME..=LONGEST_NAME).contains(&name.len()) {
        let range = format!("{SHORTEST_NAME} to {LONGEST_NAME}");
        return Err(format!("a role's name has {range} lower-case letters, digits and hyphens, a letter first"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` means something already"));
    }
    Ok(())
}

/// Checks the scopes of a role to be.
///
/// # Errors
/// The pointer to the first wrong one and what is wrong with it.
pub fn check_scopes(names: &[String]) -> Result<Scopes, (String, String)> {
    let scope = |(index, name): (usize, &String)| match Scope::parse(name) {
        Some(scope) if NOT_FOR_ROLES.contains(&scope) => {
            Err((format!("/scopes/{index}"), format!("`{name}` is not given by a role")))
        }
        Some(scope) => Ok(scope),
        None => Err((format!("/scopes/{index}"), format!("there is no scope `{name}`"))),
    };
    if names.is_empty() {
        return Err(("/scopes".to_owned(), "a role has at least one scope".to_owned()));
    }
    names.iter().enumerate().map(scope).collect()
}

/// Makes a role; `None` when the name is taken.
pub(crate) async fn insert(
    client: &impl GenericClient,
    name: &str,
    scopes: Scopes,
    made_by: &str,
) -> Result<Option<CustomRole>, StoreError> {
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    let insert = "INSERT INTO roles (name, scopes) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
                  RETURNING name, scopes, version, created_at";
    let Some(row) = store::query_opt(client, insert, &[&name, &names]).await? else { return Ok(None) };
    let detail = scopes.to_string();
    audit::record(client, &audit::Entry::by(made_by, "ROLE_CREATED").on(name).with(&detail)).await?;
    CustomRole::from_row(&row).map(Some)
}

/// Gives a role other scopes. Answers it with the sessions that were ended, to be announced after the commit; `None` for
/// an unknown one.
pub(crate) async fn change(
    transaction: &Transaction<'_>,
    name: &str,
    scopes: Scopes,
    changed_by: &str,
) -> Result<Option<(CustomRole, Vec<SessionId>)>, StoreError> {
    let Some(role) = find_to_change(transaction, name).await? else { return Ok(None) };
    if role.scopes == scopes {
        return Ok(Some((role, Vec::new())));
    }
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    let update = "UPDATE roles SET scopes = $2, version = version + 1, updated_at = now() WHERE name = $1
                  RETURNING name, scopes, version, created_at";
    let row = store::query_one(transaction, update, &[&name, &names]).await?;
    let detail = scopes.to_string();
    audit::record(transaction, &audit::Entry::by(changed_by, "ROLE_CHANGED").on(name).with(&detail)).await?;
    let mut ended = Vec::new();
    // Whoever is logging in with the old scopes has a session once the lock is there.
    let select = "SELECT id FROM users WHERE custom_role = $1 ORDER BY id FOR UPDATE";
    for row in store::query(transaction, select, &[&name]).await? {
        let user = UserId::from_uuid(row.try_get(0)?);
        ended.extend(sessions::end_all(transaction, user, "its user's role was changed", changed_by).await?);
    }
    Ok(Some((CustomRole::from_row(&row)?, ended)))
}

/// What became of the wish to delete a role.
pub(crate) enum Deleting {
    /// It is gone.
    Done,
    /// Somebody has it.
    InUse,
    /// There is none of that name.
    Unknown,
}

/// Deletes a role that nobody has.
pub(crate) async fn delete(
    transaction: &Transaction<'_>,
    name: &str,
    deleted_by: &str,
) -> Result<Deleting, StoreError> {
    if find_to_change(transaction, name).await?.is_none() {
        return Ok(Deleting::Unknown);
    }
    let select = "SELECT 1 FROM users WHERE custom_role = $1 LIMIT 1";
    if store::query_opt(transaction, select, &[&name]).await?.is_some() {
        return Ok(Deleting::InUse);
    }
    store::execute(transaction, "DELETE FROM roles WHERE name = $1", &[&name]).await?;
    audit::record(transaction, &audit::Entry::by(deleted_by, "ROLE_DELETED").on(name)).await?;
    Ok(Deleting::Done)
}

async fn find_to_change(transaction: &Transaction<'_>, name: &str) -> Result<Option<CustomRole>, StoreError> {
    let select = "SELECT name, scopes, version, created_at FROM roles WHERE name = $1 FOR UPDATE";
    let row = store::query_opt(transaction, select, &[&name]).await?;
    row.as_ref().map(CustomRole::from_row).transpose()
}

/// Every role that the shop has made, by name. There are never many.
pub(crate) async fn list(client: &impl GenericClient) -> Result<Vec<CustomRole>, StoreError> {
    let select = "SELECT name, scopes, version, created_at FROM roles ORDER BY name";
    store::query(client, select, &[]).await?.iter().map(CustomRole::from_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_a_plain_name_of_its_own() {
        for name in ["warehouse", "second-line", "b2", &"a".repeat(40)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "a", "Warehouse", "2nd", "-a", "a_b", "a b", "lager-ü", "staff", "service", &"a".repeat(41)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_role_gives_known_scopes_but_never_the_administration_of_users() {
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            check_scopes(&names).map(|scopes| scopes.to_string()).map_err(|(pointer, _)| pointer)
        };
        assert_eq!(check(&["shipments:write", "orders:read"]).as_deref(), Ok("orders:read shipments:write"));
        assert_eq!(check(&[]), Err("/scopes".to_owned()));
        assert_eq!(check(&["orders:read", "surprise"]), Err("/scopes/1".to_owned()));
        assert_eq!(check(&["clients:admin"]), Err("/scopes/0".to_owned()));
        assert_eq!(check(&["offline_access"]), Err("/scopes/0".to_owned()));
    }
}
