//! What orders' events do to their reservations.

use crate::shop::Shop;
use rust_decimal::Decimal;
use serde_json::json;
use shared_events::order::*;
use shared_events::{Currency, DEFAULT, LineId, OrderId, ProductId, ReturnId, ShipmentId};
use test_support::eventually;

pub(crate) fn line(product_id: ProductId, quantity: u32) -> OrderLine {
    OrderLine {
        line_id: LineId::generate(),
        product_id,
        sku: "MUG".to_owned(),
        name: "Mug".to_owned(),
        quantity,
        unit_price: Decimal::ONE,
        discount: Decimal::ZERO,
        tax_rate: Decimal::ZERO,
        tax_amount: Decimal::ZERO,
        channel: DEFAULT.to_owned(),
        legal_entity: DEFAULT.to_owned(),
        external_id: None,
        attributes: Default::default(),
    }
}

pub(crate) fn placed(lines: &[OrderLine], method: PaymentMethod, revision: Option<i32>) -> OrderPlaced {
    let total = lines.iter().map(|line| Decimal::from(line.quantity) * line.unit_price).sum();
    OrderPlaced {
        order_number: "R-000000001".to_owned(),
        customer_id: None,
        channel: DEFAULT.to_owned(),
        legal_entity: DEFAULT.to_owned(),
        external_id: None,
        attributes: Default::default(),
        cart_id: None,
        quote_id: None,
        currency: Currency::EUR,
        prices_include_tax: true,
        lines: lines.to_vec(),
        shipping: ShippingCharge::default(),
        discounts: Vec::new(),
        totals: Totals { subtotal: total, total, ..Totals::default() },
        payment_method: method,
        contact: None,
        shipping_address: None,
        billing_address: None,
        note: None,
        shipment_id: ShipmentId::generate(),
        reservation_revision: revision,
        expires_at: None,
        foreign_invoice_number: None,
        occurred_at: web::request_context::now(),
    }
}

async fn levels_become(shop: &Shop, product: ProductId, levels: (i64, i64, i64)) {
    eventually(|| async { shop.levels(product).await == levels }).await;
}

#[tokio::test]
async fn a_placed_order_attaches_its_reservation_and_a_cancelled_one_releases_it() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let order = OrderId::generate();
    shop.reserve(order, 1, &[(product, 3)]).await;
    shop.happens(order, [placed(&[line(product, 3)], PaymentMethod::Card, Some(1)).into()]).await;
    shop.until(order, "ATTACHED").await;
    let now = web::request_context::now();
    shop.happens(order, [OrderConfirmed { occurred_at: now }.into()]).await;
    shop.until(order, "CONFIRMED").await;
    assert_eq!(shop.levels(product).await, (10, 3, 7));
    let cancelled = OrderCancelled { reason: None, lines: Vec::new(), by: Party::Customer, occurred_at: now };
    shop.happens(order, [cancelled.into()]).await;
    shop.until(order, "RELEASED").await;
    assert_eq!(shop.levels(product).await, (10, 0, 10));
    let types = shop.types(&order.to_string()).await;
    assert_eq!(types, ["StockReserved", "ReservationAttached", "ReservationConfirmed", "ReservationReleased"]);
    let events = shop.log.read_stream(&order.to_string(), 0, 10).await.unwrap();
    assert!(events[1].metadata.causation_id.is_some() && events[1].command_id.is_some());
    shop.is_consistent().await;
}

#[tokio::test]
async fn an_order_on_credit_confirms_its_reservation_at_once() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let order = OrderId::generate();
    shop.reserve(order, 1, &[(product, 3)]).await;
    shop.happens(order, [placed(&[line(product, 3)], PaymentMethod::Invoice, Some(1)).into()]).await;
    shop.until(order, "CONFIRMED").await;
}

#[tokio::test]
async fn an_order_whose_reservation_vanished_gets_stock_anew_or_lapses() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let (lucky, late) = (OrderId::generate(), OrderId::generate());
    shop.happens(lucky, [placed(&[line(product, 7)], PaymentMethod::Card, Some(1)).into()]).await;
    shop.until(lucky, "ATTACHED").await;
    shop.happens(late, [placed(&[line(product, 4)], PaymentMethod::Card, Some(1)).into()]).await;
    shop.until(late, "LAPSED").await;
    assert_eq!(shop.types(&late.to_string()).await, ["ReservationLapsed"]);
    let (_, event) =
        shop.events().await.into_iter().find(|(recorded, _)| recorded.event_type == "ReservationLapsed").unwrap();
    let shared_events::inventory::InventoryEvent::ReservationLapsed(lapsed) = event else { unreachable!() };
    assert_eq!(json!(lapsed.unavailable), json!([{"productId": product, "requested": 4, "available": 3}]));
    shop.is_consistent().await;
}

