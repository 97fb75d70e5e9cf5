//! Whatever is asked of an order, in whatever order and however often, its facts stay consistent.

use crate::{
    Action, AddNote, AmendOrder, AmendedItem, AuthorizePayment, CancelLines, CancelOrder, ChangeTags, Command,
    CompleteOrder, CompletePayment, CompleteRefund, ConfirmOrder, ConfirmStock, CreateShipment, DeliverEverything,
    DeliverShipment, DispatchShipment, EraseCustomer, ExpireOrder, FailPayment, FailRefund, FailShipment,
    FulfilmentStatus, HoldOrder, ImportOrder, ImportedCancellation, ImportedReturn, ImportedShipment, Line, NewProduct,
    Order, OrderStatus, PaymentStatus, PaymentWindows, PlaceOrder, RaiseException, ReceiveReturn, RefundStatus,
    RefundWhat, RejectReturn, ReleaseStock, RequestRefund, RequestReturn, ReserveStock, ResolveException, ResumeOrder,
    SetStatus, ShipEverything, ShipmentStatus, StartProcessing, VoidPayment,
    amounts::{plus, sum},
    decide, obligations,
    pricing::{Discount, DiscountKind, LineToPrice, ToPrice, price},
    testing::{
        address, exception_id, later, line_id, note_id, placing, product_id, refund_id, return_id, shipment_id,
        to_price,
    },
};
use chrono::TimeDelta;
use proptest::{prelude::*, strategy::Union};
use rust_decimal::Decimal;
use shared_events::{
    Currency, Money, OrderId,
    order::{ComponentAmount, LineQuantity, OrderEvent, Party, PaymentMethod, Totals},
};
use std::collections::BTreeMap;

const WINDOW: TimeDelta = TimeDelta::days(14);

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just("EUR"), Just("JPY"), Just("KWD")].prop_map(|code| Currency::parse(code).unwrap())
}

fn lines() -> impl Strategy<Value = Vec<LineToPrice>> {
    prop::collection::vec((1_u32..6, 0_u32..2_000, 0_u32..3), 1..4).prop_map(|lines| {
        let line = |(index, (quantity, cents, rate)): (usize, (u32, u32, u32))| {
            let number = index as u128 + 1;
            LineToPrice {
                unit_price: Decimal::new(cents.into(), 2),
                tax_rate: Decimal::new([0, 7, 19][rate as usize], 2),
                // The third line is of the first one's product.
                product_id: product_id(if number == 3 { 1 } else { number }),
                ..to_price(number, quantity, "1")
            }
        };
        lines.into_iter().enumerate().map(line).collect()
    })
}

fn discounts() -> impl Strategy<Value = Vec<Discount>> {
    let discount = prop_oneof![
        (0_i64..=120).prop_map(|value| (DiscountKind::Percentage, value)),
        (0_i64..=40).prop_map(|value| (DiscountKind::Fixed, value)),
        Just((DiscountKind::FreeShipping, 0)),
    ];
    let discount = discount.prop_map(|(kind, value)| Discount { code: "CODE".to_owned(), kind, value: value.into() });
    prop::collection::vec(discount, 0..3)
}

fn to_be_priced() -> impl Strategy<Value = ToPrice> {
    let free_from = prop::option::of(0_i64..6_000);
    (currency(), any::<bool>(), lines(), 0_i64..900, free_from, discounts()).prop_map(
        |(currency, prices_include_tax, mut lines, shipping, free_from, discounts)| {
            if currency.code() == "JPY" {
                for line in &mut lines {
                    line.unit_price = currency.round(line.unit_price * Decimal::ONE_HUNDRED);
                }
            }
            ToPrice {
                currency,
                prices_include_tax,
                lines,
                shipping_method: None,
                shipping_amount: currency.round(Decimal::new(shipping, 2)),
                shipping_free_from: free_from.map(|amount| currency.round(Decimal::new(amount, 2))),
                shipping_tax_rate: Decimal::new(19, 2),
                discounts,
            }
        },
    )
}

/// How much of something is meant: it is made absolute when the order is known.
#[derive(Debug, Clone, Copy)]
enum Share {
    All,
    Half,
    Twice,
    Unit,
}

