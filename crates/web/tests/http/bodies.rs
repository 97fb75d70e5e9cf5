use super::shop::{claims, post, sign};

fn headers(token: &str) -> [(&'static str, String); 2] {
    [("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())]
}

async fn place(body: impl Into<axum::body::Body>) -> super::shop::Answer {
    let headers = headers(&sign(&claims()));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    post("/api/things", &headers, body).await
}

#[tokio::test]
async fn a_good_body_is_taken_and_the_answer_names_version_and_stream() {
    let answer = place(r#"{"name":"a"}"#).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("etag"), "\"3\"");
    assert_eq!(answer.header("oms-consistency"), "ord_1@3");
    assert_eq!(answer.body["by"], "usr_1");
}

#[tokio::test]
async fn wrong_bodies_are_problems_with_a_pointer() {
    let answer = place(r#"{"name":"a","parts":[{"quantity":1,"x":2}]}"#).await;
    answer.is_problem(400, "UNKNOWN_FIELD");
    assert_eq!(answer.body["errors"][0]["pointer"], "/parts/0/x");
    place("{").await.is_problem(400, "MALFORMED_JSON");
    place(r#"{"name":"\u0000"}"#).await.is_problem(400, "MALFORMED_JSON");
    let answer = place("{}").await;
    answer.is_problem(422, "VALIDATION_FAILED");
    assert_eq!(answer.body["errors"][0]["pointer"], "/name");
}

#[tokio::test]
async fn the_size_is_checked_before_the_media_type_and_that_before_the_text() {
    let token = format!("Bearer {}", sign(&claims()));
    let plain = [("authorization", token.as_str()), ("content-type", "text/plain")];
    post("/api/things", &plain, vec![b'{'; 1024 * 1024 + 1]).await.is_problem(413, "BODY_TOO_LARGE");
    post("/api/things", &plain, "{").await.is_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    post("/api/things", &[("authorization", &token)], "{}").await.is_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    place(vec![b'{'; 1024 * 1024]).await.is_problem(400, "MALFORMED_JSON");
}

#[tokio::test]
async fn whether_the_caller_may_is_checked_before_the_body_is_read() {
    post("/api/things", &[], vec![b'x'; 2 * 1024 * 1024]).await.is_problem(401, "UNAUTHENTICATED");
    let mut reader = claims();
    reader["scope"] = "orders:read".into();
    let token = format!("Bearer {}", sign(&reader));
    let answer = post("/api/things", &[("authorization", &token)], vec![b'x'; 2 * 1024 * 1024]).await;
    answer.is_problem(403, "INSUFFICIENT_SCOPE");
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains("orders:write")));
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
}

#[tokio::test]
async fn a_body_of_optional_fields_may_be_absent() {
    let token = [("x-service-token", super::shop::SERVICE_TOKEN)];
    assert_eq!(post("/api/things/7/seen", &token, "").await.status, 200);
    let json = [token[0], ("content-type", "application/json")];
    assert_eq!(post("/api/things/7/seen", &json, r#"{"note":"x"}"#).await.status, 200);
    post("/api/things/7/seen", &json, r#"{"other":1}"#).await.is_problem(400, "UNKNOWN_FIELD");
    post("/api/things/7/seen", &token, "{}").await.is_problem(415, "UNSUPPORTED_MEDIA_TYPE");
}
