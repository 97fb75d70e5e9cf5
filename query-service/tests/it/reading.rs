//! What reads answer.

use crate::shop::{Shop, append, client, moment, nothing, paid, placed};
use serde_json::json;
use shared_events::{
    CreditNoteId, Currency, EventId, InvoiceId, UserId,
    invoice::{self, InvoiceDocument, InvoiceEvent, InvoiceIssued, TradeParty},
    order::{PaymentMethod, Totals},
};

#[tokio::test]
async fn an_order_is_answered_in_the_shape_that_placing_promised() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let (id, key, _) = shop.place(Some(user), "R-000000001").await;
    let seen = shop.happens(id, &key, [paid()]).await;

    let answer = shop.get(&format!("/api/orders/{id}"), &seen).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""), "{answer:?}");
    let body = &answer.body;
    assert_eq!(body["orderId"], json!(id));
    assert_eq!(body["orderNumber"], "R-000000001");
    assert_eq!(body["customerId"], json!(user));
    assert_eq!(body["status"], "CONFIRMED");
    assert_eq!(body["paymentStatus"], "PAID");
    assert_eq!(body["totalAmount"], json!({"amount": "24.98", "currency": "EUR"}));
    assert_eq!(body["lines"][0]["lineTotal"], json!({"amount": "19.98", "currency": "EUR"}));
    assert_eq!(body["contact"]["email"], "ann@example.org");
    assert_eq!(body["shippingAddress"]["city"], "Bonn");
    assert_eq!(body["version"], 2);
    assert!(body.get("orderID").is_none());
    assert!(body["allowedActions"].is_array() && body["waitingFor"].is_string());
}

