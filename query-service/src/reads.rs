//! Everything that reads are answered from, in one place: the tables, the cache, the history, and who users are.

use crate::{
    cache::OrderCache,
    consistency::ReadYourWrites,
    history::History,
    read_error::ReadError,
    read_models::{invoices::Invoices, orders::Orders, products::Products, stock::Stocks},
};
use serde::Deserialize;
use service::{Peer, PeerError};
use shared_events::UserId;
use std::sync::Arc;

/// What reads are answered from.
pub struct Reads {
    /// `order_view`.
    pub orders: Orders,
    /// Orders in memory.
    pub cache: Arc<OrderCache>,
    /// `product_view`.
    pub products: Products,
    /// `stock_view`.
    pub stocks: Stocks,
    /// `invoice_view`.
    pub invoices: Invoices,
    /// The events of orders.
    pub history: History,
    /// Waits for writes.
    pub writes: ReadYourWrites,
    /// The service that knows users.
    pub users: Peer,
    /// How long after the last delivery an order is completed.
    pub return_window: chrono::TimeDelta,
}

/// What is known of a user.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Profile {
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their phone number.
    pub phone: Option<String>,
}

impl Reads {
    /// The user with this id, if there is one.
    ///
    /// # Errors
    /// [`ReadError::Peer`] when the users' service does not answer.
    pub async fn profile(&self, id: UserId) -> Result<Option<Profile>, ReadError> {
        match self.users.get::<Profile>(&format!("/internal/users/{id}")).await {
            Ok(profile) => Ok(Some(profile)),
            Err(PeerError::Problem { status: 404, .. }) => Ok(None),
            Err(error) => Err(ReadError::Peer { service: "auth-service", source: error.into() }),
        }
    }
}