#[tokio::test]
async fn an_imported_order_reserves_nothing() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let (import, marker) = (OrderId::generate(), OrderId::generate());
    shop.happens(import, [placed(&[line(product, 3)], PaymentMethod::Card, None).into()]).await;
    shop.happens(marker, [placed(&[line(product, 1)], PaymentMethod::Card, Some(1)).into()]).await;
    shop.until(marker, "ATTACHED").await;
    assert_eq!(shop.levels(product).await, (10, 1, 9));
}

fn amended(lines: Vec<OrderLine>, revision: i32) -> OrderAmended {
    OrderAmended {
        lines: Some(lines),
        shipping: None,
        discounts: None,
        totals: None,
        contact: None,
        shipping_address: None,
        billing_address: None,
        note: None,
        reservation_revision: Some(revision),
        refund: None,
        expires_at: None,
        by: Party::Customer,
        occurred_at: web::request_context::now(),
    }
}

#[tokio::test]
async fn an_amended_order_whose_stock_was_given_up_holds_its_lines_anew() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let order = OrderId::generate();
    let lines = [line(product, 3)];
    shop.happens(order, [placed(&lines, PaymentMethod::Card, Some(1)).into()]).await;
    let now = web::request_context::now();
    shop.happens(order, [StockReleased { reservation_revision: 1, reason: None, occurred_at: now }.into()]).await;
    shop.until(order, "RELEASED").await;
    // What was held for the amendment ran out before its event came.
    shop.happens(order, [amended(vec![OrderLine { quantity: 5, ..lines[0].clone() }], 2).into()]).await;
    shop.until(order, "ATTACHED").await;
    assert_eq!(shop.levels(product).await, (10, 5, 5));
    shop.is_consistent().await;
}

#[tokio::test]
async fn an_amended_order_moves_its_reservation_unless_that_was_done_before() {
    let shop = Shop::open().await;
    let (mug, cup) = (shop.product("MUG", 10).await, shop.product("CUP", 10).await);
    let order = OrderId::generate();
    let lines = [line(mug, 3)];
    shop.happens(order, [placed(&lines, PaymentMethod::Card, Some(1)).into()]).await;
    shop.until(order, "ATTACHED").await;
    // The command side moves it first; then the event finds it moved.
    shop.reserve(order, 2, &[(mug, 1), (cup, 2)]).await;
    let mug_line = OrderLine { quantity: 1, ..lines[0].clone() };
    shop.happens(order, [amended(vec![mug_line.clone(), line(cup, 2)], 2).into()]).await;
    // It did not this time.
    shop.happens(order, [amended(vec![mug_line, line(cup, 5)], 3).into()]).await;
    levels_become(&shop, cup, (10, 5, 5)).await;
    assert_eq!(shop.levels(mug).await, (10, 1, 9));
    let types = shop.types(&order.to_string()).await;
    assert_eq!(types, ["StockReserved", "ReservationChanged", "ReservationChanged"]);
    shop.is_consistent().await;
}

#[tokio::test]
async fn an_expired_order_gives_its_stock_back_and_a_late_payment_takes_it_anew() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let order = OrderId::generate();
    shop.reserve(order, 1, &[(product, 3)]).await;
    shop.happens(order, [placed(&[line(product, 3)], PaymentMethod::Card, Some(1)).into()]).await;
    let now = web::request_context::now();
    shop.happens(order, [OrderExpired { occurred_at: now }.into()]).await;
    shop.until(order, "RELEASED").await;
    shop.reserve(order, 2, &[(product, 3)]).await;
    let paid = PaymentCompleted {
        payment_id: "pi_1".to_owned(),
        provider: None,
        method: PaymentMethod::Card,
        amount: Decimal::from(3),
        currency: Currency::EUR,
        components: Vec::new(),
        reservation_revision: Some(2),
        occurred_at: now,
    };
    shop.happens(order, [paid.into(), OrderConfirmed { occurred_at: now }.into()]).await;
    shop.until(order, "CONFIRMED").await;
    assert_eq!(shop.levels(product).await, (10, 3, 7));
    shop.is_consistent().await;
}

