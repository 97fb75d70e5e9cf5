//! Rows 0.20 and 1.10: where an order stands, for who knows its number and a proof, and nothing for anybody else.

use crate::shop::{Answer, Shop, caller, client, customer, moment, placed};
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};
use shared_events::{
    Contact, OrderId, UserId,
    order::{OrderConfirmed, OrderPlaced, ShipmentDispatched},
};
use web::{Caller, CallerKind, Consistency, Scopes};

async fn track(shop: &Shop, who: Option<Caller>, path: &str, seen: &Consistency) -> Answer {
    let token = seen.to_string();
    let path = format!("/api/tracking/order/{path}");
    shop.send(who, Method::GET, &path, &[("oms-consistency", &token)], Body::empty()).await
}

async fn shipped(shop: &Shop, who: Option<UserId>, number: &str) -> (OrderId, Consistency) {
    let (id, key) = (OrderId::generate(), shop.keys.make());
    let contact = Contact { email: "Ann@Example.org".into(), phone: Some("+49 170 1234567".into()), name: None };
    let placed = OrderPlaced { contact: Some(contact), ..placed(who, number, moment(0)) };
    let dispatched = ShipmentDispatched {
        shipment_id: placed.shipment_id,
        lines: Vec::new(),
        carrier: Some("DHL".to_owned()),
        tracking_number: Some("JJD0001".to_owned()),
        location: "default".to_owned(),
        occurred_at: moment(200),
    };
    let confirmed = OrderConfirmed { occurred_at: moment(100) };
    let seen = shop.happens(id, &key, [placed.into(), confirmed.into(), dispatched.into()]).await;
    (id, seen)
}

#[tokio::test]
async fn row_0_20_phone_email_token_or_service_token_open_an_order_and_nothing_personal_is_told() {
    let shop = Shop::open().await;
    let ann = UserId::generate();
    let (id, seen) = shipped(&shop, Some(ann), "R-000000020").await;
    let ways = [
        (None, "R-000000020?phone=%2B491701234567"),
        (None, "R-000000020?phone=0170%201234567"),
        (None, "R-000000020?email=ann@example.ORG"),
        (None, "R-000000020?email=nobody@example.org&phone=00491701234567"),
        (Some(customer(ann)), "R-000000020"),
        (Some(customer(UserId::generate())), "R-000000020?email=ann@example.org"),
        (Some(client()), "R-000000020"),
        (Some(Caller::internal()), "R-000000020"),
    ];
    for (who, path) in ways {
        let answer = track(&shop, who, path, &seen).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!((answer.text("/orderNumber"), answer.text("/orderId")), ("R-000000020", &*id.to_string()));
        assert_eq!(answer.header("cache-control"), "no-store");
        for word in ["Ann", "ann@", "Bonn", "53111", "9.99", "24.98", "Way 1", "170", "ring twice", "EUR"] {
            assert!(!answer.body.to_string().contains(word), "{word}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn row_1_10_milestones_and_parcels_are_told_with_their_times() {
    let shop = Shop::open().await;
    let (_, seen) = shipped(&shop, None, "R-000000021").await;
    let answer = track(&shop, None, "R-000000021?email=ann@example.org", &seen).await;
    let at = |seconds| json!(moment(seconds));
    assert_eq!(
        answer.body["milestones"],
        json!([
            {"type": "PLACED", "occurredAt": at(0)},
            {"type": "CONFIRMED", "occurredAt": at(100)},
            {"type": "SHIPPED", "occurredAt": at(200)},
        ])
    );
    let parcel = &answer.body["shipments"][0];
    assert_eq!((&parcel["carrier"], &parcel["trackingNumber"]), (&json!("DHL"), &json!("JJD0001")));
    assert_eq!(
        parcel["events"],
        json!([{"type": "CREATED", "occurredAt": at(0)}, {"type": "DISPATCHED", "occurredAt": at(200)}])
    );
}

#[tokio::test]
async fn row_0_20_whatever_is_wrong_the_answer_is_the_same() {
    let shop = Shop::open().await;
    let ann = UserId::generate();
    let (_, seen) = shipped(&shop, Some(ann), "R-000000022").await;
    let unscoped = caller(&ann.to_string(), CallerKind::Customer, Scopes::parse("openid"));
    let ways = [
        (None, "R-000000022"),
        (None, "R-000000022?phone=&email="),
        (None, "R-000000022?phone=%2B491701234568"),
        (None, "R-000000022?email=ann@example.com"),
        (None, "R-000000099?email=ann@example.org"),
        (None, "%20?email=ann@example.org"),
        (Some(customer(UserId::generate())), "R-000000022"),
        (Some(unscoped), "R-000000022"),
        (Some(Caller::internal()), "R-000000099"),
    ];
    let mut bodies = Vec::new();
    for (who, path) in ways {
        let answer = track(&shop, who, path, &seen).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        let mut body = answer.body;
        for varies in ["instance", "traceId"] {
            body[varies] = Value::Null;
        }
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}
