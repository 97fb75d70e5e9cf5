//! One owner role per service: the role owns the service's schemas and no other service's role can look inside.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::database::quote_identifier;
use crate::{Database, PgError};

/// Roles belong to the whole server, so instances working in different databases cannot lock each other out.
const ATTEMPTS: u32 = 20;
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(25);

/// Whether a service has a role of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleSeparation {
    /// The schemas belong to this role; pools set it.
    Separate {
        /// The role's name.
        role: String,
    },
    /// The login may not create roles: the schemas belong to the login itself.
    Shared,
}

impl RoleSeparation {
    /// The role that pools should set, as [`Database::pool`] takes it.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Separate { role } => Some(role),
            Self::Shared => None,
        }
    }
}

pub(crate) async fn ensure(database: &Database, role: &str, schemas: &[&str]) -> Result<RoleSeparation, PgError> {
    let mut client = database.connect().await?;
    let mut attempt = 1;
    loop {
        match ensure_once(&mut client, role, schemas).await {
            Err(PgError::Statement { source, .. }) if attempt < ATTEMPTS && is_collision(&source) => {
                attempt += 1;
                tokio::time::sleep(PAUSE_BETWEEN_ATTEMPTS).await;
            }
            outcome => return outcome,
        }
    }
}

async fn ensure_once(client: &mut Client, role: &str, schemas: &[&str]) -> Result<RoleSeparation, PgError> {
    let transaction = client.transaction().await.map_err(PgError::statement("begin"))?;
    let known = transaction
        .query_one(include_str!("owner/known.sql"), &[&role])
        .await
        .map_err(PgError::statement("look up the owner role"))?;
    let (exists, may_become, may_create, server_version): (bool, bool, bool, i32) =
        (known.get(0), known.get(1), known.get(2), known.get(3));
    let quoted_role = quote_identifier(role);
    let separate = may_become || may_create;

    if may_create && !exists {
        run(&transaction, "create the owner role", &format!("CREATE ROLE {quoted_role} NOLOGIN")).await?;
    }
    if may_create && !may_become {
        let options = if server_version >= 160_000 { " WITH SET TRUE, INHERIT TRUE" } else { "" };
        run(
            &transaction,
            "let the login become the owner role",
            &format!("GRANT {quoted_role} TO CURRENT_USER{options}"),
        )
        .await?;
    }
    for schema in schemas {
        let present: bool = transaction
            .query_one("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", &[schema])
            .await
            .map_err(PgError::statement("look up a schema"))?
            .get(0);
        if !present {
            let schema = quote_identifier(schema);
            let authorization = if separate { format!(" AUTHORIZATION {quoted_role}") } else { String::new() };
            run(&transaction, "create a schema", &format!("CREATE SCHEMA IF NOT EXISTS {schema}{authorization}"))
                .await?;
            run(&transaction, "close a schema to others", &format!("REVOKE ALL ON SCHEMA {schema} FROM PUBLIC"))
                .await?;
        }
    }
    transaction.commit().await.map_err(PgError::statement("commit the owner role"))?;
    if separate {
        Ok(RoleSeparation::Separate { role: role.to_owned() })
    } else {
        tracing::warn!(role, "the login may not create roles: the service's schemas belong to the login itself");
        Ok(RoleSeparation::Shared)
    }
}

async fn run(
    transaction: &tokio_postgres::Transaction<'_>,
    action: &'static str,
    statement: &str,
) -> Result<(), PgError> {
    transaction.batch_execute(statement).await.map_err(PgError::statement(action))
}

/// Another instance made the same role, grant or schema at the same moment.
fn is_collision(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_OBJECT, SqlState::DUPLICATE_SCHEMA].contains(code)
            || error.as_db_error().is_some_and(|error| error.message().contains("concurrently"))
    })
}
