//! The route table of command-service: one screen.

mod amend;
mod cancel;
pub mod carriers;
mod carts;
mod checkout;
mod discounts;
mod handling;
mod import;
mod keys;
mod payment;
mod payment_webhooks;
mod payments;
mod place;
mod price_tables;
mod refunds;
mod resource;
mod returns;
mod run;
mod shipments;
mod shop;
mod step;
mod stock;
pub mod webhooks;

use crate::{app::App, import::ImportOrderBody, inventory::Reserved, pipeline::validate::PlaceOrderBody};
use order::view::{OrderAnswer, ReturnAnswer, ShipmentAnswer};
use resource::{PartOfOrder, RequestedRefund};
use step::{bare_step, bodiless_step, step};
use utoipa::ToSchema;
use web::{Access, Doc, Routes, Scope};

const WRITE: Access = Access::Scope(Scope::OrdersWrite);
const STATUS: Access = Access::StaffOrInternal(Scope::OrdersAdmin);
const STAFF: Access = Access::Staff(Scope::OrdersAdmin);
const STOCK: Access = Access::Internal(Scope::OrdersWrite);
const SHIP: Access = Access::Staff(Scope::ShipmentsWrite);
const TRACK: Access = Access::StaffOrInternal(Scope::ShipmentsWrite);
const RETURNED: Access = Access::Staff(Scope::OrdersWrite);
const IMPORT: Access = Access::StaffOrInternal(Scope::OrdersAdmin);
const PAYMENTS: Access = Access::Internal(Scope::PaymentsWrite);
const KEYS: Access = Access::Internal(Scope::EventsRead);

/// Every route of this service but the feed's.
pub fn routes(app: App) -> Routes<()> {
    Routes::new("command")
        .post(
            "/api/orders",
            WRITE,
            command("Place an order").body::<PlaceOrderBody>().answers::<OrderAnswer>(201),
            place::place,
        )
        .alias("/orders")
        .alias("/order")
        .put(
            "/api/orders/{id}",
            WRITE,
            on_order("Change items, contact, addresses or note").body::<amend::AmendBody>(),
            amend::put,
        )
        .delete("/api/orders/{id}", WRITE, on_order("Cancel an order"), bodiless_step::<cancel::CancelBody>)
        .alias("/order/{id}")
        .merge(steps())
        .merge(shop::routes())
        .post(
            "/api/orders/import",
            IMPORT,
            Doc::new("Take over orders of another system, one a line")
                .description("Each line is an `ImportOrderBody` and stands alone; the same line again is `existing`.")
                .query::<import::ImportParams>()
                .lines::<ImportOrderBody>()
                .answers::<import::ImportAnswer>(200)
                .problems(&[413, 415, 503]),
            import::post,
        )
        .post(
            "/api/webhooks/payments/{provider}",
            Access::Public,
            Doc::new("What payment providers tell, signed")
                .description("Signed by Standard Webhooks, by Stripe as Stripe does. The provider is `stripe`, `generic` or `simulated`.")
                .raw_body("application/json")
                .answers::<payment_webhooks::Received>(202)
                .problems(&[401, 404, 413, 503]),
            payment_webhooks::post,
        )
        .post(
            "/internal/keys",
            KEYS,
            internal("Keys by id").body::<keys::KeysBody>().answers::<keys::KeysAnswer>(200),
            keys::batch,
        )
        .post(
            "/internal/keys/owner",
            KEYS,
            internal("The key of an invoiced order").body::<keys::OwnerBody>().answers::<keys::KeyAnswer>(200),
            keys::of_owner,
        )
        .with_state(app)
}