#[tokio::test]
async fn the_older_paths_carry_the_older_names_and_take_numbers_and_users() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let (id, _, seen) = shop.place(Some(user), "R-000000002").await;
    for reference in [id.to_string(), id.as_uuid().to_string(), "R-000000002".to_owned()] {
        for path in [format!("/orders/{reference}"), format!("/order/{reference}")] {
            let answer = shop.get(&path, &seen).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            assert_eq!(answer.body["orderID"], json!(id));
            assert_eq!(answer.body["userID"], json!(user));
            assert_eq!(answer.body["shipmentID"], answer.body["shipmentId"]);
            assert_eq!(answer.body["orderItems"][0]["quantity"], 2);
            assert_eq!(answer.body["orderItems"][0]["price"]["amount"], "9.99");
            assert_eq!(answer.body["orderItems"][0]["orderItemID"], answer.body["lines"][0]["lineId"]);
        }
        let status = shop.get(&format!("/order/{reference}/status"), &seen).await;
        assert_eq!((status.status.as_u16(), &status.body["status"]), (200, &json!("PENDING")), "{status:?}");
    }
    for path in [
        format!("/orders/{user}"),
        format!("/order/{user}"),
        format!("/orders/user/{user}"),
        format!("/user/{user}/orders"),
    ] {
        let answer = shop.get(&path, &seen).await;
        assert_eq!(answer.body["items"][0]["orderID"], json!(id), "{path}: {answer:?}");
        assert!(answer.body["nextCursor"].is_null());
    }
    for (path, status) in [
        ("/api/orders/R-000000002", 400),
        (&format!("/api/orders/{user}"), 400),
        ("/orders/prod_01h455vb4pex5vsknk084sn02q", 400),
        ("/orders/R-unknown", 404),
        ("/api/orders/ord_01h455vb4pex5vsknk084sn02q", 404),
        ("/api/orders/user/nobody", 400),
        ("/api/orders?status=NONSENSE", 400),
        ("/api/orders?limit=0", 400),
        ("/api/orders?cursor=nonsense", 400),
        ("/api/orders?exceptions=closed", 400),
    ] {
        assert_eq!(shop.get(path, &nothing()).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn graphql_answers_the_same_order_with_everything_that_hangs_on_it() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let (product, stocked) = shop.product("MUG", 25).await;
    let (id, key, _) = shop.place(Some(user), "R-000000003").await;
    let mut order = placed(Some(user), "R-000000004", moment(10));
    order.lines[0].product_id = product;
    let second = shop.keys.make();
    let other = shared_events::OrderId::generate();
    let placed_too = shop.happens(other, &second, [order.into()]).await;
    let paid_now = shop.happens(id, &key, [paid()]).await;
    let seen = web::Consistency([paid_now.0, placed_too.0, stocked.0].concat());

    let data = shop
        .data(
            "query Q($id: ID!, $product: ID!) {
               order(id: $id) {
                 id number status paymentStatus fulfilmentStatus allowedActions waitingFor waitingUntil version placedAt updatedAt
                 expiresAt customer { id email name } contact { email } currency
                 lines { id productId sku name quantity unitPrice { amount currency } lineTotal { amount } taxRate
                         shippedQuantity returnedQuantity }
                 subtotal { amount } total { amount currency } paidTotal { amount } refundedTotal { amount }
                 shippingAddress { city } billingAddress { city } payments { id status amount { amount } }
                 shipments { id status } returns { id } refunds { id } invoices { id } tags notes { text } note
                 timeline(first: 1) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { type occurredAt } } }
                 history { totalCount nodes { position version type recordedAt actor payload } }
               }
               byNumber: order(number: \"R-000000004\") { id lines { product { id sku price { amount } stock { available } } } }
               product(id: $product) { id sku name prices { amount } stock { onHand reserved available version } }
               bySku: product(sku: \"MUG\") { id }
               stock(productId: $product) { id available product { sku } }
               node(id: $id) { __typename id ... on Order { number } }
               nodes(ids: [$id, $product, \"inv_01h455vb4pex5vsknk084sn02q\"]) { __typename id }
               me { id }
             }",
            json!({"id": id, "product": product}),
            &seen,
        )
        .await;
    let order = &data["order"];
    assert_eq!(order["id"], json!(id));
    assert_eq!(order["status"], "CONFIRMED");
    assert_eq!(order["customer"]["email"], format!("{user}@example.org"));
    assert_eq!(order["contact"]["email"], "ann@example.org");
    assert_eq!(order["note"], "ring twice");
    assert_eq!(order["paidTotal"]["amount"], "24.98");
    assert_eq!(order["timeline"]["edges"][0]["node"]["type"], "PLACED");
    assert_eq!(order["timeline"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(order["history"]["totalCount"], 2);
    assert_eq!(order["history"]["nodes"][0]["type"], "OrderPlaced");
    assert_eq!(order["history"]["nodes"][0]["actor"], "internal");
    assert_eq!(order["history"]["nodes"][0]["payload"]["contact"]["email"], "ann@example.org");
    assert_eq!(data["byNumber"]["id"], json!(other));
    assert_eq!(data["byNumber"]["lines"][0]["product"]["stock"]["available"], 25);
    assert_eq!(data["byNumber"]["lines"][0]["product"]["price"]["amount"], "9.99");
    assert!(data["byNumber"]["lines"][1]["product"].is_null());
    assert_eq!(data["bySku"]["id"], json!(product));
    assert_eq!(data["stock"]["product"]["sku"], "MUG");
    assert_eq!(data["node"], json!({"__typename": "Order", "id": id, "number": "R-000000003"}));
    assert_eq!(data["nodes"][1], json!({"__typename": "Product", "id": product}));
    assert!(data["nodes"][2].is_null() && data["me"].is_null());
}

#[tokio::test]
async fn an_order_has_its_invoices() {
    let shop = Shop::open().await;
    let (id, _, seen) = shop.place(None, "R-000000005").await;
    let invoice_id = InvoiceId::generate();
    let seller = TradeParty { name: "Shop".to_owned(), address: None, email: None, vat_id: None, registration: None };
    let issued: InvoiceEvent = InvoiceIssued {
        invoice_id,
        document: InvoiceDocument {
            order_id: id,
            order_number: "R-000000005".to_owned(),
            order_version: 2,
            cause_event_id: EventId::generate(),
            customer_id: None,
            channel: "default".to_owned(),
            legal_entity: "default".to_owned(),
            currency: Currency::EUR,
            prices_include_tax: true,
            lines: Vec::new(),
            totals: Totals { total: "24.98".parse().unwrap(), ..Totals::default() },
            taxes: Vec::new(),
            buyer: Some(TradeParty { name: "Ann".to_owned(), ..seller.clone() }),
            seller,
            payment_method: PaymentMethod::Card,
            payment_reference: None,
            due_on: None,
            supplied_on: None,
            attributes: Default::default(),
            occurred_at: moment(60),
        },
    }
    .into();
    append(&shop.invoices, "INV-2026", invoice::STREAM_TYPE, Some(&shop.keys.make()), [issued]).await;
    let seen = seen.and(invoice_id, 1);
    let query = "query Q($order: ID!, $invoice: ID!, $none: ID!) {
        order(id: $order) { invoices { id number kind total { amount } buyer { name } } }
        invoice(id: $invoice) { number order { number } }
        byNumber: invoice(number: \"INV-2026-000001\") { id }
        none: invoice(id: $none) { id }
    }";
    let variables = json!({"order": id, "invoice": invoice_id, "none": CreditNoteId::generate()});
    let data = shop.data(query, variables, &seen).await;
    let expected = json!([{
        "id": invoice_id, "number": "INV-2026-000001", "kind": "INVOICE", "total": {"amount": "24.98"}, "buyer": {"name": "Ann"}
    }]);
    assert_eq!(data["order"]["invoices"], expected);
    assert_eq!(data["invoice"], json!({"number": "INV-2026-000001", "order": {"number": "R-000000005"}}));
    assert_eq!(data["byNumber"]["id"], json!(invoice_id));
    assert!(data["none"].is_null());
}

#[tokio::test]
async fn the_events_of_an_order_come_in_pages_with_links() {
    let shop = Shop::open().await;
    let (id, key, _) = shop.place(None, "R-000000006").await;
    let seen = shop.happens(id, &key, [paid(), crate::shop::tagged(&["vip"])]).await;
    let first = shop.get(&format!("/api/orders/{id}/events?limit=2"), &seen).await;
    assert_eq!(first.body["items"].as_array().unwrap().len(), 2, "{first:?}");
    assert_eq!(first.text("/items/0/payload/contact/email"), "ann@example.org");
    assert_eq!(first.text("/items/0/actor/subject"), "internal");
    let link = first.header("link");
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    assert!(link.ends_with("rel=\"next\""));
    let second = shop.get(next, &seen).await;
    assert_eq!(second.text("/items/0/type"), "TagsChanged");
    assert!(second.body["nextCursor"].is_null() && second.header("link").is_empty());
}

#[tokio::test]
async fn the_explorer_loads_nothing_from_elsewhere() {
    let shop = Shop::open().await;
    for (path, content_type) in [
        ("/graphiql", "text/html; charset=utf-8"),
        ("/graphiql/explorer.js", "text/javascript; charset=utf-8"),
        ("/graphiql/explorer.css", "text/css; charset=utf-8"),
    ] {
        let answer = shop.send(None, http::Method::GET, path, &[], axum::body::Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content_type));
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(!answer.body.as_str().unwrap().contains("https://"));
    }
    let _ = client();
}
