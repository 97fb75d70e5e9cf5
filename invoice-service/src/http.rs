//! The route table of invoice-service: one screen.

mod create;
mod read;

use crate::{app::App, view::InvoiceView};
use web::{Access, Doc, Routes, Scope};

const READ: Access = Access::Scope(Scope::InvoicesRead);
const WRITE: Access = Access::StaffOrInternal(Scope::InvoicesWrite);

/// Every route of this service but the feed's.
pub fn routes(app: App) -> Routes<()> {
    Routes::new("invoice")
        .post(
            "/api/invoices",
            WRITE,
            Doc::new("The invoice of a covered order, issued if it was not yet")
                .body::<create::CreateBody>()
                .idempotent()
                .answers::<InvoiceView>(201)
                .answers::<InvoiceView>(200)
                .problems(&[400, 404, 409, 413, 415, 422, 503]),
            create::post,
        )
        .get(
            "/api/invoices",
            READ,
            Doc::new("Invoices and credit notes, newest first")
                .query::<read::ListParams>()
                .answers_list::<InvoiceView>()
                .problems(&[400, 503]),
            read::list,
        )
        .get(
            "/api/invoices/{id}",
            READ,
            Doc::new("One invoice or credit note").answers::<InvoiceView>(200).problems(&[400, 404, 503]),
            read::one,
        )
        .with_state(app)
}
