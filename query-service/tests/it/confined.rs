//! Customers see what is theirs and nothing else, on every path.

use crate::shop::{Shop, caller, customer, nothing};
use serde_json::{Value, json};
use shared_events::UserId;
use web::{CallerKind, Scopes};

#[tokio::test]
async fn a_foreign_order_is_not_there_on_any_path() {
    let shop = Shop::open().await;
    let (ann, bob) = (UserId::generate(), UserId::generate());
    let (anns, _, first) = shop.place(Some(ann), "R-000000010").await;
    let (bobs, _, second) = shop.place(Some(bob), "R-000000011").await;
    let (guests, _, third) = shop.place(None, "R-000000012").await;
    let seen = web::Consistency([first.0, second.0, third.0].concat());

    for (id, number) in [(bobs, "R-000000011"), (guests, "R-000000012")] {
        for path in [
            format!("/api/orders/{id}"),
            format!("/api/orders/{id}/status"),
            format!("/api/orders/{id}/events"),
            format!("/orders/{id}"),
            format!("/order/{id}"),
            format!("/order/{id}/status"),
            format!("/orders/{number}"),
            format!("/order/{number}/status"),
        ] {
            let answer = shop.get_as(customer(ann), &path, &seen).await;
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
        }
    }
    for path in [
        format!("/api/orders/user/{bob}"),
        format!("/orders/user/{bob}"),
        format!("/user/{bob}/orders"),
        format!("/orders/{bob}"),
        format!("/order/{bob}"),
        format!("/api/orders?customerId={bob}"),
    ] {
        assert_eq!(shop.get_as(customer(ann), &path, &seen).await.status, 404, "{path}");
    }
    for path in ["/api/orders".to_owned(), format!("/api/orders?customerId={ann}"), format!("/orders/{ann}")] {
        let answer = shop.get_as(customer(ann), &path, &seen).await;
        let ids: Vec<&Value> = answer.body["items"].as_array().unwrap().iter().map(|item| &item["orderId"]).collect();
        assert_eq!(ids, [&json!(anns)], "{path}");
    }

    let query = "query Q($bobs: ID!, $guests: ID!, $bob: ID!, $ann: ID!) {
        order(id: $bobs) { id }
        byNumber: order(number: \"R-000000011\") { id }
        guest: order(id: $guests) { id }
        node(id: $bobs) { id }
        nodes(ids: [$bobs, $guests, $bob]) { id }
        customer(id: $bob) { id email orders { totalCount } }
        orders { totalCount nodes { id } }
        asked: orders(filter: {customerId: $bob}) { totalCount nodes { id } }
        numbered: orders(filter: {number: \"R-000000011\"}) { totalCount }
        me { id orders { totalCount nodes { id } } foreign: orders(filter: {customerId: $bob}) { totalCount nodes { id } } }
        own: customer(id: $ann) { orders { nodes { id } } }
    }";
    let variables = json!({"bobs": bobs, "guests": guests, "bob": bob, "ann": ann});
    let answer = shop.query_as(customer(ann), query, variables, &seen).await;
    assert!(answer.body.get("errors").is_none(), "{answer:?}");
    let data = &answer.body["data"];
    for path in ["/order", "/byNumber", "/guest", "/node", "/nodes/0", "/nodes/1", "/nodes/2", "/customer"] {
        assert_eq!(data.pointer(path), Some(&Value::Null), "{path}");
    }
    let own = json!([{"id": anns}]);
    assert_eq!(data["orders"], json!({"totalCount": 1, "nodes": own}));
    assert_eq!(data["me"]["orders"], json!({"totalCount": 1, "nodes": own}));
    assert_eq!(data["own"]["orders"]["nodes"], own);
    for empty in [&data["asked"], &data["me"]["foreign"]] {
        assert_eq!(*empty, json!({"totalCount": 0, "nodes": []}));
    }
    assert_eq!(data["numbered"]["totalCount"], 0);
}

#[tokio::test]
async fn a_customer_never_learns_what_is_the_shops_business() {
    let shop = Shop::open().await;
    let ann = UserId::generate();
    let (id, key, _) = shop.place(Some(ann), "R-000000013").await;
    let note = shared_events::order::NoteAdded {
        note_id: shared_events::NoteId::generate(),
        text: Some("difficult".to_owned()),
        by: shared_events::order::Party::Staff,
        occurred_at: crate::shop::moment(1),
    };
    let seen = shop.happens(id, &key, [note.into()]).await;
    let rest = shop.get_as(customer(ann), &format!("/api/orders/{id}"), &seen).await;
    assert!(rest.body.get("notes").is_none() && rest.body.get("exceptions").is_none(), "{rest:?}");
    let events = shop.get_as(customer(ann), &format!("/api/orders/{id}/events"), &seen).await;
    assert_eq!(events.body["items"].as_array().unwrap().len(), 2);
    assert!(!events.body.to_string().contains("difficult") && events.body["items"][0].get("actor").is_none());
    let query = "query Q($id: ID!) { order(id: $id) { notes { text } exceptions { id } history { nodes { type actor payload } } } }";
    let answer = shop.query_as(customer(ann), query, json!({"id": id}), &seen).await;
    assert_eq!(answer.body["data"]["order"]["notes"], json!([]));
    assert!(!answer.body.to_string().contains("difficult"));
    assert_eq!(
        answer.body["data"]["order"]["history"]["nodes"][0],
        json!({"type": "OrderPlaced", "actor": null, "payload": null})
    );
}

#[tokio::test]
async fn a_missing_scope_is_an_error_of_the_field_that_needs_it() {
    let shop = Shop::open().await;
    let caller = caller("cli_1", CallerKind::Client, Scopes::parse("inventory:read"));
    assert_eq!(shop.get_as(caller.clone(), "/api/orders", &nothing()).await.status, 403);
    let answer =
        shop.query_as(caller, "{ orders { totalCount } products { totalCount } }", json!({}), &nothing()).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "INSUFFICIENT_SCOPE", "{answer:?}");
    assert_eq!(answer.body["data"], json!({"orders": null, "products": {"totalCount": 0}}));
}
