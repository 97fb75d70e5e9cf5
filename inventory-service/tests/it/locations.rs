//! Where stock lies.

use crate::follows_orders::{line, placed};
use crate::shop::Shop;
use serde_json::{Value, json};
use shared_events::order::{LineQuantity, PaymentMethod, ShipmentDispatched};
use shared_events::{OrderId, ShipmentId};
use test_support::eventually;

async fn north(shop: &Shop) {
    let made = shop.post("/api/locations", json!({"name": "North", "code": "north"})).await;
    assert_eq!((made.status.as_u16(), made.text("/code")), (201, "north"));
}

#[tokio::test]
async fn a_location_is_made_once_and_listed_beside_the_default_one() {
    let shop = Shop::open().await;
    north(&shop).await;
    let named = shop.post("/api/locations", json!({"name": "South Warehouse"})).await;
    assert_eq!(named.text("/code"), "south-warehouse");
    let again = shop.post("/api/locations", json!({"name": "North", "code": "north"})).await;
    assert_eq!(again.status, 201, "the same once more is the same one");
    let taken = shop.post("/api/locations", json!({"name": "Far north", "code": "north"})).await;
    assert_eq!((taken.status.as_u16(), taken.text("/errors/0/pointer")), (422, "/code"));
    for (body, pointer) in [
        (json!({"name": " "}), "/name"),
        (json!({"name": "x", "code": "No Spaces"}), "/code"),
        (json!({"name": "仓库"}), "/code"),
    ] {
        let refused = shop.post("/api/locations", body).await;
        assert_eq!((refused.status.as_u16(), refused.text("/errors/0/pointer")), (422, pointer));
    }
    let page = shop.get("/api/locations?limit=2").await;
    let codes = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&page.body), ["default", "north"]);
    let rest = shop.get(&format!("/api/locations?cursor={}", page.text("/nextCursor"))).await;
    assert_eq!(codes(&rest.body), ["south-warehouse"]);
}

#[tokio::test]
async fn stock_is_counted_at_a_location_and_promised_shop_wide() {
    let shop = Shop::open().await;
    north(&shop).await;
    let product = shop.product("MUG", 3).await;
    let path = format!("/api/inventory/{product}");
    let unknown = shop.put(&path, json!({"onHand": 1, "location": "nowhere"})).await;
    assert_eq!((unknown.status.as_u16(), unknown.text("/errors/0/pointer")), (422, "/location"));
    let counted = shop.put(&path, json!({"onHand": 5, "location": "north"})).await;
    assert_eq!(counted.body["onHand"], 8);
    let places = json!([{"location": "default", "onHand": 3}, {"location": "north", "onHand": 5}]);
    assert_eq!(counted.body["locations"], places);
    assert_eq!(shop.get(&path).await.body, counted.body);
    let more = shop.put(&path, json!({"delta": -2, "location": "north"})).await;
    assert_eq!((&more.body["onHand"], &more.body["locations"][1]["onHand"]), (&json!(6), &json!(3)));
    let fewer_than_none = shop.put(&path, json!({"delta": -4, "location": "north"})).await;
    assert_eq!((fewer_than_none.status.as_u16(), fewer_than_none.code()), (409, "INSUFFICIENT_STOCK"));

    let order = OrderId::generate();
    assert_eq!(shop.reserve(order, 1, &[(product, 6)]).await.status, 201, "both places suffice together");
    let short = shop.reserve(OrderId::generate(), 1, &[(product, 1)]).await;
    assert_eq!(short.code(), "INSUFFICIENT_STOCK");
    let promised = shop.put(&path, json!({"onHand": 2, "location": "north"})).await;
    assert_eq!(promised.status, 409, "what is promised stays, wherever it lies");
    shop.step(order, "release").await;
    let none = shop.put(&path, json!({"onHand": 0, "location": "north"})).await;
    assert!(none.body.get("locations").is_none(), "all lies at the default location again");
    shop.is_consistent().await;
}

#[tokio::test]
async fn a_shipment_leaves_from_its_location_and_from_others_what_that_one_lacks() {
    let shop = Shop::open().await;
    north(&shop).await;
    let product = shop.product("MUG", 3).await;
    let path = format!("/api/inventory/{product}");
    shop.put(&path, json!({"onHand": 5, "location": "north"})).await;
    let order = OrderId::generate();
    let mug = line(product, 7);
    let dispatched = |quantity, location: &str| ShipmentDispatched {
        shipment_id: ShipmentId::generate(),
        lines: vec![LineQuantity { line_id: mug.line_id, quantity }],
        carrier: None,
        tracking_number: None,
        location: location.to_owned(),
        occurred_at: web::request_context::now(),
    };
    let order_placed = placed(std::slice::from_ref(&mug), PaymentMethod::CashOnDelivery, Some(1));
    shop.happens(order, [order_placed.into(), dispatched(4, "north").into()]).await;
    let places = |body: Value| (body["onHand"].clone(), body["reserved"].clone(), body["locations"].clone());
    let after_first = json!([{"location": "default", "onHand": 3}, {"location": "north", "onHand": 1}]);
    let first = (json!(4), json!(3), after_first);
    eventually(|| async { places(shop.get(&path).await.body) == first }).await;
    shop.happens(order, [dispatched(3, "north").into()]).await;
    let second = (json!(1), json!(0), Value::Null);
    eventually(|| async { places(shop.get(&path).await.body) == second }).await;
    shop.is_consistent().await;
}
