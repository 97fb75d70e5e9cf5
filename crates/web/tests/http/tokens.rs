use super::shop::{SERVICE_TOKEN, claims, get, keys, request, send, shop_with, sign, sign_with, verifier};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use web::auth::{JwksError, Revocation, RevocationKind};
use web::{Caller, CallerKind, JwksSource, request_context};

async fn with_token(path: &str, token: &str) -> super::shop::Answer {
    get(path, &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn a_valid_token_opens_what_needs_a_token() {
    assert_eq!(with_token("/api/things/1", &sign(&claims())).await.status, 200);
    let lower = get("/api/things/1", &[("authorization", &format!("bearer {}", sign(&claims())))]).await;
    assert_eq!(lower.status, 200);
}

#[tokio::test]
async fn no_token_is_asked_for_one_and_a_public_route_needs_none() {
    let answer = get("/api/things/1", &[]).await;
    answer.is_problem(401, "UNAUTHENTICATED");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"oms\"");
    assert_eq!(get("/things", &[]).await.status, 200);
    assert_eq!(get("/things", &[("authorization", "Basic YTpi")]).await.status, 200);
    get("/api/things/1", &[("authorization", "Basic YTpi")]).await.is_problem(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn every_claim_that_is_wrong_or_missing_makes_the_token_invalid_on_every_route() {
    let now = request_context::now().timestamp();
    let mut wrong: Vec<(&str, Value)> = vec![
        ("iss", "http://other".into()),
        ("aud", "other".into()),
        ("exp", (now - 60).into()),
        ("exp", "soon".into()),
        ("nbf", (now + 600).into()),
        ("role", "king".into()),
    ];
    wrong.extend(["iss", "aud", "exp", "sub", "role", "jti", "client_id"].map(|name| (name, Value::Null)));
    for (name, value) in wrong {
        let mut claims = claims();
        match &value {
            Value::Null => drop(claims.as_object_mut().and_then(|fields| fields.remove(name))),
            value => claims[name] = value.clone(),
        }
        for path in ["/api/things/1", "/things", "/nowhere"] {
            let answer = with_token(path, &sign(&claims)).await;
            assert_eq!(answer.status, 401, "{name}: {value}");
            answer.is_problem(401, "INVALID_TOKEN");
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
        }
    }
}

#[tokio::test]
async fn only_es256_access_tokens_of_a_known_key_are_taken() {
    let good = Header { typ: Some("at+jwt".to_owned()), kid: Some("k1".to_owned()), ..Header::new(Algorithm::ES256) };
    let other_type = Header { typ: Some("JWT".to_owned()), ..good.clone() };
    let no_type = Header { typ: None, ..good.clone() };
    let other_key = Header { kid: Some("k2".to_owned()), ..good.clone() };
    let no_key = Header { kid: None, ..good.clone() };
    for header in [other_type, no_type, other_key, no_key] {
        with_token("/things", &sign_with(&header, &claims())).await.is_problem(401, "INVALID_TOKEN");
    }
    let hmac = Header { alg: Algorithm::HS256, ..good.clone() };
    let forged = jsonwebtoken::encode(&hmac, &claims(), &EncodingKey::from_secret(b"public")).expect("signed");
    with_token("/things", &forged).await.is_problem(401, "INVALID_TOKEN");
    let token = sign(&claims());
    let (head, tail) = token.split_at(token.len() - 6);
    let flipped = format!("{head}{}", tail.chars().rev().collect::<String>());
    let unsigned = format!("{}.", token.rsplit_once('.').expect("three parts").0);
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", token.split('.').nth(1).expect("three parts"));
    for token in [flipped.as_str(), &unsigned, &none, "x", "a.b.c", "..", &"x".repeat(10_000)] {
        with_token("/things", token).await.is_problem(401, "INVALID_TOKEN");
    }
}

#[tokio::test]
async fn malformed_authorization_is_an_invalid_token() {
    for value in ["Bearer", "Bearer ", "bearer    "] {
        get("/things", &[("authorization", value)]).await.is_problem(401, "INVALID_TOKEN");
    }
    let twice = format!("Bearer {}", sign(&claims()));
    let headers = [("authorization", twice.as_str()), ("authorization", twice.as_str())];
    get("/things", &headers).await.is_problem(401, "INVALID_TOKEN");
}

#[tokio::test]
async fn the_service_token_acts_as_internal_and_a_wrong_one_is_refused_whatever_else_is_sent() {
    let answer = get("/api/things/1", &[("x-service-token", SERVICE_TOKEN)]).await;
    assert_eq!(answer.status, 200);
    let token = format!("Bearer {}", sign(&claims()));
    let headers = [("authorization", token.as_str()), ("x-service-token", "wrong")];
    for path in ["/things", "/api/things/1"] {
        get(path, &headers).await.is_problem(401, "INVALID_TOKEN");
    }
}

#[tokio::test]
async fn an_unset_service_token_refuses_every_one() {
    let config =
        web::VerifierConfig { issuer: "http://issuer".to_owned(), audience: "oms".to_owned(), service_token: None };
    let verifier = web::TokenVerifier::new(config, JwksSource::Static(keys().1));
    let headers = [("x-service-token", SERVICE_TOKEN)];
    let answer = send(shop_with(verifier), request("GET", "/things", &headers, Body::empty())).await;
    answer.is_problem(401, "INVALID_TOKEN");
    assert!(web::ServiceToken::parse("fifteen-letters").is_err());
}

#[tokio::test]
async fn a_caller_put_there_by_an_in_process_peer_is_kept() {
    let mut request = request("GET", "/api/things/1", &[], Body::empty());
    request.extensions_mut().insert(Caller::internal());
    assert_eq!(send(super::shop::shop(), request).await.status, 200);
}

#[tokio::test]
async fn no_token_makes_its_bearer_internal() {
    let mut claims = claims();
    claims["role"] = "internal".into();
    let caller = verifier(JwksSource::Static(keys().1)).verify(&sign(&claims)).await;
    assert!(caller.is_ok_and(|caller| caller.kind == CallerKind::Client));
}

#[tokio::test]
async fn a_revoked_token_or_session_is_refused() {
    for (kind, id) in [(RevocationKind::Token, "token-1"), (RevocationKind::Session, "session-1")] {
        let verifier = verifier(JwksSource::Static(keys().1));
        let expires_at = request_context::now() + chrono::Duration::minutes(10);
        assert!(verifier.verify(&sign(&claims())).await.is_ok());
        verifier.revocations().add([Revocation { position: 1, kind, id: id.to_owned(), expires_at }]);
        assert!(verifier.verify(&sign(&claims())).await.is_err());
        let mut other = claims();
        other["jti"] = "token-2".into();
        other["sid"] = "session-2".into();
        assert!(verifier.verify(&sign(&other)).await.is_ok());
    }
}

fn counted(
    answers: impl Fn(usize) -> Result<JwkSet, JwksError> + Send + Sync + 'static,
) -> (JwksSource, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let answers = Arc::new(answers);
    let fetch = move || {
        let answer = answers(counter.fetch_add(1, Ordering::SeqCst));
        Box::pin(async move { answer }) as futures_util::future::BoxFuture<'static, _>
    };
    (JwksSource::Fetch(Arc::new(fetch)), asked)
}

#[tokio::test]
async fn keys_are_fetched_once_and_an_unknown_key_does_not_make_us_ask_again_and_again() {
    let (source, asked) = counted(|_| Ok(keys().1));
    let verifier = verifier(source);
    for _ in 0..3 {
        assert!(verifier.verify(&sign(&claims())).await.is_ok());
    }
    let header = Header { typ: Some("at+jwt".to_owned()), kid: Some("k9".to_owned()), ..Header::new(Algorithm::ES256) };
    for _ in 0..3 {
        let problem = verifier.verify(&sign_with(&header, &claims())).await.expect_err("no such key");
        assert_eq!(problem.status(), 401);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn while_no_keys_could_be_had_tokens_are_answered_with_503() {
    let (source, _) = counted(|_| Err(JwksError("the issuer is away".to_owned())));
    let problem = verifier(source).verify(&sign(&claims())).await.expect_err("no keys");
    assert_eq!(problem.status(), 503);
    let (source, asked) = counted(|count| if count == 0 { Err(JwksError("away".to_owned())) } else { Ok(keys().1) });
    let verifier = verifier(source);
    assert!(verifier.verify(&sign(&claims())).await.is_err());
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(verifier.verify(&sign(&claims())).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_after_half_a_minute_and_a_withdrawn_one_is_forgotten() {
    let (source, asked) = counted(|count| Ok(if count == 1 { keys().1 } else { JwkSet { keys: Vec::new() } }));
    let verifier = verifier(source);
    assert!(verifier.verify(&sign(&claims())).await.is_err());
    assert!(verifier.verify(&sign(&claims())).await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    assert!(verifier.verify(&sign(&claims())).await.is_ok());
    tokio::time::advance(std::time::Duration::from_secs(301)).await;
    assert!(verifier.verify(&sign(&claims())).await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// What is done to a token.
#[derive(Debug, Clone)]
enum Edit {
    Replace(usize, char),
    Insert(usize, char),
    Delete(usize),
    Truncate(usize),
    Swap(usize, usize),
    Repeat(usize, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = || 0_usize..600;
    let letter = || prop_oneof![4 => prop::char::range('-', 'z'), 1 => any::<char>()];
    let edit = prop_oneof![
        4 => (at(), letter()).prop_map(|(at, letter)| Edit::Replace(at, letter)),
        2 => (at(), letter()).prop_map(|(at, letter)| Edit::Insert(at, letter)),
        2 => at().prop_map(Edit::Delete),
        1 => at().prop_map(Edit::Truncate),
        1 => (at(), at()).prop_map(|(one, other)| Edit::Swap(one, other)),
        1 => (at(), at()).prop_map(|(one, other)| Edit::Repeat(one, other)),
    ];
    prop::collection::vec(edit, 1..4)
}

fn edited(token: &str, edits: &[Edit]) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    for edit in edits {
        let length = letters.len().max(1);
        match *edit {
            _ if letters.is_empty() => break,
            Edit::Replace(at, letter) => letters[at % length] = letter,
            Edit::Insert(at, letter) => letters.insert(at % length, letter),
            Edit::Delete(at) => drop(letters.remove(at % length)),
            Edit::Truncate(at) => letters.truncate(at % length),
            Edit::Swap(one, other) => letters.swap(one % length, other % length),
            Edit::Repeat(one, other) => {
                let (one, other) = (one % length, other % length);
                let part = letters[one.min(other)..one.max(other)].to_vec();
                letters.extend(part);
            }
        }
    }
    letters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_but_a_token_as_it_was_issued_is_taken(edits in edits()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
        let verifier = verifier(JwksSource::Static(keys().1));
        let token = sign(&claims());
        prop_assert!(runtime.block_on(verifier.verify(&token)).is_ok());
        let other = edited(&token, &edits);
        prop_assume!(other != token);
        let refused = runtime.block_on(verifier.verify(&other)).expect_err("it is not what was signed");
        prop_assert_eq!(refused.status().as_u16(), 401);
    }

    #[test]
    fn no_text_makes_the_verifier_fail(text in ".{0,300}", header in "[ -~]{0,60}", claims in "[ -~]{0,60}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
        let verifier = verifier(JwksSource::Static(keys().1));
        let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        for token in [&text, &format!("{parts}.{text}"), &format!("{parts}.AAAA")] {
            prop_assert_eq!(runtime.block_on(verifier.verify(token)).map_err(|refused| refused.status().as_u16()), Err(401));
        }
    }
}