/// A command, as vague as it has to be to make sense for any order.
#[derive(Debug, Clone)]
enum Wish {
    Command(Box<Command>),
    Authorize(u8, Share),
    Capture(u8, Share, bool),
    Fail(u8, bool),
    Void(u8),
    Amend(Vec<(u8, u32)>, u8, Party),
    Refund(u8, Share, Vec<LineQuantity>),
    RefundOfParts(u8, Share),
    ReserveAnew,
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![Just(Party::Customer), Just(Party::Staff), Just(Party::System)]
}

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![4 => Just(Share::All), 2 => Just(Share::Half), 1 => Just(Share::Twice), 1 => Just(Share::Unit)]
}

fn some_pieces() -> impl Strategy<Value = Vec<LineQuantity>> {
    let part = (1_u128..5, 0_u32..6).prop_map(|(line, quantity)| LineQuantity { line_id: line_id(line), quantity });
    prop::collection::vec(part, 0..3)
}

fn good_pieces() -> impl Strategy<Value = Vec<LineQuantity>> {
    let part = (1_u128..4, 1_u32..4).prop_map(|(line, quantity)| LineQuantity { line_id: line_id(line), quantity });
    prop::collection::vec(part, 1..3)
}

fn wish() -> impl Strategy<Value = Wish> {
    let id = 1_u8..4;
    let number = 1_u128..5;
    let at = -20_i64..90;
    let money = Union::new_weighted(vec![
        (1, (id.clone(), share()).prop_map(|(id, share)| Wish::Authorize(id, share)).boxed()),
        (
            4,
            (id.clone(), share(), any::<bool>()).prop_map(|(id, share, again)| Wish::Capture(id, share, again)).boxed(),
        ),
        (1, (id.clone(), any::<bool>()).prop_map(|(id, last)| Wish::Fail(id, last)).boxed()),
        (1, id.clone().prop_map(Wish::Void).boxed()),
        (1, (id.clone(), share(), some_pieces()).prop_map(|(id, share, lines)| Wish::Refund(id, share, lines)).boxed()),
        (1, (id.clone(), share()).prop_map(|(id, share)| Wish::RefundOfParts(id, share)).boxed()),
        (1, Just(Wish::ReserveAnew).boxed()),
        (
            2,
            (prop::collection::vec((1_u8..5, 0_u32..7), 0..4), id, party())
                .prop_map(|(items, refund, by)| Wish::Amend(items, refund, by))
                .boxed(),
        ),
    ]);
    let goods: Union<BoxedStrategy<Command>> = Union::new_weighted(vec![
        (
            3,
            (number.clone(), prop::option::of(good_pieces()), at.clone())
                .prop_map(|(id, lines, at)| {
                    CreateShipment {
                        shipment_id: shipment_id(id),
                        lines,
                        carrier: None,
                        tracking_number: None,
                        location: None,
                        now: later(at),
                    }
                    .into()
                })
                .boxed(),
        ),
        (
            4,
            (number.clone(), party(), number.clone(), at.clone())
                .prop_map(|(id, by, exception, at)| {
                    DispatchShipment {
                        shipment_id: shipment_id(id),
                        carrier: None,
                        tracking_number: None,
                        by,
                        exception_id: exception_id(exception),
                        now: later(at),
                    }
                    .into()
                })
                .boxed(),
        ),
        (
            4,
            (number.clone(), party(), number.clone(), at.clone())
                .prop_map(|(id, by, exception, at)| {
                    DeliverShipment {
                        shipment_id: shipment_id(id),
                        location: None,
                        tracking_number: None,
                        by,
                        exception_id: exception_id(exception),
                        now: later(at),
                    }
                    .into()
                })
                .boxed(),
        ),
        (
            1,
            (number.clone(), any::<bool>(), number.clone())
                .prop_map(|(id, returned_to_sender, exception)| {
                    FailShipment {
                        shipment_id: shipment_id(id),
                        reason: None,
                        returned_to_sender,
                        exception_id: exception_id(exception + 10),
                        now: later(3),
                    }
                    .into()
                })
                .boxed(),
        ),
        (
            2,
            (number.clone())
                .prop_map(|id| ShipEverything { shipment_id: shipment_id(id), now: later(4) }.into())
                .boxed(),
        ),
        (2, Just(DeliverEverything { now: later(5) }.into()).boxed()),
        (
            3,
            (number.clone(), good_pieces(), party())
                .prop_map(|(id, lines, by)| {
                    RequestReturn { return_id: return_id(id), lines, reason: None, by, now: later(6) }.into()
                })
                .boxed(),
        ),
        (
            3,
            (number.clone(), prop::option::of(some_pieces()), any::<bool>())
                .prop_map(|(id, lines, restock)| {
                    ReceiveReturn { return_id: return_id(id), lines, restock, location: None, now: later(7) }.into()
                })
                .boxed(),
        ),
        (
            1,
            number
                .clone()
                .prop_map(|id| RejectReturn { return_id: return_id(id), reason: None, now: later(7) }.into())
                .boxed(),
        ),
        (
            1,
            (number.clone(), some_pieces(), party())
                .prop_map(|(id, lines, by)| {
                    CancelLines { lines, by, reason: None, refund_id: refund_id(id), now: later(5) }.into()
                })
                .boxed(),
        ),
        (
            1,
            (number.clone(), good_pieces(), party())
                .prop_map(|(id, lines, by)| {
                    CancelLines { lines, by, reason: None, refund_id: refund_id(id), now: later(5) }.into()
                })
                .boxed(),
        ),
        (
            1,
            (number.clone(), party())
                .prop_map(|(id, by)| CancelOrder { by, reason: None, refund_id: refund_id(id), now: later(5) }.into())
                .boxed(),
        ),
    ]);
    let rest: Union<BoxedStrategy<Command>> = Union::new_weighted(vec![
        (
            3,
            number
                .clone()
                .prop_map(|id| {
                    CompleteRefund {
                        refund_id: refund_id(id),
                        provider_reference: None,
                        exception_id: exception_id(id + 20),
                        now: later(9),
                    }
                    .into()
                })
                .boxed(),
        ),
        (
            1,
            number
                .clone()
                .prop_map(|id| {
                    FailRefund {
                        refund_id: refund_id(id),
                        reason: None,
                        exception_id: exception_id(id + 30),
                        now: later(9),
                    }
                    .into()
                })
                .boxed(),
        ),
        (1, Just(HoldOrder { reason: "look".to_owned(), now: later(1) }.into()).boxed()),
        (2, Just(ResumeOrder { now: later(2) }.into()).boxed()),
        (1, Just(StartProcessing { now: later(3) }.into()).boxed()),
        (1, Just(ConfirmOrder { now: later(3) }.into()).boxed()),
        (
            1,
            (1_i32..4)
                .prop_map(|revision| ReserveStock { reservation_revision: revision, now: later(3) }.into())
                .boxed(),
        ),
        (
            1,
            (1_i32..4)
                .prop_map(|revision| ConfirmStock { reservation_revision: revision, now: later(3) }.into())
                .boxed(),
        ),
        (1, Just(ReleaseStock { reason: None, now: later(3) }.into()).boxed()),
        (
            1,
            (number.clone(), at)
                .prop_map(|(id, at)| ExpireOrder { refund_id: refund_id(id), now: later(at) }.into())
                .boxed(),
        ),
        (
            1,
            (party(), 0_i64..40_000)
                .prop_map(|(by, at)| CompleteOrder { by, return_window: WINDOW, now: later(at) }.into())
                .boxed(),
        ),
        (
            1,
            number
                .clone()
                .prop_map(|id| {
                    AddNote { note_id: note_id(id), text: "words".to_owned(), by: Party::Staff, now: later(1) }.into()
                })
                .boxed(),
        ),
        (
            1,
            prop::collection::vec("[a-c]{0,2}", 0..3)
                .prop_map(|tags| ChangeTags { tags, now: later(1) }.into())
                .boxed(),
        ),
        (
            1,
            number
                .clone()
                .prop_map(|id| {
                    RaiseException {
                        exception_id: exception_id(id),
                        kind: "LOOK".to_owned(),
                        detail: None,
                        now: later(1),
                    }
                    .into()
                })
                .boxed(),
        ),
        (
            3,
            number
                .clone()
                .prop_map(|id| ResolveException { exception_id: exception_id(id), note: None, now: later(1) }.into())
                .boxed(),
        ),
        (1, Just(EraseCustomer { now: later(1) }.into()).boxed()),
        (
            4,
            (
                prop::sample::select(vec![
                    "processing",
                    "SHIPPED",
                    "Delivered",
                    "CANCELLED",
                    "completed",
                    "ON_HOLD",
                    "CONFIRMED",
                    "PENDING",
                    "nonsense",
                ]),
                number,
            )
                .prop_map(|(status, id)| {
                    SetStatus {
                        status: status.to_owned(),
                        note: None,
                        by: Party::Staff,
                        note_id: note_id(id),
                        shipment_id: shipment_id(id),
                        refund_id: refund_id(id),
                        now: later(8),
                    }
                    .into()
                })
                .boxed(),
        ),
    ]);
    Union::new_weighted(vec![
        (5, money.boxed()),
        (5, goods.prop_map(|command: Command| Wish::Command(Box::new(command))).boxed()),
        (4, rest.prop_map(|command| Wish::Command(Box::new(command))).boxed()),
    ])
}

