//! Issuing invoices and credit notes for orders: once per cause, ever, whoever asks first. The cause of an invoice is the
//! order's event that first covered its total, that of a credit note the first event of a command after which less is
//! owed. What a document says, its series, its date and its command id follow from the order's history up to its cause
//! alone, so two that issue at the same moment, or years apart, write the same event or none.

use crate::{
    buyer_keys::{BuyerKeyError, BuyerKeys},
    domain::{
        credit_note::{self, Credit, Why, appended_together, may_credit},
        invoice::{Cause, issue},
        series,
    },
};
use eventstore::{Append, AppendError, EventLog, Expected, ReadError};
use feeds::{FeedError, Subscription, derived_command_id};
use order::Order;
use service::{KeyClient, KeyClientError};
use shared_events::{
    Actor, CreditNoteId, EventBody, InvoiceId, Metadata, OrderId, PayloadError, RecordedEvent,
    invoice::{InvoiceEvent, InvoiceIssued, STREAM_TYPE, TradeParty, number},
    order::OrderEvent,
    sealed::{KeyRing, key_ids, open_event, seal_event},
};
use std::sync::Arc;
use thiserror::Error;

const PAGE: usize = 500;
/// What the command of an invoice is derived with from its cause.
pub const INVOICE: &str = "invoice";
/// What the command of a credit note is derived with from its cause.
pub const CREDIT_NOTE: &str = "credit-note";

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
        let mut folding = self.folding(order_id, &history).await?;
        let cause = folding.until_covered()?;
        self.invoice(&folding.order, cause).await
    }

    /// The credit note of the command that appended this version of the order, if less is owed since. The order's
    /// invoice is issued first if it was not yet.
    ///
    /// # Errors
    /// [`IssueError`].
    pub async fn correct_for(&self, order_id: OrderId, version: i64) -> Result<Option<Issued>, IssueError> {
        if self.is_told_before(order_id, version).await? {
            return Ok(None);
        }
        let history = self.history(order_id).await?;
        let index = history.partition_point(|event| event.version < version);
        let Some(last) = history[index..].iter().take(appended_together(&history[index..])).next_back() else {
            return Ok(None);
        };
        let mut folding = self.folding(order_id, &history).await?;
        let covering = folding.until_covered()?;
        if covering.version >= last.version {
            return Ok(None);
        }
        let invoice = self.invoice(&folding.order, covering).await?.recorded;
        let InvoiceEvent::InvoiceIssued(issued) = self.open(&invoice).await? else {
            return Err(IssueError::Missing(number(&invoice.stream_id, invoice.version)));
        };
        let mut credit = Credit::of(&issued.document);
        while let Some(command) = folding.next_command()? {
            let Some((cause, _)) = command.iter().find(|(event, _)| may_credit(&event.event_type)) else { continue };
            let corrections = credit.follow(&folding.order, command.iter().map(|(event, _)| event.event_type.as_str()));
            if command.last().is_some_and(|(event, _)| event.version < version) {
                continue;
            }
            if corrections.is_empty() {
                return Ok(None);
            }
            let named = Cause { event_id: cause.event_id, order_version: cause.version };
            let why = Why::of(command.iter().filter_map(|(_, opened)| opened.as_ref()));
            let invoice_number = number(&invoice.stream_id, invoice.version);
            let note = credit_note::issue(
                &issued,
                invoice_number,
                &corrections,
                (named, why),
                CreditNoteId::generate(),
                cause.recorded_at,
            );
            let series = series::of_credit_notes(&folding.order.legal_entity, cause.recorded_at);
            return self.append(order_id, series, note.into(), cause, CREDIT_NOTE).await.map(Some);
        }
        Ok(None)
    }

    /// Whether the event before belongs to the same command and causes its credit note.
    async fn is_told_before(&self, order_id: OrderId, version: i64) -> Result<bool, IssueError> {
        if version < 2 {
            return Ok(false);
        }
        let feed = self.orders.feed().await;
        let both = feed.stream(&order_id.to_string(), version - 2, 2).await?;
        Ok(both.first().is_some_and(|before| may_credit(&before.event_type)) && appended_together(&both) == 2)
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

    async fn folding<'a>(&self, order_id: OrderId, history: &'a [RecordedEvent]) -> Result<Folding<'a>, IssueError> {
        let ids: Vec<_> = history.iter().flat_map(key_ids::<OrderEvent>).collect();
        Ok(Folding { order: Order::of(order_id), ring: self.keys.ring(&ids).await?, rest: history })
    }

    async fn open(&self, recorded: &RecordedEvent) -> Result<InvoiceEvent, IssueError> {
        let ring = self.keys.ring(&key_ids::<InvoiceEvent>(recorded)).await?;
        Ok(open_event(recorded, &ring)?)
    }

    async fn invoice(&self, order: &Order, cause: &RecordedEvent) -> Result<Issued, IssueError> {
        if let Some(number) = &order.foreign_invoice_number {
            return Err(IssueError::InvoicedElsewhere(number.clone()));
        }
        let series = series::of_invoices(&order.legal_entity, cause.recorded_at);
        let seller = TradeParty::clone(&self.seller);
        let named = Cause { event_id: cause.event_id, order_version: cause.version };
        let invoice: InvoiceIssued = issue(order, named, seller, InvoiceId::generate(), cause.recorded_at);
        self.append(order.id, series, invoice.into(), cause, INVOICE).await
    }

    async fn append(
        &self,
        order_id: OrderId,
        series: String,
        document: InvoiceEvent,
        cause: &RecordedEvent,
        step: &str,
    ) -> Result<Issued, IssueError> {
        let key = self.buyer_keys.of_order(order_id).await?;
        let append = Append {
            stream_id: series.clone(),
            stream_type: STREAM_TYPE,
            expected: Expected::Any,
            command_id: Some(derived_command_id(cause.event_id.as_uuid(), step)),
            events: vec![seal_event(&document, &series, Some(&key))?],
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
        let missing = || IssueError::Missing(number(&series, appended.version));
        Ok(Issued { recorded: event.ok_or_else(missing)?, created: !appended.duplicate })
    }
}

/// An order that is folded from its history, event by event.
struct Folding<'a> {
    order: Order,
    ring: KeyRing,
    rest: &'a [RecordedEvent],
}

/// An event, opened where this build knows its type.
type Step<'a> = (&'a RecordedEvent, Option<OrderEvent>);

impl<'a> Folding<'a> {
    fn next(&mut self) -> Result<Option<Step<'a>>, IssueError> {
        let Some((event, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        match open_event::<OrderEvent>(event, &self.ring) {
            Ok(opened) => {
                self.order.apply(&opened);
                Ok(Some((event, Some(opened))))
            }
            Err(PayloadError::Unknown { event_type, .. }) if !OrderEvent::is_known(&event_type) => {
                self.order = std::mem::take(&mut self.order).evolve_unknown();
                Ok(Some((event, None)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Folds up to the event that first covers the order.
    fn until_covered(&mut self) -> Result<&'a RecordedEvent, IssueError> {
        while let Some((event, _)) = self.next()? {
            if self.order.covered() {
                return Ok(event);
            }
        }
        Err(IssueError::NotCovered)
    }

    /// Folds what the next command appended.
    fn next_command(&mut self) -> Result<Option<Vec<Step<'a>>>, IssueError> {
        let mut together = Vec::new();
        for _ in 0..appended_together(self.rest) {
            together.extend(self.next()?);
        }
        Ok((!together.is_empty()).then_some(together))
    }
}
