//! Personal fields of stored events are sealed: `{"enc":{"k":keyId,"n":nonce,"c":ciphertext}}`, encrypted
//! with XChaCha20-Poly1305 under one key per customer (per order for guests). The associated data is
//! stream id, event type and field path, so a sealed value can't be moved elsewhere. Deleting the key
//! erases the person from every log, topic and backup at once: without it the field reads as null.

use crate::{
    envelope::{EventBody, NewEvent, PayloadError, RecordedEvent},
    ids::{EventId, KeyId},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use bytes::Bytes;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use zeroize::Zeroizing;

/// Length of a key in bytes.
pub const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// What can go wrong with a sealed field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Personal data without a key to seal it with.
    #[error("`{0}` holds personal data and no key was given")]
    NoKey(&'static str),
    /// The sealed object does not have its form.
    #[error("`{0}` is not of the form {{\"enc\":{{k,n,c}}}}")]
    Malformed(&'static str),
    /// Wrong key, moved or changed ciphertext.
    #[error("`{0}` does not open with its key")]
    DoesNotOpen(&'static str),
    /// The cipher refused to encrypt.
    #[error("`{0}` could not be encrypted")]
    DoesNotSeal(&'static str),
    /// A key of another length than 32 bytes.
    #[error("a key must have {KEY_LENGTH} bytes")]
    KeyLength,
}

/// A key with its id. Cheap to clone; wiped from memory with its last copy.
#[derive(Clone)]
pub struct SealingKey {
    id: KeyId,
    bytes: Arc<Zeroizing<[u8; KEY_LENGTH]>>,
}

impl SealingKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self { id: KeyId::generate(), bytes: Arc::new(Zeroizing::new(rand::random())) }
    }

    /// A key that was stored.
    ///
    /// # Errors
    /// [`SealError::KeyLength`].
    pub fn from_bytes(id: KeyId, bytes: &[u8]) -> Result<Self, SealError> {
        let bytes: [u8; KEY_LENGTH] = bytes.try_into().map_err(|_| SealError::KeyLength)?;
        Ok(Self { id, bytes: Arc::new(Zeroizing::new(bytes)) })
    }

    /// Its id, which sealed fields name.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Its bytes, for the store that owns the keys.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.bytes
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.expose().into())
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

/// The keys that are at hand for opening events.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(HashMap<KeyId, SealingKey>);

impl KeyRing {
    /// Adds a key.
    pub fn insert(&mut self, key: SealingKey) {
        self.0.insert(key.id, key);
    }

    /// The key with that id; none when it was erased or not fetched.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<&SealingKey> {
        self.0.get(&id)
    }
}

impl FromIterator<SealingKey> for KeyRing {
    fn from_iter<I: IntoIterator<Item = SealingKey>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| (key.id, key)).collect())
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    enc: Enc,
}

#[derive(Serialize, Deserialize)]
struct Enc {
    k: KeyId,
    n: String,
    c: String,
}

/// Makes the stored form of an event of a stream: JSON with its personal fields sealed under `key`.
///
/// # Errors
/// [`PayloadError::Sealed`] when there is personal data and no key.
pub fn seal_event<E: EventBody>(
    event: &E,
    stream_id: &str,
    key: Option<&SealingKey>,
) -> Result<NewEvent, PayloadError> {
    let event_type = event.event_type();
    let shape = |source| PayloadError::Shape {
        event_type: event_type.to_owned(),
        schema_version: event.schema_version(),
        source,
    };
    let mut payload = event.to_json().map_err(shape)?;
    for path in E::personal_fields(event_type, event.schema_version()).iter().copied() {
        let Some(field) = payload.pointer_mut(path).filter(|field| !field.is_null()) else { continue };
        let sealed = key
            .ok_or(SealError::NoKey(path))
            .and_then(|key| seal_value(field, key, stream_id, event_type, path))
            .map_err(|source| PayloadError::Sealed { event_type: event_type.to_owned(), source })?;
        *field = sealed;
    }
    let payload = serde_json::to_vec(&payload).map_err(shape)?;
    Ok(NewEvent {
        event_id: EventId::generate(),
        event_type,
        schema_version: event.schema_version(),
        payload: Bytes::from(payload),
    })
}

