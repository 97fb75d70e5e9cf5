//! What carriers report about shipments. [`Tracking::receive`] takes a report as it came, from a webhook today and from
//! the topic `shipment-tracking` later: repeats and late reports change nothing, and what cannot be used is kept with
//! the reason for a person to look at. So a report that was received is never lost, and never blocks the next.

mod dead_letters;
mod report;
mod shipments;

pub use report::{ReportedStatus, TrackingEvent};
pub use shipments::ShipmentOrders;

use crate::{
    aggregate::OrderCommand,
    orders::{OrderError, Orders, Request},
};
use chrono::{DateTime, Utc};
use eventstore::ExecuteError;
use feeds::{HandleError, derived_command_id};
use order::{Command, DeliverShipment, DispatchShipment, FailShipment, Order, Party, Shipment};
use pg::Pool;
use shared_events::{Actor, ExceptionId, Metadata, OrderId};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use web::RequestContext;
use web::request_context::now;

/// A shipment that is not known yet may be of an order that was placed a moment ago.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// Receives reports of carriers. Clones are the same.
#[derive(Clone)]
pub struct Tracking {
    /// The orders.
    pub orders: Orders,
    /// Where shipments and dead letters are.
    pub pool: Pool,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The order knows of it now.
    Applied,
    /// The order knew, or knows of something later.
    Unchanged,
    /// It cannot be used, and is kept for a person.
    SetAside,
}

impl Tracking {
    /// Takes a report as it came. `source` says from where, `carrier` is who sent it where the report does not say.
    ///
    /// # Errors
    /// [`HandleError::Retry`]: it was not received, and the same report may be sent again.
    pub async fn receive(&self, source: &str, carrier: Option<&str>, body: &[u8]) -> Result<Received, HandleError> {
        let reason = match TrackingEvent::parse(body) {
            Ok(event) => match self.apply(event, carrier).await? {
                Ok(received) => return Ok(received),
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        dead_letters::keep(&self.pool, source, body, &reason).await?;
        tracing::warn!(source, "a tracking report cannot be used and was set aside");
        Ok(Received::SetAside)
    }

    /// Tells the order, or why that cannot be.
    async fn apply(
        &self,
        event: TrackingEvent,
        carrier: Option<&str>,
    ) -> Result<Result<Received, String>, HandleError> {
        let order_id = match event.order_id {
            Some(order_id) => order_id,
            None => match self.order_of(&event).await? {
                Some(order_id) => order_id,
                None => return Ok(Err(format!("there is no shipment {}", event.shipment_id))),
            },
        };
        let Some(order) = self.orders.load(order_id).await.map_err(retry)? else {
            return Ok(Err(format!("there is no order {order_id}")));
        };
        let Some(shipment) = order.shipment(event.shipment_id) else {
            return Ok(Err(format!("the order {order_id} has no shipment {}", event.shipment_id)));
        };
        if event.was_overtaken_in(shipment) {
            return Ok(Ok(Received::Unchanged));
        }
        let version = order.version;
        let step = format!("track/{:?}/{}", event.status, event.occurred_at.timestamp_micros());
        let command_id = derived_command_id(event.shipment_id.as_uuid(), &step);
        let command = event.into_command(&order, shipment, carrier, now());
        match self.tell(order_id, command, command_id).await {
            Ok(after) if after.version > version => Ok(Ok(Received::Applied)),
            Ok(_) => Ok(Ok(Received::Unchanged)),
            Err(ExecuteError::Rejected(rejection)) => Ok(Err(rejection.to_string())),
            Err(error) => Err(retry(error)),
        }
    }

    async fn tell(&self, order_id: OrderId, command: Command, command_id: Uuid) -> Result<Order, OrderError> {
        let context = RequestContext::current().unwrap_or_default();
        let metadata = Metadata {
            correlation_id: context.correlation_id(),
            causation_id: None,
            actor: Actor { subject: "carrier".to_owned(), client: None },
            traceparent: Some(context.traceparent),
            import: false,
        };
        let request = Request {
            order_id,
            command: OrderCommand { confined_to: None, command: Ok(command) },
            expected_version: None,
            command_id: Some(command_id),
            metadata,
            sealing_key: None,
        };
        self.orders.execute(request, |_| None).await
    }

    async fn order_of(&self, event: &TrackingEvent) -> Result<Option<OrderId>, HandleError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = shipments::order_of(&self.pool, event.shipment_id).await?;
            if found.is_some() || Instant::now() >= deadline {
                return Ok(found);
            }
            sleep(PAUSE).await;
        }
    }
}

fn retry(error: OrderError) -> HandleError {
    HandleError::retry(error)
}

impl TrackingEvent {
    /// What the order is to be told. A time before the order or in the future is a wrong clock.
    fn into_command(self, order: &Order, shipment: &Shipment, carrier: Option<&str>, now: DateTime<Utc>) -> Command {
        let (shipment_id, by, exception_id) = (self.shipment_id, Party::System, ExceptionId::generate());
        let carrier = self.carrier.or_else(|| shipment.carrier.clone()).or_else(|| carrier.map(str::to_owned));
        let tracking_number = self.tracking_number.or_else(|| shipment.tracking_number.clone());
        let now = self.occurred_at.min(now).max(order.placed_at);
        let failed = |reason: &str, returned_to_sender| {
            let reason = Some(reason.to_owned());
            Command::from(FailShipment { shipment_id, reason, returned_to_sender, exception_id, now })
        };
        match self.status {
            ReportedStatus::InTransit => {
                DispatchShipment { shipment_id, carrier, tracking_number, by, exception_id, now }.into()
            }
            ReportedStatus::Delivered => {
                DeliverShipment { shipment_id, location: self.location, tracking_number, by, exception_id, now }.into()
            }
            ReportedStatus::Failed => failed("the carrier could not deliver it", false),
            ReportedStatus::Returned => failed("it went back to the sender", true),
        }
    }

    /// Whether something later is known of the shipment than a failure or a departure.
    fn was_overtaken_in(&self, shipment: &Shipment) -> bool {
        let later = [shipment.delivered_at, shipment.failed_at].into_iter().flatten().any(|at| at > self.occurred_at);
        later && self.status != ReportedStatus::Delivered
    }
}
