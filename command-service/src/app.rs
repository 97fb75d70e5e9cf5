//! What the handlers share.

use crate::payments::{dead_letters::DeadLetters, facts::Facts, refunds::Refunds, work::PaymentWork};
use crate::{
    carts::Carts, config::Config, discounts::Discounts, inventory::Inventory, order_number::OrderNumbers,
    orders::Orders, quotes::Quotes, stock_check::StockCheck, tables::PriceTables,
};
use moka::future::Cache;
use order::{Order, Party, view::OrderAnswer};
use service::{Answer, CommandRequest, Idempotency, Lifecycle, Peer};
use shared_events::{Actor, Metadata, ProductId, UserId};
use std::sync::Arc;
use web::{Caller, CallerKind, Consistency, Problem};

/// So many products are remembered.
pub const KNOWN_PRODUCTS: u64 = 200_000;

/// The parts of command-service. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Commands on orders.
    pub orders: Orders,
    /// inventory-service.
    pub inventory: Inventory,
    /// Stock that is asked for before the order decides.
    pub stock_check: StockCheck,
    /// What customers are about to buy.
    pub carts: Carts,
    /// Prices that hold for a while.
    pub quotes: Quotes,
    /// Discounts by code.
    pub discounts: Discounts,
    /// Shipping methods and tax rates.
    pub tables: PriceTables,
    /// auth-service, for the profiles of customers that somebody else orders for.
    pub auth: Peer,
    /// Requests that happen once.
    pub idempotency: Idempotency,
    /// What goes on beside requests.
    pub lifecycle: Lifecycle,
    /// Products that are known to be there: they are archived, never taken away.
    pub known_products: Cache<ProductId, ()>,
    /// Order numbers.
    pub numbers: Arc<OrderNumbers>,
    /// What payment providers are to do; none where none is configured.
    pub payments: Option<Arc<PaymentWork>>,
    /// What became of payments.
    pub facts: Facts,
    /// What providers send back.
    pub refunds: Refunds,
    /// Webhooks that no order could take.
    pub dead_letters: DeadLetters,
    /// The settings.
    pub config: Arc<Config>,
}

/// Who asks, in the order's own words. A client without `orders:admin` has a customer's rights on any order.
#[must_use]
pub fn party(caller: &Caller) -> Party {
    match caller.kind {
        CallerKind::Internal => Party::System,
        _ if caller.is_staff() => Party::Staff,
        _ => Party::Customer,
    }
}

/// The customer whose orders alone the caller may touch.
///
/// # Errors
/// 401 for a customer's token that names no user.
pub fn confined_to(caller: &Caller) -> Result<Option<UserId>, Problem> {
    if !caller.is_customer() {
        return Ok(None);
    }
    let own = UserId::parse(&caller.subject);
    own.map(Some).map_err(|_| Problem::invalid_token("the token names no user"))
}

/// Who did it and in which trace, for the log.
#[must_use]
pub fn metadata(request: &CommandRequest) -> Metadata {
    let client = Some(request.caller.client_id.clone());
    Metadata {
        correlation_id: request.context.correlation_id(),
        causation_id: None,
        actor: Actor { subject: request.caller.subject.clone(), client },
        traceparent: Some(request.context.traceparent.clone()),
        import: false,
    }
}

/// Whether the request came by `/orders` or `/order`, whose answers carry the short names too.
#[must_use]
pub fn short_spelling(request: &CommandRequest) -> bool {
    request.path != request.main_path
}

impl App {
    /// The order as the caller gets it.
    #[must_use]
    pub fn answer(&self, order: &Order, request: &CommandRequest) -> Answer {
        let view = OrderAnswer::from_state(order, party(&request.caller), self.config.return_window);
        let answer =
            if short_spelling(request) { Answer::json(200, &view.into_legacy()) } else { Answer::json(200, &view) };
        answer.etag(order.version).consistency(&Consistency::of(order.id, order.version)).concerning(concerned(order))
    }
}

/// Whose personal data is in an order.
#[must_use]
pub fn concerned(order: &Order) -> String {
    order.customer_id.map_or_else(|| order.id.to_string(), |customer| customer.to_string())
}
