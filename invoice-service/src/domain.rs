//! What an invoice says, made from an order by pure functions. Numbers, ids and the moment come from outside.

pub mod invoice;
pub mod series;
