//! Pages stay right while orders come in, in every order and both ways.

use crate::shop::{Shop, customer, moment, nothing, tagged};
use serde_json::{Value, json};
use shared_events::{OrderId, UserId};
use web::Consistency;

async fn five_orders(shop: &Shop, user: UserId) -> (Vec<OrderId>, Consistency) {
    let (mut ids, mut seen) = (Vec::new(), Consistency::default());
    for index in 0..5 {
        // Two of them at the same moment: the id decides.
        let at = moment(if index == 3 { 20 } else { index * 10 });
        let (id, _, placed) = shop.place_at(Some(user), &format!("R-00000003{index}"), at).await;
        ids.push(id);
        seen.0.extend(placed.0);
    }
    (ids, seen)
}

fn ids(answer: &Value) -> Vec<String> {
    let items = answer.as_array().unwrap();
    items.iter().map(|item| item["orderId"].as_str().or(item["id"].as_str()).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn no_order_is_shown_twice_or_passed_over_while_others_come_in() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let (placed, seen) = five_orders(&shop, user).await;
    let mut found = Vec::new();
    let mut path = "/api/orders?limit=2".to_owned();
    let mut seen_by_reader = seen;
    loop {
        let page = shop.get_as(customer(user), &path, &seen_by_reader).await;
        found.extend(ids(&page.body["items"]));
        // Newer than everything, and older than everything.
        let (_, _, newer) = shop.place_at(Some(user), "R-000000099", moment(1_000)).await;
        seen_by_reader = newer;
        match page.body["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/orders?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let mut expected: Vec<String> = placed.iter().map(ToString::to_string).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_connection_goes_forwards_and_backwards_in_every_order() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let (_, seen) = five_orders(&shop, user).await;
    for order in ["PLACED_AT", "UPDATED_AT", "TOTAL", "NUMBER"] {
        for direction in ["ASC", "DESC"] {
            let all = format!(
                "{{ orders(first: 100, orderBy: {{field: {order}, direction: {direction}}}) {{ totalCount nodes {{ id }} }} }}"
            );
            let all = shop.data(&all, json!({}), &seen).await;
            let expected = ids(&all["orders"]["nodes"]);
            assert_eq!((expected.len(), &all["orders"]["totalCount"]), (5, &json!(5)));

            for (size, from, cursor, more) in
                [("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage")]
            {
                let query = format!(
                    "query Q($cursor: String) {{ orders({size}: 2, {from}: $cursor, orderBy: {{field: {order}, direction: {direction}}}) \
                     {{ pageInfo {{ {cursor} {more} }} edges {{ cursor node {{ id }} }} nodes {{ id }} }} }}"
                );
                let (mut found, mut at) = (Vec::new(), Value::Null);
                loop {
                    let page = shop.data(&query, json!({"cursor": at}), &seen).await["orders"].clone();
                    let nodes = ids(&page["nodes"]);
                    if size == "first" {
                        found.extend(nodes);
                    } else {
                        found.splice(0..0, nodes);
                    }
                    if page["pageInfo"][more] != true {
                        break;
                    }
                    at = page["pageInfo"][cursor].clone();
                }
                assert_eq!(found, expected, "{order} {direction} {size}");
            }
        }
    }
    let empty = shop
        .data("{ orders { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor } } }", json!({}), &nothing())
        .await;
    assert_eq!(empty["orders"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn a_filter_lets_through_what_it_says() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let (placed, mut seen) = five_orders(&shop, user).await;
    let key = shop.keys.make();
    seen.0.extend(shop.happens(placed[0], &key, [tagged(&["gift", "vip"]), crate::shop::paid()]).await.0);
    let of = async |filter: &str| {
        let query = format!(
            "{{ orders(filter: {filter}, orderBy: {{field: NUMBER, direction: ASC}}) {{ totalCount nodes {{ number }} }} }}"
        );
        let data = shop.data(&query, json!({}), &seen).await;
        data["orders"]["totalCount"].as_i64().unwrap()
    };
    let product = shop
        .data("{ orders(filter: {number: \"R-000000031\"}) { nodes { lines { productId } } } }", json!({}), &seen)
        .await;
    let product = product["orders"]["nodes"][0]["lines"][0]["productId"].as_str().unwrap().to_owned();
    for (filter, count) in [
        ("{}".to_owned(), 5),
        ("{status: CONFIRMED}".to_owned(), 1),
        ("{status: [CONFIRMED, PENDING]}".to_owned(), 5),
        ("{paymentStatus: PAID}".to_owned(), 1),
        ("{fulfilmentStatus: [UNFULFILLED]}".to_owned(), 5),
        ("{tag: \"gift\"}".to_owned(), 1),
        ("{number: \"R-000000032\"}".to_owned(), 1),
        (format!("{{customerId: \"{user}\"}}"), 5),
        (format!("{{productId: \"{product}\"}}"), 1),
        ("{currency: \"EUR\"}".to_owned(), 5),
        ("{currency: \"USD\"}".to_owned(), 0),
        (format!("{{placedFrom: \"{}\", placedTo: \"{}\"}}", moment(10).to_rfc3339(), moment(20).to_rfc3339()), 1),
        ("{totalMin: \"24.98\", totalMax: 24.98}".to_owned(), 5),
        ("{totalMin: 25}".to_owned(), 0),
        ("{openException: true}".to_owned(), 0),
        ("{openException: false}".to_owned(), 5),
    ] {
        assert_eq!(of(&filter).await, count, "{filter}");
    }
    for (path, count) in [
        ("/api/orders?status=confirmed", 1),
        ("/api/orders?status=CONFIRMED,pending", 5),
        ("/api/orders?exceptions=open", 0),
    ] {
        let answer = shop.get(path, &seen).await;
        assert_eq!(answer.body["items"].as_array().unwrap().len(), count, "{path}");
    }
}

#[tokio::test]
async fn a_forged_cursor_is_refused_and_never_an_error_of_ours() {
    let shop = Shop::open().await;
    let forged = |sorted_by: &str, value: &str| {
        web::Cursor::encode(1, &json!({"s": sorted_by, "v": value, "i": "01890a5d-ac96-774b-bcce-b302099a8057"}))
    };
    for (sorted_by, value, status) in [
        ("placed_at", "2026-11-21T10:00:00Z", 200),
        ("placed_at", "0000-01-01T00:00:00Z", 400),
        ("placed_at", "infinity", 400),
        ("placed_at", "x", 400),
        ("total", "1", 400),
        ("state", "x", 400),
    ] {
        let path = format!("/api/orders?cursor={}", forged(sorted_by, value));
        assert_eq!(shop.get(&path, &nothing()).await.status, status, "{sorted_by} {value}");
    }
    for (value, good) in [("1_000", true), ("12.5", true), ("NaN", false), ("", false)] {
        let query = "query Q($c: String) { orders(after: $c, orderBy: {field: TOTAL}) { totalCount } }";
        let answer =
            shop.query_as(crate::shop::client(), query, json!({"c": forged("total", value)}), &nothing()).await;
        assert_eq!(answer.body.get("errors").is_none(), good, "{value}: {answer:?}");
        assert!(good || answer.text("/errors/0/extensions/code") == "BAD_USER_INPUT");
    }
}
