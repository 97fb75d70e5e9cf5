use super::shop::{Flattened, SERVICE_TOKEN, claims, get, post, routes, sign};
use serde_json::Value;

#[tokio::test]
async fn wrong_parameters_are_problems_that_name_them() {
    for query in ["limit=0", "limit=101", "limit=x", "limit=", "limit=-1", "at=x", "limit=1&limit=2"] {
        let answer = get(&format!("/things?{query}"), &[]).await;
        answer.is_problem(400, "INVALID_PARAMETER");
    }
    let answer = get("/things?limit=0", &[]).await;
    assert_eq!(answer.body["errors"][0]["pointer"], "/limit", "{}", answer.text);
    for query in ["status=%00", "other=a%00", "%00=1", "status=%ff", "status=%C3%28"] {
        get(&format!("/things?{query}"), &[]).await.is_problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn unknown_parameters_are_passed_over() {
    let answer = get("/things?surprise=1&limit=7&status=a%20b&%zz=1", &[]).await;
    assert_eq!((answer.status, &answer.body["limit"], &answer.body["status"]), (200, &7.into(), &"a b".into()));
    assert_eq!(get("/things", &[]).await.body["limit"], 20);
}

#[tokio::test]
async fn wrong_paths_are_problems_and_never_plain_text() {
    let token = format!("Bearer {}", sign(&claims()));
    let headers = [("authorization", token.as_str())];
    for path in ["/api/things/x", "/api/things/%00", "/api/things/1%00", "/api/things/%ff", "/api/things/%20"] {
        get(path, &headers).await.is_problem(400, "INVALID_ID");
    }
    get("/nowhere", &[]).await.is_problem(404, "NOT_FOUND");
    post("/things", &[], "").await.is_problem(405, "METHOD_NOT_ALLOWED");
    assert!(post("/things", &[], "").await.header("allow").contains("GET"));
}

#[tokio::test]
async fn an_alias_has_the_handler_the_access_and_the_template_of_its_main_path() {
    let token = [("x-service-token", SERVICE_TOKEN)];
    let main = post("/api/things/7/seen", &token, "").await;
    let alias = post("/things/7/seen", &token, "").await;
    assert_eq!((main.status, main.text.as_str()), (200, "/api/things/7/seen"));
    assert_eq!(alias.text, main.text);
    post("/things/7/seen", &[], "").await.is_problem(401, "UNAUTHENTICATED");
    post("/thing", &[], "").await.is_problem(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_request_id_and_the_trace_come_back() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = get("/nowhere", &[("x-request-id", "r-1"), ("traceparent", &traceparent)]).await;
    assert_eq!(answer.header("x-request-id"), "r-1");
    assert!(answer.header("traceparent").contains(trace));
    assert_eq!(answer.body["traceId"], trace);
    assert_eq!(answer.body["instance"], "/nowhere");
}

#[test]
fn the_document_has_every_route_with_its_security_and_no_dangling_reference() {
    let table = routes();
    let document = web::openapi("shop", table.specs());
    assert_eq!(document["openapi"], "3.1.0");
    for spec in table.specs() {
        let operation = &document["paths"][spec.path.as_ref()][spec.method.as_str().to_lowercase()];
        assert!(operation["operationId"].is_string(), "{}", spec.path);
    }
    assert_eq!(document["paths"]["/things"]["get"]["security"], Value::Array(Vec::new()));
    let one = &document["paths"]["/api/things/{id}"]["get"];
    assert_eq!(one["parameters"][0]["name"], "id");
    let add = &document["paths"]["/thing"]["post"];
    assert_eq!(add["description"], "Alias of `/api/things`.");
    assert_eq!(add["security"][0]["oauth"][0], "orders:write");
    for status in ["201", "400", "401", "403", "413", "415", "422", "503"] {
        assert!(add["responses"][status].is_object(), "{status}");
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.contains(&"#/components/schemas/Part".to_owned()));
    for reference in references {
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(target.is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_str() {
                    Some(text) if key == "$ref" => references.push(text.to_owned()),
                    _ => collect(field, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn two_services_may_have_types_of_one_name() {
    mod other {
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "only its schema matters")]
        pub struct Part {
            colour: String,
        }
    }
    async fn handler() {}
    let other = web::Routes::new("other-service").get(
        "/other",
        web::Access::Public,
        web::Doc::new("Another part").answers::<other::Part>(200),
        handler,
    );
    let document = web::openapi("both", routes().merge(other).specs());
    let schema = |path: &str, method: &str, status: &str| {
        document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]["$ref"].clone()
    };
    assert_eq!(schema("/api/things", "post", "201"), "#/components/schemas/Part");
    assert_eq!(schema("/other", "get", "200"), "#/components/schemas/OtherServicePart");
    assert!(document["components"]["schemas"]["OtherServicePart"]["properties"]["colour"].is_object());
}

#[test]
fn the_parameters_of_a_page_can_be_flattened() {
    let uri = "/x?limit=5&cursor=abc".parse().expect("a path");
    let axum::extract::Query(params) = axum::extract::Query::<Flattened>::try_from_uri(&uri).expect("a page");
    assert_eq!((params.page.limit.get(), params.page.cursor.as_deref()), (5, Some("abc")));
}
