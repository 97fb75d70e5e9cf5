//! GraphQL over HTTP, as the specification has it, and the limits before anything is run.

use crate::shop::{Answer, Shop, client};
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

async fn post(shop: &Shop, accept: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let mut headers = vec![("accept", accept), ("content-type", content_type)];
    headers.retain(|(_, value)| !value.is_empty());
    shop.send(Some(client()), Method::POST, "/graphql", &headers, body).await
}

async fn ask(shop: &Shop, query: &str) -> Answer {
    post(shop, GRAPHQL, JSON, json!({"query": query}).to_string()).await
}

fn is_media_type(answer: &Answer, media_type: &str) -> bool {
    answer.header("content-type") == format!("{media_type}; charset=utf-8")
}

#[tokio::test]
async fn statuses_and_media_types_are_those_of_the_specification() {
    let shop = Shop::open().await;
    let query = |text: &str| json!({"query": text}).to_string();
    let good = query("{ __typename }");
    for (accept, media_type) in [("", JSON), ("*/*", JSON), (JSON, JSON), (GRAPHQL, GRAPHQL)] {
        for content_type in [JSON, "application/json; charset=utf-8"] {
            let answer = post(&shop, accept, content_type, good.clone()).await;
            assert!(answer.status == 200 && is_media_type(&answer, media_type), "{accept}: {answer:?}");
            assert_eq!(answer.body, json!({"data": {"__typename": "Query"}}));
        }
    }
    // (body, status with application/json, status with application/graphql-response+json)
    for (body, json_status, graphql_status) in [
        (String::new(), 400, 400),
        ("{".to_owned(), 400, 400),
        ("null".to_owned(), 400, 400),
        ("{}".to_owned(), 400, 400),
        (json!({"query": 1}).to_string(), 400, 400),
        (json!({"query": "{__typename}", "variables": []}).to_string(), 400, 400),
        (json!({"query": "{__typename}", "operationName": 1}).to_string(), 400, 400),
        (json!({"query": "{__typename}", "extensions": 1}).to_string(), 400, 400),
        (query("{"), 200, 400),
        (query("{ nothing }"), 200, 400),
        (query("query A { __typename } query B { __typename }"), 200, 400),
        (query("query Q($id: ID!) { order(id: $id) { id } }"), 200, 400),
        (query("mutation { __typename }"), 200, 400),
        (query("subscription { __typename }"), 200, 400),
        (json!({"query": "{__typename}", "operationName": "Other"}).to_string(), 200, 400),
        (json!({"query": "query Q($first: Int) { orders(first: $first) { totalCount } }", "variables": {"first": "x"}}).to_string(), 200, 400),
    ] {
        for (accept, expected) in [(JSON, json_status), (GRAPHQL, graphql_status)] {
            let answer = post(&shop, accept, JSON, body.clone()).await;
            assert_eq!(answer.status, expected, "{accept} {body}: {answer:?}");
            assert!(is_media_type(&answer, accept));
            assert!(answer.body.get("data").is_none(), "{accept} {body}: {answer:?}");
            assert!(answer.body["errors"][0]["extensions"]["code"].is_string(), "{answer:?}");
        }
    }
    for content_type in ["text/plain", "", "application/graphql", "application/json; charset=latin1"] {
        assert_eq!(post(&shop, JSON, content_type, good.clone()).await.status, 415, "{content_type}");
    }
    assert_eq!(post(&shop, "text/html", JSON, good.clone()).await.status, 406);
    assert_eq!(shop.send(Some(client()), Method::PUT, "/graphql", &[], Body::empty()).await.status, 405);
}

