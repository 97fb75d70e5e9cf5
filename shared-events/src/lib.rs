//! The contract between the services: identifiers, money, the event envelope and every event of the
//! three logs. What is stored with these types is for ever: a shape changes only by a new schema
//! version, a golden file and an upcast. No I/O happens here.

pub mod address;
pub mod envelope;
pub mod ids;
pub mod inventory;
pub mod invoice;
pub mod money;
pub mod order;
pub mod sealed;
pub mod typeid;
mod upcast;

pub use address::{Address, Contact};
pub use envelope::{Actor, EventBody, Metadata, NewEvent, PayloadError, RecordedEvent};
pub use ids::*;
pub use money::{Currency, Money, MoneyError};

/// A flat map of strings that shops attach to orders, lines, products and customers.
pub type Attributes = std::collections::BTreeMap<String, String>;

/// The channel and the legal entity of everything that names none.
pub const DEFAULT: &str = "default";

/// For serde: `default`, the channel and the legal entity of everything that names none.
#[must_use]
pub fn default_name() -> String {
    DEFAULT.to_owned()
}
