//! What is around every event in a log: its place, its cause and who did it. The payload is kept as the
//! UTF-8 JSON bytes that were stored; typed events are read from it by [`EventBody`].

use crate::ids::EventId;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// A user's id, a client's id, or `internal` for the services themselves.
    pub subject: String,
    /// The OAuth client that acted for the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

impl Actor {
    /// One of our own services, acting on an event or a timer.
    #[must_use]
    pub fn internal() -> Self {
        Self { subject: "internal".to_owned(), client: None }
    }
}

/// What is known about an event besides what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Shared by everything that one request or job caused.
    pub correlation_id: Uuid,
    /// The event that caused this one; none where a request did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// Who did it.
    pub actor: Actor,
    /// W3C trace context of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Set where an importer wrote the event: such events cause no mail and no webhook.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub import: bool,
}

/// An event that is about to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, made before the append so that an unknown commit can be looked up.
    pub event_id: EventId,
    /// Its type, such as `OrderPlaced`.
    pub event_type: &'static str,
    /// The version of its shape.
    pub schema_version: i16,
    /// UTF-8 JSON, personal fields sealed.
    pub payload: Bytes,
}

/// An event as it stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The partition of the log, from 0.
    pub partition: i32,
    /// Its place in the partition, from 1, without gaps.
    pub position: i64,
    /// The stream it belongs to: a TypeID or a series name.
    pub stream_id: String,
    /// What kind of stream that is, such as `Order`.
    pub stream_type: String,
    /// Its place in the stream, from 1, without gaps.
    pub version: i64,
    /// Its id.
    pub event_id: EventId,
    /// On a command's first event: what makes a repeat of the command a no-op.
    pub command_id: Option<Uuid>,
    /// Its type, such as `OrderPlaced`.
    pub event_type: String,
    /// The version of its shape.
    pub schema_version: i16,
    /// UTF-8 JSON, personal fields sealed.
    pub payload: Bytes,
    /// Who did it, and what caused it.
    pub metadata: Metadata,
    /// When it was appended; never runs backwards within a partition.
    pub recorded_at: DateTime<Utc>,
}

/// Why a payload could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The JSON does not have the shape of its type and version.
    #[error("the payload of {event_type} v{schema_version} has another shape")]
    Shape {
        /// The event's type.
        event_type: String,
        /// The version that was found.
        schema_version: i16,
        /// What serde says.
        #[source]
        source: serde_json::Error,
    },
    /// A sealed field could not be written or read.
    #[error("a personal field of {event_type} could not be sealed or opened")]
    Sealed {
        /// The event's type.
        event_type: String,
        /// What is wrong with it.
        #[source]
        source: crate::sealed::SealError,
    },
    /// A type this build does not know: newer than it, or of another log.
    #[error("{event_type} v{schema_version} is not known to this version of the software")]
    Unknown {
        /// The event's type.
        event_type: String,
        /// The version that was found.
        schema_version: i16,
    },
}

/// The typed side of a log's events: an enum with one variant per type.
pub trait EventBody: Sized + Send + Sync {
    /// Its type, as stored: `OrderPlaced`.
    fn event_type(&self) -> &'static str;

    /// The version of the shape that [`EventBody::to_json`] writes.
    fn schema_version(&self) -> i16;

    /// The payload in clear, of the current schema version.
    ///
    /// # Errors
    /// Whatever serde says; none of our own types can fail.
    fn to_json(&self) -> Result<serde_json::Value, serde_json::Error>;

    /// Reads the payload of a type and version in clear; older versions are upcast.
    ///
    /// # Errors
    /// [`PayloadError::Unknown`] for types and versions of the future, [`PayloadError::Shape`] for everything else.
    fn from_json(event_type: &str, schema_version: i16, payload: serde_json::Value) -> Result<Self, PayloadError>;

    /// Reads a stored payload that has no personal fields; one of the current version without a detour over
    /// [`serde_json::Value`].
    ///
    /// # Errors
    /// As [`EventBody::from_json`].
    fn from_stored(event_type: &str, schema_version: i16, payload: &[u8]) -> Result<Self, PayloadError> {
        let shape = |source| PayloadError::Shape { event_type: event_type.to_owned(), schema_version, source };
        Self::from_json(event_type, schema_version, serde_json::from_slice(payload).map_err(shape)?)
    }

    /// The version of a type's shape that this build writes; none for a type that it does not know.
    fn current_version(event_type: &str) -> Option<i16>;

    /// Turns the payload of an older version into that of the current one, step by step; a current one stays as it
    /// is. Personal fields may be sealed or open: they are moved, never looked into.
    ///
    /// # Errors
    /// [`PayloadError::Unknown`] for types and versions of the future.
    fn upcast(
        event_type: &str,
        schema_version: i16,
        payload: serde_json::Value,
    ) -> Result<serde_json::Value, PayloadError>;

    /// Whether this build knows the type at all.
    fn is_known(event_type: &str) -> bool {
        Self::current_version(event_type).is_some()
    }

    /// The paths of the personal fields in that version of a type's shape, which are sealed in storage; none where
    /// the type or the version is not known.
    fn personal_fields(event_type: &str, schema_version: i16) -> &'static [&'static str];

    /// The type's name on the wire: `oms.order.line-cancelled.v1`.
    fn cloud_event_type(event_type: &str, schema_version: i16) -> String;
}

