//! `private_key_jwt`: clients that prove themselves by a key of their own.

use crate::harness::{Answer, Harness, ISSUER, PASSWORD, TestClient};
use auth_service::{ClientSpec, Grant, Role, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};
use web::Scopes;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct Keyed {
    service: Harness,
    id: String,
}

fn private_key(byte: u8) -> EncodingKey {
    let key = p256::SecretKey::from_slice(&[byte; 32]).unwrap().to_pkcs8_der().unwrap();
    EncodingKey::from_ec_der(key.as_bytes())
}

fn public_key(byte: u8, kid: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(&private_key(byte), Algorithm::ES256).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    serde_json::to_value(&jwk).unwrap()
}

fn header() -> Header {
    Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::ES256) }
}

/// A client with two keys, registered over the API.
async fn keyed() -> Keyed {
    let service = Harness::new().await;
    service.user("admin@example.com", Role::Admin).await;
    let admin = service.login("admin@example.com", PASSWORD).await.text("token");
    let jwks = json!({"keys": [public_key(1, "a"), public_key(2, "b")]});
    let body = json!({"name": "erp", "scopes": ["orders:read"], "jwks": jwks});
    let made = service.post_as(&admin, "/api/clients", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(made.body.get("clientSecret").is_none() && made.body["public"] == json!(false));
    assert_eq!(made.body["jwks"]["keys"][1]["kid"], "b");
    let private = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}]});
    let body = json!({"name": "leaky", "scopes": ["orders:read"], "jwks": private});
    let refused = service.post_as(&admin, "/api/clients", &body).await;
    assert_eq!(refused.error(), (422, "VALIDATION_FAILED"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/jwks");
    let id = made.text("clientId");
    Keyed { service, id }
}

impl Keyed {
    fn claims(&self, jti: &str) -> Value {
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
        json!({"iss": self.id, "sub": self.id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti})
    }

    fn with(&self, jti: &str, name: &str, value: Value) -> Value {
        let mut claims = self.claims(jti);
        claims[name] = value;
        claims
    }

    async fn send(&self, path: &str, assertion: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("token", "x"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        for (name, value) in more {
            form.retain(|(present, _)| present != name);
            form.push((name, value));
        }
        self.service.form(path, None, &form).await
    }

    async fn present(&self, header: &Header, claims: &Value, key: u8) -> Answer {
        let assertion = jsonwebtoken::encode(header, claims, &private_key(key)).unwrap();
        self.send("/oauth/token", &assertion, &[]).await
    }
}

#[tokio::test]
async fn a_client_proves_itself_by_each_of_its_keys_at_every_endpoint() {
    let keyed = keyed().await;
    let answer = keyed.present(&header(), &keyed.claims("1"), 1).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.text("scope"), "orders:read");
    let second = Header { kid: Some("b".to_owned()), ..Header::new(Algorithm::ES256) };
    assert_eq!(keyed.present(&second, &keyed.claims("2"), 2).await.status, 200);
    let endpoint = keyed.with("3", "aud", json!([format!("{ISSUER}/oauth/token")]));
    assert_eq!(keyed.present(&header(), &endpoint, 1).await.status, 200, "the endpoint is an audience too");
    for (jti, path) in [("4", "/oauth/introspect"), ("5", "/oauth/revoke")] {
        let assertion = jsonwebtoken::encode(&header(), &keyed.claims(jti), &private_key(1)).unwrap();
        assert_eq!(keyed.send(path, &assertion, &[("client_id", &keyed.id)]).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let keyed = keyed().await;
    let assertion = jsonwebtoken::encode(&header(), &keyed.claims("1"), &private_key(1)).unwrap();
    let answers = futures_util::future::join_all((0..8).map(|_| keyed.send("/oauth/token", &assertion, &[]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(
        answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.error() == (401, "invalid_client"))
    );
    assert_eq!(keyed.send("/oauth/introspect", &assertion, &[]).await.error(), (401, "invalid_client"));
}

#[tokio::test]
async fn an_assertion_that_is_wrong_in_any_way_is_refused() {
    let keyed = keyed().await;
    let now = keyed.claims("x")["iat"].as_i64().unwrap();
    let mut wrong = vec![
        keyed.with("1", "iss", json!("cli_01h455vb4pex5vsknk084sn02q")),
        keyed.with("2", "sub", json!("cli_01h455vb4pex5vsknk084sn02q")),
        keyed.with("3", "aud", json!("https://elsewhere.example")),
        keyed.with("4", "aud", json!([ISSUER, "https://elsewhere.example"])),
        keyed.with("5", "aud", json!([])),
        keyed.with("6", "exp", json!(now - 120)),
        keyed.with("7", "exp", json!(now + 3700)),
        keyed.with("8", "nbf", json!(now + 300)),
        keyed.with("9", "jti", json!("")),
        keyed.with("10", "jti", json!("x".repeat(256))),
        keyed.with("11", "jti", json!(null)),
    ];
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let mut claims = keyed.claims("12");
        claims.as_object_mut().unwrap().remove(name);
        wrong.push(claims);
    }
    for claims in &wrong {
        assert_eq!(keyed.present(&header(), claims, 1).await.error(), (401, "invalid_client"), "{claims}");
    }
    let good = |jti: &str| keyed.claims(jti);
    assert_eq!(keyed.present(&header(), &good("20"), 3).await.error(), (401, "invalid_client"), "a foreign key");
    assert_eq!(keyed.present(&header(), &good("21"), 2).await.error(), (401, "invalid_client"), "another key's name");
    let unnamed = Header::new(Algorithm::ES256);
    assert_eq!(keyed.present(&unnamed, &good("22"), 1).await.error(), (401, "invalid_client"), "which of the two?");
    let typed = Header { typ: Some("at+jwt".to_owned()), ..header() };
    assert_eq!(keyed.present(&typed, &good("23"), 1).await.error(), (401, "invalid_client"), "another kind of JWT");
    let hmac = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::HS256) };
    let public = serde_json::to_string(&public_key(1, "a")).unwrap();
    let forged = jsonwebtoken::encode(&hmac, &good("24"), &EncodingKey::from_secret(public.as_bytes())).unwrap();
    assert_eq!(
        keyed.send("/oauth/token", &forged, &[]).await.error(),
        (401, "invalid_client"),
        "a public key as secret"
    );
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..header() };
    assert_eq!(keyed.present(&critical, &good("25"), 1).await.error(), (401, "invalid_client"), "an extension");
    let brought = Header { kid: None, jwk: serde_json::from_value(public_key(3, "c")).ok(), ..header() };
    assert_eq!(keyed.present(&brought, &good("26"), 3).await.error(), (401, "invalid_client"), "a key it brings along");
    let genuine = jsonwebtoken::encode(&header(), &good("27"), &private_key(1)).unwrap();
    let [_, claims, signature] = genuine.split('.').collect::<Vec<_>>()[..] else { panic!("a JWS has three parts") };
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"a"}"#);
    let head = genuine.split('.').next().unwrap();
    for (attack, forged) in [
        ("alg none", format!("{unsigned}.{claims}.")),
        ("alg none with the genuine signature", format!("{unsigned}.{claims}.{signature}")),
        ("r and s are zero", format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("no signature", format!("{head}.{claims}.")),
        ("a padded signature", format!("{genuine}==")),
    ] {
        assert_eq!(keyed.send("/oauth/token", &forged, &[]).await.error(), (401, "invalid_client"), "{attack}");
    }
    assert_eq!(keyed.send("/oauth/token", &genuine, &[]).await.status, 200, "no attack used the genuine one up");
    for nonsense in ["", ".", "..", "a.b.c", &"a.".repeat(8000)] {
        assert_eq!(keyed.send("/oauth/token", nonsense, &[]).await.error(), (401, "invalid_client"), "{nonsense:.20}");
    }
}

#[tokio::test]
async fn two_proofs_at_once_or_none_are_refused() {
    let keyed = keyed().await;
    let assertion = jsonwebtoken::encode(&header(), &keyed.claims("1"), &private_key(1)).unwrap();
    let both = [("client_id", keyed.id.as_str()), ("client_secret", "x")];
    assert_eq!(keyed.send("/oauth/token", &assertion, &both).await.error(), (400, "invalid_request"));
    let other = [("client_id", "cli_01h455vb4pex5vsknk084sn02q")];
    assert_eq!(keyed.send("/oauth/token", &assertion, &other).await.error(), (401, "invalid_client"));
    let kind = [("client_assertion_type", "saml")];
    assert_eq!(keyed.send("/oauth/token", &assertion, &kind).await.error(), (401, "invalid_client"));
    let id_alone = [("grant_type", "client_credentials"), ("client_id", keyed.id.as_str())];
    let answer = keyed.service.form("/oauth/token", None, &id_alone).await;
    assert_eq!(answer.error(), (401, "invalid_client"), "a client with keys is not public");
    assert_eq!(keyed.send("/oauth/token", &assertion, &[]).await.status, 200, "none of them used it up");
}

#[tokio::test]
async fn a_client_that_is_given_a_secret_has_no_keys_any_more() {
    let keyed = keyed().await;
    let spec = ClientSpec { name: "erp".to_owned(), grants: vec![Grant::ClientCredentials], ..ClientSpec::default() };
    let spec = ClientSpec { scopes: Scopes::parse("orders:read"), ..spec };
    let secret = "a secret of more than thirty-two characters";
    let ensured = keyed.service.directory.ensure_client(&spec, Some(&Secret::new(secret))).await.unwrap();
    assert_eq!((ensured.id.to_string(), ensured.created), (keyed.id.clone(), false));
    let client = TestClient { id: keyed.id.clone(), secret: secret.to_owned() };
    assert!(!keyed.service.client_token(&client).await.is_empty());
    assert_eq!(keyed.present(&header(), &keyed.claims("1"), 1).await.error(), (401, "invalid_client"));
}

#[tokio::test]
async fn a_disabled_client_proves_nothing() {
    let keyed = keyed().await;
    keyed.service.pool.get().await.unwrap().execute("UPDATE clients SET disabled_at = now()", &[]).await.unwrap();
    assert_eq!(keyed.present(&header(), &keyed.claims("1"), 1).await.error(), (401, "invalid_client"));
}
