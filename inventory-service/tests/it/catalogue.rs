//! Products, prices and carts.

use crate::shop::{Shop, caller};
use http::Method;
use serde_json::{Value, json};
use shared_events::ProductId;
use test_support::eventually;
use web::{CallerKind, Scopes};

fn mug() -> Value {
    json!({"sku": "MUG-1", "name": "Mug", "price": {"amount": "9.99", "currency": "EUR"}})
}

#[tokio::test]
async fn a_product_that_was_made_can_be_read_without_a_token() {
    let shop = Shop::open().await;
    let made = shop.post("/api/products", mug()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.text("/productId").to_owned();
    assert_eq!(made.header("location"), format!("/api/products/{id}"));
    assert_eq!(made.header("etag"), "\"2\"");
    assert_eq!(made.header("oms-consistency"), format!("{id}@2"));
    let read = shop.send_as(None, Method::GET, &format!("/api/products/{id}"), Value::Null, &[]).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.body, made.body);
    assert_eq!(read.body["price"], json!({"amount": "9.99", "currency": "EUR"}));
    assert_eq!(read.body["status"], "ACTIVE");
    assert_eq!(shop.types(&id).await, ["ProductCreated", "PriceSet"]);
}

#[tokio::test]
async fn a_sku_is_taken_once() {
    let shop = Shop::open().await;
    shop.post("/api/products", mug()).await;
    let second = shop.post("/api/products", mug()).await;
    assert_eq!((second.status.as_u16(), second.code()), (409, "SKU_TAKEN"));
    let other = shop.product("CUP-1", 0).await;
    let renamed = shop.put(&format!("/api/products/{other}"), json!({"sku": "MUG-1"})).await;
    assert_eq!((renamed.status.as_u16(), renamed.code()), (409, "SKU_TAKEN"));
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_with_its_place() {
    let shop = Shop::open().await;
    let wrong = json!({"sku": " ", "name": "", "price": {"amount": "-1.00", "currency": "EUR"}});
    let refused = shop.post("/api/products", wrong).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "VALIDATION_FAILED"));
    let pointers: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(pointers, ["/sku", "/name", "/price"]);
    let missing = shop.post("/api/products", json!({"sku": "A"})).await;
    assert_eq!((missing.status.as_u16(), missing.code()), (422, "VALIDATION_FAILED"));
    let mut surprise = mug();
    surprise["surprise"] = json!(1);
    let unknown = shop.post("/api/products", surprise).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (400, "UNKNOWN_FIELD"));
    let no_id = shop.get("/api/products/ord_01h455vb4pex5vsknk084sn02q").await;
    assert_eq!((no_id.status.as_u16(), no_id.code()), (400, "INVALID_ID"));
    let absent = shop.get(&format!("/api/products/{}", ProductId::generate())).await;
    assert_eq!((absent.status.as_u16(), absent.code()), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn only_the_catalogues_keepers_may_change_it() {
    let shop = Shop::open().await;
    let as_ = async |caller| shop.send_as(caller, Method::POST, "/api/products", mug(), &[]).await.status.as_u16();
    assert_eq!(as_(None).await, 401);
    assert_eq!(as_(Some(caller(CallerKind::Customer, Scopes::all()))).await, 403);
    assert_eq!(as_(Some(caller(CallerKind::Client, Scopes::parse("inventory:write")))).await, 403);
    assert_eq!(as_(Some(caller(CallerKind::Client, Scopes::parse("catalog:write")))).await, 201);
}

#[tokio::test]
async fn a_repeated_request_with_one_key_makes_one_product() {
    let shop = Shop::open().await;
    let send = async || {
        shop.send_as(Some(crate::shop::client()), Method::POST, "/api/products", mug(), &[("idempotency-key", "k-1")])
            .await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(first.header("oms-consistency"), second.header("oms-consistency"));
    assert_eq!(shop.get("/api/products").await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_needs_the_version_that_it_names() {
    let shop = Shop::open().await;
    let product = shop.product("MUG-1", 0).await;
    let path = format!("/api/products/{product}");
    let put = async |tag: &str, body: Value| {
        shop.send_as(Some(crate::shop::client()), Method::PUT, &path, body, &[("if-match", tag)]).await
    };
    let changed = put("\"2\"", json!({"name": "Big mug", "description": "Holds a lot"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.header("etag"), "\"3\"");
    assert_eq!(changed.body["sku"], "MUG-1");
    let stale = put("\"2\"", json!({"name": "Small mug"})).await;
    assert_eq!((stale.status.as_u16(), stale.code()), (412, "VERSION_MISMATCH"));
    let same = shop.put(&path, json!({"name": "Big mug"})).await;
    assert_eq!(same.header("etag"), "\"3\"");
    let bare = shop.put(&path, json!({"description": null})).await;
    assert_eq!(bare.body["description"], Value::Null);
}

#[tokio::test]
async fn an_archived_product_is_no_longer_listed() {
    let shop = Shop::open().await;
    let product = shop.product("MUG-1", 0).await;
    let path = format!("/api/products/{product}");
    let archived = shop.send(Method::DELETE, &path, Value::Null).await;
    assert_eq!((archived.status.as_u16(), &archived.body["status"]), (200, &json!("ARCHIVED")));
    let again = shop.send(Method::DELETE, &path, Value::Null).await;
    assert_eq!((again.status.as_u16(), &again.body["version"]), (200, &archived.body["version"]));
    assert_eq!(shop.get("/api/products?sku=MUG-1").await.body["items"], json!([]));
    assert_eq!(shop.get(&path).await.body["status"], "ARCHIVED");
    let back = shop.put(&path, json!({"status": "ACTIVE"})).await;
    assert_eq!(back.body["status"], "ACTIVE");
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let shop = Shop::open().await;
    for number in 0..5 {
        shop.product(&format!("SKU_{number}"), 0).await;
    }
    let mut skus = Vec::new();
    let mut path = "/api/products?limit=2".to_owned();
    loop {
        let page = shop.get(&path).await;
        skus.extend(page.body["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        assert!(page.header("link").contains("rel=\"next\""));
        path = format!("/api/products?limit=2&cursor={cursor}");
    }
    assert_eq!(skus, ["SKU_0", "SKU_1", "SKU_2", "SKU_3", "SKU_4"]);
    let found = shop.get("/api/products?q=sku_3").await;
    assert_eq!(found.body["items"].as_array().unwrap().len(), 1, "an underscore is no wildcard");
    assert_eq!(shop.get("/api/products?limit=0").await.code(), "INVALID_PARAMETER");
    assert_eq!(shop.get("/api/products?cursor=x").await.code(), "INVALID_CURSOR");
}

#[tokio::test]
async fn a_future_price_takes_effect_by_itself() {
    let shop = Shop::open().await;
    let product = shop.product("MUG-1", 0).await;
    let path = format!("/api/products/{product}/prices");
    let price = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let soon = web::request_context::now() + chrono::TimeDelta::milliseconds(700);
    let set = shop.post(&path, json!({"price": price("8.00"), "validFrom": soon})).await;
    assert_eq!(set.status, 201, "{set:?}");
    assert_eq!(set.header("etag"), "\"3\"");
    let history = shop.get(&path).await.body;
    assert_eq!(history["items"][0]["price"], price("9.99"));
    assert_eq!(history["items"][0]["validTo"], set.body["validFrom"]);
    assert_eq!(history["items"][1]["validTo"], Value::Null);
    eventually(|| async { shop.get(&format!("/api/products/{product}")).await.body["price"] == price("8.00") }).await;
    let at = async |moment: &str| shop.get(&format!("{path}?at={moment}")).await.body["items"].clone();
    assert_eq!(at("2001-01-01T00:00:00Z").await, json!([]));
    assert_eq!(at("2999-01-01T00:00:00Z").await[0]["price"], price("8.00"));
    let yen = shop.post(&path, json!({"price": {"amount": "1200", "currency": "JPY"}})).await;
    assert_eq!(yen.status, 201);
    assert_eq!(shop.get(&format!("/api/products/{product}")).await.body["prices"].as_array().unwrap().len(), 2);
    let wrong = shop.post(&path, json!({"price": {"amount": "1.234", "currency": "EUR"}})).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (422, "VALIDATION_FAILED"));
}

#[tokio::test]
async fn a_cart_is_looked_at_item_by_item_with_the_demand_of_duplicates_summed() {
    let shop = Shop::open().await;
    let (mug, cup, old) = (shop.product("MUG", 3).await, shop.product("CUP", 5).await, shop.product("OLD", 5).await);
    shop.send(Method::DELETE, &format!("/api/products/{old}"), Value::Null).await;
    let unknown = ProductId::generate();
    let item = |product: ProductId, quantity: i64| json!({"productId": product, "quantity": quantity});
    let items = [item(mug, 2), item(cup, 5), item(mug, 2), item(old, 1), item(unknown, 1)];
    for path in ["/api/products/validate-cart", "/products/validate-cart"] {
        let answer = shop.post(path, json!({"items": items, "currency": "EUR"})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["valid"], false);
        let codes: Vec<_> = answer.body["lines"].as_array().unwrap().iter().map(|line| line["code"].clone()).collect();
        let short = json!("INSUFFICIENT_STOCK");
        assert_eq!(codes, [short.clone(), Value::Null, short, json!("PRODUCT_ARCHIVED"), json!("UNKNOWN_PRODUCT")]);
        assert_eq!(answer.body["lines"][0]["available"], 3);
        assert_eq!(answer.body["lines"][1]["unitPrice"], json!({"amount": "9.99", "currency": "EUR"}));
    }
    let fine = shop.post("/api/products/validate-cart", json!({"items": [item(mug, 3)]})).await;
    assert_eq!(fine.body["valid"], true);
    let dear = shop.post("/api/products/validate-cart", json!({"items": [item(mug, 1)], "currency": "USD"})).await;
    assert_eq!(dear.body["lines"][0]["code"], "NO_PRICE");
    let none = shop.post("/api/products/validate-cart", json!({"items": [item(mug, 0)]})).await;
    assert_eq!((none.status.as_u16(), none.text("/errors/0/pointer")), (422, "/items/0/quantity"));
}

#[tokio::test]
async fn other_services_look_products_up_in_one_call() {
    let shop = Shop::open().await;
    let (mug, cup) = (shop.product("MUG", 0).await, shop.product("CUP", 0).await);
    let ids = [cup, ProductId::generate(), mug];
    let found = shop.post("/internal/products/lookup", json!({"productIds": ids, "currency": "EUR"})).await;
    let skus: Vec<_> = found.body["products"].as_array().unwrap().iter().map(|p| p["sku"].clone()).collect();
    assert_eq!(skus, ["MUG", "CUP"]);
    assert_eq!(found.body["products"][0]["unitPrice"], json!({"amount": "9.99", "currency": "EUR"}));
    let customer = Some(caller(CallerKind::Customer, Scopes::all()));
    let refused =
        shop.send_as(customer, Method::POST, "/internal/products/lookup", json!({"productIds": ids}), &[]).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn many_products_are_made_or_changed_by_their_sku_line_by_line() {
    let shop = Shop::open().await;
    let cup = shop.product("CUP-1", 0).await;
    let many: Vec<_> = (0..150)
        .map(|number| json!({"sku": format!("S-{number}"), "name": "Saucer", "price": {"amount": "1.00", "currency": "EUR"}}))
        .collect();
    let mut lines: Vec<String> = many.iter().map(Value::to_string).collect();
    lines.insert(1, "{".to_owned());
    lines.insert(2, json!({"sku": "CUP-1", "name": "Cup", "price": {"amount": "2.00", "currency": "EUR"}}).to_string());
    lines.push(json!({"sku": "S-7", "name": "Saucer 7", "price": {"amount": "1.00", "currency": "EUR"}}).to_string());
    lines.push(json!({"sku": "", "name": "x", "price": {"amount": "1.001", "currency": "EUR"}}).to_string());
    let answer = shop.bulk("/api/products/bulk", &lines.join("\n")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let counts = ["created", "updated", "existing", "rejected"].map(|name| answer.body[name].as_u64().unwrap());
    assert_eq!(counts, [150, 2, 0, 2]);
    let line = |index: usize| &answer.body["items"][index];
    assert_eq!((line(1)["line"].as_u64(), line(1)["code"].as_str()), (Some(2), Some("MALFORMED_JSON")));
    assert_eq!(
        (line(2)["outcome"].as_str(), line(2)["productId"].as_str()),
        (Some("updated"), Some(cup.to_string().as_str()))
    );
    let pointers: Vec<_> = line(153)["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(pointers, ["/sku", "/price"]);
    let saucer = line(9)["productId"].as_str().unwrap();
    assert_eq!(shop.types(saucer).await, ["ProductCreated", "PriceSet", "ProductUpdated"]);
    assert_eq!(line(152)["productId"], saucer);

    let again = shop.bulk("/api/products/bulk?existing=keep", &lines.join("\n")).await;
    assert_eq!((again.body["existing"].as_u64(), again.body["updated"].as_u64()), (Some(152), Some(0)));
    let read = shop.send_as(None, Method::GET, &format!("/api/products/{saucer}"), Value::Null, &[]).await;
    assert_eq!(read.body["name"], "Saucer 7");
    let few = many[..3].iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let same = shop.bulk("/api/products/bulk", &few);
    assert_eq!(same.await.body["existing"], 3);
    assert_eq!(shop.bulk("/api/products/bulk", "").await.body["items"], json!([]));
}