#[tokio::test]
async fn get_runs_queries_and_nothing_else() {
    let shop = Shop::open().await;
    let get = async |query: &str| {
        shop.send(Some(client()), Method::GET, &format!("/graphql{query}"), &[("accept", GRAPHQL)], Body::empty()).await
    };
    let answer = get("?query=%7B__typename%7D").await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({"data": {"__typename": "Query"}})));
    let answer = get("?query=query%20Q(%24f%3AInt)%7Borders(first%3A%24f)%7BtotalCount%7D%7D&operationName=Q&variables=%7B%22f%22%3A1%7D").await;
    assert_eq!(answer.body, json!({"data": {"orders": {"totalCount": 0}}}), "{answer:?}");
    let mutation = get("?query=mutation%7B__typename%7D").await;
    assert_eq!((mutation.status.as_u16(), mutation.header("allow")), (405, "POST"));
    for wrong in
        ["", "?query=", "?query=%7B", "?query=%7B__typename%7D&variables=x", "?query=%7B__typename%7D&variables=1"]
    {
        assert_eq!(get(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_token_is_needed_even_for_the_name_of_a_type() {
    let shop = Shop::open().await;
    for (method, path, body) in [
        (Method::POST, "/graphql", r#"{"query":"{__typename}"}"#),
        (Method::GET, "/graphql?query=%7B__typename%7D", ""),
        (Method::GET, "/api/orders", ""),
    ] {
        let answer = shop.send(None, method, path, &[("content-type", JSON)], body.to_owned()).await;
        assert_eq!((answer.status.as_u16(), answer.text("/code")), (401, "UNAUTHENTICATED"));
    }
}

#[tokio::test]
async fn a_batch_has_at_most_ten_requests() {
    let shop = Shop::open().await;
    let batch = |size: usize| Value::Array(vec![json!({"query": "{ __typename }"}); size]).to_string();
    let answer = post(&shop, GRAPHQL, JSON, batch(10)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_array().unwrap().len()), (200, 10));
    for size in [0, 11] {
        assert_eq!(post(&shop, GRAPHQL, JSON, batch(size)).await.status, 400, "{size}");
    }
    let mixed = json!([{"query": "{ __typename }"}, {"query": "{ nothing }"}, {}, 7]).to_string();
    let answer = post(&shop, GRAPHQL, JSON, mixed).await;
    assert_eq!(answer.body[0]["data"]["__typename"], "Query");
    for index in 1..4 {
        assert!(answer.body[index]["errors"][0]["extensions"]["code"].is_string(), "{answer:?}");
    }
}

#[tokio::test]
async fn what_costs_too_much_is_refused_and_never_walked() {
    let shop = Shop::open().await;
    let deep = "{customer(id:\"x\"){orders{nodes".repeat(500) + "{id}" + &"}}}".repeat(500);
    let aliases = format!("{{ {} }}", (0..51).map(|index| format!("a{index}: __typename ")).collect::<String>());
    let directives = format!("{{ __typename {} }}", "@skip(if: false) ".repeat(51));
    let tokens = format!("{{ {} }}", "__typename ".repeat(5_001));
    let bomb: String =
        (0..30).map(|index| format!("fragment f{index} on Query {{ ...f{} ...f{} }} ", index + 1, index + 1)).collect();
    let bomb = format!("{{ ...f0 }} {bomb} fragment f30 on Query {{ __typename }}");
    let expensive =
        "{ orders(first: 100) { nodes { customer { orders(first: 100) { nodes { id number } } } } } }".to_owned();
    for query in [deep, aliases, directives, tokens, bomb, expensive, "{a".repeat(1_000), "[".repeat(100_000)] {
        let answer = ask(&shop, &query).await;
        assert_eq!(answer.status, 400, "{query:.60}: {answer:?}");
        assert_eq!(answer.text("/errors/0/extensions/code"), "QUERY_TOO_COMPLEX", "{query:.60}: {answer:?}");
    }
    let cycle = ask(&shop, "{ ...a } fragment a on Query { ...a }").await;
    assert_eq!((cycle.status.as_u16(), cycle.text("/errors/0/extensions/code")), (400, "BAD_USER_INPUT"));
    let nested = "{\"query\":".to_owned() + &"[".repeat(1_000);
    assert_eq!(post(&shop, GRAPHQL, JSON, nested).await.status, 400);
    assert_eq!(post(&shop, GRAPHQL, JSON, b"{\"query\":\"\xff\"}".to_vec()).await.status, 400);
}

#[tokio::test]
async fn wrong_arguments_are_named_and_unknown_things_are_null() {
    let shop = Shop::open().await;
    for query in [
        "{ order(id: \"usr_01h455vb4pex5vsknk084sn02q\") { id } }",
        "{ order(id: \"nonsense\") { id } }",
        "{ order { id } }",
        "{ order(id: \"ord_01h455vb4pex5vsknk084sn02q\", number: \"R-1\") { id } }",
        "{ order(number: \"\\u0000\") { id } }",
        "{ product(id: \"ord_01h455vb4pex5vsknk084sn02q\") { id } }",
        "{ stock(productId: \"x\") { id } }",
        "{ node(id: \"01890a5d-ac96-774b-bcce-b302099a8057\") { id } }",
        "{ orders(first: 101) { totalCount } }",
        "{ orders(first: -1) { totalCount } }",
        "{ orders(first: 1, last: 1) { totalCount } }",
        "{ orders(after: \"nonsense\") { totalCount } }",
        "{ orders(filter: {currency: \"nonsense\"}) { totalCount } }",
        "{ orders(filter: {placedFrom: \"-5000-01-01T00:00:00Z\"}) { totalCount } }",
        "{ orders(filter: {placedTo: \"0000-01-01T00:00:00Z\"}) { totalCount } }",
        "{ orders(filter: {totalMin: \"1e400\"}) { totalCount } }",
        "{ orders(first: 99999999999999999999) { totalCount } }",
        "{ order(number: \"\\uD800\") { id } }",
        "{ orders(filter: {customerId: \"ord_01h455vb4pex5vsknk084sn02q\"}) { totalCount } }",
    ] {
        let answer = ask(&shop, query).await;
        assert!(answer.status.is_success() || answer.status == 400, "{query}: {answer:?}");
        assert_eq!(answer.text("/errors/0/extensions/code"), "BAD_USER_INPUT", "{query}: {answer:?}");
    }
    let nul = json!({"query": "query Q($n: String) { order(number: $n) { id } }", "variables": {"n": "\u{0}"}});
    assert_eq!(post(&shop, GRAPHQL, JSON, nul.to_string()).await.status, 400);
    let answer = ask(
        &shop,
        "{ order(id: \"ord_01h455vb4pex5vsknk084sn02q\") { id } byNumber: order(number: \"R-nothing\") { id }
           uuid: order(id: \"01890a5d-ac96-774b-bcce-b302099a8057\") { id } product(sku: \"none\") { id }
           invoice(number: \"none\") { id } node(id: \"usr_00000000000000000000000000\") { id } }",
    )
    .await;
    assert!(answer.body.get("errors").is_none(), "{answer:?}");
    assert!(answer.body["data"].as_object().unwrap().values().all(Value::is_null), "{answer:?}");
}

#[tokio::test]
async fn the_usual_introspection_passes_the_limits() {
    let shop = Shop::open().await;
    let types = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
                 ofType { kind name ofType { kind name } } } } } } }";
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }} \
         types {{ ...FullType }} directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }} \
         fragment FullType on __Type {{ kind name description specifiedByURL fields(includeDeprecated: true) {{ name description \
         args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }} \
         inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }} enumValues(includeDeprecated: true) \
         {{ name description isDeprecated deprecationReason }} possibleTypes {{ ...TypeRef }} }} \
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated deprecationReason }} \
         fragment TypeRef on __Type {{ {types} }}"
    );
    let answer = ask(&shop, &query).await;
    assert!(answer.status == 200 && answer.body.get("errors").is_none(), "{:.300}", answer.body.to_string());
}
