//! The message about a change of an order's status: ids and statuses, nothing personal.

use chrono::{DateTime, Utc};
use feeds::derived_command_id;
use order::{Order, OrderStatus};
use serde::Serialize;
use shared_events::{EventId, NotificationId, OrderId, UserId};

/// Every type of message: placing, then one for each status that an order can come to.
pub const TYPES: [&str; 13] = [
    "order.placed",
    "order.pending",
    "order.confirmed",
    "order.processing",
    "order.partially-shipped",
    "order.shipped",
    "order.delivered",
    "order.completed",
    "order.partially-returned",
    "order.returned",
    "order.on-hold",
    "order.expired",
    "order.cancelled",
];

/// A change of an order's status, as webhooks and the topic `user-notifications` carry it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Follows from the event that caused it: a repeat has the same.
    pub notification_id: NotificationId,
    /// Which of [`TYPES`].
    #[serde(rename = "type")]
    pub notification_type: &'static str,
    /// The order.
    pub order_id: OrderId,
    /// What people call it.
    pub order_number: String,
    /// Its customer; none for a guest.
    pub customer_id: Option<UserId>,
    /// Its status now.
    pub status: OrderStatus,
    /// Its status before; none where it was placed.
    pub previous_status: Option<OrderStatus>,
    /// When it happened in the world.
    pub occurred_at: DateTime<Utc>,
}

/// The id of what an event causes to be told.
#[must_use]
pub fn notification_id(event_id: EventId) -> NotificationId {
    NotificationId::from_uuid(derived_command_id(event_id.as_uuid(), "notification"))
}

impl Notification {
    /// What there is to tell of an event that made `after` out of `before`; none where the status stayed.
    #[must_use]
    pub fn of(event_id: EventId, before: &Order, after: &Order) -> Option<Self> {
        let previous_status = before.exists().then(|| before.status());
        let status = after.status();
        if previous_status == Some(status) {
            return None;
        }
        Some(Self {
            notification_id: notification_id(event_id),
            notification_type: if previous_status.is_none() { "order.placed" } else { type_of(status) },
            order_id: after.id,
            order_number: after.number.clone(),
            customer_id: after.customer_id,
            status,
            previous_status,
            occurred_at: after.updated_at,
        })
    }
}

const fn type_of(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "order.pending",
        OrderStatus::Confirmed => "order.confirmed",
        OrderStatus::Processing => "order.processing",
        OrderStatus::PartiallyShipped => "order.partially-shipped",
        OrderStatus::Shipped => "order.shipped",
        OrderStatus::Delivered => "order.delivered",
        OrderStatus::Completed => "order.completed",
        OrderStatus::PartiallyReturned => "order.partially-returned",
        OrderStatus::Returned => "order.returned",
        OrderStatus::OnHold => "order.on-hold",
        OrderStatus::Expired => "order.expired",
        OrderStatus::Cancelled => "order.cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(version: i64, held: bool) -> Order {
        let hold = held.then(|| {
            serde_json::from_value(serde_json::json!({"reason": "x", "since": "2026-01-01T00:00:00Z"})).unwrap()
        });
        Order { version, hold, ..Order::default() }
    }

    #[test]
    fn every_status_has_a_type_that_can_be_asked_for() {
        for status in OrderStatus::ALL {
            let kebab = format!("order.{}", status.as_str().to_lowercase().replace('_', "-"));
            assert_eq!(type_of(*status), kebab);
            assert!(TYPES.contains(&kebab.as_str()));
        }
        assert_eq!(TYPES.len(), OrderStatus::ALL.len() + 1);
    }

    #[test]
    fn placing_and_each_change_is_told_once_and_nothing_else() {
        let event_id = EventId::generate();
        let placed = Notification::of(event_id, &order(0, false), &order(1, false)).unwrap();
        assert_eq!((placed.notification_type, placed.previous_status), ("order.placed", None));
        assert_eq!(placed.notification_id, notification_id(event_id));
        assert_eq!(Notification::of(event_id, &order(1, false), &order(2, false)), None);
        let held = Notification::of(event_id, &order(1, false), &order(2, true)).unwrap();
        assert_eq!((held.notification_type, held.previous_status), ("order.on-hold", Some(order(1, false).status())));
    }
}
