//! Ids that follow from another system's own: the same source and key give the same id, here and ever. They look like
//! all ids of ours (UUIDv7), with the time at which the thing came to be there, so they sort among its like.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use shared_events::{LineId, OrderId, ReturnId, ShipmentId, UserId};
use uuid::{Builder, Uuid};

/// The ids of one order.
#[derive(Debug, Clone, Copy)]
pub struct OrderIds<'a> {
    /// The name of the system it comes from.
    pub source: &'a str,
    /// Its id there.
    pub external_id: &'a str,
    /// When it was placed there.
    pub placed_at: DateTime<Utc>,
}

impl OrderIds<'_> {
    /// The order's.
    pub fn order(&self) -> OrderId {
        OrderId::from_uuid(self.part("order", ""))
    }

    /// That of its line at this place.
    pub fn line(&self, index: usize) -> LineId {
        LineId::from_uuid(self.part("line", &index.to_string()))
    }

    /// That of its one shipment.
    pub fn shipment(&self) -> ShipmentId {
        ShipmentId::from_uuid(self.part("shipment", ""))
    }

    /// That of the return with this id in the other system.
    pub fn return_of(&self, external_id: &str) -> ReturnId {
        ReturnId::from_uuid(self.part("return", external_id))
    }

    fn part(&self, kind: &str, key: &str) -> Uuid {
        derived(self.placed_at, &[kind, self.source, self.external_id, key])
    }
}

/// The id of a customer who is known by a key in another system. Nobody says since when, so its time is none.
pub fn customer(source: &str, key: &str) -> UserId {
    UserId::from_uuid(derived(DateTime::UNIX_EPOCH, &["customer", source, key]))
}

/// The id of the command that brings in this very text: another text for the same order is another command.
pub fn command(text: &[u8]) -> Uuid {
    Builder::from_custom_bytes(first(Sha256::digest(text).as_slice())).into_uuid()
}

fn derived(at: DateTime<Utc>, parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &first(hash.finalize().as_slice())).into_uuid()
}

fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    std::array::from_fn(|index| hash[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<'a>(source: &'a str, external_id: &'a str) -> OrderIds<'a> {
        OrderIds { source, external_id, placed_at: "2010-12-01T08:26:00Z".parse().unwrap() }
    }

    #[test]
    fn they_are_the_same_ever() {
        let ids = ids("retail", "536365");
        assert_eq!(ids.order().as_uuid().to_string(), "012ca109-c1c0-79d8-93df-fb964419ba05");
        assert_eq!(customer("retail", "17850").as_uuid().to_string(), "00000000-0000-708f-9188-0944159ad296");
    }

    #[test]
    fn another_source_key_kind_or_place_gives_another() {
        let all = [
            ids("retail", "536365").order().as_uuid(),
            ids("retail2", "536365").order().as_uuid(),
            ids("retail", "2536365").order().as_uuid(),
            ids("retail", "536365").shipment().as_uuid(),
            ids("retail", "536365").line(0).as_uuid(),
            ids("retail", "536365").line(1).as_uuid(),
            ids("retail", "536365").return_of("1").as_uuid(),
            customer("retail", "536365").as_uuid(),
            customer("retai", "l536365").as_uuid(),
            command(b"536365"),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(all[..9].iter().all(|id| id.get_version_num() == 7));
    }
}
