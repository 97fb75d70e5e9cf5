//! Roles of the shop's own, and who has which.

use crate::harness::{Answer, Harness, PASSWORD, claims, json_request};
use auth_service::Role;
use futures_util::join;
use http::Method;
use serde_json::{Value, json};

struct Shop {
    service: Harness,
    admin_id: String,
    admin: String,
}

/// A shop with an admin and the role `warehouse`.
async fn shop() -> Shop {
    let service = Harness::new().await;
    let admin_id = service.user("admin@example.com", Role::Admin).await;
    let admin = service.login("admin@example.com", PASSWORD).await.text("token");
    let shop = Shop { service, admin_id, admin };
    let made = shop.post("/api/roles", &warehouse()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("location"), "/api/roles/warehouse");
    shop
}

fn warehouse() -> Value {
    json!({"name": "warehouse", "scopes": ["shipments:write", "inventory:read"]})
}

impl Shop {
    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.service.post_as(&self.admin, path, body).await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.service.send(json_request(Method::PUT, path, Some(&self.admin), body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.service.call_as(Method::DELETE, &self.admin, path).await
    }

    /// Somebody with the role `warehouse`; where they are found, and their login.
    async fn picker(&self) -> (String, Answer) {
        let body = json!({"email": "picker@example.com", "password": PASSWORD, "role": "warehouse"});
        let made = self.post("/api/users", &body).await;
        assert_eq!((made.status.as_u16(), &made.body["role"]), (201, &json!("warehouse")), "{}", made.body);
        let login = self.service.login("picker@example.com", PASSWORD).await;
        assert_eq!(login.status, 200, "{}", login.body);
        (made.header("location").to_owned(), login)
    }

    async fn is_over(&self, login: &Answer) {
        let answer = self.service.get_as(&login.text("token"), "/oauth/userinfo").await;
        assert_eq!(answer.error(), (401, "INVALID_TOKEN"), "the access token is refused at once");
        let refreshed = self.service.post("/auth/refresh", &json!({"token": login.text("refreshToken")})).await;
        assert_eq!(refreshed.error(), (401, "INVALID_TOKEN"));
    }

    async fn scope_of_next_login(&self) -> String {
        let login = self.service.login("picker@example.com", PASSWORD).await;
        claims(&login.text("token"))["scope"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_role_of_the_shops_own_gives_its_scopes_and_no_others() {
    let shop = shop().await;
    let (_, login) = shop.picker().await;
    let claims = claims(&login.text("token"));
    assert_eq!(claims["role"], "staff", "every service knows what it is");
    assert_eq!(claims["scope"], "inventory:read shipments:write openid profile email");
    let refused = shop.service.get_as(&login.text("token"), "/api/users").await;
    assert_eq!(refused.error(), (403, "INSUFFICIENT_SCOPE"));
    let refreshed = shop.service.post("/auth/refresh", &json!({"token": login.text("refreshToken")})).await;
    assert_eq!(crate::harness::claims(&refreshed.text("token"))["scope"], claims["scope"]);
}

#[tokio::test]
async fn a_role_that_gets_other_scopes_ends_the_logins_it_gave_and_no_others() {
    let shop = shop().await;
    let (_, login) = shop.picker().await;
    let same = json!({"scopes": ["inventory:read", "shipments:write"]});
    assert_eq!(shop.put("/api/roles/warehouse", &same).await.body["version"], 1, "nothing is another");
    assert_eq!(shop.service.get_as(&login.text("token"), "/oauth/userinfo").await.status, 200);
    let changed = shop.put("/api/roles/warehouse", &json!({"scopes": ["inventory:read"]})).await;
    assert_eq!((changed.status.as_u16(), &changed.body["version"]), (200, &json!(2)), "{}", changed.body);
    shop.is_over(&login).await;
    assert_eq!(shop.scope_of_next_login().await, "inventory:read openid profile email");
    assert_eq!(shop.service.get_as(&shop.admin, "/api/roles").await.status, 200, "the admin's login goes on");
}

#[tokio::test]
async fn a_user_who_gets_another_role_has_to_log_in_again() {
    let shop = shop().await;
    let (path, login) = shop.picker().await;
    assert_eq!(shop.put(&path, &json!({"role": "warehouse"})).await.status, 200);
    assert_eq!(shop.service.get_as(&login.text("token"), "/oauth/userinfo").await.status, 200, "they had it before");
    let changed = shop.put(&path, &json!({"role": "customer"})).await;
    assert_eq!((changed.status.as_u16(), &changed.body["role"]), (200, &json!("customer")), "{}", changed.body);
    assert_eq!(shop.service.get_as(&shop.admin, &path).await.body, changed.body);
    shop.is_over(&login).await;
    assert!(!shop.scope_of_next_login().await.contains("shipments:write"));
    let unknown = shop.put(&path, &json!({"role": "boss"})).await;
    assert_eq!((unknown.error(), &unknown.body["errors"][0]["pointer"]), ((422, "VALIDATION_FAILED"), &json!("/role")));
    let nobody = shop.put("/api/users/usr_01h455vb4pex5vsknk084sn02q", &json!({"role": "staff"})).await;
    assert_eq!(nobody.error(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn the_last_admin_keeps_the_role() {
    let shop = shop().await;
    let own = format!("/api/users/{}", shop.admin_id);
    for role in ["staff", "customer", "warehouse"] {
        assert_eq!(shop.put(&own, &json!({"role": role})).await.error(), (409, "ILLEGAL_TRANSITION"), "{role}");
    }
}

#[tokio::test]
async fn two_admins_who_take_the_role_from_each_other_at_the_same_time_leave_one() {
    for round in 0..3 {
        let shop = shop().await;
        let other = shop.service.user("other@example.com", Role::Admin).await;
        let other_token = shop.service.login("other@example.com", PASSWORD).await.text("token");
        let take = async |token: &str, from: &str| {
            let request =
                json_request(Method::PUT, &format!("/api/users/{from}"), Some(token), &json!({"role": "staff"}));
            shop.service.send(request).await.status.as_u16()
        };
        let both = join!(take(&shop.admin, &other), take(&other_token, &shop.admin_id));
        let won = [both.0, both.1].iter().filter(|status| **status == 200).count();
        assert_eq!(won, 1, "round {round}: {both:?}");
        let admins = "SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL";
        let row = shop.service.pool.get().await.unwrap().query_one(admins, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 1, "round {round}");
    }
}

#[tokio::test]
async fn roles_are_listed_page_by_page_with_those_that_every_shop_has() {
    let shop = shop().await;
    let mut names = Vec::new();
    let mut path = "/api/roles?limit=3".to_owned();
    loop {
        let page = shop.service.get_as(&shop.admin, &path).await;
        let items = page.body["items"].as_array().unwrap();
        names.extend(items.iter().map(|role| (role["name"].as_str().unwrap().to_owned(), role["builtIn"] == true)));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/api/roles?limit=3&cursor={cursor}");
    }
    let expected = [("admin", true), ("customer", true), ("staff", true), ("warehouse", false)];
    assert_eq!(names, expected.map(|(name, built_in)| (name.to_owned(), built_in)));
}

#[tokio::test]
async fn a_role_that_breaks_a_rule_is_not_made_and_one_that_somebody_has_is_not_deleted() {
    let shop = shop().await;
    for (body, pointer) in [
        (warehouse(), "/name"),
        (json!({"name": "staff", "scopes": ["orders:read"]}), "/name"),
        (json!({"name": "Second Line", "scopes": ["orders:read"]}), "/name"),
        (json!({"name": "empty", "scopes": []}), "/scopes"),
        (json!({"name": "boss", "scopes": ["orders:read", "clients:admin"]}), "/scopes/1"),
        (json!({"name": "odd", "scopes": ["surprise"]}), "/scopes/0"),
    ] {
        let refused = shop.post("/api/roles", &body).await;
        assert_eq!(refused.error(), (422, "VALIDATION_FAILED"), "{body}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let (picker, _) = shop.picker().await;
    assert_eq!(shop.delete("/api/roles/warehouse").await.error(), (409, "ILLEGAL_TRANSITION"));
    assert_eq!(shop.put(&picker, &json!({"role": "staff"})).await.status, 200);
    assert_eq!(shop.delete("/api/roles/warehouse").await.status, 204);
    assert_eq!(shop.delete("/api/roles/warehouse").await.error(), (404, "NOT_FOUND"));
    let scopes = json!({"scopes": ["orders:read"]});
    assert_eq!(shop.put("/api/roles/warehouse", &scopes).await.error(), (404, "NOT_FOUND"));
    assert_eq!(shop.put("/api/roles/admin", &scopes).await.error(), (409, "ILLEGAL_TRANSITION"));
    assert_eq!(shop.delete("/api/roles/customer").await.error(), (409, "ILLEGAL_TRANSITION"));
    let unknown = json!({"email": "late@example.com", "password": PASSWORD, "role": "warehouse"});
    assert_eq!(shop.post("/api/users", &unknown).await.body["errors"][0]["pointer"], "/role");

    let audit = shop.service.get_as(&shop.admin, "/api/audit-events?subject=warehouse").await;
    let told = |field: &str| {
        audit.body["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect::<Vec<_>>()
    };
    assert_eq!(told("action"), ["ROLE_DELETED", "ROLE_CREATED"]);
    assert_eq!(told("actor"), [shop.admin_id.as_str(); 2]);
}

#[tokio::test]
async fn nobody_but_an_administrator_makes_roles_or_gives_them() {
    let shop = shop().await;
    let (path, login) = shop.picker().await;
    let token = login.text("token");
    let admin = json!({"role": "admin"});
    let own = shop.service.send(json_request(Method::PUT, &path, Some(&token), &admin)).await;
    assert_eq!(own.error(), (403, "INSUFFICIENT_SCOPE"));
    assert_eq!(shop.service.post_as(&token, "/api/roles", &warehouse()).await.error(), (403, "INSUFFICIENT_SCOPE"));
    assert_eq!(shop.service.get_as(&token, "/api/roles").await.error(), (403, "INSUFFICIENT_SCOPE"));
}
