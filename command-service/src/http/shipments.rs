//! POST /api/orders/{id}/shipments and what becomes of them. Whoever reports here keeps the shop's rules, so what is
//! against them is refused; only a dispatch of an order that is over is recorded all the same, and a person is called.

use super::{
    resource::Resource,
    step::{At, Step, Wanted, Wrong},
};
use crate::input::{Checks, LineQuantityBody, named_lines};
use order::{CreateShipment, DeliverShipment, DispatchShipment, FailShipment, Party};
use serde::{Deserialize, Serialize};
use shared_events::{ExceptionId, ShipmentId};
use utoipa::ToSchema;

const LONGEST_CARRIER: usize = 100;
const LONGEST_REASON: usize = 500;

/// POST …/shipments: what goes into it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentBody {
    /// What goes into it; all that is in no other where missing.
    lines: Option<Vec<LineQuantityBody>>,
    /// The carrier.
    carrier: Option<String>,
    /// The carrier's number for it.
    tracking_number: Option<String>,
    /// The code of the stock location it leaves from; the default one where missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

impl Step for ShipmentBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let mut checks = Checks::default();
        let lines = named_lines(self.lines.as_deref(), &mut checks)?;
        let carrier = checks.optional("/carrier", self.carrier.as_deref(), LONGEST_CARRIER);
        let tracking_number = checks.optional("/trackingNumber", self.tracking_number.as_deref(), LONGEST_CARRIER);
        let location = checks.location("/location", self.location.as_deref());
        checks.finish()?;
        let shipment_id = ShipmentId::generate();
        let command = CreateShipment { shipment_id, lines, carrier, tracking_number, location, now: at.now };
        Ok(Wanted::from(command).answering(Resource::Shipment(shipment_id)))
    }
}

/// POST …/shipments/{shipmentId}/dispatched: the carrier has it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DispatchedBody {
    /// The carrier.
    carrier: Option<String>,
    /// The carrier's number for it.
    tracking_number: Option<String>,
}

impl Step for DispatchedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let shipment_id = at.params.id("shipmentId")?;
        let mut checks = Checks::default();
        let carrier = checks.optional("/carrier", self.carrier.as_deref(), LONGEST_CARRIER);
        let tracking_number = checks.optional("/trackingNumber", self.tracking_number.as_deref(), LONGEST_CARRIER);
        checks.finish()?;
        let exception_id = ExceptionId::generate();
        let (by, now) = (Party::Staff, at.now);
        Ok(DispatchShipment { shipment_id, carrier, tracking_number, by, exception_id, now }.into())
    }
}

/// POST …/shipments/{shipmentId}/delivered: the customer has it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveredBody {
    /// Where the carrier left it.
    location: Option<String>,
}

impl Step for DeliveredBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let shipment_id = at.params.id("shipmentId")?;
        let mut checks = Checks::default();
        let location = checks.optional("/location", self.location.as_deref(), LONGEST_REASON);
        checks.finish()?;
        let exception_id = ExceptionId::generate();
        let (by, now) = (Party::Staff, at.now);
        Ok(DeliverShipment { shipment_id, location, tracking_number: None, by, exception_id, now }.into())
    }
}

/// POST …/shipments/{shipmentId}/failed: the customer does not get it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentFailedBody {
    /// Why.
    reason: Option<String>,
    /// Whether the goods came back to the shop, and so into its stock; not where missing.
    returned_to_sender: Option<bool>,
}

impl Step for ShipmentFailedBody {
    fn wanted(&self, at: &At<'_>) -> Result<Wanted, Wrong> {
        let shipment_id = at.params.id("shipmentId")?;
        let mut checks = Checks::default();
        let reason = checks.optional("/reason", self.reason.as_deref(), LONGEST_REASON);
        checks.finish()?;
        let returned_to_sender = self.returned_to_sender.unwrap_or(false);
        let exception_id = ExceptionId::generate();
        Ok(FailShipment { shipment_id, reason, returned_to_sender, exception_id, now: at.now }.into())
    }
}
