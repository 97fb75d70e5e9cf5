//! Tokens, registration and login, as standard clients use them.

use crate::system::{Answer, Folder, System, eventually, order_body, shared, unique};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::json;
use std::process::Command;

fn post(path: &str) -> RequestBuilder {
    shared().anonymous(Method::POST, path)
}

#[test]
fn row_4_8_and_4_9_a_client_gets_a_token_and_anyone_entitled_may_check_it() {
    let shop = shared();
    let service = shop.client("service");
    let (id, secret) = (service["clientId"].as_str().unwrap(), service["clientSecret"].as_str());
    let form = [("grant_type", "client_credentials"), ("scope", "orders:read inventory:read")];
    let answer = Answer::of(post("/oauth/token").basic_auth(id, secret).form(&form).send().unwrap()).expect(200);
    assert_eq!((answer.body["token_type"].as_str(), answer.header("cache-control")), (Some("Bearer"), "no-store"));
    assert_eq!(answer.body["expires_in"], 600);
    assert_eq!(answer.body["scope"], "orders:read inventory:read");
    let token = answer.text("/access_token");
    for path in ["/oauth/check_token", "/oauth/introspect"] {
        let checked =
            Answer::of(post(path).basic_auth(id, secret).form(&[("token", &token)]).send().unwrap()).expect(200);
        assert_eq!((checked.body["active"].as_bool(), checked.body["client_id"].as_str()), (Some(true), Some(id)));
        let nonsense =
            Answer::of(post(path).basic_auth(id, secret).form(&[("token", "nonsense")]).send().unwrap()).expect(200);
        assert_eq!(nonsense.body, json!({"active": false}));
        assert_eq!(Answer::of(post(path).form(&[("token", &token)]).send().unwrap()).status, 401);
    }
}

#[test]
fn a_token_request_that_is_wrong_is_refused_as_the_rfc_says() {
    let service = shared().client("service");
    let (id, secret) = (service["clientId"].as_str().unwrap(), service["clientSecret"].as_str());
    for (form, code) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "password"), ("username", "a"), ("password", "b")], "unsupported_grant_type"),
        (vec![("grant_type", "client_credentials"), ("scope", "everything")], "invalid_scope"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "nonsense")], "invalid_grant"),
    ] {
        let answer = Answer::of(post("/oauth/token").basic_auth(id, secret).form(&form).send().unwrap()).expect(400);
        assert_eq!(answer.body["error"], code, "{form:?}");
    }
    let form = [("grant_type", "client_credentials")];
    for (id, secret) in [(id, Some("wrong")), ("cli_01h455vb4pex5vsknk084sn02q", secret)] {
        let answer = Answer::of(post("/oauth/token").basic_auth(id, secret).form(&form).send().unwrap()).expect(401);
        assert_eq!(answer.body["error"], "invalid_client");
    }
}

#[test]
fn the_metadata_names_what_is_there() {
    let shop = shared();
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let metadata = Answer::of(shop.anonymous(Method::GET, path).send().unwrap()).expect(200).body;
        assert_eq!(metadata["issuer"], shop.url.as_str());
        let keys = metadata["jwks_uri"].as_str().unwrap().strip_prefix(&shop.url).unwrap().to_owned();
        let keys = Answer::of(shop.anonymous(Method::GET, &keys).send().unwrap()).expect(200).body;
        let key = &keys["keys"][0];
        assert_eq!(
            (key["kty"].as_str(), key["crv"].as_str(), key["alg"].as_str()),
            (Some("EC"), Some("P-256"), Some("ES256"))
        );
        assert!(key.get("d").is_none(), "the private key is published");
    }
}

#[test]
fn row_2_14_and_2_18_and_2_19_a_customer_logs_in_refreshes_and_logs_out() {
    let shop = shared();
    let customer = shop.customer();
    let login = json!({"email": customer.email.to_uppercase(), "password": "correct horse battery staple"});
    let first = Answer::of(post("/auth/login").json(&login).send().unwrap()).expect(200);
    assert_eq!(first.body["tokenType"], "Bearer");
    assert!(first.body["expiresIn"].as_i64().unwrap() > 0);
    let refresh = |token: &str| Answer::of(post("/auth/refresh").json(&json!({"token": token})).send().unwrap());
    let second = refresh(&first.text("/refreshToken")).expect(200);
    assert_ne!(second.text("/refreshToken"), first.text("/refreshToken"));
    let token = second.text("/token");
    shop.get_as(&token, "/api/orders").expect(200);
    Answer::of(shop.request_as(&token, Method::POST, "/auth/logout").send().unwrap()).expect(200);
    assert_eq!(refresh(&second.text("/refreshToken")).status, 401);
    crate::system::eventually("the token is refused everywhere", || {
        (shop.get_as(&token, "/api/orders").status == 401).then_some(())
    });
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_told_apart_by_nothing() {
    let shop = shared();
    let known = json!({"email": shop.customer().email, "password": "wrong horse battery staple"});
    let unknown =
        json!({"email": format!("{}@example.org", unique("nobody")), "password": "wrong horse battery staple"});
    let [known, unknown] = [known, unknown].map(|body| Answer::of(post("/auth/login").json(&body).send().unwrap()));
    assert_eq!((known.status, unknown.status), (401, 401));
    assert_eq!((&known.body["code"], &known.body["detail"]), (&unknown.body["code"], &unknown.body["detail"]));
}

#[test]
fn a_weak_password_is_refused() {
    for password in ["short", "password", "12345678", &"x".repeat(1_025)] {
        let body = json!({"email": format!("{}@example.org", unique("weak")), "password": password});
        let refused =
            Answer::of(post("/auth/register").json(&body).send().unwrap()).expect_problem(422, "VALIDATION_FAILED");
        assert_eq!(refused.pointers(), ["/password"]);
    }
}

#[test]
fn a_token_in_the_query_string_is_ignored() {
    let shop = shared();
    let path = format!("/api/orders?access_token={}", shop.token);
    Answer::of(shop.anonymous(Method::GET, &path).send().unwrap()).expect_problem(401, "UNAUTHENTICATED");
}

#[test]
fn staff_see_every_order_and_customers_their_own() {
    let shop = shared();
    let customer = shop.customer();
    let product = shop.product("1.00", 5);
    shop.order(&product, 1);
    let own = shop.post_as(&customer.token, "/api/orders", &order_body(&product, 1)).expect(201);
    let staff = shop.ready["users"].as_array().unwrap().iter().find(|user| user["role"] == "staff").unwrap();
    let login = json!({"email": staff["email"], "password": staff["password"]});
    let staff = Answer::of(post("/auth/login").json(&login).send().unwrap()).expect(200).text("/token");
    shop.get_after(&own, &format!("/api/orders/{}", own.text("/orderId"))).expect(200);
    assert!(shop.get_as(&staff, "/api/orders").expect(200).body["items"].as_array().unwrap().len() >= 2);
    let listed = shop.get_as(&customer.token, "/api/orders").expect(200).body;
    let ids: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap()).collect();
    assert_eq!(ids, [own.text("/orderId")]);
}