fn amount(share: Share, of: Decimal, currency: Currency) -> Money {
    let amount = match share {
        Share::All => of,
        Share::Half => of / Decimal::TWO,
        Share::Twice => of * Decimal::TWO,
        Share::Unit => currency.minor_unit(),
    };
    Money::rounded(amount, currency)
}

fn made_concrete(wish: Wish, order: &Order) -> Command {
    let currency = order.currency;
    let provider = None;
    match wish {
        Wish::Command(command) => *command,
        Wish::Authorize(id, share) => AuthorizePayment {
            payment_id: format!("pay-{id}"),
            provider,
            method: None,
            amount: amount(share, order.totals.total, currency),
            windows: PaymentWindows { usual: TimeDelta::minutes(44), bank_transfer: TimeDelta::days(5) },
            exception_id: exception_id(u128::from(id) + 50),
            now: later(1),
        }
        .into(),
        Wish::Capture(id, share, again) => {
            let amount = amount(share, order.totals.total, currency);
            let wanted = again && order.wants_stock_back(&format!("pay-{id}"), amount);
            CompletePayment {
                payment_id: format!("pay-{id}"),
                provider,
                method: Some(PaymentMethod::Card),
                amount,
                reservation_revision: wanted.then(|| order.reservation_revision() + 1),
                refund_id: refund_id(u128::from(id) + 40),
                exception_id: exception_id(u128::from(id) + 40),
                now: later(2),
            }
            .into()
        }
        Wish::Fail(id, last) => FailPayment {
            payment_id: format!("pay-{id}"),
            provider,
            method: None,
            amount: amount(Share::All, order.totals.total, currency),
            reason: last.then(|| "final".to_owned()),
            now: later(2),
        }
        .into(),
        Wish::Void(id) => VoidPayment {
            payment_id: format!("pay-{id}"),
            amount: amount(Share::All, order.totals.total, currency),
            reason: None,
            now: later(2),
        }
        .into(),
        Wish::Amend(items, refund, by) => AmendOrder {
            items: (!items.is_empty()).then(|| items.into_iter().map(amended_item).collect()),
            shipping_address: Some(address()),
            billing_address: None,
            contact: None,
            note: Some("changed".to_owned()),
            reservation_revision: Some(order.reservation_revision() + 1),
            expires_at: later(80),
            refund_id: refund_id(refund.into()),
            by,
            now: later(4),
        }
        .into(),
        Wish::Refund(id, share, lines) => {
            let amount = amount(share, order.refundable_total(), currency);
            let what = match (share, lines.is_empty()) {
                (Share::Unit, true) => RefundWhat::Everything,
                (Share::Half, false) => RefundWhat::AmountOfLines(amount, lines),
                (_, true) => RefundWhat::Amount(amount),
                (_, false) => RefundWhat::Lines(lines),
            };
            let refund_id = refund_id(id.into());
            RequestRefund { refund_id, what, reason: None, return_id: None, now: later(6) }.into()
        }
        Wish::RefundOfParts(id, share) => {
            let part = |part: &ComponentAmount| ComponentAmount {
                amount: self::amount(share, part.amount, currency).amount(),
                ..*part
            };
            let what = RefundWhat::Components(order.refundable().0.iter().map(part).collect());
            let refund_id = refund_id(id.into());
            RequestRefund { refund_id, what, reason: None, return_id: None, now: later(6) }.into()
        }
        Wish::ReserveAnew => {
            ReserveStock { reservation_revision: order.reservation_revision() + 1, now: later(3) }.into()
        }
    }
}