#[tokio::test]
async fn released_stock_is_free_until_the_order_holds_some_again() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let order = OrderId::generate();
    shop.happens(order, [placed(&[line(product, 3)], PaymentMethod::Card, Some(1)).into()]).await;
    let now = web::request_context::now();
    shop.happens(order, [StockReleased { reservation_revision: 1, reason: None, occurred_at: now }.into()]).await;
    shop.until(order, "RELEASED").await;
    shop.happens(order, [StockConfirmed { reservation_revision: 2, firm: true, occurred_at: now }.into()]).await;
    shop.until(order, "CONFIRMED").await;
    assert_eq!(shop.levels(product).await, (10, 3, 7));
    shop.is_consistent().await;
}

#[tokio::test]
async fn an_orders_word_counts_against_what_others_asked_for_under_the_same_revision() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 10).await;
    let order = OrderId::generate();
    shop.happens(order, [placed(&[line(product, 3)], PaymentMethod::Card, Some(1)).into()]).await;
    shop.until(order, "ATTACHED").await;
    shop.reserve(order, 2, &[(product, 9)]).await;
    assert_eq!(shop.levels(product).await, (10, 9, 1));
    let occurred_at = web::request_context::now();
    shop.happens(order, [StockConfirmed { reservation_revision: 2, firm: false, occurred_at }.into()]).await;
    levels_become(&shop, product, (10, 3, 7)).await;
    shop.is_consistent().await;
}

#[tokio::test]
async fn goods_leave_come_back_and_go_again() {
    let shop = Shop::open().await;
    let (mug, cup) = (shop.product("MUG", 10).await, shop.product("CUP", 10).await);
    let order = OrderId::generate();
    let lines = [line(mug, 4), line(cup, 2)];
    let of = |at: usize, quantity: u32| LineQuantity { line_id: lines[at].line_id, quantity };
    shop.happens(order, [placed(&lines, PaymentMethod::Invoice, Some(1)).into()]).await;
    let now = web::request_context::now();
    let shipment_id = ShipmentId::generate();
    let dispatched = |shipment_id, lines: Vec<LineQuantity>| ShipmentDispatched {
        shipment_id,
        lines,
        carrier: None,
        tracking_number: None,
        location: DEFAULT.to_owned(),
        occurred_at: now,
    };
    let cancelled = LineCancelled {
        line_id: lines[0].line_id,
        quantity: 1,
        reason: None,
        reservation_revision: None,
        by: Party::Staff,
        occurred_at: now,
    };
    shop.happens(order, [cancelled.into()]).await;
    levels_become(&shop, mug, (10, 3, 7)).await;

    shop.happens(order, [dispatched(shipment_id, vec![of(0, 2), of(1, 2)]).into()]).await;
    levels_become(&shop, mug, (8, 1, 7)).await;
    assert_eq!(shop.levels(cup).await, (8, 0, 8));

    let failed = ShipmentFailed { shipment_id, reason: None, returned_to_sender: true, occurred_at: now };
    shop.happens(order, [failed.clone().into(), failed.into()]).await;
    levels_become(&shop, mug, (10, 3, 7)).await;
    levels_become(&shop, cup, (10, 2, 8)).await;

    let again = ShipmentId::generate();
    shop.happens(order, [dispatched(again, vec![of(0, 3), of(1, 2)]).into()]).await;
    levels_become(&shop, mug, (7, 0, 7)).await;
    shop.happens(order, [ShipmentDelivered { shipment_id: again, location: None, occurred_at: now }.into()]).await;
    let received = |restock, quantity| ReturnReceived {
        return_id: ReturnId::generate(),
        lines: vec![of(0, quantity)],
        restock,
        location: DEFAULT.to_owned(),
        occurred_at: now,
    };
    shop.happens(order, [received(false, 1).into(), received(true, 2).into()]).await;
    levels_become(&shop, mug, (9, 0, 9)).await;
    shop.is_consistent().await;
}

#[tokio::test]
async fn goods_that_left_without_a_reservation_leave_the_books_too() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 5).await;
    let (order, other) = (OrderId::generate(), OrderId::generate());
    shop.reserve(other, 1, &[(product, 4)]).await;
    let lines = [line(product, 3)];
    shop.happens(order, [placed(&lines, PaymentMethod::Invoice, None).into()]).await;
    let dispatched = ShipmentDispatched {
        shipment_id: ShipmentId::generate(),
        lines: vec![LineQuantity { line_id: lines[0].line_id, quantity: 3 }],
        carrier: None,
        tracking_number: None,
        location: DEFAULT.to_owned(),
        occurred_at: web::request_context::now(),
    };
    shop.happens(order, [dispatched.into()]).await;
    levels_become(&shop, product, (4, 4, 0)).await;
    shop.is_consistent().await;
}
