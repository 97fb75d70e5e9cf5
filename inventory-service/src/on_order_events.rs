//! What orders' events mean for their reservations. The order is the authority: what its events say is carried out,
//! each event once (its version is kept in the reservation's row). The quantities come from folding the order up to
//! that event, never further, so it does not matter how late an event is handled.

use crate::causes;
use crate::domain::reservation::decide::Command;
use crate::domain::stock::{Quantities, summed};
use crate::stock_writer::{Hold, StockError, StockWriter};
use chrono::TimeDelta;
use feeds::{FeedError, HandleError, Reaction, StartFrom, Subscription, derived_command_id};
use order::Order;
use shared_events::order::{LineQuantity, OrderEvent, OrderPlaced};
use shared_events::sealed::{KeyRing, open_event};
use shared_events::{EventBody, OrderId, PayloadError, ProductId, RecordedEvent};
use std::collections::BTreeMap;

/// The reader's name.
pub const NAME: &str = "inventory-reservations";
const PAGE: usize = 500;
/// How long stock that was reserved anew for an order waits for the order's own word.
const KEEP_NEWER: TimeDelta = TimeDelta::minutes(2);

/// Keeps reservations in step with their orders.
pub struct ReservationsFollowOrders {
    writer: StockWriter,
    orders: Subscription,
}

/// Why an order's event could not be carried out.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("the order's earlier events can't be read")]
    Feed(#[from] FeedError),
    #[error("an event of the order has another shape")]
    Payload(#[from] PayloadError),
    #[error("the stream is no order's")]
    NoOrder(#[from] shared_events::IdError),
    #[error("the reservation can't be changed")]
    Stock(#[from] StockError),
    #[error("the order's events after version {0} are missing")]
    Gap(i64),
}

impl From<FollowError> for HandleError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Feed(_) | FollowError::Gap(_) => Self::retry(error),
            FollowError::Stock(StockError::Overloaded | StockError::Unavailable) => Self::retry(error),
            FollowError::Stock(_) | FollowError::Payload(_) | FollowError::NoOrder(_) => Self::poison(error),
        }
    }
}

impl Reaction for ReservationsFollowOrders {
    fn name(&self) -> &'static str {
        NAME
    }

    fn start_from(&self) -> StartFrom {
        StartFrom::Start
    }

    async fn react(&self, _log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        self.follow(event).await.map_err(HandleError::from)
    }
}

impl ReservationsFollowOrders {
    /// Follows `orders` by giving jobs to `writer`.
    #[must_use]
    pub const fn new(writer: StockWriter, orders: Subscription) -> Self {
        Self { writer, orders }
    }

