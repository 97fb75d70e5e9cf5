//! A carrier's report, as the contract has it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_events::{OrderId, ShipmentId};

const LONGEST_TEXT: usize = 200;

/// What a carrier says of a shipment. Fields that it has besides are its own business.
#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackingEvent {
    /// Which shipment.
    pub shipment_id: ShipmentId,
    /// Which order it is of; found where it is missing.
    pub order_id: Option<OrderId>,
    /// What happened.
    pub status: ReportedStatus,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Where; kept where it was delivered.
    pub location: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// The carrier; the one that reports where it is missing.
    pub carrier: Option<String>,
}

/// What can happen to a shipment, as carriers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportedStatus {
    /// It left, or is under way.
    InTransit,
    /// It arrived.
    Delivered,
    /// It could not be delivered.
    Failed,
    /// It came back.
    Returned,
}

impl TrackingEvent {
    /// Reads a report, or says why it is none.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let event: Self =
            serde_json::from_slice(body).map_err(|error| format!("this is no tracking event: {error}"))?;
        for (name, text) in
            [("location", &event.location), ("trackingNumber", &event.tracking_number), ("carrier", &event.carrier)]
        {
            let text = text.as_deref().unwrap_or_default();
            if text.chars().count() > LONGEST_TEXT || text.contains('\0') {
                return Err(format!("{name} has more than {LONGEST_TEXT} characters, or a U+0000"));
            }
        }
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(value: &Value) -> Result<TrackingEvent, String> {
        TrackingEvent::parse(value.to_string().as_bytes())
    }

    #[test]
    fn a_report_needs_its_shipment_its_status_and_its_time_and_may_say_more() {
        let id = ShipmentId::generate();
        let full = json!({"shipmentId": id, "status": "IN_TRANSIT", "occurredAt": "2026-11-21T21:00:00+01:00", "weather": "rain"});
        let event = parse(&full).unwrap();
        assert_eq!((event.shipment_id, event.status, event.order_id), (id, ReportedStatus::InTransit, None));
        assert_eq!(event.occurred_at.to_rfc3339(), "2026-11-21T20:00:00+00:00");
        for missing in ["shipmentId", "status", "occurredAt"] {
            let mut some = full.clone();
            some.as_object_mut().unwrap().remove(missing);
            assert!(parse(&some).unwrap_err().contains(missing));
        }
        for (field, wrong) in [
            ("status", json!("LOST")),
            ("shipmentId", json!("ord_1")),
            ("carrier", json!("x".repeat(201))),
            ("location", json!("a\0b")),
        ] {
            let mut some = full.clone();
            some[field] = wrong;
            assert!(parse(&some).is_err(), "{field}");
        }
        assert!(TrackingEvent::parse(b"\xff not json").is_err());
    }
}
