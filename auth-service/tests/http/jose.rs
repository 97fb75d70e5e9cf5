//! Forged and altered tokens (the table is `test_support::forgeries`) at what this service alone does with tokens, and
//! the life of the keys that sign the genuine ones.

use crate::harness::{Harness, claims, jose_header, surroundings};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use std::time::Duration;
use test_support::{Forgery, Genuine, forgeries};
use web::auth::Revocations;

/// The service's own private key, opened as an attacker with the whole schema could: for tokens that are wrong in what
/// they say and right in their signature.
async fn genuine_key(service: &Harness) -> (String, Vec<u8>) {
    let connection = service.pool.get().await.unwrap();
    let local: Vec<u8> = connection.query_one("SELECT key FROM local_encryption_key", &[]).await.unwrap().get(0);
    let row = connection.query_one("SELECT kid, sealed_private_key, nonce FROM signing_keys", &[]).await.unwrap();
    let (kid, sealed, nonce): (String, Vec<u8>, Vec<u8>) = (row.get(0), row.get(1), row.get(2));
    let cipher = XChaCha20Poly1305::new(&Key::from(<[u8; 32]>::try_from(local).unwrap()));
    let nonce = XNonce::from(<[u8; 24]>::try_from(nonce).unwrap());
    let key = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: kid.as_bytes() }).unwrap();
    (kid, key)
}

#[tokio::test]
async fn every_forged_token_is_refused_by_routes_by_introspection_and_by_refresh() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let token = service.register("ada@example.com").await.text("token");
    let (kid, key) = genuine_key(&service).await;
    assert_eq!(jose_header(&token)["kid"].as_str(), Some(kid.as_str()));
    let genuine = Genuine { kid, key, claims: claims(&token) };
    assert_eq!(
        service.get_as(&genuine.token(), "/oauth/userinfo").await.status,
        200,
        "the table is right about the key"
    );
    assert!(service.is_active(&client, &genuine.token()).await);

    for Forgery { attack, source, token, because } in forgeries(&genuine) {
        let answer = service.get_as(&token, "/oauth/userinfo").await;
        assert_eq!(answer.error(), (401, "INVALID_TOKEN"), "{attack} ({source})");
        assert_eq!(answer.text("detail"), because, "{attack} ({source})");
        assert!(!service.is_active(&client, &token).await, "{attack} ({source})");
        let refreshed = service.post("/auth/refresh", &json!({"token": token})).await;
        assert_eq!(refreshed.error(), (401, "INVALID_TOKEN"), "{attack} ({source})");
    }
}

#[tokio::test]
async fn no_other_token_of_ours_is_an_access_token() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let login = service.register("ada@example.com").await;
    let (kid, key) = genuine_key(&service).await;
    let mut id_token = claims(&login.text("token"));
    id_token["aud"] = json!(client.id);
    let header = Header { typ: Some("JWT".to_owned()), kid: Some(kid), ..Header::new(Algorithm::ES256) };
    let id_token = jsonwebtoken::encode(&header, &id_token, &EncodingKey::from_ec_der(&key)).unwrap();
    for token in [login.text("refreshToken"), client.secret.clone(), client.id.clone(), id_token, String::new()] {
        assert_eq!(service.get_as(&token, "/oauth/userinfo").await.error(), (401, "INVALID_TOKEN"), "{token}");
    }
}

