//! An invented log whose events have a past: what is stored as version 1 or 2 reads as version 3.

use crate::{
    Actor, EventBody, EventId, KeyId, Metadata, PayloadError, RecordedEvent,
    envelope::event_enum,
    sealed::{self, KeyRing, SealingKey},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const STREAM: &str = "ord_01jd7z5n8qfx9v4k2m3p5r7t8w";

event_enum! {
    /// Everything that can happen in the invented log.
    InventedEvent, domain = "invented", entity = "", {
        /// A set of tags became another.
        TagsReplaced v 3 personal ["/by/name"] from {
            1 personal ["/author"] => split_tags,
            2 personal ["/author"] => tell_who,
        },
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagsReplaced {
    tags: Vec<String>,
    by: By,
    occurred_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    name: Option<String>,
    kind: String,
}

/// Version 1 held the tags in one text.
fn split_tags(mut payload: Value) -> Value {
    let tags = payload["tags"].as_str().unwrap_or_default();
    payload["tags"] = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
    payload
}

/// Version 2 named the author, who was always a person, at the top. The name may be sealed: it moves as it is.
fn tell_who(mut payload: Value) -> Value {
    let author = payload.as_object_mut().and_then(|fields| fields.remove("author"));
    payload["by"] = json!({"name": author, "kind": "person"});
    payload
}

const STORED: [(i16, &[u8]); 3] = [
    (1, include_bytes!("../../tests/invented/TagsReplaced.v1.json")),
    (2, include_bytes!("../../tests/invented/TagsReplaced.v2.json")),
    (3, include_bytes!("../../tests/invented/TagsReplaced.v3.json")),
];

fn key() -> SealingKey {
    let id = KeyId::parse("key_01jd7z5n8qfx9v4k2m3p5r7t00").unwrap();
    SealingKey::from_bytes(id, &[7; sealed::KEY_LENGTH]).unwrap()
}

fn recorded(event_type: &str, schema_version: i16, payload: &[u8]) -> RecordedEvent {
    RecordedEvent {
        partition: 0,
        position: 1,
        stream_id: STREAM.to_owned(),
        stream_type: "Invented".to_owned(),
        version: 1,
        event_id: EventId::generate(),
        command_id: None,
        event_type: event_type.to_owned(),
        schema_version,
        payload: Bytes::copy_from_slice(payload),
        metadata: Metadata {
            correlation_id: uuid::Uuid::nil(),
            causation_id: None,
            actor: Actor::internal(),
            traceparent: None,
            import: false,
        },
        recorded_at: chrono::DateTime::UNIX_EPOCH,
    }
}

fn replaced(name: Option<&str>) -> InventedEvent {
    InventedEvent::TagsReplaced(TagsReplaced {
        tags: vec!["gift".to_owned(), "fragile".to_owned()],
        by: By { name: name.map(str::to_owned), kind: "person".to_owned() },
        occurred_at: "2026-03-01T08:00:00Z".to_owned(),
    })
}

#[test]
fn every_old_version_reads_as_the_current_one_with_its_sealed_fields_opened() {
    let ring: KeyRing = [key()].into_iter().collect();
    for (version, stored) in STORED {
        let event = recorded("TagsReplaced", version, stored);
        assert_eq!(sealed::key_ids::<InventedEvent>(&event), [key().id()], "version {version}");
        let opened: InventedEvent = sealed::open_event(&event, &ring).unwrap();
        assert_eq!(opened, replaced(Some("Ada Lovelace")), "version {version}");
        let without: InventedEvent = sealed::open_event(&event, &KeyRing::default()).unwrap();
        assert_eq!(without, replaced(None), "version {version} outlives its key");
    }
}

#[test]
fn what_is_written_is_the_current_version() {
    let written = sealed::seal_event(&replaced(Some("Ada Lovelace")), STREAM, Some(&key())).unwrap();
    assert_eq!(written.schema_version, 3);
    let stored: Value = serde_json::from_slice(&written.payload).unwrap();
    assert!(stored.pointer("/by/name/enc/c").is_some(), "{stored}");
    let ring: KeyRing = [key()].into_iter().collect();
    let read = sealed::open_event::<InventedEvent>(&recorded("TagsReplaced", 3, &written.payload), &ring).unwrap();
    assert_eq!(read, replaced(Some("Ada Lovelace")));
}

#[test]
fn a_reader_of_a_few_fields_sees_the_current_shape_of_every_version() {
    #[derive(Deserialize)]
    struct Fields {
        tags: Vec<String>,
        by: Kind,
    }
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
        name: Value,
    }
    for (version, stored) in STORED {
        let fields: Fields = recorded("TagsReplaced", version, stored).fields::<InventedEvent, _>().unwrap();
        assert_eq!((fields.tags.len(), fields.by.kind.as_str()), (2, "person"), "version {version}");
        assert!(fields.by.name.pointer("/enc/c").is_some(), "version {version} is not sealed");
    }
}

#[test]
fn a_version_of_the_future_and_one_before_the_first_are_refused() {
    for version in [0, 4] {
        let event = recorded("TagsReplaced", version, STORED[2].1);
        let opened = sealed::open_event::<InventedEvent>(&event, &KeyRing::default());
        assert!(matches!(opened, Err(PayloadError::Unknown { .. })), "version {version}: {opened:?}");
        let fields = event.fields::<InventedEvent, Value>();
        assert!(matches!(fields, Err(PayloadError::Unknown { .. })), "version {version}: {fields:?}");
    }
    assert!(InventedEvent::is_known(InventedEvent::TYPES[0]) && !InventedEvent::is_known("TagsInvented"));
    assert_eq!(InventedEvent::cloud_event_type("TagsReplaced", 1), "oms.invented.tags-replaced.v1");
}

#[test]
fn an_old_shape_that_is_broken_is_told_from_one_of_the_future() {
    let broken = recorded("TagsReplaced", 1, br#"{"tags": 7}"#);
    let opened = sealed::open_event::<InventedEvent>(&broken, &KeyRing::default());
    assert!(matches!(opened, Err(PayloadError::Shape { schema_version: 1, .. })), "{opened:?}");
}

#[test]
fn a_chain_names_every_version_since_the_first() {
    assert!(super::is_chain(&[], 1) && super::is_chain(&[1, 2], 3));
    for (old, current) in [(&[][..], 2), (&[2], 3), (&[1, 3], 4), (&[1], 1), (&[1, 2], 2)] {
        assert!(!super::is_chain(old, current), "{old:?} to {current}");
    }
}
