//! The route table of command-service: one screen.

mod amend;
mod cancel;
mod import;
mod keys;
mod payment;
mod place;
mod run;

use crate::{app::App, import::ImportOrderBody, pipeline::validate::PlaceOrderBody};
use order::view::OrderAnswer;
use web::{Access, Doc, Routes, Scope};

const WRITE: Access = Access::Scope(Scope::OrdersWrite);
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
            on_order("Change contact, addresses or note").body::<amend::AmendBody>(),
            amend::put,
        )
        .delete("/api/orders/{id}", WRITE, on_order("Cancel an order"), cancel::delete)
        .alias("/order/{id}")
        .post(
            "/api/orders/{id}/cancel",
            WRITE,
            on_order("Cancel an order, or lines of it").optional_body::<cancel::CancelBody>().idempotent(),
            cancel::post,
        )
        .post(
            "/api/orders/{id}/payment/completed",
            PAYMENTS,
            on_order("Report a payment that came in").body::<payment::PaymentBody>().idempotent(),
            payment::completed,
        )
        .post(
            "/api/orders/{id}/payment/failed",
            PAYMENTS,
            on_order("Report a payment that failed").body::<payment::PaymentBody>().idempotent(),
            payment::failed,
        )
        .post(
            "/api/orders/import",
            IMPORT,
            Doc::new("Take over orders of another system, one a line")
                .description("Each line is an `ImportOrderBody` and stands alone; the same line again is `existing`.")
                .lines::<ImportOrderBody>()
                .answers::<import::ImportAnswer>(200)
                .problems(&[413, 415, 503]),
            import::post,
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

fn command(summary: &'static str) -> Doc {
    Doc::new(summary).idempotent().problems(&[400, 404, 409, 413, 415, 422, 503])
}

fn on_order(summary: &'static str) -> Doc {
    Doc::new(summary).if_match().answers::<OrderAnswer>(200).problems(&[400, 404, 409, 412, 413, 415, 422, 503])
}

fn internal(summary: &'static str) -> Doc {
    Doc::new(summary).problems(&[400, 422, 503])
}
