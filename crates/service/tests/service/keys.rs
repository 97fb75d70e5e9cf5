use axum::Json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use service::{KeyClient, Peer};
use shared_events::KeyId;
use shared_events::sealed::SealingKey;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use web::{Access, Doc, JsonBody, Problem, Routes, Scope};

/// command-service's route, over one key that exists.
fn keys_of(key: &SealingKey, asked: &Arc<AtomicUsize>) -> Peer {
    let (id, text, asked) = (key.id(), STANDARD.encode(key.expose()), asked.clone());
    let answer = move |JsonBody(body): JsonBody<Value>| {
        asked.fetch_add(1, Ordering::SeqCst);
        let wanted = body["keyIds"].as_array().is_some_and(|ids| ids.contains(&json!(id)));
        let keys = if wanted { json!([{"keyId": id, "key": text}]) } else { json!([]) };
        async move { Json(json!({ "keys": keys })) }
    };
    let routes =
        Routes::new("command").post("/internal/keys", Access::Internal(Scope::EventsRead), Doc::new("Keys"), answer);
    Peer::in_process("command", Arc::new(OnceLock::from(routes.into_router())))
}

#[tokio::test]
async fn keys_are_asked_for_once_and_those_that_are_missing_were_erased() {
    let (key, asked) = (SealingKey::generate(), Arc::default());
    let client = KeyClient::new(keys_of(&key, &asked));
    let erased = KeyId::generate();
    for _ in 0..3 {
        let ring = client.ring(&[key.id(), erased, key.id()]).await.expect("the keys");
        assert_eq!(ring.get(key.id()).map(SealingKey::expose), Some(key.expose()));
        assert!(ring.get(erased).is_none());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    client.forget(&[key.id()]).await;
    assert!(client.ring(&[key.id()]).await.expect("the keys").get(key.id()).is_none());
    assert!(client.ring(&[]).await.is_ok());
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_an_error_and_never_an_erasure() {
    let routes = Routes::new("command").post("/internal/keys", Access::Public, Doc::new("Keys"), || async {
        Problem::unavailable("the database is away")
    });
    let peer = Peer::in_process("command", Arc::new(OnceLock::from(routes.into_router())));
    assert!(KeyClient::new(peer).ring(&[KeyId::generate()]).await.is_err());
    assert!(KeyClient::new(Peer::nowhere("command")).ring(&[KeyId::generate()]).await.is_err());
}