/// `OrderPlaced`, `Order`, `oms.order` → `oms.order.placed.v1`: kebab case, without the entity's own name.
#[must_use]
pub fn cloud_event_type(domain: &str, entity: &str, event_type: &str, schema_version: i16) -> String {
    let short = event_type.strip_prefix(entity).filter(|rest| !rest.is_empty()).unwrap_or(event_type);
    let mut kebab = String::with_capacity(short.len() + 4);
    for (index, letter) in short.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    format!("oms.{domain}.{kebab}.v{schema_version}")
}

/// Declares the enum of a log's events with its [`EventBody`]: every variant is one type at its current version, and
/// `from` lists every older one, from 1 up, with the path to the pure function that makes the next version of it:
///
/// ```text
/// TagsChanged v 3 personal ["/by"] from { 1 personal [] => named, 2 personal ["/author"] => renamed },
/// ```
macro_rules! event_enum {
    (
        $(#[$doc:meta])* $name:ident, domain = $domain:literal, entity = $entity:literal,
        { $(
            $(#[$vdoc:meta])* $variant:ident v $version:literal personal [ $($path:literal),* ]
            $( from { $( $old:literal personal [ $($old_path:literal),* ] => $upcast:path ),+ $(,)? } )?
        ),+ $(,)? }
    ) => {
        $( const _: () = assert!(
            $crate::upcast::is_chain(&[ $( $($old),+ )? ], $version),
            concat!(stringify!($variant), " must be read from every version since 1, in order")
        ); )+

        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$vdoc])* $variant($variant), )+
        }

        impl $name {
            /// Every type of this log, in the order of the catalogue.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($variant)),+];
        }

        $( impl From<$variant> for $name {
            fn from(event: $variant) -> Self {
                Self::$variant(event)
            }
        } )+

        impl $crate::envelope::EventBody for $name {
            fn event_type(&self) -> &'static str {
                match self { $( Self::$variant(_) => stringify!($variant), )+ }
            }

            fn schema_version(&self) -> i16 {
                match self { $( Self::$variant(_) => $version, )+ }
            }

            fn to_json(&self) -> Result<serde_json::Value, serde_json::Error> {
                match self { $( Self::$variant(event) => serde_json::to_value(event), )+ }
            }

            fn from_json(
                event_type: &str,
                schema_version: i16,
                payload: serde_json::Value,
            ) -> Result<Self, $crate::envelope::PayloadError> {
                use $crate::envelope::PayloadError;
                let payload = Self::upcast(event_type, schema_version, payload)?;
                match event_type {
                    $( stringify!($variant) => serde_json::from_value(payload)
                        .map(Self::$variant)
                        .map_err(|source| PayloadError::Shape {
                            event_type: event_type.to_owned(), schema_version, source,
                        }), )+
                    _ => Err(PayloadError::Unknown { event_type: event_type.to_owned(), schema_version }),
                }
            }

            fn from_stored(
                event_type: &str,
                schema_version: i16,
                payload: &[u8],
            ) -> Result<Self, $crate::envelope::PayloadError> {
                let shape = |source| $crate::envelope::PayloadError::Shape {
                    event_type: event_type.to_owned(), schema_version, source,
                };
                match (event_type, schema_version) {
                    $( (stringify!($variant), $version) => {
                        serde_json::from_slice(payload).map(Self::$variant).map_err(shape)
                    } )+
                    _ => Self::from_json(event_type, schema_version, serde_json::from_slice(payload).map_err(shape)?),
                }
            }

            fn current_version(event_type: &str) -> Option<i16> {
                match event_type { $( stringify!($variant) => Some($version), )+ _ => None }
            }

            fn upcast(
                event_type: &str,
                schema_version: i16,
                payload: serde_json::Value,
            ) -> Result<serde_json::Value, $crate::envelope::PayloadError> {
                match (event_type, schema_version) {
                    $(
                        (stringify!($variant), $version) => Ok(payload),
                        $( $( (stringify!($variant), $old) => {
                            Self::upcast(event_type, $old + 1, $upcast(payload))
                        } )+ )?
                    )+
                    _ => Err($crate::envelope::PayloadError::Unknown {
                        event_type: event_type.to_owned(), schema_version,
                    }),
                }
            }

            fn personal_fields(event_type: &str, schema_version: i16) -> &'static [&'static str] {
                match (event_type, schema_version) {
                    $(
                        (stringify!($variant), $version) => &[$($path),*],
                        $( $( (stringify!($variant), $old) => &[$($old_path),*], )+ )?
                    )+
                    _ => &[],
                }
            }

            fn cloud_event_type(event_type: &str, schema_version: i16) -> String {
                $crate::envelope::cloud_event_type($domain, $entity, event_type, schema_version)
            }
        }
    };
}
pub(crate) use event_enum;

#[cfg(test)]
mod tests {
    use super::cloud_event_type;

    #[test]
    fn a_type_is_named_on_the_wire_in_kebab_case_without_its_entity() {
        assert_eq!(cloud_event_type("order", "Order", "OrderPlaced", 1), "oms.order.placed.v1");
        assert_eq!(cloud_event_type("order", "Order", "LineCancelled", 1), "oms.order.line-cancelled.v1");
        assert_eq!(cloud_event_type("inventory", "", "StockReserved", 2), "oms.inventory.stock-reserved.v2");
    }
}