    async fn follow(&self, recorded: &RecordedEvent) -> Result<(), FollowError> {
        // What an importer tells happened to goods that this shelf never had.
        if recorded.metadata.import {
            return Ok(());
        }
        let event = match open_event::<OrderEvent>(recorded, &KeyRing::default()) {
            Ok(event) => event,
            // A type of the future concerns nobody here; a newer shape of one that does must not be passed over.
            Err(PayloadError::Unknown { event_type, .. }) if !OrderEvent::is_known(&event_type) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let order_id = OrderId::parse(&recorded.stream_id)?;
        let steps = self.steps(order_id, recorded, &event).await?;
        if steps.is_empty() {
            return Ok(());
        }
        let hold = Hold {
            order_id,
            steps,
            order_version: Some(recorded.version),
            command_id: derived_command_id(recorded.event_id.as_uuid(), NAME),
            metadata: causes::event(recorded),
        };
        let held = self.writer.hold(hold).await?;
        tracing::debug!(
            order.id = %order_id, order.version = recorded.version, event = recorded.event_type,
            state = held.reservation.state.as_str(), "reservation follows its order"
        );
        Ok(())
    }

    async fn steps(
        &self,
        order_id: OrderId,
        recorded: &RecordedEvent,
        event: &OrderEvent,
    ) -> Result<Vec<Command>, FollowError> {
        let at = recorded.version;
        Ok(match event {
            OrderEvent::OrderPlaced(placed) => placing(placed),
            OrderEvent::OrderAmended(amended) if amended.lines.is_some() => {
                let order = self.order(order_id, at).await?;
                let demand = quantities(&order);
                let mut steps = match amended.reservation_revision {
                    Some(revision) => anew(revision, demand),
                    None => vec![Command::Change { revision: None, demand }],
                };
                // What was paid may cover the new total: no event of its own says so.
                steps.extend(order.covered().then_some(Command::Confirm { revision: None }));
                steps
            }
            OrderEvent::PaymentCompleted(paid) => match paid.reservation_revision {
                Some(revision) => anew(revision, quantities(&self.order(order_id, at).await?)),
                None => Vec::new(),
            },
            OrderEvent::StockConfirmed(confirmed) => {
                let demand = quantities(&self.order(order_id, at).await?);
                let mut steps = anew(confirmed.reservation_revision, demand);
                steps.extend(confirmed.firm.then_some(Command::Confirm { revision: None }));
                steps
            }
            OrderEvent::OrderConfirmed(_) => vec![Command::Confirm { revision: None }],
            OrderEvent::StockReleased(released) => {
                vec![Command::Release {
                    revision: Some(released.reservation_revision),
                    reason: released.reason.clone(),
                    keep_newer: Some(KEEP_NEWER),
                }]
            }
            // Money may still come and hold stock anew, under a later revision that must survive this.
            OrderEvent::OrderExpired(_) => {
                let revision = self.order(order_id, at).await?.reservation_revision();
                vec![Command::Release {
                    revision: Some(revision),
                    reason: Some("the order expired".to_owned()),
                    keep_newer: Some(KEEP_NEWER),
                }]
            }
            OrderEvent::OrderCancelled(_) => {
                vec![Command::Release {
                    revision: None,
                    reason: Some("the order was cancelled".to_owned()),
                    keep_newer: None,
                }]
            }
            OrderEvent::LineCancelled(cancelled) => {
                let demand = quantities(&self.order(order_id, at).await?);
                vec![Command::Change { revision: cancelled.reservation_revision, demand }]
            }
            OrderEvent::ShipmentDispatched(dispatched) => {
                let pieces = pieces(&self.order(order_id, at).await?, &dispatched.lines);
                let (shipment_id, location) = (dispatched.shipment_id, dispatched.location.clone());
                vec![Command::Ship { shipment_id, location, pieces }]
            }
            OrderEvent::ShipmentFailed(failed) if failed.returned_to_sender => {
                let before = self.order(order_id, at - 1).await?;
                let shipment = before.shipment(failed.shipment_id);
                let Some(shipment) = shipment.filter(|shipment| {
                    shipment.dispatched_at.is_some() && shipment.status != order::ShipmentStatus::Returned
                }) else {
                    return Ok(Vec::new());
                };
                let pieces = pieces(&before, &shipment.lines);
                let demand = quantities(&before.clone().evolve(event));
                let location = shipment.location.clone();
                let restock = Command::Restock { return_id: None, location, pieces };
                vec![restock, Command::Change { revision: None, demand }]
            }
            OrderEvent::ReturnReceived(received) if received.restock => {
                let pieces = pieces(&self.order(order_id, at).await?, &received.lines);
                let (return_id, location) = (Some(received.return_id), received.location.clone());
                vec![Command::Restock { return_id, location, pieces }]
            }
            OrderEvent::OrderAmended(_)
            | OrderEvent::PaymentAuthorized(_)
            | OrderEvent::PaymentFailed(_)
            | OrderEvent::PaymentVoided(_)
            | OrderEvent::OrderHeld(_)
            | OrderEvent::OrderResumed(_)
            | OrderEvent::ProcessingStarted(_)
            | OrderEvent::ShipmentCreated(_)
            | OrderEvent::ShipmentDelivered(_)
            | OrderEvent::ShipmentFailed(_)
            | OrderEvent::ReturnRequested(_)
            | OrderEvent::ReturnReceived(_)
            | OrderEvent::ReturnRejected(_)
            | OrderEvent::RefundRequested(_)
            | OrderEvent::RefundCompleted(_)
            | OrderEvent::RefundFailed(_)
            | OrderEvent::OrderCompleted(_)
            | OrderEvent::NoteAdded(_)
            | OrderEvent::TagsChanged(_)
            | OrderEvent::ExceptionRaised(_)
            | OrderEvent::ExceptionResolved(_)
            | OrderEvent::PersonalDataErased(_) => Vec::new(),
        })
    }

    /// The order as it was at a version.
    async fn order(&self, order_id: OrderId, version: i64) -> Result<Order, FollowError> {
        let feed = self.orders.feed().await;
        let stream_id = order_id.to_string();
        let mut order = Order::of(order_id);
        let mut seen = 0;
        while seen < version {
            let page = feed.stream(&stream_id, seen, PAGE).await?;
            if page.is_empty() {
                return Err(FollowError::Gap(seen));
            }
            for recorded in page.iter().filter(|recorded| recorded.version <= version) {
                order = match open_event::<OrderEvent>(recorded, &KeyRing::default()) {
                    Ok(event) => order.evolve(&event),
                    Err(PayloadError::Unknown { event_type, .. }) if !OrderEvent::is_known(&event_type) => {
                        order.evolve_unknown()
                    }
                    Err(error) => return Err(error.into()),
                };
            }
            seen = page.last().map_or(version, |recorded| recorded.version);
        }
        Ok(order)
    }
}

/// An order without a revision reserved nothing: an import. One on credit or for nothing is covered at once.
fn placing(placed: &OrderPlaced) -> Vec<Command> {
    let Some(revision) = placed.reservation_revision else { return Vec::new() };
    let demand = summed(placed.lines.iter().map(|line| (line.product_id, i64::from(line.quantity))));
    let mut steps = vec![Command::Place { revision, demand }];
    let covered = placed.payment_method.is_credit() || placed.totals.total <= rust_decimal::Decimal::ZERO;
    steps.extend(covered.then_some(Command::Confirm { revision: None }));
    steps
}

/// What an order demands anew. Under the same revision somebody else may have asked for other pieces in its name.
fn anew(revision: i32, demand: Quantities) -> Vec<Command> {
    vec![Command::Place { revision, demand: demand.clone() }, Command::Change { revision: Some(revision), demand }]
}

fn quantities(order: &Order) -> Quantities {
    order.held_quantities().into_iter().map(|(product, pieces)| (product, i64::from(pieces))).collect()
}

fn pieces(order: &Order, lines: &[LineQuantity]) -> Quantities {
    let products: BTreeMap<_, ProductId> = order.lines.iter().map(|line| (line.line_id, line.product_id)).collect();
    let piece = |line: &LineQuantity| Some((*products.get(&line.line_id)?, i64::from(line.quantity)));
    summed(lines.iter().filter_map(piece))
}
