//! Stock under concurrency: never oversold, never lost, always explained.

use crate::system::{Answer, eventually, order_body, shared};
use reqwest::Method;
use serde_json::json;
use std::{sync::Mutex, thread};

#[test]
fn row_2_8_eighty_buyers_of_twenty_five_pieces_make_exactly_twenty_five_orders() {
    let shop = shared();
    let product = shop.product("5.00", 25);
    let answers: Mutex<Vec<Answer>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let answer = shop.post("/api/orders", &order_body(&product, 1));
                    answers.lock().unwrap().push(answer);
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    let (placed, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((placed.len(), refused.len()), (25, 55));
    for answer in refused {
        let problem = answer.clone().expect_problem(409, "INSUFFICIENT_STOCK");
        let short = &problem.body["unavailable"][0];
        assert_eq!((short["productId"].as_str(), short["requested"].as_i64()), (Some(product.as_str()), Some(1)));
        assert_eq!(short["available"], 0);
    }
    assert_eq!(shop.stock(&product), [25, 25, 0]);
}

#[test]
fn row_2_7_a_shortage_names_every_short_line_and_reserves_nothing() {
    let shop = shared();
    let (plenty, few, none) = (shop.product("1.00", 100), shop.product("1.00", 2), shop.product("1.00", 0));
    let mut body = order_body(&plenty, 5);
    body["items"] = json!([
        {"productId": plenty, "quantity": 5},
        {"productId": few, "quantity": 2}, {"productId": few, "quantity": 1},
        {"productId": none, "quantity": 1},
    ]);
    let problem = shop.post("/api/orders", &body).expect_problem(409, "INSUFFICIENT_STOCK");
    let mut short: Vec<(String, i64, i64)> = problem.body["unavailable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["productId"].as_str().unwrap().to_owned(),
                line["requested"].as_i64().unwrap(),
                line["available"].as_i64().unwrap(),
            )
        })
        .collect();
    short.sort();
    let mut expected = vec![(few.clone(), 3, 2), (none.clone(), 1, 0)];
    expected.sort();
    assert_eq!(short, expected);
    assert_eq!(shop.stock(&plenty), [100, 0, 100]);
    assert_eq!(shop.stock(&few), [2, 0, 2]);
}

#[test]
fn a_reservation_without_an_order_is_given_up_by_itself() {
    let shop = shared();
    let product = shop.product("1.00", 10);
    let body = json!({"orderId": uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, crate::system::unique("order").as_bytes()), "items": [{"productId": product, "quantity": 4}], "ttlSeconds": 1});
    shop.post("/api/inventory/reservations", &body).expect(201);
    assert_eq!(shop.stock(&product), [10, 4, 6]);
    eventually("the reservation expires", || (shop.stock(&product) == [10, 0, 10]).then_some(()));
}

#[test]
fn a_placed_order_keeps_its_reservation_beyond_the_pending_time() {
    let shop = shared();
    let product = shop.product("1.00", 10);
    let placed = shop.order(&product, 4);
    let path = format!("/api/inventory/reservations/{}", placed.text("/orderId"));
    let attached = eventually("the reservation is attached", || {
        let reservation = shop.get(&path).expect(200);
        (reservation.body["state"] == "ATTACHED").then_some(reservation)
    });
    assert_eq!(attached.body["expiresAt"], serde_json::Value::Null);
    assert_eq!(shop.stock(&product), [10, 4, 6]);
}

#[test]
fn row_4_5_and_4_6_stock_is_set_and_changed_with_a_reason_and_never_below_what_is_promised() {
    let shop = shared();
    let product = shop.product("1.00", 10);
    let path = format!("/api/inventory/{product}");
    let counted = shop.put(&path, &json!({"delta": -3, "reason": "broken"})).expect(200);
    assert_eq!((counted.body["onHand"].as_i64(), counted.body["available"].as_i64()), (Some(7), Some(7)));
    assert!(counted.body["version"].as_i64().unwrap() >= 2);
    shop.order(&product, 5);
    let refused = shop.put(&path, &json!({"onHand": 4, "reason": "counted"}));
    assert!(matches!(refused.status, 409 | 422), "{}", refused.body);
    assert_eq!(shop.stock(&product), [7, 5, 2]);
    for body in [
        json!({"reason": "nothing"}),
        json!({"onHand": 1, "delta": 1, "reason": "both"}),
        json!({"onHand": -1, "reason": "less"}),
    ] {
        shop.put(&path, &body).expect_problem(422, "VALIDATION_FAILED");
    }
}

#[test]
fn an_update_of_stock_that_was_changed_meanwhile_is_refused() {
    let shop = shared();
    let product = shop.product("1.00", 10);
    let path = format!("/api/inventory/{product}");
    let etag = shop.get(&path).header("etag").to_owned();
    shop.put(&path, &json!({"delta": 1, "reason": "found"})).expect(200);
    let body = json!({"delta": 1, "reason": "found again"});
    let stale = shop.request(Method::PUT, &path).header("If-Match", etag).json(&body);
    Answer::of(stale.send().unwrap()).expect_problem(412, "VERSION_MISMATCH");
    assert_eq!(shop.stock(&product)[0], 11);
}

#[test]
fn concurrent_deliveries_and_orders_conserve_every_piece() {
    let shop = shared();
    let product = shop.product("1.00", 40);
    let placed = Mutex::new(0_i64);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    shop.put(&format!("/api/inventory/{product}"), &json!({"delta": 1, "reason": "delivery"}))
                        .expect(200);
                    if shop.post("/api/orders", &order_body(&product, 3)).status == 201 {
                        *placed.lock().unwrap() += 3;
                    }
                }
            });
        }
    });
    let promised = placed.into_inner().unwrap();
    assert_eq!(shop.stock(&product), [80, promised, 80 - promised]);
}

#[test]
fn row_0_3_a_cart_is_checked_line_by_line() {
    let shop = shared();
    let (good, short) = (shop.product("2.50", 10), shop.product("1.00", 1));
    let unknown = "prod_01h455vb4pex5vsknk084sn02q";
    for path in ["/api/products/validate-cart", "/products/validate-cart"] {
        let body = json!({"currency": "EUR", "items": [
            {"productId": good, "quantity": 2}, {"productId": short, "quantity": 2}, {"productId": unknown, "quantity": 1},
        ]});
        let checked = shop.post(path, &body).expect(200).body;
        assert_eq!(checked["valid"], false);
        let valid: Vec<bool> =
            checked["lines"].as_array().unwrap().iter().map(|line| line["valid"].as_bool().unwrap()).collect();
        assert_eq!(valid, [true, false, false]);
        assert_eq!(checked["lines"][0]["unitPrice"], json!({"amount": "2.50", "currency": "EUR"}));
        assert_eq!(checked["lines"][0]["available"], 10);
        assert_eq!(checked["lines"][1]["code"], "INSUFFICIENT_STOCK");
        let body = json!({"currency": "EUR", "items": [{"productId": good, "quantity": 10}]});
        assert_eq!(shop.post(path, &body).expect(200).body["valid"], true);
    }
}
