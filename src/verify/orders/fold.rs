//! An order folded from its events by the aggregate's own code, as it is and as it was at the moments that others have
//! seen: when it was first covered, and as far as the read tables are.

use crate::verify::events::{EventChecks, Looked};
use crate::verify::streams::Stored;
use chrono::{DateTime, Utc};
use invoice_service::domain::credit_note::{Credit, is_same_command, may_credit};
use invoice_service::domain::invoice;
use order::{Order, OrderEvent};
use rust_decimal::Decimal;
use shared_events::invoice::TradeParty;
use shared_events::order::Totals;
use shared_events::sealed::KeyRing;
use shared_events::{EventId, InvoiceId, OrderId, RecordedEvent};

/// An order at the moments that matter.
pub struct Folded {
    /// Its stream.
    pub stream_id: String,
    /// Its partition.
    pub partition: i32,
    /// The position of its first event.
    pub placed_position: i64,
    /// When that was recorded.
    pub placed_at: DateTime<Utc>,
    /// The order at its last event.
    pub order: Order,
    /// The position of its last event.
    pub position: i64,
    /// As far as the read tables are, where that is not its last event; with the position.
    pub earlier: Option<(Order, i64)>,
    /// The event that first covered it.
    pub covered: Option<Covered>,
    /// The events since which less is owed than its invoice asks for.
    pub credits: Vec<Credited>,
}

/// An event since which less is owed than an order's invoice asks for, and than its credit notes before have taken back.
pub struct Credited {
    /// The event.
    pub event_id: EventId,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its position.
    pub position: i64,
    /// Its version.
    pub version: i64,
    /// By how much less.
    pub amount: Decimal,
}

/// Follows what has to be credited, command by command.
#[derive(Default)]
struct Crediting<'a> {
    credit: Option<Credit>,
    command: Option<&'a RecordedEvent>,
    event_types: Vec<&'a str>,
    cause: Option<&'a RecordedEvent>,
}

impl<'a> Crediting<'a> {
    /// Before the event is applied: what the command before it has made it necessary to credit.
    fn before(&mut self, event: &'a RecordedEvent, order: &Order, credits: &mut Vec<Credited>) {
        if self.credit.is_none() {
            return;
        }
        if self.command.is_none_or(|first| !is_same_command(first, event)) {
            self.settle(order, credits);
            self.command = Some(event);
            self.event_types.clear();
        }
        self.event_types.push(&event.event_type);
        if may_credit(&event.event_type) {
            self.cause = self.cause.or(Some(event));
        }
    }

    /// At the end of a command.
    fn settle(&mut self, order: &Order, credits: &mut Vec<Credited>) {
        let (Some(credit), Some(cause)) = (&mut self.credit, self.cause.take()) else { return };
        let amount: Decimal =
            credit.follow(order, self.event_types.iter().copied()).iter().map(|correction| correction.amount).sum();
        if !amount.is_zero() {
            let (event_id, recorded_at) = (cause.event_id, cause.recorded_at);
            credits.push(Credited { event_id, recorded_at, position: cause.position, version: cause.version, amount });
        }
    }

    /// From here on there is an invoice.
    fn invoiced(&mut self, order: &Order, event: &RecordedEvent) {
        let named = invoice::Cause { event_id: event.event_id, order_version: event.version };
        let seller = TradeParty { name: String::new(), address: None, email: None, vat_id: None, registration: None };
        let invoice =
            invoice::issue(order, named, seller, InvoiceId::from_uuid(event.event_id.as_uuid()), event.recorded_at);
        self.credit = Some(Credit::of(&invoice.document));
    }
}

/// When an order was first covered, and what it was then.
pub struct Covered {
    /// The event that did it.
    pub event_id: EventId,
    /// When that was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its position.
    pub position: i64,
    /// Its version.
    pub version: i64,
    /// What the order cost.
    pub totals: Totals,
}

impl Folded {
    /// Folds a stream; none where something is wrong with it, which the checks have noted then. `seen_to` is how far
    /// the read tables are in its partition.
    pub fn of(stream: &[Stored], ring: &KeyRing, seen_to: i64, checks: &mut EventChecks) -> Option<Self> {
        let first = &stream.first()?.event;
        let id = OrderId::parse(&first.stream_id).ok();
        let mut folded = Self {
            stream_id: first.stream_id.clone(),
            partition: first.partition,
            placed_position: first.position,
            placed_at: first.recorded_at,
            order: id.map(Order::of).unwrap_or_default(),
            position: 0,
            earlier: None,
            covered: None,
            credits: Vec::new(),
        };
        let mut crediting = Crediting::default();
        let mut is_whole = id.is_some();
        for stored in stream {
            let event = &stored.event;
            // Every event is looked at, whatever came before it.
            let looked = checks.look::<OrderEvent>(stored, ring);
            if !is_whole {
                continue;
            }
            if event.position > seen_to && folded.earlier.is_none() {
                folded.earlier = Some((folded.order.clone(), folded.position));
            }
            crediting.before(event, &folded.order, &mut folded.credits);
            match looked {
                Looked::Opened(opened) => folded.order.apply(&opened),
                Looked::Unknown => folded.order = folded.order.evolve_unknown(),
                Looked::Wrong => {
                    is_whole = false;
                    continue;
                }
            }
            folded.position = event.position;
            if folded.covered.is_none() && folded.order.covered() {
                folded.covered = Some(Covered {
                    event_id: event.event_id,
                    recorded_at: event.recorded_at,
                    position: event.position,
                    version: event.version,
                    totals: folded.order.totals,
                });
                if folded.order.foreign_invoice_number.is_none() {
                    crediting.invoiced(&folded.order, event);
                }
            }
        }
        crediting.settle(&folded.order, &mut folded.credits);
        is_whole.then_some(folded)
    }

    /// The order as the read tables must show it, and the position of its last event then; none where they have seen
    /// none of it.
    pub fn shown(&self) -> Option<(&Order, i64)> {
        let (order, position) = self.earlier.as_ref().map_or((&self.order, self.position), |(order, at)| (order, *at));
        order.exists().then_some((order, position))
    }
}
