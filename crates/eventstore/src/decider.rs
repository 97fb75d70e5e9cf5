//! What a piece of business logic looks like to the log: pure functions over its own state, commands and events.

use shared_events::{EventBody, KeyId, sealed::KeyRing};
use std::{convert::Infallible, error::Error, future::Future};

/// Decides what happens, and says what the world looks like afterwards. No I/O, no clock, no randomness: times and new
/// ids come in with the command.
pub trait Decider {
    /// What is known of the stream; its default is that of a stream without events.
    type State: Default + Send;
    /// What is wanted. Cloned because a conflict is decided again.
    type Command: Clone + Send;
    /// What happened.
    type Event: EventBody;
    /// Why it does not happen.
    type Rejection: Send;

    /// What kind of stream it is, such as `Order`.
    const STREAM_TYPE: &'static str;

    /// The events that follow from a command, in this state.
    ///
    /// # Errors
    /// The rule that forbids it.
    fn decide(state: &Self::State, command: Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. Never fails and never decides.
    #[must_use]
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;
}

/// Where the keys of sealed fields come from: a ring that is at hand, or the service that owns them.
pub trait Keys: Sync {
    /// Why they can't be had just now.
    type Error: Error + Send + Sync + 'static;

    /// The keys with these ids. An erased one is missing from the ring, and its fields read as null.
    fn ring(&self, ids: &[KeyId]) -> impl Future<Output = Result<KeyRing, Self::Error>> + Send;
}

impl Keys for KeyRing {
    type Error = Infallible;

    fn ring(&self, ids: &[KeyId]) -> impl Future<Output = Result<KeyRing, Infallible>> + Send {
        std::future::ready(Ok(ids.iter().filter_map(|id| self.get(*id).cloned()).collect()))
    }
}