#[tokio::test]
async fn tokens_are_not_read_from_the_query_string_or_the_body() {
    let service = Harness::new().await;
    let token = service.register("ada@example.com").await.text("token");
    let answer = service.get(&format!("/oauth/userinfo?access_token={token}")).await;
    assert_eq!(answer.error(), (401, "UNAUTHENTICATED"));
    let answer = service.form("/oauth/userinfo", None, &[("access_token", &token)]).await;
    assert_eq!(answer.error(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_rotated_key_signs_after_a_minute_and_the_old_one_stays_published() {
    let service = Harness::new().await;
    let old = service.register("ada@example.com").await.text("token");
    let new_kid = service.directory.rotate_keys(None).await.unwrap();
    let connection = service.pool.get().await.unwrap();
    let early = "UPDATE signing_keys SET active_from = now() WHERE kid = $1";
    connection.execute(early, &[&new_kid]).await.unwrap();

    // Another instance of the service, started after the rotation.
    let config = auth_service::Config { key_encryption_key: None, key_rotation: None, rate_limit: false, mail: None };
    let kept = service.database;
    let second = Harness::on(kept, config).await;
    let keys = second.get("/.well-known/jwks.json").await.body["keys"].as_array().unwrap().len();
    assert_eq!(keys, 2);
    let new = second.login("ada@example.com", crate::harness::PASSWORD).await.text("token");
    assert_eq!(jose_header(&new)["kid"].as_str(), Some(new_kid.as_str()));
    for token in [old, new] {
        assert_eq!(second.get_as(&token, "/oauth/userinfo").await.status, 200);
    }
}

#[tokio::test]
async fn a_key_that_has_become_old_is_replaced_once_whoever_looks_and_forgotten_when_nothing_needs_it() {
    let service = Harness::new().await;
    let token = service.register("ada@example.com").await.text("token");
    let published = async || service.get("/.well-known/jwks.json").await.body["keys"].as_array().unwrap().len();
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    assert_eq!(service.keys.rotate_if_older_than(month).await.unwrap(), None, "it is new");
    let connection = service.pool.get().await.unwrap();
    connection.execute("UPDATE signing_keys SET created_at = now() - interval '31 days'", &[]).await.unwrap();

    let looks = join_all((0..4).map(|_| service.keys.rotate_if_older_than(month))).await;
    let made: Vec<String> = looks.into_iter().filter_map(|look| look.unwrap()).collect();
    let [new] = &made[..] else { panic!("{made:?} were made") };
    assert_eq!(published().await, 2, "the old key overlaps the new one");
    let early = service.login("ada@example.com", crate::harness::PASSWORD).await.text("token");
    assert_eq!(jose_header(&early)["kid"], jose_header(&token)["kid"], "nobody knows the new key yet");
    let audit =
        "SELECT count(*) FROM audit_events WHERE action = 'KEYS_ROTATED' AND actor = 'auth-service' AND subject = $1";
    assert_eq!(connection.query_one(audit, &[new]).await.unwrap().get::<_, i64>(0), 1);

    let sweep = include_str!("../../src/sql/sweep.sql");
    connection.batch_execute(sweep).await.unwrap();
    assert_eq!(service.get_as(&token, "/oauth/userinfo").await.status, 200);
    let later = "UPDATE signing_keys SET published_until = published_until - interval '2 days' WHERE published_until IS NOT NULL";
    connection.execute(later, &[]).await.unwrap();
    connection.batch_execute(sweep).await.unwrap();
    let left: Vec<String> =
        connection.query("SELECT kid FROM signing_keys", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(left, made);
}

#[tokio::test]
async fn keys_outlive_a_restart_and_move_to_the_operators_key() {
    let service = Harness::new().await;
    let token = service.register("ada@example.com").await.text("token");
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let config = |key: Option<&str>| auth_service::Config {
        key_encryption_key: key.map(|key| auth_service::KeyEncryptionKey::parse(key).unwrap()),
        key_rotation: None,
        rate_limit: false,
        mail: None,
    };
    let Harness { pool, database, .. } = service;
    let again = Harness::on(database, config(None)).await;
    assert_eq!(again.get_as(&token, "/oauth/userinfo").await.status, 200);
    let sealed = Harness::on(again.database, config(Some(key))).await;
    assert_eq!(sealed.get_as(&token, "/oauth/userinfo").await.status, 200);
    let local = "SELECT count(*) FROM local_encryption_key";
    assert_eq!(pool.get().await.unwrap().query_one(local, &[]).await.unwrap().get::<_, i64>(0), 0);

    let other = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
    let refused = auth_service::open(&sealed.database, config(Some(other)), surroundings(Revocations::default())).await;
    let error = refused.unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert!(format!("{error}: {cause:?}").contains("signing keys"), "{error}: {cause:?}");
}
