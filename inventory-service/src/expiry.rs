//! Gives up pending reservations whose time is over: their rows are the timers, and the database's clock decides. A
//! reservation is looked for often enough that its stock is free within a second; whether it is still due is decided
//! under its lock, so any number of instances may look.

use crate::causes;
use crate::domain::reservation::decide::Command;
use crate::rows;
use crate::stock_writer::{Hold, StockWriter};
use futures_util::future::join_all;
use pg::{Pool, deadpool_postgres::PoolError, tokio_postgres};
use shared_events::OrderId;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_millis(400);
const BATCH: i64 = 500;

#[derive(Debug, thiserror::Error)]
enum ExpiryError {
    #[error("no database connection could be had")]
    Connection(#[from] PoolError),
    #[error("the expired reservations could not be read")]
    Statement(#[from] tokio_postgres::Error),
}

/// Expires reservations until `stop`.
pub async fn run(pool: Pool, writer: StockWriter, stop: CancellationToken) {
    let mut was_away = false;
    loop {
        let more = match due(&pool).await {
            Ok(orders) => {
                was_away = false;
                let more = orders.len() == usize::try_from(BATCH).unwrap_or(usize::MAX);
                // What could not expire is due still: without a pause it would be tried again at once, for ever.
                expire(&writer, orders).await && more
            }
            Err(error) => {
                if !was_away {
                    tracing::warn!(error = &error as &dyn std::error::Error, "reservations can't expire right now");
                }
                was_away = true;
                false
            }
        };
        if more && !stop.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn due(pool: &Pool) -> Result<Vec<OrderId>, ExpiryError> {
    let client = pool.get().await?;
    Ok(rows::expired(&**client, BATCH).await?)
}

/// Says whether all of them could expire.
async fn expire(writer: &StockWriter, orders: Vec<OrderId>) -> bool {
    let holds = orders.into_iter().map(|order_id| {
        writer.hold(Hold {
            order_id,
            steps: vec![Command::Expire],
            order_version: None,
            command_id: causes::command_id(),
            metadata: causes::ourselves(),
        })
    });
    let errors: Vec<_> = join_all(holds).await.into_iter().filter_map(Result::err).collect();
    if let Some(error) = errors.first() {
        tracing::warn!(count = errors.len(), error = %error, "reservations could not expire; they are tried again");
    }
    errors.is_empty()
}