/// A refund that a command makes necessary has an id of its own.
fn with_fresh_refund(mut command: Command, index: usize) -> Command {
    let fresh = refund_id(1_000 + index as u128);
    match &mut command {
        Command::CancelOrder(command) => command.refund_id = fresh,
        Command::CancelLines(command) => command.refund_id = fresh,
        Command::ExpireOrder(command) => command.refund_id = fresh,
        Command::AmendOrder(command) => command.refund_id = fresh,
        Command::CompletePayment(command) => command.refund_id = fresh,
        Command::SetStatus(command) => command.refund_id = fresh,
        _ => {}
    }
    command
}

fn amended_item((product, quantity): (u8, u32)) -> AmendedItem {
    let number = u128::from(product);
    let priced = to_price(number + 100, quantity, "3");
    AmendedItem {
        product_id: product_id(number),
        quantity,
        new: Some(NewProduct {
            line_id: priced.line_id,
            sku: priced.sku,
            name: priced.name,
            unit_price: priced.unit_price,
            tax_rate: priced.tax_rate,
            channel: priced.channel,
            legal_entity: priced.legal_entity,
            attributes: priced.attributes,
        }),
    }
}

/// Everything that must hold of any order at any time.
fn consistent(order: &Order) {
    quantities_fit(order);
    shipments_fit(order);
    money_fits(order);
    statuses_agree(order);
}

