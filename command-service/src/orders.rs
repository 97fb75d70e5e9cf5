//! Running commands on orders: load, decide, append. Everything that changes an order goes through here, whether
//! a person, a provider, a timer or another event asked for it.

use crate::{
    aggregate::{OrderCommand, OrderDecider},
    keys::{KeyError, KeyStore},
};
use eventstore::{ClaimDone, EventLog, ExecuteError, Execution, Keys};
use feeds::HandleError;
use order::{Command, Order, Rejection};
use shared_events::{
    Actor, KeyId, Metadata, OrderId, RecordedEvent,
    order::OrderEvent,
    sealed::{KeyRing, SealingKey, open_event},
};
use uuid::Uuid;

/// Why a command on an order did not happen.
pub type OrderError = ExecuteError<Rejection>;

/// The orders of this service. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    log: EventLog,
    keys: KeyStore,
}

/// A command with everything around it.
#[derive(Debug)]
pub struct Request {
    /// The order.
    pub order_id: OrderId,
    /// What is wanted, and for whom.
    pub command: OrderCommand,
    /// The version that the caller saw.
    pub expected_version: Option<i64>,
    /// What makes a repeat a no-op.
    pub command_id: Option<Uuid>,
    /// Who, and why.
    pub metadata: Metadata,
    /// The key for personal data in the command.
    pub sealing_key: Option<SealingKey>,
}

impl Keys for KeyStore {
    type Error = KeyError;

    async fn ring(&self, ids: &[KeyId]) -> Result<KeyRing, KeyError> {
        Self::ring(self, ids).await
    }
}

impl Orders {
    /// The orders in this log.
    #[must_use]
    pub const fn new(log: EventLog, keys: KeyStore) -> Self {
        Self { log, keys }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &EventLog {
        &self.log
    }

    /// The keys of personal data.
    #[must_use]
    pub const fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// The order as it stands; none where it was never placed.
    ///
    /// # Errors
    /// [`OrderError`], when the log cannot be read.
    pub async fn load(&self, order_id: OrderId) -> Result<Option<Order>, OrderError> {
        let loaded = self.log.load::<OrderDecider>(&order_id.to_string(), i64::MAX, &self.keys).await?;
        let order = Order { id: order_id, ..loaded.state };
        Ok(order.exists().then_some(order))
    }

    /// The order as it stood at that version, with its personal data as far as that was not erased.
    ///
    /// # Errors
    /// [`HandleError`], to be tried again, or for good where the order cannot be read.
    pub async fn at(&self, order_id: OrderId, version: i64) -> Result<Order, HandleError> {
        let loaded = self.log.load::<OrderDecider>(&order_id.to_string(), version, &self.keys).await;
        Ok(Order { id: order_id, ..loaded.map_err(of_load)?.state })
    }

    /// The order before and after an event of its own, without personal data: for what is to be told of it.
    ///
    /// # Errors
    /// [`HandleError`], to be tried again, or parked where the order cannot be read.
    pub async fn around(&self, event: &RecordedEvent) -> Result<(Order, Order), HandleError> {
        let id = OrderId::parse(&event.stream_id).map_err(HandleError::poison)?;
        let no_keys = KeyRing::default();
        let happened: OrderEvent = open_event(event, &no_keys)?;
        let before = if event.version == 1 {
            Order::of(id)
        } else {
            let loaded = self.log.load::<OrderDecider>(&event.stream_id, event.version - 1, &no_keys).await;
            Order { id, ..loaded.map_err(of_load)?.state }
        };
        let after = before.clone().evolve(&happened);
        Ok((before, after))
    }

    /// Runs a command and gives the order as it is then. `answer` makes the answer that is stored with the events.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn execute(
        &self,
        request: Request,
        answer: impl Fn(&Order) -> Option<ClaimDone>,
    ) -> Result<Order, OrderError> {
        let order_id = request.order_id;
        let execution = Execution::<OrderDecider> {
            stream_id: order_id.to_string(),
            command: request.command,
            expected_version: request.expected_version,
            command_id: request.command_id,
            metadata: request.metadata,
            sealing_key: request.sealing_key,
        };
        let named = |order: &Order| Order { id: order_id, ..order.clone() };
        let executed = self.log.execute(execution, &self.keys, |order, _| answer(&named(order))).await?;
        Ok(Order { id: order_id, ..executed.state })
    }

    /// Runs a command that an event or a timer caused. What the order refuses is settled: it was not due any more.
    ///
    /// # Errors
    /// [`HandleError`], to be tried again, or parked where the order itself cannot be read.
    pub async fn react(
        &self,
        order_id: OrderId,
        command: impl Into<Command>,
        command_id: Option<Uuid>,
        actor: Actor,
        cause: Option<&RecordedEvent>,
    ) -> Result<(), HandleError> {
        let metadata = Metadata {
            correlation_id: cause.map_or_else(|| order_id.as_uuid(), |event| event.metadata.correlation_id),
            causation_id: cause.map(|event| event.event_id),
            actor,
            traceparent: cause.and_then(|event| event.metadata.traceparent.clone()),
            import: false,
        };
        let request = Request {
            order_id,
            command: OrderCommand { confined_to: None, command: Ok(command.into()) },
            expected_version: None,
            command_id,
            metadata,
            sealing_key: None,
        };
        match self.execute(request, |_| None).await {
            Ok(_) => Ok(()),
            Err(ExecuteError::Rejected(rejection)) => {
                tracing::debug!(order.id = %order_id, %rejection, "a command that was no longer due");
                Ok(())
            }
            Err(ExecuteError::Append(error)) => Err(HandleError::from(error)),
            Err(ExecuteError::Read(error)) => Err(HandleError::from(error)),
            Err(error @ ExecuteError::Payload(_)) => Err(HandleError::poison(error)),
            Err(error @ (ExecuteError::VersionMismatch { .. } | ExecuteError::Keys(_) | ExecuteError::Claim(_))) => {
                Err(HandleError::retry(error))
            }
        }
    }
}

/// What follows for a handler from an order that cannot be loaded.
fn of_load(error: OrderError) -> HandleError {
    match error {
        ExecuteError::Read(error) => HandleError::from(error),
        ExecuteError::Keys(_) => HandleError::retry(error),
        other => HandleError::poison(other),
    }
}
