//! Every route of the service on one screen, and what handlers share.

mod answers;
mod bulk_products;
mod bulk_stock;
mod change_products;
mod images;
mod items;
mod locations;
mod lookup;
mod movements;
mod prices;
mod problems;
mod products;
mod reservations;
mod stock;
mod validate_cart;

use crate::catalogue::Catalogue;
use crate::images::Images;
use crate::locations::Locations;
use crate::movements::Movements;
use crate::stock_writer::StockWriter;
use answers::{ProductAnswer, ReservationAnswer, SetPriceAnswer, StockAnswer};
use chrono::TimeDelta;
use pg::Pool;
use serde::Serialize;
use service::Idempotency;
use shared_events::Currency;
use web::pagination::PageParams;
use web::{Access, Doc, Routes, Scope};

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) catalogue: Catalogue,
    pub(crate) writer: StockWriter,
    pub(crate) images: Images,
    pub(crate) locations: Locations,
    pub(crate) movements: Movements,
    pub(crate) pool: Pool,
    pub(crate) idempotency: Idempotency,
    pub(crate) currency: Currency,
    pub(crate) reservation_ttl: TimeDelta,
}

/// What a repeat of a request must have in common with it: its body, whatever its spelling.
fn substance(body: &impl Serialize) -> Vec<u8> {
    // Bodies are plain structs with text keys, which serde_json cannot fail on.
    serde_json::to_vec(body).unwrap_or_default()
}