fn quantities_fit(order: &Order) {
    for line in &order.lines {
        assert!(line.returned <= line.delivered, "{line:?}");
        assert!(line.delivered <= line.shipped, "{line:?}");
        assert!(line.shipped + line.cancelled <= line.ordered, "{line:?}");
        assert!(line.quantity <= line.ordered, "{line:?}");
        if order.cancellation.is_none() {
            assert_eq!(line.quantity, line.live(), "{line:?}");
        }
    }
    let open = sum_of(order.open_lines().iter().copied());
    if order.cancellation.is_some() {
        assert!(open.is_empty());
    }
    let held: u32 = order.held_quantities().values().sum();
    assert!(held == 0 || held == open.values().sum::<u32>());
}

fn sum_of(parts: impl Iterator<Item = LineQuantity>) -> BTreeMap<String, u32> {
    let mut sums = BTreeMap::new();
    for part in parts {
        *sums.entry(part.line_id.to_string()).or_default() += part.quantity;
    }
    sums
}

fn shipments_fit(order: &Order) {
    if order.is_over() {
        assert!(order.shipments.iter().all(|shipment| shipment.status != ShipmentStatus::Planned));
        return;
    }
    let planned = order.shipments.iter().filter(|shipment| shipment.status == ShipmentStatus::Planned);
    let planned = sum_of(planned.flat_map(|shipment| shipment.lines.clone()));
    let open = sum_of(order.open_lines().into_iter());
    for (line, quantity) in &planned {
        assert!(quantity <= open.get(line).unwrap_or(&0), "{line}: {quantity} planned, {open:?} open");
    }
    let unfilled = order.shipments.iter().any(|shipment| {
        !shipment.filled && matches!(shipment.status, ShipmentStatus::Planned | ShipmentStatus::Cancelled)
    });
    if unfilled {
        assert_eq!(planned, open, "the planned shipment covers every line not in another");
    }
    for line in &order.lines {
        let shipped = order
            .shipments
            .iter()
            .filter(|shipment| shipment.dispatched_at.is_some() && shipment.status != ShipmentStatus::Returned)
            .flat_map(|shipment| &shipment.lines)
            .filter(|part| part.line_id == line.line_id)
            .map(|part| part.quantity)
            .sum::<u32>();
        assert_eq!(shipped, line.shipped, "{:?}", order.shipments);
    }
}

/// The sums of the order as it stands, from its parts.
fn sums(order: &Order) -> Totals {
    let of_lines = |part: &dyn Fn(&Line) -> Decimal| sum(order.lines.iter().map(part));
    let shipping = &order.shipping;
    let on_top = if order.prices_include_tax { Decimal::ZERO } else { shipping.tax_amount };
    let lines = of_lines(&|line| order.cost_of(line, line.quantity));
    Totals {
        subtotal: of_lines(&|line| line.line_total(order.currency)),
        discount_total: of_lines(&|line| line.discount_of(line.quantity, order.currency)) + shipping.discount,
        shipping_total: shipping.amount,
        tax_total: of_lines(&|line| line.tax_of(line.quantity, order.currency)) + shipping.tax_amount,
        total: lines + shipping.amount - shipping.discount + on_top,
    }
}