#[test]
fn a_system_replaces_its_signing_key_by_itself_when_that_has_become_old() {
    let folder = Folder::new();
    let keys = |shop: &System| {
        let answer = Answer::of(shop.anonymous(Method::GET, "/.well-known/jwks.json").send().unwrap()).expect(200);
        answer.body["keys"].as_array().unwrap().len()
    };
    let shop = System::start(&folder, &[]);
    assert_eq!(keys(&shop), 1);
    let url = shop.ready["databaseUrl"].as_str().unwrap().to_owned();
    let age = async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let statement = client.execute("UPDATE auth.signing_keys SET created_at = now() - interval '31 days'", &[]);
        tokio::select! { changed = statement => assert_eq!(changed.unwrap(), 1), _ = connection => panic!("it ended") }
    };
    tokio::runtime::Runtime::new().unwrap().block_on(age);
    shop.stop();
    let shop = System::start(&folder, &[]);
    eventually("there is another key", || (keys(&shop) == 2).then_some(()));
    shop.get("/api/orders").expect(200);
}

/// What `oms` says to these words on the shared system, and its exit code.
fn oms(words: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    let output = command.args(words).arg("--ready-file").arg(&shared().ready_file).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn a_role_made_on_the_command_line_opens_what_it_names_in_every_service() {
    let shop = shared();
    let role = unique("warehouse");
    let (said, code) = oms(&["role", "create", &role, "--scope", "inventory:read,inventory:write"]);
    assert_eq!((said, code), (format!("{role}  inventory:read inventory:write\n"), 0));
    assert_eq!(oms(&["role", "create", &role, "--scope", "orders:read"]).1, 2, "the name is taken");
    assert_eq!(oms(&["role", "create", "boss", "--scope", "clients:admin"]).1, 2);

    let email = format!("{}@example.org", unique("picker"));
    let (made, code) = oms(&["user", "create", &email, "--role", &role, "--json"]);
    assert_eq!(code, 0);
    let password = serde_json::from_str::<serde_json::Value>(&made).unwrap()["password"].clone();
    let login = || {
        let body = json!({"email": email, "password": password});
        Answer::of(post("/auth/login").json(&body).send().unwrap()).expect(200).text("/token")
    };
    let product = shop.product("1.00", 5);
    let count = json!({"onHand": 7, "reason": "counted"});
    let put = |token: &str| {
        let request = shop.request_as(token, Method::PUT, &format!("/api/inventory/{product}"));
        Answer::of(request.json(&count).send().unwrap())
    };
    let token = login();
    put(&token).expect(200);
    shop.get_as(&token, "/api/orders").expect_problem(403, "INSUFFICIENT_SCOPE");
    let query = json!({"query": "{ orders { edges { node { number } } } }"});
    let answer = shop.post_as(&token, "/graphql", &query).body;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INSUFFICIENT_SCOPE", "{answer}");
    assert!(!answer.to_string().contains("R-0"), "{answer}");

    let (said, code) = oms(&["role", "change", &role, "--scope", "inventory:read,orders:read"]);
    assert_eq!((said, code), (format!("{role}  orders:read inventory:read\n"), 0));
    eventually("the old login is refused everywhere", || (put(&token).status == 401).then_some(()));
    let token = login();
    put(&token).expect_problem(403, "INSUFFICIENT_SCOPE");
    shop.get_as(&token, "/api/orders").expect(200);

    assert_eq!(oms(&["role", "delete", &role]).1, 2, "somebody has it");
    assert_eq!(oms(&["user", "role", &email, "customer"]).1, 0);
    eventually("the role was taken away", || (shop.get_as(&token, "/api/orders").status == 401).then_some(()));
    assert_eq!(oms(&["role", "delete", &role]).1, 0);
    let (listed, code) = oms(&["role", "list", "--json"]);
    assert!(code == 0 && !listed.contains(&role), "{listed}");
}
