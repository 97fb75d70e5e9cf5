//! Every problem code, provoked on the real system, and the order in which requests are checked.

use crate::system::{Answer, Folder, System, eventually, order_body, shared, unique};
use reqwest::Method;
use serde_json::json;
use std::thread;

const UNKNOWN_ORDER: &str = "ord_01h455vb4pex5vsknk084sn02q";

#[test]
fn malformed_json_is_400_malformed_json() {
    let shop = shared();
    for body in ["", "{", "[]", "null", "\"text\"", "{\"items\": 7}", "{\"items\": []} trailing"] {
        let request = shop.request(Method::POST, "/api/orders").header("Content-Type", "application/json").body(body);
        Answer::of(request.send().unwrap()).expect_problem(400, "MALFORMED_JSON");
    }
}

#[test]
fn a_wrong_type_is_400_with_its_pointer() {
    let shop = shared();
    let product = shop.product("1.00", 1);
    let refused = shop.post("/api/orders", &json!({"items": [{"productId": product, "quantity": "two"}]}));
    assert_eq!(refused.expect_problem(400, "MALFORMED_JSON").pointers(), ["/items/0/quantity"]);
}

#[test]
fn an_unknown_field_is_400_unknown_field_with_its_pointer() {
    let shop = shared();
    let mut body = order_body(&shop.product("1.00", 1), 1);
    body["surprise"] = json!(1);
    assert_eq!(shop.post("/api/orders", &body).expect_problem(400, "UNKNOWN_FIELD").pointers(), ["/surprise"]);
}

#[test]
fn an_id_of_the_wrong_form_is_400_invalid_id() {
    let shop = shared();
    for id in
        ["nonsense", "usr_01h455vb4pex5vsknk084sn02q", "ord_tooshort", "ord_8zzzzzzzzzzzzzzzzzzzzzzzzz", "%00", "%ff"]
    {
        shop.get(&format!("/api/orders/{id}")).expect_problem(400, "INVALID_ID");
        shop.delete(&format!("/api/orders/{id}")).expect_problem(400, "INVALID_ID");
    }
    let body = json!({"items": [{"productId": UNKNOWN_ORDER, "quantity": 1}]});
    assert_eq!(shop.post("/api/orders", &body).expect_problem(400, "INVALID_ID").pointers(), ["/items/0/productId"]);
}

#[test]
fn a_parameter_out_of_range_is_400_invalid_parameter() {
    let shop = shared();
    for limit in ["0", "101", "-1", "ten", "1e3"] {
        shop.get(&format!("/api/orders?limit={limit}")).expect_problem(400, "INVALID_PARAMETER");
    }
    shop.get("/api/orders?status=TELEPORTED").expect_problem(400, "INVALID_PARAMETER");
    let order = shop.order(&shop.product("1.00", 1), 1).text("/orderId");
    let request = shop
        .request(Method::PUT, &format!("/api/orders/{order}"))
        .header("If-Match", "unquoted")
        .json(&json!({"note": "x"}));
    Answer::of(request.send().unwrap()).expect_problem(400, "INVALID_PARAMETER");
    let request = shop.request(Method::GET, &format!("/api/orders/{order}")).header("OMS-Consistency", "nonsense");
    Answer::of(request.send().unwrap()).expect_problem(400, "INVALID_PARAMETER");
    let request = shop.request(Method::POST, "/api/orders").header("Idempotency-Key", "x".repeat(256)).json(&json!({}));
    Answer::of(request.send().unwrap()).expect_problem(400, "INVALID_PARAMETER");
}