fn money_fits(order: &Order) {
    assert_eq!(sums(order), order.totals, "the parts sum up to the total");
    assert!(order.totals.total >= Decimal::ZERO);
    for entry in &order.ledger.components {
        assert!(entry.refunded <= entry.captured, "{entry:?}");
        assert!(entry.refunded >= Decimal::ZERO && entry.captured >= Decimal::ZERO, "{entry:?}");
        assert!(entry.waived >= Decimal::ZERO && entry.waived <= entry.refunded, "{entry:?}");
        for amount in [entry.captured, entry.refunded] {
            assert_eq!(order.currency.round(amount), amount);
        }
    }
    assert!(order.ledger.excess_refunded <= order.ledger.excess_captured, "{:?}", order.ledger);
    assert!(order.ledger.excess_refunded >= Decimal::ZERO, "{:?}", order.ledger);
    let captured = sum(order.ledger.components.iter().map(|entry| entry.captured));
    assert_eq!(plus(captured, order.ledger.excess_captured), order.paid_total());
    let refunded = sum(order.ledger.components.iter().map(|entry| entry.refunded));
    let booked = order.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
    let booked = sum(booked.map(|refund| refund.amount));
    assert_eq!(plus(refunded, order.ledger.excess_refunded), booked);
    assert_eq!(order.refundable_total(), order.paid_total() - booked);
    assert!(order.refunded_total() <= order.paid_total());
    let parts = order.allocate(order.totals.total);
    assert!(sum(parts.iter().map(|part| part.amount)) <= order.totals.total);
    let never_failed = order.refunds.iter().all(|refund| refund.failed_at.is_none());
    if order.is_over() && never_failed && !order.has_open_exception() && order.exceptions.is_empty() {
        assert_eq!(order.overpaid().0, Decimal::ZERO, "no money stays silently with an order that is over");
    }
}

fn statuses_agree(order: &Order) {
    let (status, payment, fulfilment) = (order.status(), order.payment_status(), order.fulfilment_status());
    assert_eq!(status == OrderStatus::Cancelled, order.cancellation.is_some());
    assert!(!order.is_over() || !order.covered());
    assert!(!(status == OrderStatus::Pending && order.covered()));
    assert!(status != OrderStatus::Confirmed || order.covered());
    assert!(status != OrderStatus::Confirmed || !order.stock_was_released(), "confirmed implies stock held");
    assert!(!order.covered() || !order.lacks_stock());
    assert!(status != OrderStatus::Delivered || fulfilment == FulfilmentStatus::Delivered);
    assert!(status != OrderStatus::Returned || fulfilment == FulfilmentStatus::Returned);
    assert!(payment != PaymentStatus::Paid || order.paid_total() >= order.totals.total);
    assert!(payment != PaymentStatus::Refunded || order.refunded_total() == order.paid_total());
    let open = !order.is_over() && !order.open_lines().is_empty();
    assert!(!open || order.waiting_for(WINDOW).is_some(), "no order is silently stuck");
    assert!(order.timeline.is_sorted_by_key(|milestone| milestone.occurred_at));
    drop(obligations(order, WINDOW));
}

/// What may be done is not refused.
fn allowed_is_possible(order: &Order) {
    for party in [Party::Customer, Party::Staff] {
        for action in order.allowed_actions(party) {
            let id = 77;
            let (now, refund_id) = (order.updated_at, refund_id(id));
            let command: Command = match action {
                Action::Cancel => CancelOrder { by: party, reason: None, refund_id, now }.into(),
                Action::Hold => HoldOrder { reason: "look".to_owned(), now }.into(),
                Action::Resume => ResumeOrder { now }.into(),
                Action::StartProcessing => StartProcessing { now }.into(),
                Action::CreateShipment => CreateShipment {
                    shipment_id: shipment_id(id),
                    lines: None,
                    carrier: None,
                    tracking_number: None,
                    location: None,
                    now,
                }
                .into(),
                Action::Deliver => DeliverEverything { now }.into(),
                Action::Refund => {
                    let what = RefundWhat::Everything;
                    RequestRefund { refund_id, what, reason: None, return_id: None, now }.into()
                }
                Action::Complete => CompleteOrder { by: party, return_window: WINDOW, now }.into(),
                _ => continue,
            };
            assert!(!decide(order, command).expect("it is allowed").is_empty(), "{action:?}");
        }
    }
    for status in crate::allowed_statuses(order) {
        let change = SetStatus {
            status: status.as_str().to_lowercase(),
            note: None,
            by: Party::Staff,
            note_id: note_id(77),
            shipment_id: shipment_id(77),
            refund_id: refund_id(77),
            now: order.updated_at,
        };
        assert!(!decide(order, change).expect("it is allowed").is_empty(), "{status}");
    }
}

