//! One type per identifier, so that an order's id can't be passed where a product's is wanted. All are
//! UUIDv7 inside and TypeID text outside (`ord_01h455vb4pex5vsknk084sn02q`).

pub use crate::typeid::IdError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What its text form begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, ordered by the time of its making (UUIDv7).
            #[must_use]
            #[expect(clippy::disallowed_methods, reason = "this macro is the one home of id generation")]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with these 128 bits.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Its 128 bits, as Postgres keeps them.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// Reads the text form, or a bare UUID.
            ///
            /// # Errors
            /// [`IdError`] when the prefix is another's or the rest is no base 32.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                crate::typeid::parse(text, $prefix).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, crate::typeid::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .examples([concat!($prefix, "_01h455vb4pex5vsknk084sn02q")])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

id!(/** An order, and its event stream. */ OrderId, "ord");
id!(/** A line of an order. */ LineId, "line");
id!(/** A shopping cart. */ CartId, "cart");
id!(/** A priced cart with an expiry. */ QuoteId, "quo");
id!(/** A product, and the stream of its catalogue events. */ ProductId, "prod");
id!(/** The stock of a product and its stream; the same 128 bits as the product's id. */ StockId, "stk");
id!(/** A user; also the customer of an order. */ UserId, "usr");
id!(/** An OAuth client. */ ClientId, "cli");
id!(/** A payment record of ours (providers' references are plain text). */ PaymentId, "pay");
id!(/** A refund. */ RefundId, "ref");
id!(/** A shipment. */ ShipmentId, "shp");
id!(/** A return. */ ReturnId, "ret");
id!(/** An invoice. */ InvoiceId, "inv");
id!(/** A credit note. */ CreditNoteId, "crn");
id!(/** An event in a log. */ EventId, "evt");
id!(/** An exception on an order that a person has to look at. */ ExceptionId, "exc");
id!(/** A note on an order. */ NoteId, "note");
id!(/** An encryption key of a customer's or a guest order's personal data. */ KeyId, "key");
id!(/** A login session. */ SessionId, "ses");
id!(/** A webhook endpoint of the shop. */ WebhookEndpointId, "whe");
id!(/** A notification on its way to a webhook endpoint. */ WebhookDeliveryId, "whd");
id!(/** What is told of a change of an order's status; derived from its event. */ NotificationId, "ntf");

impl ProductId {
    /// The id of this product's stock.
    #[must_use]
    pub const fn stock(self) -> StockId {
        StockId(self.0)
    }
}

impl StockId {
    /// The product whose stock this is.
    #[must_use]
    pub const fn product(self) -> ProductId {
        ProductId(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_writes_and_a_bare_uuid() {
        let id = OrderId::generate();
        assert_eq!(OrderId::parse(&id.to_string()), Ok(id));
        assert_eq!(OrderId::parse(&id.as_uuid().to_string()), Ok(id));
        assert_eq!(serde_json::from_str::<OrderId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert!(UserId::parse(&id.to_string()).is_err());
    }
}
