//! The SELECTs on the read tables: one module per table. They know nothing of HTTP or GraphQL.

pub mod invoices;
pub mod keyset;
pub mod orders;
pub mod products;
pub mod stock;
