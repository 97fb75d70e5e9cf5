//! The tests' own support, tested: what it promises to every other test.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;
use test_support::{TestTokens, database, eventually};

#[tokio::test]
async fn every_test_has_an_empty_durable_database_of_its_own() {
    let (first, second) = tokio::join!(database(), database());
    first.connect().await.unwrap().batch_execute("CREATE TABLE mine (n int)").await.unwrap();
    second.connect().await.unwrap().batch_execute("CREATE TABLE mine (n int)").await.unwrap();
    first.check_durability().await.unwrap();
}

#[tokio::test]
async fn a_database_goes_away_with_its_test_even_if_it_is_in_use() {
    let (observer, leaving) = tokio::join!(database(), database());
    let pool = leaving.pool("public", None).await.unwrap();
    let client = pool.get().await.unwrap();
    let name: String = client.query_one("SELECT current_database()", &[]).await.unwrap().get(0);
    drop(leaving);
    let observer = observer.connect().await.unwrap();
    eventually(|| async {
        observer.query("SELECT FROM pg_database WHERE datname = $1", &[&name]).await.unwrap().is_empty()
    })
    .await;
}

#[test]
fn a_token_is_verified_by_the_published_keys() {
    let tokens = TestTokens::new();
    let token = tokens.staff("usr_01h455vb4pex5vsknk084sn02q", &["orders:read", "orders:admin"]);
    let keys: JwkSet = serde_json::from_value(tokens.jwks().clone()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[tokens.audience()]);
    validation.set_issuer(&[tokens.issuer()]);
    let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let decoded = decode::<Value>(&token, &key, &validation).unwrap();
    assert_eq!(decoded.header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(decoded.claims["scope"], "orders:read orders:admin");
    let expired = tokens.token("cli_x", "service", &[]).expired().sign();
    assert!(decode::<Value>(&expired, &key, &validation).is_err());
}
