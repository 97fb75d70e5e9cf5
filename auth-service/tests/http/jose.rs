//! Forged and altered tokens, one table: refused by the verifier of every service, by introspection and by refresh.

use crate::harness::{Harness, ISSUER, claims, jose_header, surroundings};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};
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

fn foreign_key() -> Vec<u8> {
    p256::SecretKey::from_slice(&[7; 32]).unwrap().to_pkcs8_der().unwrap().as_bytes().to_vec()
}

fn sign(header: &Header, claims: &Value, key: &[u8]) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ec_der(key)).unwrap()
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn header(kid: &str) -> Header {
    Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) }
}

fn with(claims: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims.clone();
    claims[name] = value.into();
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn forged_and_altered_tokens_are_refused() {
    let service = Harness::new().await;
    let client = service.client("shop", "orders:read").await;
    let token = service.register("ada@example.com").await.text("token");
    let good = claims(&token);
    let (kid, key) = genuine_key(&service).await;
    assert_eq!(jose_header(&token)["kid"].as_str(), Some(kid.as_str()));
    let control = sign(&header(&kid), &good, &key);
    assert_eq!(service.get_as(&control, "/oauth/userinfo").await.status, 200, "the table is right about the key");
    assert!(service.is_active(&client, &control).await);

    let jwks = service.get("/.well-known/jwks.json").await.body;
    let public = jwks["keys"][0].clone();
    let mut raw_public = vec![4_u8];
    for part in ["x", "y"] {
        raw_public.extend(URL_SAFE_NO_PAD.decode(public[part].as_str().unwrap()).unwrap());
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("a JWS has three parts") };
    let now = good["iat"].as_i64().unwrap();
    let hmac = |secret: &[u8]| {
        let header = Header { alg: Algorithm::HS256, ..header(&kid) };
        jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let unsigned = |alg: &str| encode(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}));
    let embedded = encode(&json!({"alg": "ES256", "typ": "at+jwt", "kid": "x", "jwk": public}));
    let critical = encode(&json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["exp"]}));
    let foreign_body = |claims: &Value| format!("{head}.{}.{signature}", encode(claims));
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[10] ^= 1;

    let table: Vec<(&str, String)> = vec![
        ("alg none without a signature", format!("{}.{body}.", unsigned("none"))),
        ("alg None", format!("{}.{body}.", unsigned("None"))),
        ("alg none with the old signature", format!("{}.{body}.{signature}", unsigned("none"))),
        ("HS256 with the public key as its secret", hmac(&raw_public)),
        ("HS256 with the JWK's text as its secret", hmac(public.to_string().as_bytes())),
        ("HS256 with an empty secret", hmac(b"")),
        ("another key under our kid", sign(&header(&kid), &good, &foreign_key())),
        ("an unknown kid", sign(&header("unknown"), &good, &key)),
        ("a kid that is a path", sign(&header("../../dev/null"), &good, &key)),
        ("a kid that is SQL", sign(&header("' OR 1=1 --"), &good, &key)),
        ("no kid", sign(&Header { kid: None, ..header(&kid) }, &good, &key)),
        ("a key in the header", format!("{embedded}.{body}.{signature}")),
        ("a critical extension", format!("{critical}.{body}.{signature}")),
        ("typ JWT", sign(&Header { typ: Some("JWT".to_owned()), ..header(&kid) }, &good, &key)),
        ("no typ", sign(&Header { typ: None, ..header(&kid) }, &good, &key)),
        ("another issuer", sign(&header(&kid), &with(&good, "iss", "https://evil.example"), &key)),
        ("an issuer with a slash more", sign(&header(&kid), &with(&good, "iss", format!("{ISSUER}/")), &key)),
        ("no issuer", sign(&header(&kid), &without(&good, "iss"), &key)),
        ("another audience", sign(&header(&kid), &with(&good, "aud", "other"), &key)),
        ("no audience", sign(&header(&kid), &without(&good, "aud"), &key)),
        ("no subject", sign(&header(&kid), &without(&good, "sub"), &key)),
        ("expired", sign(&header(&kid), &with(&good, "exp", now - 60), &key)),
        ("no expiry", sign(&header(&kid), &without(&good, "exp"), &key)),
        ("an expiry that is a text", sign(&header(&kid), &with(&good, "exp", "9999999999"), &key)),
        ("an unknown role", sign(&header(&kid), &with(&good, "role", "superuser"), &key)),
        ("a scope added", foreign_body(&with(&good, "scope", "clients:admin"))),
        ("another subject", foreign_body(&with(&good, "sub", "usr_01h455vb4pex5vsknk084sn02q"))),
        ("one bit of the signature", format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(&flipped))),
        ("a signature of zeros", format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("half a signature", format!("{head}.{body}.{}", &signature[..40])),
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{token}.{signature}")),
        ("a padded signature", format!("{token}==")),
        ("a body that is no JSON", format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode("no json"))),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("a very long text", "a".repeat(100_000)),
    ];
    for (attack, forged) in &table {
        let answer = service.get_as(forged, "/oauth/userinfo").await;
        assert_eq!(answer.error(), (401, "INVALID_TOKEN"), "{attack}");
        if !forged.is_empty() {
            assert!(!service.is_active(&client, forged).await, "{attack}");
        }
        let refreshed = service.post("/auth/refresh", &json!({"token": forged})).await;
        assert_eq!(refreshed.error(), (401, "INVALID_TOKEN"), "{attack}");
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
    let config = auth_service::Config { key_encryption_key: None, rate_limit: false };
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
async fn keys_outlive_a_restart_and_move_to_the_operators_key() {
    let service = Harness::new().await;
    let token = service.register("ada@example.com").await.text("token");
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let config = |key: Option<&str>| auth_service::Config {
        key_encryption_key: key.map(|key| auth_service::KeyEncryptionKey::parse(key).unwrap()),
        rate_limit: false,
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