/// What is done with an order that exists.
fn steps() -> Routes<App> {
    use self::{cancel::CancelBody, handling::*, payment::PaymentBody, refunds::*, returns::*, shipments::*};
    Routes::new("command")
        .post(
            "/api/orders/{id}/cancel",
            WRITE,
            bare::<CancelBody>("Cancel an order, or lines of it"),
            bare_step::<CancelBody>,
        )
        .put(
            "/api/orders/{id}/status",
            STATUS,
            on_order("Bring an order to a status").body::<StatusBody>(),
            step::<StatusBody>,
        )
        .alias("/order/{id}/status")
        .post("/api/orders/{id}/notes", STAFF, with::<NoteBody>("Write on an order"), step::<NoteBody>)
        .put("/api/orders/{id}/tags", STAFF, on_order("Set an order's tags").body::<TagsBody>(), step::<TagsBody>)
        .post("/api/orders/{id}/hold", STAFF, with::<HoldBody>("Let an order wait"), step::<HoldBody>)
        .post("/api/orders/{id}/resume", STAFF, bare::<ResumeBody>("Let an order go on"), bare_step::<ResumeBody>)
        .post(
            "/api/orders/{id}/exceptions/{exceptionId}/resolved",
            STAFF,
            with::<ResolvedBody>("Tell what was done about an exception"),
            step::<ResolvedBody>,
        )
        .post(
            "/api/orders/{id}/payment/authorized",
            PAYMENTS,
            with::<PaymentBody>("Report a payment that is held"),
            payment::authorized,
        )
        .post(
            "/api/orders/{id}/payment/completed",
            PAYMENTS,
            with::<PaymentBody>("Report a payment that came in"),
            payment::completed,
        )
        .post(
            "/api/orders/{id}/payment/failed",
            PAYMENTS,
            with::<PaymentBody>("Report a payment that failed"),
            payment::failed,
        )
        .post(
            "/api/orders/{id}/payment/voided",
            PAYMENTS,
            with::<PaymentBody>("Report a payment that is held no longer"),
            payment::voided,
        )
        .post(
            "/api/orders/{id}/inventory/reserve",
            STOCK,
            stock("Hold its stock, where it was given up"),
            stock::reserve,
        )
        .post(
            "/api/orders/{id}/inventory/release",
            STOCK,
            stock("Give its stock up, unless it is covered"),
            stock::release,
        )
        .post(
            "/api/orders/{id}/inventory/confirm",
            STOCK,
            stock("Hold its stock firmly: it is covered"),
            stock::confirm,
        )
        .post(
            "/api/orders/{id}/payments",
            WRITE,
            command("Start a payment for what is missing")
                .optional_body::<payments::StartPaymentBody>()
                .answers::<payments::StartedPayment>(201),
            payments::start,
        )
        .post(
            "/api/orders/{id}/shipments",
            SHIP,
            makes::<PartOfOrder<ShipmentAnswer>>("Put goods into a shipment").optional_body::<ShipmentBody>(),
            bare_step::<ShipmentBody>,
        )
        .post(
            "/api/orders/{id}/shipments/{shipmentId}/dispatched",
            TRACK,
            bare::<DispatchedBody>("Tell that a shipment has left"),
            bare_step::<DispatchedBody>,
        )
        .post(
            "/api/orders/{id}/shipments/{shipmentId}/delivered",
            TRACK,
            bare::<DeliveredBody>("Tell that a shipment arrived"),
            bare_step::<DeliveredBody>,
        )
        .post(
            "/api/orders/{id}/shipments/{shipmentId}/failed",
            TRACK,
            bare::<ShipmentFailedBody>("Tell that a shipment could not be delivered"),
            bare_step::<ShipmentFailedBody>,
        )
        .post(
            "/api/orders/{id}/returns",
            WRITE,
            makes::<PartOfOrder<ReturnAnswer>>("Announce that something comes back").body::<ReturnBody>(),
            step::<ReturnBody>,
        )
        .post(
            "/api/orders/{id}/returns/{returnId}/received",
            RETURNED,
            bare::<ReceivedBody>("Tell that a return came"),
            bare_step::<ReceivedBody>,
        )
        .post(
            "/api/orders/{id}/returns/{returnId}/rejected",
            RETURNED,
            bare::<RejectedBody>("Do not take a return back"),
            bare_step::<RejectedBody>,
        )
        .post(
            "/api/orders/{id}/refunds",
            STAFF,
            makes::<RequestedRefund>("Give money back").body::<RefundBody>(),
            step::<RefundBody>,
        )
        .post(
            "/api/orders/{id}/refunds/{refundId}/completed",
            PAYMENTS,
            bare::<RefundCompletedBody>("Report that money went back"),
            bare_step::<RefundCompletedBody>,
        )
        .post(
            "/api/orders/{id}/refunds/{refundId}/failed",
            PAYMENTS,
            bare::<RefundFailedBody>("Report that money could not be sent back"),
            bare_step::<RefundFailedBody>,
        )
}

/// A POST whose body has to be there.
fn with<B: ToSchema>(summary: &'static str) -> Doc {
    on_order(summary).body::<B>().idempotent()
}

/// A POST whose body may be absent.
fn bare<B: ToSchema>(summary: &'static str) -> Doc {
    on_order(summary).optional_body::<B>().idempotent()
}

/// A POST that makes a part of an order.
fn makes<A: ToSchema>(summary: &'static str) -> Doc {
    command(summary).if_match().answers::<A>(201).problems(&[412])
}

fn stock(summary: &'static str) -> Doc {
    command(summary).optional_body::<stock::StockBody>().answers::<Reserved>(200)
}

fn command(summary: &'static str) -> Doc {
    Doc::new(summary).idempotent().problems(&[400, 404, 409, 413, 415, 422, 503])
}

fn on_order(summary: &'static str) -> Doc {
    Doc::new(summary).if_match().answers::<OrderAnswer>(200).problems(&[400, 404, 409, 412, 413, 415, 422, 503])
}

fn internal(summary: &'static str) -> Doc {
    Doc::new(summary).problems(&[400, 422, 503])
}
