//! Every shape that was ever stored must be read for ever: one golden file per event type and version,
//! holding the payload as it stands in the log. A file is added with a new version and never edited.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bytes::Bytes;
use serde_json::{Value, json};
use shared_events::{
    Actor, EventBody, EventId, KeyId, Metadata, RecordedEvent,
    inventory::InventoryEvent,
    invoice::InvoiceEvent,
    order::OrderEvent,
    sealed::{self, KeyRing, SealingKey},
};
use std::{collections::BTreeSet, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn golden_key() -> SealingKey {
    let id = KeyId::parse("key_01jd7z5n8qfx9v4k2m3p5r7t00").unwrap();
    SealingKey::from_bytes(id, &[7; sealed::KEY_LENGTH]).unwrap()
}

/// The stream a golden event was sealed for: part of its associated data.
fn golden_stream(event_type: &str) -> &'static str {
    match event_type {
        "InvoiceIssued" => "INV-2026",
        "CreditNoteIssued" => "CN-2026",
        _ => "ord_01jd7z5n8qfx9v4k2m3p5r7t8w",
    }
}

fn recorded(event_type: &str, schema_version: i16, payload: Vec<u8>) -> RecordedEvent {
    RecordedEvent {
        partition: 0,
        position: 1,
        stream_id: golden_stream(event_type).to_owned(),
        stream_type: String::new(),
        version: 1,
        event_id: EventId::generate(),
        command_id: None,
        event_type: event_type.to_owned(),
        schema_version,
        payload: Bytes::from(payload),
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

/// Reads one golden file as a service would, and checks that what the code understood says it all.
fn check<E: EventBody>(event_type: &str, schema_version: i16, stored: &[u8]) {
    let event = recorded(event_type, schema_version, stored.to_vec());
    let ring: KeyRing = [golden_key()].into_iter().collect();
    let opened: E = sealed::open_event(&event, &ring).unwrap_or_else(|error| panic!("{event_type}: {error:?}"));
    assert_eq!(opened.event_type(), event_type);
    if opened.schema_version() != schema_version {
        return; // An upcast may add what the old shape did not have.
    }
    let understood = opened.to_json().unwrap();
    let mut stored: Value = serde_json::from_slice(stored).unwrap();
    for path in E::personal_fields(event_type, schema_version) {
        let field = stored.pointer_mut(path).unwrap_or_else(|| panic!("{event_type} shows no {path}"));
        assert!(field.pointer("/enc/c").is_some(), "{event_type}{path} is not sealed");
        *field = understood.pointer(path).unwrap().clone();
        assert!(!field.is_null(), "{event_type}{path} did not open");
    }
    assert_eq!(understood, stored, "{event_type}: what is read is not what was stored");
    assert_without_key::<E>(&event);
}

/// Without its key an event still reads, its personal fields gone.
fn assert_without_key<E: EventBody>(event: &RecordedEvent) {
    let erased: E = sealed::open_event(event, &KeyRing::default()).unwrap();
    let erased = erased.to_json().unwrap();
    for path in E::personal_fields(&event.event_type, event.schema_version) {
        assert!(erased.pointer(path).is_none_or(Value::is_null), "{}{path} outlives its key", event.event_type);
    }
}

#[test]
fn every_version_ever_written_is_read_in_full() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (event_type, version) =
            name.strip_suffix(".json").and_then(|stem| stem.split_once(".v")).expect("<EventType>.v<N>.json");
        let version: i16 = version.parse().unwrap();
        let stored = std::fs::read(&path).unwrap();
        if OrderEvent::is_known(event_type) {
            check::<OrderEvent>(event_type, version, &stored);
        } else if InventoryEvent::is_known(event_type) {
            check::<InventoryEvent>(event_type, version, &stored);
        } else {
            check::<InvoiceEvent>(event_type, version, &stored);
        }
    }
}

