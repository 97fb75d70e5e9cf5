//! The route table of what comes before an order: carts, checkout, discounts, shipping methods and tax rates.

use super::{
    carts::{self, CartAnswer, CartItemBody, CheckedOutBody, MergeBody, NewCartBody},
    checkout::{self, CheckoutBody},
    discounts::{self, DiscountAnswer, DiscountBody},
    price_tables::{self, ShippingMethods, ShippingMethodsBody, TaxRates, TaxRatesBody},
};
use crate::{app::App, quotes::QuoteAnswer};
use web::{Access, Doc, Routes, Scope, pagination::PageParams};

const WRITE: Access = Access::Scope(Scope::OrdersWrite);
const READ: Access = Access::Scope(Scope::OrdersRead);
const INTERNAL: Access = Access::Internal(Scope::OrdersWrite);
const STAFF: Access = Access::Staff(Scope::OrdersAdmin);

/// What comes before an order.
pub fn routes() -> Routes<App> {
    Routes::new("command")
        .post("/api/carts", WRITE, cart("Open a cart", 201).optional_body::<NewCartBody>().idempotent(), carts::create)
        .get("/api/carts/{cartId}", WRITE, cart("A cart with the prices of this moment", 200), carts::get)
        .put(
            "/api/carts/{cartId}/items/{productId}",
            WRITE,
            cart("Set how many pieces are wanted", 200).if_match().body::<CartItemBody>(),
            carts::put_item,
        )
        .delete(
            "/api/carts/{cartId}/items/{productId}",
            WRITE,
            cart("Take a product out", 200).if_match(),
            carts::delete_item,
        )
        .post(
            "/api/carts/{cartId}/merge",
            WRITE,
            cart("Put a guest's cart into the customer's own", 200).optional_body::<MergeBody>().idempotent(),
            carts::merge,
        )
        .post(
            "/api/carts/{cartId}/checked-out",
            INTERNAL,
            cart("Mark a cart as checked out", 200).optional_body::<CheckedOutBody>().idempotent(),
            carts::check_out,
        )
        .get("/cart/{userId}", READ, cart("A user's open cart", 200), carts::of_user)
        .post(
            "/api/checkout",
            WRITE,
            Doc::new("Quote a cart or items: prices that hold for a while")
                .body::<CheckoutBody>()
                .idempotent()
                .answers::<QuoteAnswer>(200)
                .problems(&[400, 404, 409, 413, 415, 422, 503]),
            checkout::post,
        )
        .alias("/checkout")
        .merge(staff())
}

/// What the shop's staff sets up.
fn staff() -> Routes<App> {
    Routes::new("command")
        .get(
            "/api/discounts",
            STAFF,
            Doc::new("Discounts by code").query::<PageParams>().answers_list::<DiscountAnswer>().problems(&[400, 503]),
            discounts::list,
        )
        .post(
            "/api/discounts",
            STAFF,
            discount("Make a discount", 201).body::<DiscountBody>().idempotent(),
            discounts::post,
        )
        .get("/api/discounts/{code}", STAFF, discount("A discount and how often it was used", 200), discounts::get)
        .put(
            "/api/discounts/{code}",
            STAFF,
            discount("Give a discount other terms", 200).if_match().body::<DiscountBody>(),
            discounts::put,
        )
        .delete(
            "/api/discounts/{code}",
            STAFF,
            Doc::new("Remove a discount").if_match().answers_empty(204).problems(&[404, 412, 503]),
            discounts::delete,
        )
        .get("/api/shipping-methods", STAFF, methods("Shipping methods"), price_tables::shipping_methods)
        .put(
            "/api/shipping-methods",
            STAFF,
            methods("Replace the shipping methods").if_match().body::<ShippingMethodsBody>().problems(CHANGED),
            price_tables::put_shipping_methods,
        )
        .get("/api/tax-rates", STAFF, rates("Tax rates"), price_tables::tax_rates)
        .put(
            "/api/tax-rates",
            STAFF,
            rates("Replace the tax rates").if_match().body::<TaxRatesBody>().problems(CHANGED),
            price_tables::put_tax_rates,
        )
}

const CHANGED: &[u16] = &[400, 412, 413, 415, 422, 503];

fn cart(summary: &'static str, status: u16) -> Doc {
    Doc::new(summary).answers::<CartAnswer>(status).problems(&[400, 404, 409, 413, 415, 422, 503])
}

fn discount(summary: &'static str, status: u16) -> Doc {
    Doc::new(summary).answers::<DiscountAnswer>(status).problems(&[400, 404, 412, 413, 415, 422, 503])
}

fn methods(summary: &'static str) -> Doc {
    Doc::new(summary).answers::<ShippingMethods>(200)
}

fn rates(summary: &'static str) -> Doc {
    Doc::new(summary).answers::<TaxRates>(200)
}