/// Reads a stored event; personal fields whose key is not in the ring read as null.
///
/// # Errors
/// [`PayloadError`] when the type is unknown, the shape is another, or a field does not open with its key.
pub fn open_event<E: EventBody>(recorded: &RecordedEvent, ring: &KeyRing) -> Result<E, PayloadError> {
    let event_type = recorded.event_type.as_str();
    let paths = E::personal_fields(event_type, recorded.schema_version);
    if paths.is_empty() {
        return E::from_stored(event_type, recorded.schema_version, &recorded.payload);
    }
    let sealed = |source| PayloadError::Sealed { event_type: event_type.to_owned(), source };
    if E::current_version(event_type) == Some(recorded.schema_version)
        && let Some(opened) = open_text(recorded, paths, ring).map_err(sealed)?
    {
        return E::from_stored(event_type, recorded.schema_version, &opened);
    }
    let mut payload: Value = serde_json::from_slice(&recorded.payload).map_err(|source| PayloadError::Shape {
        event_type: event_type.to_owned(),
        schema_version: recorded.schema_version,
        source,
    })?;
    // Opened where they were sealed, in the shape that was stored, and only then upcast.
    for path in paths.iter().copied() {
        let Some(field) = payload.pointer_mut(path).filter(|field| !field.is_null()) else { continue };
        let clear = Sealed::deserialize(&*field)
            .map_err(|_| SealError::Malformed(path))
            .and_then(|Sealed { enc }| open_value(enc, ring, &recorded.stream_id, event_type, path))
            .map_err(sealed)?;
        *field = serde_json::from_slice(&clear).map_err(|_| sealed(SealError::Malformed(path)))?;
    }
    E::from_json(event_type, recorded.schema_version, payload)
}

/// The payload in clear, put together from the stored text without a tree of values in between; none where it has
/// another form than [`seal_event`] writes, or sealed fields below the top.
fn open_text<'a>(
    recorded: &'a RecordedEvent,
    paths: &[&'static str],
    ring: &KeyRing,
) -> Result<Option<Cow<'a, [u8]>>, SealError> {
    let Ok(fields) = serde_json::from_slice::<BTreeMap<&str, &RawValue>>(&recorded.payload) else { return Ok(None) };
    let mut opened: Vec<(&str, Zeroizing<Vec<u8>>)> = Vec::with_capacity(paths.len());
    for path in paths.iter().copied() {
        let Some(name) = path.strip_prefix('/').filter(|name| !name.contains('/')) else { return Ok(None) };
        let Some(field) = fields.get(name).map(|field| field.get()).filter(|field| *field != "null") else { continue };
        let Ok(Sealed { enc }) = serde_json::from_str(field) else { return Err(SealError::Malformed(path)) };
        opened.push((name, open_value(enc, ring, &recorded.stream_id, &recorded.event_type, path)?));
    }
    if opened.is_empty() {
        return Ok(Some(Cow::Borrowed(&recorded.payload)));
    }
    let mut text = Vec::with_capacity(recorded.payload.len());
    for (name, field) in &fields {
        text.extend_from_slice(if text.is_empty() { b"{\"" } else { b",\"" });
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\":");
        let clear = opened.iter().find(|(opened, _)| opened == name);
        text.extend_from_slice(clear.map_or(field.get().as_bytes(), |(_, clear)| clear.as_slice()));
    }
    text.push(b'}');
    Ok(Some(Cow::Owned(text)))
}

