//! Connections that a task keeps for itself.

use deadpool_postgres::{ClientWrapper, Object, PoolError};
use pg::Pool;
use tokio_postgres::{Error, Statement};

const SESSION: &str = include_str!("../sql/session.sql");

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
pub(crate) struct Connection {
    pub(super) client: ClientWrapper,
    pub(super) append: Statement,
}
