//! The token endpoint and its siblings under forms and headers of any kind: always an answer of RFC 6749, never a failure
//! of ours.

use crate::harness::{Harness, encode};
use axum::body::Body;
use http::{Request, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const PATHS: [&str; 4] = ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/check_token"];
const NAMES: [&str; 14] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "token",
    "token_type_hint",
    "resource",
    "",
];

/// A request of somebody who wishes us ill.
#[derive(Debug, Clone)]
struct Hostile {
    path: &'static str,
    authorization: Option<String>,
    media_type: &'static str,
    body: Vec<u8>,
}

/// A value that means something, with what is around it, or none at all.
fn value(genuine: [String; 3]) -> impl Strategy<Value = String> {
    let [id, secret, token] = genuine;
    let known = prop::sample::select(vec![
        id,
        secret,
        token.clone(),
        token.chars().rev().collect(),
        "client_credentials".to_owned(),
        "authorization_code".to_owned(),
        "refresh_token".to_owned(),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjbGlfMDFoNDU1dmI0cGV4NXZza25rMDg0c24wMnEifQ.AAAA".to_owned(),
        "orders:read".to_owned(),
        "\0".to_owned(),
        "a".repeat(20_000),
    ]);
    prop_oneof![3 => known, 1 => ".{0,40}".prop_map(|text: String| text)]
}

fn hostile(genuine: [String; 3], basic: String) -> impl Strategy<Value = Hostile> {
    let pairs = prop::collection::vec((prop::sample::select(&NAMES[..]), value(genuine.clone())), 0..8);
    let form = pairs.prop_map(|pairs| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        encode(&pairs).into_bytes()
    });
    let body = prop_oneof![6 => form, 1 => prop::collection::vec(any::<u8>(), 0..200)];
    let authorization = prop_oneof![
        2 => Just(Some(basic)),
        2 => Just(None),
        1 => value(genuine).prop_map(|text| Some(format!("Basic {text}"))),
        1 => "[ -~]{0,40}".prop_map(Some),
    ];
    let media_type = prop_oneof![
        8 => Just("application/x-www-form-urlencoded"),
        1 => Just("application/json"),
        1 => Just("multipart/form-data; boundary=x"),
    ];
    (prop::sample::select(&PATHS[..]), authorization, media_type, body)
        .prop_map(|(path, authorization, media_type, body)| Hostile { path, authorization, media_type, body })
}

#[test]
fn every_form_gets_an_answer_of_the_rfc() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (service, client, token) = runtime.block_on(async {
        let service = Harness::new().await;
        let client = service.client("shop", "orders:read").await;
        let token = service.register("ada@example.com").await.text("refreshToken");
        (service, client, token)
    });
    let (basic, genuine) = (client.basic(), [client.id, client.secret, token]);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&hostile(genuine, basic), |hostile| {
        let mut request = Request::post(hostile.path).header(header::CONTENT_TYPE, hostile.media_type);
        if let Some(authorization) = &hostile.authorization {
            let Ok(value) = http::HeaderValue::from_str(authorization) else { return Ok(()) };
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Body::from(hostile.body.clone())).unwrap();
        let answer = runtime.block_on(service.send(request));
        match answer.status.as_u16() {
            200 => {}
            400 | 401 => prop_assert!(answer.body["error"].is_string(), "{}", answer.body),
            status => prop_assert!(false, "{status} {}", answer.body),
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async move { drop(service) });
}