/// A fact that is reported again changes nothing, and nor does cancelling.
fn repeats_change_nothing(order: &Order, command: &Command) {
    let is_fact = matches!(
        command,
        Command::AuthorizePayment(_)
            | Command::CompletePayment(_)
            | Command::FailPayment(_)
            | Command::VoidPayment(_)
            | Command::CompleteRefund(_)
            | Command::FailRefund(_)
            | Command::RequestRefund(_)
            | Command::DispatchShipment(_)
            | Command::DeliverShipment(_)
            | Command::FailShipment(_)
            | Command::ReceiveReturn(_)
            | Command::RequestReturn(_)
            | Command::RejectReturn(_)
            | Command::CancelOrder(_)
            | Command::ExpireOrder(_)
            | Command::AmendOrder(_)
            | Command::ChangeTags(_)
            | Command::AddNote(_)
    );
    if is_fact {
        assert_eq!(decide(order, command.clone()), Ok(Vec::new()), "{command:?}");
    }
}

fn keeps_the_rules(before: &Order, command: &Command, events: &[OrderEvent]) {
    if matches!(command, Command::AmendOrder(_) | Command::PlaceOrder(_)) {
        assert!(events.len() <= 1, "one event");
    }
    let ships = events.iter().any(|event| matches!(event, OrderEvent::ShipmentDispatched(_)));
    let raises = events.iter().any(|event| matches!(event, OrderEvent::ExceptionRaised(_)));
    if ships && !raises {
        assert!(before.covered() && before.shipping_address.is_some() && !before.is_over() && before.hold.is_none());
    }
    if events.iter().any(|event| matches!(event, OrderEvent::OrderExpired(_))) {
        assert!(!before.covered());
    }
    let mut step = before.clone();
    let steps: Vec<_> = events
        .iter()
        .map(|event| {
            step.apply(event);
            assert!(!matches!(event, OrderEvent::OrderConfirmed(_)) || step.covered(), "confirmed implies covered");
            step.covered()
        })
        .collect();
    let ends_uncovered = steps.last() == Some(&false) && !before.covered();
    assert!(!ends_uncovered || !steps.contains(&true), "no event in between may issue an invoice");
}

/// What became of an order in another system.
#[derive(Debug, Clone)]
struct Elsewhere {
    cancelled: Vec<Vec<LineQuantity>>,
    shipped: bool,
    returned: Vec<Vec<LineQuantity>>,
    completed: bool,
}

fn elsewhere() -> impl Strategy<Value = Elsewhere> {
    let some = || prop::collection::vec(good_pieces(), 0..3);
    (some(), any::<bool>(), some(), any::<bool>()).prop_map(|(cancelled, shipped, returned, completed)| Elsewhere {
        cancelled,
        shipped,
        returned,
        completed,
    })
}

/// The order taken over from there; where that is against a rule, it is as if it had been placed here.
fn started(to_price: ToPrice, method: PaymentMethod, elsewhere: Option<Elsewhere>) -> Order {
    let Some(Elsewhere { cancelled, shipped, returned, completed }) = elsewhere else {
        return placed(to_price, method);
    };
    let priced = price(to_price.clone()).expect("within bounds");
    let import = ImportOrder {
        placing: PlaceOrder { priced, payment_method: method, ..placing() },
        cancellations: cancelled
            .into_iter()
            .map(|lines| ImportedCancellation { lines, reason: None, occurred_at: later(1) })
            .collect(),
        payments: Vec::new(),
        shipped: shipped.then(|| ImportedShipment {
            carrier: None,
            tracking_number: None,
            dispatched_at: later(2),
            delivered_at: Some(later(3)),
        }),
        returns: returned
            .into_iter()
            .zip(100_u128..)
            .map(|(lines, number)| ImportedReturn {
                return_id: return_id(number),
                lines,
                reason: None,
                occurred_at: later(4),
            })
            .collect(),
        completed_at: completed.then(|| later(5)),
        foreign_invoice_number: None,
    };
    let order = Order::of(OrderId::from_uuid(uuid::Uuid::from_u128(1)));
    let Ok(events) = decide(&order, import) else { return placed(to_price, method) };
    let order = events.iter().fold(order, |order, event| {
        let order = order.evolve(event);
        consistent(&order);
        order
    });
    assert!(order.reservation.is_none() && order.expires_at.is_none() && order.refunds.is_empty());
    order
}

fn placed(to_price: ToPrice, method: PaymentMethod) -> Order {
    let priced = price(to_price).expect("within bounds");
    let order = Order::of(OrderId::from_uuid(uuid::Uuid::from_u128(1)));
    let events = decide(&order, PlaceOrder { priced, payment_method: method, ..placing() }).expect("valid");
    assert_eq!(events.len(), 1, "placing appends exactly one event");
    order.after(&events)
}

