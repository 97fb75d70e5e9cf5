//! No input gives a 5xx: wrong types, huge bodies, deep nesting, broken text, on every route there is.

use crate::system::{Answer, shared};
use reqwest::Method;
use serde_json::{Value, json};

/// Bodies that no route has a use for.
fn hostile_bodies() -> Vec<Vec<u8>> {
    let deep = [b"[".repeat(1_000), b"]".repeat(1_000)].concat();
    let deep_object = [br#"{"items":"#.repeat(1_000), b"1".to_vec(), b"}".repeat(1_000)].concat();
    let texts: [&[u8]; 13] = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\"\"",
        b"{\"items\": null, \"orderId\": null, \"query\": null}",
        b"{\"items\": {}, \"query\": 7, \"email\": [], \"price\": \"x\", \"orderId\": 1e400}",
        b"{\"note\": \"\\u0000\", \"email\": \"a\\u0000b@c.de\", \"name\": \"\\u0000\", \"query\": \"\\u0000\"}",
        b"{\"note\": \"\xff\xfe\"}",
        b"{\"note\": \"\\ud800\"}",
        b"{\"items\": [{\"quantity\": 99999999999999999999999999999999999999}]}",
        b"{\"amount\": {\"amount\": \"1e999999999\", \"currency\": \"EUR\"}, \"onHand\": 9223372036854775807}",
        b"{\"onHand\": -9223372036854775808, \"delta\": 9223372036854775807, \"reason\": \"\"}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    bodies.extend([deep, deep_object]);
    bodies
}

/// Every method and path of the documented API, its parameters filled with what `fill` gives.
fn routes(fill: &str) -> Vec<(Method, String)> {
    let document = shared().get("/openapi.json").expect(200).body;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let concrete: String =
            path.split('/').map(|part| if part.starts_with('{') { fill } else { part }).collect::<Vec<_>>().join("/");
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            routes.push((Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), concrete.clone()));
        }
    }
    assert!(routes.len() > 40, "only {} routes are documented", routes.len());
    routes
}

/// Routes that wait for news, and the one that ends the token of everybody here.
fn is_left_out(path: &str) -> bool {
    path.starts_with("/internal/") || path == "/auth/logout"
}

#[test]
fn no_body_makes_any_route_fail() {
    let shop = shared();
    let bodies = hostile_bodies();
    for (method, path) in routes("ord_01h455vb4pex5vsknk084sn02q").into_iter().filter(|(_, path)| !is_left_out(path)) {
        if method == Method::GET {
            continue;
        }
        for body in &bodies {
            let request =
                shop.request(method.clone(), &path).header("Content-Type", "application/json").body(body.clone());
            let answer = Answer::of(request.send().unwrap());
            assert!(
                answer.status < 500,
                "{method} {path} with {:?}: {}",
                String::from_utf8_lossy(&body[..body.len().min(80)]),
                answer.body
            );
        }
    }
}

#[test]
fn no_path_parameter_or_query_makes_any_route_fail() {
    let shop = shared();
    let long = "x".repeat(5_000);
    for fill in [
        "%00",
        "%ff",
        "..%2f",
        "'%20OR%201=1--",
        "ord_00000000000000000000000000",
        "00000000-0000-0000-0000-000000000000",
        &long,
    ] {
        for (method, path) in routes(fill).into_iter().filter(|(_, path)| !is_left_out(path)) {
            let path = format!("{path}?limit=%00&cursor=%ff&status=%27&after=-1&orderId={fill}&q=%00&sku=%00");
            let request = shop.request(method.clone(), &path).header("Content-Type", "application/json").body("{}");
            let answer = Answer::of(request.send().unwrap());
            assert!(answer.status < 500, "{method} {path}: {}", answer.body);
        }
    }
}

#[test]
fn hostile_graphql_is_refused_and_never_fails() {
    let shop = shared();
    let nested =
        format!("{{ order(id: \"x\") {}{} }}", "{ customer { orders { edges { node ".repeat(300), "}}}}".repeat(300));
    let aliases = format!("{{ {} }}", (0..5_000).map(|n| format!("a{n}: __typename ")).collect::<String>());
    let directives = format!("{{ __typename {} }}", "@include(if: true) ".repeat(2_000));
    let braces = "{".repeat(1_000);
    for query in [
        "",
        "{",
        "{ nonsense }",
        "\u{0}",
        "query Q { __typename } query Q { __typename }",
        &nested,
        &aliases,
        &directives,
        &braces,
    ] {
        let answer = shop.post("/graphql", &json!({"query": query}));
        assert!((200..500).contains(&answer.status), "{query:.80}: {}", answer.body);
        assert!(answer.body.get("errors").is_some(), "{query:.80}: {}", answer.body);
    }
    let bomb = "fragment A on Query { ...B } fragment B on Query { ...A } { ...A }";
    assert!(shop.post("/graphql", &json!({"query": bomb})).body.get("errors").is_some());
    for body in [
        json!([]),
        json!({"query": 7}),
        json!({"query": "{__typename}", "variables": []}),
        json!(vec![json!({"query": "{__typename}"}); 11]),
    ] {
        let answer = shop.post("/graphql", &body);
        assert!((400..500).contains(&answer.status), "{body:.80}: {}", answer.body);
    }
    let variables = json!({"query": "query($id: ID) { order(id: $id) { id } }", "variables": {"id": "\u{0}"}});
    assert!(shop.post("/graphql", &variables).status < 500);
}

#[test]
fn headers_of_any_form_are_survived() {
    let shop = shared();
    for (name, value) in [
        ("Authorization", "Bearer"),
        ("Authorization", "Basic ===="),
        ("Accept", ";;;"),
        ("Content-Type", ";;;"),
        ("If-Match", "\"\u{e9}\""),
        ("traceparent", "00-zz"),
        ("X-Request-Id", "\u{e9}"),
        ("OMS-Consistency", "@@@,,,"),
        ("Idempotency-Key", "\u{e9}"),
    ] {
        for (method, path) in [(Method::GET, "/api/orders"), (Method::POST, "/api/orders"), (Method::POST, "/graphql")]
        {
            let request = shop.anonymous(method, path).header(name, value.as_bytes()).body("{}");
            let status = Answer::of(request.send().unwrap()).status;
            assert!(status < 500, "{name}: {value} on {path} gave {status}");
        }
    }
    let _: Value = shop.get("/healthz").expect(200).body;
}
