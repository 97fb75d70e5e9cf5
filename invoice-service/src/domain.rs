//! What invoices and credit notes say, made from orders by pure functions. Numbers, ids and the moment come from outside.

pub mod credit_note;
pub mod invoice;
pub mod series;