/// The route table.
pub(crate) fn routes(app: App) -> Routes<()> {
    use Access::{Internal, Public, Staff};
    let read = Access::Scope(Scope::InventoryRead);
    let catalog = Staff(Scope::CatalogWrite);
    let reservation = Internal(Scope::InventoryWrite);
    let doc = Doc::new;
    let step = |summary| {
        doc(summary)
            .optional_body::<reservations::StepBody>()
            .answers::<ReservationAnswer>(200)
            .idempotent()
            .problems(&[409])
    };
    Routes::new("inventory")
        .get(
            "/api/products",
            Public,
            doc("Lists what is sold")
                .query::<products::ProductParams>()
                .query::<PageParams>()
                .answers_list::<ProductAnswer>(),
            products::list,
        )
        .post(
            "/api/products",
            catalog,
            doc("Makes a product")
                .body::<change_products::NewProductBody>()
                .answers::<ProductAnswer>(201)
                .idempotent()
                .problems(&[409]),
            change_products::post,
        )
        .post(
            "/api/products/bulk",
            catalog,
            doc("Makes products, or changes them by their sku, one a line")
                .description("Each line is a `NewProductBody` and stands alone.")
                .query::<bulk_products::BulkParams>()
                .lines::<change_products::NewProductBody>()
                .answers::<bulk_products::BulkAnswer>(200)
                .problems(&[413, 415, 503]),
            bulk_products::post,
        )
        .post(
            "/api/products/validate-cart",
            read,
            doc("Says whether a cart could be ordered now")
                .body::<validate_cart::CartBody>()
                .answers::<validate_cart::ValidatedCart>(200)
                .idempotent(),
            validate_cart::post,
        )
        .alias("/products/validate-cart")
        .get("/api/products/{id}", Public, doc("A product").answers::<ProductAnswer>(200), products::get)
        .put(
            "/api/products/{id}",
            catalog,
            doc("Changes a product; what is absent stays as it is")
                .body::<change_products::ProductBody>()
                .answers::<ProductAnswer>(200)
                .if_match()
                .problems(&[409]),
            change_products::update,
        )
        .delete(
            "/api/products/{id}",
            catalog,
            doc("Archives a product").answers::<ProductAnswer>(200).if_match(),
            change_products::archive,
        )
        .get(
            "/api/products/{id}/images/{name}",
            Public,
            doc("A picture of a product").answers_raw(200, "image/*"),
            images::get,
        )
        .put(
            "/api/products/{id}/images/{name}",
            catalog,
            doc("Keeps a picture of a product: PNG, JPEG, GIF, WebP or AVIF, of 1 MiB at most")
                .raw_body("image/*")
                .answers::<images::KeptImage>(200)
                .if_match()
                .problems(&[415]),
            images::put,
        )
        .delete(
            "/api/products/{id}/images/{name}",
            catalog,
            doc("Takes a picture away").answers_empty(204).if_match(),
            images::delete,
        )
        .get(
            "/api/products/{id}/prices",
            Public,
            doc("Every price a product had, has or will have")
                .query::<prices::PriceParams>()
                .query::<PageParams>()
                .answers_list::<answers::PriceAnswer>(),
            prices::list,
        )
        .post(
            "/api/products/{id}/prices",
            catalog,
            doc("Sets a price, now or for later")
                .body::<prices::PriceBody>()
                .answers::<SetPriceAnswer>(201)
                .idempotent(),
            prices::post,
        )
        .get(
            "/api/inventory",
            read,
            doc("Lists stock, all or what is running out")
                .query::<stock::StockParams>()
                .query::<PageParams>()
                .answers_list::<StockAnswer>(),
            stock::list,
        )
        .get("/api/inventory/{productId}", read, doc("The stock of a product").answers::<StockAnswer>(200), stock::get)
        .put(
            "/api/inventory/{productId}",
            Staff(Scope::InventoryWrite),
            doc("Counts or corrects the stock of a product")
                .body::<stock::StockBody>()
                .answers::<StockAnswer>(200)
                .if_match()
                .problems(&[409]),
            stock::put,
        )
        .get(
            "/api/inventory/{productId}/movements",
            read,
            doc("Every change of a product's stock, newest first")
                .query::<PageParams>()
                .answers_list::<movements::MovementAnswer>(),
            movements::list,
        )
        .post(
            "/api/inventory/bulk",
            Staff(Scope::InventoryWrite),
            doc("Counts the stock of many products, a line each, as of a moment")
                .lines::<bulk_stock::CountLine>()
                .answers::<bulk_stock::BulkStockAnswer>(200),
            bulk_stock::post,
        )
        .get(
            "/api/locations",
            read,
            doc("Where stock lies").query::<PageParams>().answers_list::<locations::LocationAnswer>(),
            locations::list,
        )
        .post(
            "/api/locations",
            Staff(Scope::InventoryWrite),
            doc("Makes a place where stock lies")
                .body::<locations::LocationBody>()
                .answers::<locations::LocationAnswer>(201)
                .idempotent(),
            locations::post,
        )
        .post(
            "/api/inventory/reservations",
            reservation,
            doc("Holds stock for an order: all of it, or nothing")
                .body::<reservations::ReserveBody>()
                .answers::<ReservationAnswer>(201)
                .answers::<ReservationAnswer>(200)
                .idempotent()
                .problems(&[409]),
            reservations::post,
        )
        .get(
            "/api/inventory/reservations/{orderId}",
            reservation,
            doc("What is held for an order").answers::<ReservationAnswer>(200),
            reservations::get,
        )
        .post(
            "/api/inventory/reservations/{orderId}/attach",
            reservation,
            step("Keeps a reservation: its order exists"),
            reservations::attach,
        )
        .post(
            "/api/inventory/reservations/{orderId}/confirm",
            reservation,
            step("Keeps a reservation for good: its order is covered"),
            reservations::confirm,
        )
        .post(
            "/api/inventory/reservations/{orderId}/release",
            reservation,
            step("Gives a reservation up"),
            reservations::release,
        )
        .post(
            "/internal/products/lookup",
            Internal(Scope::EventsRead),
            doc("What an order needs of products").body::<lookup::LookupBody>().answers::<lookup::LookupAnswer>(200),
            lookup::lookup,
        )
        .with_state(app)
}
