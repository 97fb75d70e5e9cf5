//! A shop with orders of every kind, its database copied for each test.

use super::damage::{Copy, statement, verify_url};
use crate::system::{Folder, System, eventually, order_body, unique};
use reqwest::Method;
use serde_json::json;
use std::sync::{OnceLock, atomic::AtomicU64, atomic::Ordering};
use test_support::TestDatabase;
use tokio::runtime::Runtime;

/// The database of a shop that is closed.
pub struct Furnished {
    pub database: String,
    _test_database: TestDatabase,
}

static SHOP: OnceLock<Furnished> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(1);

/// What runs the tests' own statements.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// The URL of a new, empty database.
pub fn empty() -> String {
    let database = runtime().block_on(test_support::database());
    let url = database.url().to_owned();
    // It ends with the server.
    std::mem::forget(database);
    url
}

/// The shop, furnished once.
pub fn furnish() -> &'static Furnished {
    SHOP.get_or_init(|| {
        let test_database = runtime().block_on(test_support::database());
        let database = test_database.url().to_owned();
        let folder = Folder::new();
        let shop = System::start(&folder, &[("DATABASE_URL", &database)]);
        fill(&shop);
        eventually("the shop comes to rest", || {
            let verified = verify_url(&database);
            (verified.code == 0 && verified.notes("readers").is_empty()).then_some(())
        });
        shop.stop();
        // Nobody is there to answer what falls due while copies of it are looked at.
        statement(&database, "update orders.timer set due_at = due_at + interval '1 day'");
        Furnished { database, _test_database: test_database }
    })
}