#[test]
fn a_foreign_cursor_is_400_invalid_cursor() {
    for cursor in ["nonsense", "AAAA", "%00"] {
        let answer = shared().get(&format!("/api/orders?cursor={cursor}"));
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    shared().get("/api/orders?cursor=bm9uc2Vuc2U").expect_problem(400, "INVALID_CURSOR");
}

#[test]
fn row_2_15_and_2_16_without_a_token_it_is_401_and_with_a_bad_one_everywhere() {
    let shop = shared();
    for (method, path) in [
        (Method::POST, "/api/orders"),
        (Method::GET, "/api/orders"),
        (Method::PUT, "/api/inventory/prod_01h455vb4pex5vsknk084sn02q"),
        (Method::POST, "/graphql"),
        (Method::GET, "/api/invoices?orderId=ord_01h455vb4pex5vsknk084sn02q"),
    ] {
        Answer::of(shop.anonymous(method.clone(), path).send().unwrap()).expect_problem(401, "UNAUTHENTICATED");
        Answer::of(shop.request_as("not-a-token", method, path).send().unwrap()).expect_problem(401, "INVALID_TOKEN");
    }
    // Public routes too: a token that is sent must be valid.
    Answer::of(shop.request_as("not-a-token", Method::GET, "/api/products").send().unwrap())
        .expect_problem(401, "INVALID_TOKEN");
    Answer::of(shop.anonymous(Method::GET, "/api/products").send().unwrap()).expect(200);
}

#[test]
fn row_2_17_a_token_that_was_changed_is_no_token() {
    let shop = shared();
    let parts: Vec<&str> = shop.token.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    for token in
        [format!("{none}.{}.", parts[1]), format!("{}.{}.AAAA", parts[0], parts[1]), format!("{}x", shop.token)]
    {
        Answer::of(shop.request_as(&token, Method::GET, "/api/orders").send().unwrap())
            .expect_problem(401, "INVALID_TOKEN");
    }
}

#[test]
fn a_missing_scope_is_403_insufficient_scope() {
    let shop = shared();
    let reader = shop.token_with("orders:read");
    shop.post_as(&reader, "/api/orders", &json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
    let customer = shop.customer();
    shop.post_as(&customer.token, "/api/products", &json!({})).expect_problem(403, "INSUFFICIENT_SCOPE");
}

#[test]
fn what_is_not_there_is_404_not_found() {
    let shop = shared();
    shop.get(&format!("/api/orders/{UNKNOWN_ORDER}")).expect_problem(404, "NOT_FOUND");
    shop.put(&format!("/api/orders/{UNKNOWN_ORDER}"), &json!({"note": "x"})).expect_problem(404, "NOT_FOUND");
    shop.delete(&format!("/api/orders/{UNKNOWN_ORDER}")).expect_problem(404, "NOT_FOUND");
    shop.get("/api/products/prod_01h455vb4pex5vsknk084sn02q").expect_problem(404, "NOT_FOUND");
    shop.get("/api/inventory/prod_01h455vb4pex5vsknk084sn02q").expect_problem(404, "NOT_FOUND");
    shop.get("/api/invoices/inv_01h455vb4pex5vsknk084sn02q").expect_problem(404, "NOT_FOUND");
    shop.post("/api/invoices", &json!({"orderId": UNKNOWN_ORDER})).expect_problem(404, "NOT_FOUND");
    shop.get("/no/such/path").expect_problem(404, "NOT_FOUND");
}

#[test]
fn a_method_that_a_path_does_not_take_is_405() {
    let shop = shared();
    let answer = Answer::of(shop.request(Method::PATCH, "/api/orders").send().unwrap());
    let allow = answer.header("allow").to_owned();
    answer.expect_problem(405, "METHOD_NOT_ALLOWED");
    assert!(allow.contains("POST"), "{allow}");
}

#[test]
fn a_body_of_two_mebibytes_is_413() {
    let shop = shared();
    let mut body = order_body("prod_01h455vb4pex5vsknk084sn02q", 1);
    body["note"] = json!("x".repeat(2 * 1024 * 1024));
    for path in ["/api/orders", "/api/products", "/graphql", "/auth/login", "/api/invoices"] {
        shop.post(path, &body).expect_problem(413, "BODY_TOO_LARGE");
    }
}

#[test]
fn another_media_type_is_415() {
    let shop = shared();
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let request = shop.request(Method::POST, "/api/orders").header("Content-Type", media_type).body("{}");
        Answer::of(request.send().unwrap()).expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[test]
fn a_sku_is_taken_once() {
    let shop = shared();
    let body = json!({"sku": unique("SKU"), "name": "Lantern", "price": {"amount": "1.00", "currency": "EUR"}});
    shop.post("/api/products", &body).expect(201);
    shop.post("/api/products", &body).expect_problem(409, "SKU_TAKEN");
}

#[test]
fn an_email_address_is_taken_once() {
    let shop = shared();
    let body = json!({"email": shop.customer().email, "password": "correct horse battery staple"});
    shop.post("/auth/register", &body).expect_problem(409, "EMAIL_TAKEN");
}

#[test]
fn an_unpaid_order_is_not_invoiceable() {
    let shop = shared();
    let order = shop.order(&shop.product("1.00", 1), 1).text("/orderId");
    shop.post("/api/invoices", &json!({"orderId": order})).expect_problem(409, "NOT_INVOICEABLE");
}

#[test]
fn a_read_that_waits_for_what_never_comes_is_503_read_timeout() {
    let shop = shared();
    let order = shop.order(&shop.product("1.00", 1), 1).text("/orderId");
    let request =
        shop.request(Method::GET, &format!("/api/orders/{order}")).header("OMS-Consistency", format!("{order}@999"));
    Answer::of(request.send().unwrap()).expect_problem(503, "READ_TIMEOUT");
}

#[test]
fn requests_are_checked_in_one_order_everywhere() {
    let shop = shared();
    let (reader, path) = (shop.token_with("orders:read"), format!("/api/orders/{UNKNOWN_ORDER}"));
    let send = |token: Option<&str>, path: &str, media_type: &str, body: &str| {
        let request = shop.anonymous(Method::PUT, path).header("Content-Type", media_type).header("If-Match", "\"7\"");
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        Answer::of(request.body(body.to_owned()).send().unwrap()).status
    };
    let (json, broken, full) = ("application/json", r#"{"contact": {"email": "nobody"}}"#, Some(shop.token.as_str()));
    assert_eq!(send(None, &path, "text/plain", "{"), 401, "401 before 403");
    assert_eq!(send(Some(&reader), &path, "text/plain", "{"), 403, "403 before 415");
    assert_eq!(send(full, &path, "text/plain", "{"), 415, "415 before 400");
    assert_eq!(send(full, "/api/orders/nonsense", json, "{"), 400, "the JSON before the id");
    assert_eq!(send(full, &path, json, broken), 404, "404 before 412 and 422");
    let order = shop.order(&shop.product("1.00", 1), 1).text("/orderId");
    let path = format!("/api/orders/{order}");
    assert_eq!(send(full, &path, json, broken), 412, "412 before 422");
    shop.delete(&path).expect(200);
    let body = serde_json::from_str(broken).unwrap();
    shop.put(&path, &body).expect_problem(422, "VALIDATION_FAILED");
}

#[test]
fn a_problem_carries_the_trace_it_belongs_to() {
    let shop = shared();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = shop
        .request(Method::GET, &format!("/api/orders/{UNKNOWN_ORDER}"))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .header("X-Request-Id", "request-7");
    let answer = Answer::of(request.send().unwrap()).expect_problem(404, "NOT_FOUND");
    assert_eq!(answer.text("/traceId"), trace);
    assert_eq!(answer.header("x-request-id"), "request-7");
    assert!(answer.header("traceparent").contains(trace));
    assert_eq!(answer.text("/instance"), format!("/api/orders/{UNKNOWN_ORDER}"));
}

#[test]
fn a_media_type_that_nobody_gives_is_406() {
    let shop = shared();
    let request = shop.request(Method::POST, "/graphql").header("Accept", "text/html");
    Answer::of(request.json(&json!({"query": "{ __typename }"})).send().unwrap()).expect_problem(406, "NOT_ACCEPTABLE");
}

#[test]
fn a_reservation_that_was_given_up_is_not_confirmed() {
    let shop = shared();
    let order = shop.order(&shop.product("1.00", 1), 1).text("/orderId");
    shop.delete(&format!("/api/orders/{order}")).expect(200);
    let path = format!("/api/inventory/reservations/{order}");
    eventually("the reservation is released", || (shop.get(&path).body["state"] == "RELEASED").then_some(()));
    shop.post(&format!("{path}/confirm"), &json!({})).expect_problem(409, "ILLEGAL_TRANSITION");
}

#[test]
fn graphql_errors_carry_codes() {
    let shop = shared();
    let code =
        |query: &str| shop.post("/graphql", &json!({"query": query})).body["errors"][0]["extensions"]["code"].clone();
    assert_eq!(code("{ order(id: \"usr_01h455vb4pex5vsknk084sn02q\") { id } }"), "BAD_USER_INPUT");
    assert_eq!(code("{ orders(first: 101) { totalCount } }"), "BAD_USER_INPUT");
    let deep = format!(
        "{{ orders {} }}",
        "{ edges { node { customer { orders ".repeat(20) + "{ totalCount }" + &"} } } }".repeat(20)
    );
    assert_eq!(code(&deep), "QUERY_TOO_COMPLEX");
    let unknown = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0".repeat(64)}}});
    let answer = shop.post("/graphql", &unknown);
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND", "{}", answer.body);
}

#[test]
fn guessing_passwords_is_429_with_the_time_to_wait() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_RATE_LIMIT", "on")]);
    let guess = json!({"email": shop.customer().email, "password": "a wrong password"});
    let limited = (0..50)
        .map(|_| Answer::of(shop.anonymous(Method::POST, "/auth/login").json(&guess).send().unwrap()))
        .find(|answer| answer.status != 401)
        .expect("somebody may guess for ever");
    limited.expect_problem(429, "RATE_LIMITED");
    shop.stop();
}

#[test]
fn more_requests_than_can_be_served_are_503_overloaded() {
    let folder = Folder::new();
    let shop = System::start(&folder, &[("OMS_MAX_CONCURRENT_REQUESTS", "2")]);
    thread::scope(|scope| {
        // Reads that wait for a write that does not come; the look below may take their place for a moment.
        let waiting = || {
            let unwritten = "ord_01h455vb4pex5vsknk084sn02q@1";
            eventually("a read waits", || {
                let request = shop.request(Method::GET, "/api/orders").header("OMS-Consistency", unwritten);
                Some(Answer::of(request.send().unwrap())).filter(|answer| answer.body["code"] == "READ_TIMEOUT")
            })
        };
        let all = [scope.spawn(waiting), scope.spawn(waiting)];
        let refused = eventually("a third request is refused", || {
            Some(shop.get("/api/products")).filter(|answer| answer.status == 503)
        });
        refused.expect_problem(503, "OVERLOADED");
        for request in all {
            request.join().unwrap();
        }
    });
    shop.get("/api/products").expect(200);
    shop.stop();
}
