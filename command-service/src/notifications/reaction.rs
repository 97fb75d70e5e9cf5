//! The reaction that writes the outbox. The row and what is to be sent because of it are one statement, under an id that
//! follows from the event, so a repeat changes nothing.

use super::{Notification, notification_id};
use crate::{mails::MailKind, orders::Orders, webhooks::Bell};
use feeds::{HandleError, Reaction};
use pg::Pool;
use shared_events::RecordedEvent;

const TELL: &str = include_str!("sql/tell.sql");
const MAIL: &str = include_str!("sql/mail.sql");

/// Events that say nothing about where an order stands.
const SILENT: [&str; 9] = [
    "NoteAdded",
    "TagsChanged",
    "ExceptionRaised",
    "ExceptionResolved",
    "ShipmentCreated",
    "ReturnRequested",
    "ReturnRejected",
    "RefundRequested",
    "PersonalDataErased",
];

/// Tells of changes of orders' statuses.
pub struct TellOthers {
    /// The orders.
    pub orders: Orders,
    /// Where the outbox is.
    pub pool: Pool,
    /// Wakes the worker that sends webhooks.
    pub webhooks: Bell,
    /// Wakes the worker that sends mail; none where the shop sends none.
    pub mails: Option<Bell>,
}

impl Reaction for TellOthers {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn skips_imports(&self) -> bool {
        true
    }

    async fn react(&self, _log: &str, event: &RecordedEvent) -> Result<(), HandleError> {
        if event.stream_type != shared_events::order::STREAM_TYPE || SILENT.contains(&event.event_type.as_str()) {
            return Ok(());
        }
        let (before, after) = self.orders.around(event).await?;
        let notification = Notification::of(event.event_id, &before, &after);
        if let Some(notification) = &notification {
            self.tell(notification).await?;
        }
        if let (Some(mails), Some(kind)) = (&self.mails, MailKind::of(&event.event_type, notification.as_ref())) {
            let id = notification_id(event.event_id);
            let client = self.pool.get().await?;
            let statement = client.prepare_cached(MAIL).await?;
            let order_id = after.id.as_uuid();
            client.execute(&statement, &[&id.as_uuid(), &kind.as_str(), &order_id, &event.version]).await?;
            mails.ring();
        }
        Ok(())
    }
}

impl TellOthers {
    async fn tell(&self, notification: &Notification) -> Result<(), HandleError> {
        let message = serde_json::to_string(notification)?;
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(TELL).await?;
        let row = client
            .query_one(
                &statement,
                &[
                    &notification.notification_id.as_uuid(),
                    &notification.notification_type,
                    &notification.order_id.as_uuid(),
                    &message,
                ],
            )
            .await?;
        if row.get::<_, i64>(0) > 0 {
            self.webhooks.ring();
        }
        Ok(())
    }
}
