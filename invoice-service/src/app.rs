//! What the handlers share.

use crate::{invoices::Invoices, issuing::Issuing};
use feeds::ReaderHandle;
use service::{Idempotency, KeyClient};
use shared_events::UserId;
use web::{Caller, Problem};

/// The parts of invoice-service. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Issues invoices.
    pub issuing: Issuing,
    /// Reads them.
    pub invoices: Invoices,
    /// The keys of buyers.
    pub keys: KeyClient,
    /// How far the read table is.
    pub table: ReaderHandle,
    /// Requests that happen once.
    pub idempotency: Idempotency,
}

/// The customer whose invoices alone the caller may see.
///
/// # Errors
/// 401 for a customer's token that names no user.
pub fn confined_to(caller: &Caller) -> Result<Option<UserId>, Problem> {
    if !caller.is_customer() {
        return Ok(None);
    }
    UserId::parse(&caller.subject).map(Some).map_err(|_| Problem::invalid_token("the token names no user"))
}