#[test]
fn every_version_of_every_event_type_has_a_golden_file() {
    let files: BTreeSet<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let current = |event_type: &str| {
        OrderEvent::current_version(event_type)
            .or_else(|| InventoryEvent::current_version(event_type))
            .or_else(|| InvoiceEvent::current_version(event_type))
            .unwrap()
    };
    for event_type in OrderEvent::TYPES.iter().chain(InventoryEvent::TYPES).chain(InvoiceEvent::TYPES) {
        for version in 1..=current(event_type) {
            let name = format!("{event_type}.v{version}.json");
            assert!(files.contains(&name), "golden/{name} is missing");
        }
    }
}

#[test]
fn a_type_of_the_future_is_told_from_a_broken_one() {
    use shared_events::PayloadError;
    let unknown = OrderEvent::from_json("OrderTeleported", 1, json!({}));
    assert!(matches!(unknown, Err(PayloadError::Unknown { .. })));
    let newer = OrderEvent::from_json("OrderPlaced", 99, json!({}));
    assert!(matches!(newer, Err(PayloadError::Unknown { .. })));
    let broken = OrderEvent::from_json("OrderPlaced", 1, json!({"orderNumber": 1}));
    assert!(matches!(broken, Err(PayloadError::Shape { .. })));
}

#[test]
fn a_sealed_field_opens_only_where_it_was_written() {
    let stored = std::fs::read(folder().join("NoteAdded.v1.json")).unwrap();
    let ring: KeyRing = [golden_key()].into_iter().collect();
    let mut moved = recorded("NoteAdded", 1, stored.clone());
    moved.stream_id = "ord_01jd7z5n8qfx9v4k2m3p5r7t8x".to_owned();
    assert!(sealed::open_event::<OrderEvent>(&moved, &ring).is_err());

    let id = golden_key().id();
    let other: KeyRing = [SealingKey::from_bytes(id, &[8; sealed::KEY_LENGTH]).unwrap()].into_iter().collect();
    assert!(sealed::open_event::<OrderEvent>(&recorded("NoteAdded", 1, stored.clone()), &other).is_err());
    assert_eq!(sealed::key_ids::<OrderEvent>(&recorded("NoteAdded", 1, stored)), vec![id]);
}

#[test]
fn an_event_opens_the_same_however_its_json_is_written() {
    let stored = std::fs::read_to_string(folder().join("OrderPlaced.v1.json")).unwrap();
    let ring: KeyRing = [golden_key()].into_iter().collect();
    let open = |payload: String| -> OrderEvent {
        sealed::open_event(&recorded("OrderPlaced", 1, payload.into_bytes()), &ring).unwrap()
    };
    let value: Value = serde_json::from_str(&stored).unwrap();
    let expected = open(stored);
    assert_eq!(open(value.to_string()), expected, "compact");
    assert_eq!(open(serde_json::to_string_pretty(&value).unwrap()), expected, "indented");
    assert_eq!(open(value.to_string().replace("\"contact\"", "\"cont\\u0061ct\"")), expected, "with a name escaped");
}

#[test]
fn personal_data_is_never_stored_in_clear() {
    let stored = std::fs::read(folder().join("OrderPlaced.v1.json")).unwrap();
    let ring: KeyRing = [golden_key()].into_iter().collect();
    let placed: OrderEvent = sealed::open_event(&recorded("OrderPlaced", 1, stored), &ring).unwrap();
    let stream = golden_stream("OrderPlaced");
    assert!(sealed::seal_event(&placed, stream, None).is_err(), "personal data without a key must be refused");
    let sealed = sealed::seal_event(&placed, stream, Some(&golden_key())).unwrap();
    let text = String::from_utf8(sealed.payload.to_vec()).unwrap();
    for secret in ["ada@example.org", "Lovelace", "St James", "ring twice"] {
        assert!(!text.contains(secret), "{secret} stands in the log");
    }
}