/// A copy of the shop's database, dropped with its owner.
pub fn copy() -> Copy {
    let furnished = furnish();
    let (server, template) = furnished.database.rsplit_once('/').unwrap();
    let name = format!("copy_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let copy = Copy::new(server, name);
    copy.create(template);
    copy
}

fn fill(shop: &System) {
    let (lamp, mug) = (shop.product("12.50", 1000), shop.product("3.99", 1000));
    for _ in 0..12 {
        shop.order(&lamp, 2);
        let paid = shop.order(&mug, 1).text("/orderId");
        shop.pay(&paid, "3.99").expect(200);
    }
    let amended = shop.order(&lamp, 1).text("/orderId");
    shop.put(&format!("/api/orders/{amended}"), &json!({"note": "Back door"})).expect(200);
    shop.put(&format!("/api/orders/{amended}"), &json!({"note": "Front door"})).expect(200);
    for quantity in [3, 1, 2] {
        let items = json!({"items": [{"productId": lamp, "quantity": quantity}, {"productId": mug, "quantity": 1}]});
        shop.put(&format!("/api/orders/{amended}"), &items).expect(200);
    }
    for paid_first in [false, true] {
        let cancelled = shop.order(&lamp, 3).text("/orderId");
        if paid_first {
            shop.pay(&cancelled, "37.50").expect(200);
        }
        shop.post(&format!("/api/orders/{cancelled}/cancel"), &json!({"reason": "changed my mind"})).expect(200);
    }
    let mut both = order_body(&lamp, 1);
    both["items"] = json!([{"productId": lamp, "quantity": 3}, {"productId": mug, "quantity": 4}]);
    let both = shop.post("/api/orders", &both).expect(201);
    let line = both.text("/lines/0/lineId");
    let body = json!({"lines": [{"lineId": line, "quantity": 1}]});
    shop.post(&format!("/api/orders/{}/cancel", both.text("/orderId")), &body).expect(200);
    let mut credit = order_body(&mug, 2);
    credit["paymentMethod"] = json!("invoice");
    let keyed = shop.request(Method::POST, "/api/orders").header("Idempotency-Key", unique("verified"));
    crate::system::Answer::of(keyed.json(&credit).send().unwrap()).expect(201);
    let customer = shop.customer();
    shop.post_as(&customer.token, "/api/orders", &order_body(&lamp, 1)).expect(201);
    let discount = json!({"code": "TEN", "kind": "PERCENTAGE", "value": 10, "limit": 5});
    shop.post("/api/discounts", &discount).expect(201);
    let cart = crate::carts::cart_of(shop, &lamp, 2).text("/cartId");
    shop.post("/api/orders", &json!({"cartId": cart, "discountCode": "TEN"})).expect(201);
    live(shop, &lamp);
    // Somebody is about to place this one.
    let reserved = json!({
        "orderId": "ord_01h455vb4pex5vsknk084sn02q", "items": [{"productId": mug, "quantity": 5}], "ttlSeconds": 86_000,
    });
    shop.post("/api/inventory/reservations", &reserved).expect(201);
}

/// Orders whose goods and money went every way that they can go.
fn live(shop: &System, lamp: &str) {
    let placed = || {
        let placed = shop.order(lamp, 4);
        let path = format!("/api/orders/{}", placed.text("/orderId"));
        (path, placed.text("/lines/0/lineId"), placed.text("/orderId"))
    };
    let lines = |line: &str, quantity: u32| json!([{"lineId": line, "quantity": quantity}]);
    let ship = |path: &str, line: &str, quantity: u32| {
        let made = shop.post(&format!("{path}/shipments"), &json!({"lines": lines(line, quantity)})).expect(201);
        let shipment = format!("{path}/shipments/{}", made.text("/shipmentId"));
        shop.post(&format!("{shipment}/dispatched"), &json!({"carrier": "DHL"})).expect(200);
        shipment
    };
    for (path, line, order) in std::iter::repeat_with(placed).take(3) {
        shop.pay(&order, "50.00").expect(200);
        shop.post(&format!("{path}/inventory/confirm"), &json!({})).expect(200);
        shop.post(&format!("{path}/notes"), &json!({"text": "rings twice"})).expect(200);
        let first = ship(&path, &line, 1);
        shop.post(&format!("{first}/delivered"), &json!({})).expect(200);
        let back = ship(&path, &line, 2);
        shop.post(&format!("{back}/failed"), &json!({"returnedToSender": true})).expect(200);
        let announced = json!({"lines": lines(&line, 1), "reason": "too small"});
        let announced = shop.post(&format!("{path}/returns"), &announced).expect(201);
        shop.post(&format!("{path}/returns/{}/received", announced.text("/returnId")), &json!({})).expect(200);
        let refund =
            shop.post(&format!("{path}/refunds"), &json!({"lines": lines(&line, 1), "reason": "x"})).expect(201);
        shop.post(&format!("{path}/refunds/{}/completed", refund.text("/refundId")), &json!({})).expect(200);
        shop.post(&format!("{path}/cancel"), &json!({"lines": lines(&line, 1)})).expect(200);
        shop.post(&format!("{path}/hold"), &json!({"reason": "x"})).expect(200);
    }
    let (path, line, order) = placed();
    shop.pay(&order, "50.00").expect(200);
    let left = shop.post(&format!("{path}/shipments"), &json!({"lines": lines(&line, 3)})).expect(201);
    ship(&path, &line, 1);
    shop.post(&format!("{path}/cancel"), &json!({})).expect(200);
    shop.post(&format!("{path}/shipments/{}/dispatched", left.text("/shipmentId")), &json!({})).expect(200);
    let (path, _, _) = placed();
    for step in ["release", "reserve", "release"] {
        shop.post(&format!("{path}/inventory/{step}"), &json!({})).expect(200);
    }
    let (path, _, order) = placed();
    shop.post(&format!("{path}/inventory/release"), &json!({})).expect(200);
    shop.post(&format!("{path}/inventory/reserve"), &json!({})).expect(200);
    shop.pay(&order, "50.00").expect(200);
    shop.put(&format!("{path}/status"), &json!({"status": "SHIPPED"})).expect(200);
    shop.put(&format!("{path}/status"), &json!({"status": "DELIVERED"})).expect(200);
    shop.put(&format!("{path}/status"), &json!({"status": "COMPLETED"})).expect(200);
}
