//! Issuing an invoice for an order: once per cause, ever, whoever asks first. The cause is the order's event that
//! first covered its total; series, date and command id follow from it alone, so two that issue at the same
//! moment, or years apart, write the same event or none.

use crate::{
    buyer_keys::{BuyerKeyError, BuyerKeys},
    domain::{
        invoice::{Cause, issue},
        series,
    },
};
use eventstore::{Append, AppendError, EventLog, Expected, ReadError};
use feeds::{FeedError, Subscription, derived_command_id};
use order::Order;
use service::{KeyClient, KeyClientError};
use shared_events::{
    Actor, EventBody, InvoiceId, Metadata, OrderId, PayloadError, RecordedEvent,
    invoice::{InvoiceEvent, STREAM_TYPE, TradeParty},
    order::OrderEvent,
    sealed::{key_ids, open_event, seal_event},
};
use std::sync::Arc;
use thiserror::Error;

const PAGE: usize = 500;

/// Why no invoice was issued.
#[derive(Debug, Error)]
pub enum IssueError {
    /// There is no such order.
    #[error("there is no such order")]
    NoOrder,
    /// Payment does not cover it.
    #[error("the order's payment does not cover its total yet")]
    NotCovered,
    /// Another system did it.
    #[error("the order came with the invoice {0} of another system")]
    InvoicedElsewhere(String),
    /// The orders are not to be had.
    #[error("the order could not be read")]
    Orders(#[from] FeedError),
    /// The keys are not to be had.
    #[error("the keys of the order could not be fetched")]
    Keys(#[from] KeyClientError),
    /// The buyer's key is not to be had.
    #[error("the key of the invoice could not be had")]
    BuyerKey(#[from] BuyerKeyError),
    /// An event is not what it should be.
    #[error("an event could not be opened or sealed")]
    Payload(#[from] PayloadError),
    /// The log did not take it.
    #[error("the invoice could not be appended")]
    Append(#[source] AppendError),
    /// The invoice could not be read back.
    #[error("the invoice could not be read")]
    Read(#[from] ReadError),
    /// It was appended and is not there.
    #[error("the invoice {0} is missing in its series")]
    Missing(String),
}

impl IssueError {
    /// Whether the same may be tried again later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Orders(_) => true,
            Self::Keys(KeyClientError::Peer(error)) | Self::BuyerKey(BuyerKeyError::Peer(error)) => {
                error.is_unavailable()
            }
            Self::Append(error) => error.is_unavailable() || matches!(error, AppendError::Conflict { .. }),
            Self::Read(error) => error.is_unavailable(),
            Self::NoOrder
            | Self::NotCovered
            | Self::InvoicedElsewhere(_)
            | Self::Keys(_)
            | Self::BuyerKey(_)
            | Self::Payload(_)
            | Self::Missing(_) => false,
        }
    }
}

/// An invoice that was issued, now or before.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its event.
    pub recorded: RecordedEvent,
    /// Whether it was issued by this very call.
    pub created: bool,
}

/// Issues invoices. Cheap to clone.
#[derive(Clone)]
pub struct Issuing {
    log: EventLog,
    orders: Subscription,
    keys: KeyClient,
    buyer_keys: BuyerKeys,
    seller: Arc<TradeParty>,
}

impl Issuing {
    /// Issues into `log` for the orders of that feed.
    #[must_use]
    pub fn new(
        log: EventLog,
        orders: Subscription,
        keys: KeyClient,
        buyer_keys: BuyerKeys,
        seller: TradeParty,
    ) -> Self {
        Self { log, orders, keys, buyer_keys, seller: Arc::new(seller) }
    }

    /// The invoice of an order, issued if it was not yet.
    ///
    /// # Errors
    /// [`IssueError`].
    pub async fn issue_for(&self, order_id: OrderId) -> Result<Issued, IssueError> {
        let history = self.history(order_id).await?;
        let (order, cause) = self.first_covered(order_id, &history).await?;
        if let Some(number) = order.foreign_invoice_number {
            return Err(IssueError::InvoicedElsewhere(number));
        }
        self.append(&order, cause).await
    }

    async fn history(&self, order_id: OrderId) -> Result<Vec<RecordedEvent>, IssueError> {
        let feed = self.orders.feed().await;
        let mut history: Vec<RecordedEvent> = Vec::new();
        loop {
            let after = history.last().map_or(0, |event| event.version);
            let page = feed.stream(&order_id.to_string(), after, PAGE).await?;
            if page.is_empty() {
                return if history.is_empty() { Err(IssueError::NoOrder) } else { Ok(history) };
            }
            history.extend(page);
        }
    }

    /// The order as it stood when it was first covered, and the event that did it.
    async fn first_covered<'a>(
        &self,
        order_id: OrderId,
        history: &'a [RecordedEvent],
    ) -> Result<(Order, &'a RecordedEvent), IssueError> {
        let ids: Vec<_> = history.iter().flat_map(key_ids::<OrderEvent>).collect();
        let ring = self.keys.ring(&ids).await?;
        let mut order = Order::of(order_id);
        for event in history {
            match open_event::<OrderEvent>(event, &ring) {
                Ok(opened) => order.apply(&opened),
                Err(PayloadError::Unknown { event_type, .. }) if !OrderEvent::is_known(&event_type) => {
                    order = order.evolve_unknown();
                }
                Err(error) => return Err(error.into()),
            }
            if order.covered() {
                return Ok((order, event));
            }
        }
        Err(IssueError::NotCovered)
    }

    async fn append(&self, order: &Order, cause: &RecordedEvent) -> Result<Issued, IssueError> {
        let series = series::of_invoices(&order.legal_entity, cause.recorded_at);
        let seller = TradeParty::clone(&self.seller);
        let named = Cause { event_id: cause.event_id, order_version: cause.version };
        let invoice = InvoiceEvent::from(issue(order, named, seller, InvoiceId::generate(), cause.recorded_at));
        let key = self.buyer_keys.of_order(order.id).await?;
        let append = Append {
            stream_id: series.clone(),
            stream_type: STREAM_TYPE,
            expected: Expected::Any,
            command_id: Some(derived_command_id(cause.event_id.as_uuid(), "invoice")),
            events: vec![seal_event(&invoice, &series, Some(&key))?],
            metadata: Metadata {
                correlation_id: cause.metadata.correlation_id,
                causation_id: Some(cause.event_id),
                actor: Actor::internal(),
                traceparent: cause.metadata.traceparent.clone(),
                import: cause.metadata.import,
            },
            claim: None,
        };
        let appended = self.log.append(append).await.map_err(IssueError::Append)?;
        let event = self.log.read_stream(&series, appended.version - 1, 1).await?.pop();
        let missing = || IssueError::Missing(shared_events::invoice::number(&series, appended.version));
        Ok(Issued { recorded: event.ok_or_else(missing)?, created: !appended.duplicate })
    }
}