/// The ids of the keys that a stored event's personal fields name.
#[must_use]
pub fn key_ids<E: EventBody>(recorded: &RecordedEvent) -> Vec<KeyId> {
    let paths = E::personal_fields(&recorded.event_type, recorded.schema_version);
    if paths.is_empty() {
        return Vec::new();
    }
    let mut ids = written_ids(&recorded.payload).unwrap_or_else(|| parsed_ids(&recorded.payload, paths));
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The ids as [`seal_event`] writes them, found without parsing; none where the text has sealed fields that are written
/// in another way. Within a JSON text these quotes would be escaped, so no text looks like a key.
fn written_ids(payload: &[u8]) -> Option<Vec<KeyId>> {
    let text = std::str::from_utf8(payload).ok()?;
    let ids: Vec<KeyId> =
        text.split("\"k\":\"").skip(1).filter_map(|rest| KeyId::parse(rest.split('"').next()?).ok()).collect();
    (ids.len() >= text.matches("\"enc\"").count()).then_some(ids)
}

fn parsed_ids(payload: &[u8], paths: &[&str]) -> Vec<KeyId> {
    let Ok(payload) = serde_json::from_slice::<Value>(payload) else { return Vec::new() };
    paths
        .iter()
        .filter_map(|path| payload.pointer(path)?.pointer("/enc/k")?.as_str())
        .filter_map(|id| KeyId::parse(id).ok())
        .collect()
}

fn associated_data(stream_id: &str, event_type: &str, path: &str) -> String {
    format!("{stream_id}\n{event_type}\n{path}")
}

fn seal_value(
    value: &Value,
    key: &SealingKey,
    stream_id: &str,
    event_type: &str,
    path: &'static str,
) -> Result<Value, SealError> {
    let clear = Zeroizing::new(value.to_string().into_bytes());
    let nonce: [u8; NONCE_LENGTH] = rand::random();
    let aad = associated_data(stream_id, event_type, path);
    let ciphertext = key
        .cipher()
        .encrypt(&XNonce::from(nonce), Payload { msg: &clear, aad: aad.as_bytes() })
        .map_err(|_| SealError::DoesNotSeal(path))?;
    let sealed = Sealed { enc: Enc { k: key.id, n: BASE64.encode(nonce), c: BASE64.encode(ciphertext) } };
    serde_json::to_value(sealed).map_err(|_| SealError::DoesNotSeal(path))
}

/// The JSON that was sealed; `null` without its key.
fn open_value(
    Enc { k, n, c }: Enc,
    ring: &KeyRing,
    stream_id: &str,
    event_type: &str,
    path: &'static str,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let Some(key) = ring.get(k) else { return Ok(Zeroizing::new(b"null".to_vec())) };
    let nonce: [u8; NONCE_LENGTH] =
        BASE64.decode(n).ok().and_then(|nonce| nonce.try_into().ok()).ok_or(SealError::Malformed(path))?;
    let ciphertext = BASE64.decode(c).map_err(|_| SealError::Malformed(path))?;
    let aad = associated_data(stream_id, event_type, path);
    key.cipher()
        .decrypt(&XNonce::from(nonce), Payload { msg: &ciphertext, aad: aad.as_bytes() })
        .map(Zeroizing::new)
        .map_err(|_| SealError::DoesNotOpen(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_however_the_payload_is_written() {
        let (one, two) = (KeyId::generate(), KeyId::generate());
        let compact = format!(r#"{{"note":"\"k\":\"{two}\"","text":{{"enc":{{"c":"x","k":"{one}","n":"y"}}}}}}"#);
        assert_eq!(written_ids(compact.as_bytes()), Some(vec![one]), "a text is no key");
        let spaced = compact.replace("\"k\":", "\"k\" : ");
        assert_eq!(written_ids(spaced.as_bytes()), None);
        assert_eq!(parsed_ids(spaced.as_bytes(), &["/text"]), vec![one]);
        assert_eq!(written_ids(br#"{"text":null}"#), Some(Vec::new()));
    }
}
