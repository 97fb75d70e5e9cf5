//! Connections that a task keeps for itself, and what an error on one says about the statement that was running.

use crate::epoch;
use deadpool_postgres::{ClientWrapper, Object, PoolError};
use pg::Pool;
use tokio_postgres::{
    Error, Statement,
    error::{Severity, SqlState},
};

const SESSION: &str = include_str!("../sql/session.sql");
pub(super) const APPEND: &str = include_str!("../sql/append.sql");

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("no connection could be had from the pool")]
    Pool(#[from] PoolError),
    #[error("a new connection could not be prepared")]
    Session(#[from] Error),
}

/// A connection with the pool's role and search path that no longer counts as the pool's. It closes when dropped.
pub(super) async fn own(pool: &Pool) -> Result<ClientWrapper, ConnectError> {
    let client = Object::take(pool.get().await?);
    client.batch_execute(SESSION).await?;
    Ok(client)
}

/// A writer's connection with the append statement prepared.
pub(super) struct Connection {
    pub(super) client: ClientWrapper,
    pub(super) append: Statement,
}

impl Connection {
    pub(super) async fn open(pool: &Pool, log: &str) -> Result<Self, ConnectError> {
        let client = own(pool).await?;
        // The server may be another one than before.
        epoch::keep(&client, log).await?;
        let append = client.prepare(APPEND).await?;
        Ok(Self { client, append })
    }
}

/// What a failed transaction means for the commands in it.
#[derive(Debug)]
pub(super) enum Failure {
    /// A unique key or a claim stands against some of them, or they ran into a deadlock: look closely. Nothing is in.
    Contested(Error),
    /// The database can't hold the events of one of them. Nothing is in.
    Data(Error),
    /// The database can't do it now. Nothing is in.
    NotNow(Error),
    /// The connection broke or the answer did not come: they may be in or not.
    Lost(Option<Error>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Some(cause) = error.as_db_error() else { return Self::Lost(Some(error)) };
        let code = cause.code();
        // FATAL and PANIC end the session, perhaps after the commit; an ERROR always rolls back.
        if cause.parsed_severity() != Some(Severity::Error) {
            return Self::Lost(Some(error));
        }
        let contested = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::from_code("OM001"),
        ];
        match code.code().get(..2) {
            _ if contested.contains(code) => Self::Contested(error),
            Some("08" | "57") if *code != SqlState::QUERY_CANCELED => Self::Lost(Some(error)),
            Some("22" | "23" | "54") => Self::Data(error),
            _ => Self::NotNow(error),
        }
    }
}
