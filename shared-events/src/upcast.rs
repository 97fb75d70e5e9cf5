//! Old shapes of events, read as the current one. Every version keeps its place in a chain of pure functions over JSON
//! (`event_enum!` declares it), so the code of today knows one shape of each type. Who needs a few fields and not the
//! typed event asks [`RecordedEvent::fields`]; nobody reads the stored bytes past it.

use crate::envelope::{EventBody, PayloadError, RecordedEvent};
use serde::de::DeserializeOwned;

impl RecordedEvent {
    /// Some fields of the event, in its current shape whatever version was stored. Personal fields are still sealed;
    /// [`crate::sealed::open_event`] opens them.
    ///
    /// # Errors
    /// [`PayloadError::Unknown`] for types and versions of the future, [`PayloadError::Shape`] where the fields are
    /// not what `T` asks for.
    pub fn fields<E: EventBody, T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        let shape = |source| PayloadError::Shape {
            event_type: self.event_type.clone(),
            schema_version: self.schema_version,
            source,
        };
        if E::current_version(&self.event_type) == Some(self.schema_version) {
            return serde_json::from_slice(&self.payload).map_err(shape);
        }
        let stored = serde_json::from_slice(&self.payload).map_err(shape)?;
        serde_json::from_value(E::upcast(&self.event_type, self.schema_version, stored)?).map_err(shape)
    }
}

/// Whether the old versions are 1, 2, … up to the one before the current. For `event_enum!`, when it is compiled.
pub(crate) const fn is_chain(old: &[i16], current: i16) -> bool {
    let mut at = 0;
    let mut next = 1;
    while at < old.len() {
        if old[at] != next {
            return false;
        }
        at += 1;
        next += 1;
    }
    next == current
}

#[cfg(test)]
mod tests;