fn method() -> impl Strategy<Value = PaymentMethod> {
    prop_oneof![3 => Just(PaymentMethod::Card), 1 => Just(PaymentMethod::CashOnDelivery)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_keeps_every_invariant(
        to_price in to_be_priced(),
        method in method(),
        elsewhere in prop::option::of(elsewhere()),
        wishes in prop::collection::vec(wish(), 1..40),
        snapshot_at in 0_usize..40,
    ) {
        let mut order = started(to_price, method, elsewhere);
        consistent(&order);
        let mut snapshot = None;
        let mut tail = Vec::new();
        for (index, wish) in wishes.into_iter().enumerate() {
            if index == snapshot_at {
                let json = serde_json::to_string(&order).expect("plain data");
                snapshot = Some(serde_json::from_str::<Order>(&json).expect("reads what it writes"));
                tail.clear();
            }
            let command = with_fresh_refund(made_concrete(wish, &order), index);
            let Ok(events) = decide(&order, command.clone()) else { continue };
            keeps_the_rules(&order, &command, &events);
            for event in &events {
                order = order.evolve(event);
            }
            consistent(&order);
            allowed_is_possible(&order);
            if !events.is_empty() {
                repeats_change_nothing(&order, &command);
            }
            tail.extend(events);
        }
        if let Some(snapshot) = snapshot {
            prop_assert_eq!(snapshot.after(&tail), order, "snapshot + tail = fold");
        }
    }

    #[test]
    fn the_parts_of_a_price_sum_up_to_its_total(to_price in to_be_priced()) {
        let (currency, includes_tax) = (to_price.currency, to_price.prices_include_tax);
        let (free_from, shipping_amount) = (to_price.shipping_free_from, to_price.shipping_amount);
        let priced = price(to_price.clone()).expect("within bounds");
        let order = placed(to_price, PaymentMethod::Card);
        let costs = order.allocate(priced.totals.total);
        prop_assert_eq!(sum(costs.iter().map(|part| part.amount)), priced.totals.total);
        prop_assert_eq!(currency.round(priced.totals.total), priced.totals.total);
        let discounts = sum(priced.discounts.iter().map(|discount| discount.amount));
        prop_assert_eq!(discounts, priced.totals.discount_total);
        for line in &priced.lines {
            let amount = currency.round(line.unit_price * Decimal::from(line.quantity));
            prop_assert!(line.discount >= Decimal::ZERO && line.discount <= amount);
            prop_assert_eq!(currency.round(line.discount), line.discount);
        }
        let totals = priced.totals;
        let net = totals.subtotal - totals.discount_total + totals.shipping_total;
        prop_assert_eq!(if includes_tax { net } else { net + totals.tax_total }, totals.total);
        let tax_of = |amount: Decimal, rate: Decimal| {
            currency.round(if includes_tax { amount - amount / (Decimal::ONE + rate) } else { amount * rate })
        };
        for line in &priced.lines {
            let amount = currency.round(line.unit_price * Decimal::from(line.quantity));
            prop_assert_eq!(line.tax_amount, tax_of(amount - line.discount, line.tax_rate), "of a line after discount");
        }
        let shipping = &priced.shipping;
        prop_assert_eq!(shipping.tax_amount, tax_of(shipping.amount - shipping.discount, shipping.tax_rate));
        let goods = totals.subtotal - (totals.discount_total - shipping.discount);
        let is_free = free_from.is_some_and(|from| goods >= from);
        prop_assert_eq!(shipping.amount, if is_free { Decimal::ZERO } else { shipping_amount });
    }

    #[test]
    fn events_in_any_order_never_stop_a_fold(
        to_price in to_be_priced(),
        wishes in prop::collection::vec(wish(), 1..25),
        order_of in prop::collection::vec(any::<prop::sample::Index>(), 1..80),
    ) {
        let mut order = placed(to_price, PaymentMethod::Card);
        let mut events = Vec::new();
        for wish in wishes {
            let more = decide(&order, made_concrete(wish, &order)).unwrap_or_default();
            order = order.after(&more);
            events.extend(more);
        }
        prop_assume!(!events.is_empty());
        let mut shuffled = Order::default();
        for index in order_of {
            shuffled = shuffled.evolve(index.get(&events));
            let _ = (shuffled.status(), shuffled.payment_status(), shuffled.waiting_for(WINDOW));
            let _ = shuffled.allowed_actions(Party::Staff);
        }
    }
}
