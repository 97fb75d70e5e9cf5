//! What the catalogue, the shelf and reservations are, as pure values and functions: no I/O, no clock, no HTTP.
//! Commands are decided against the state that the caller has locked, and states follow from events alone.

pub mod image;
pub mod price;
pub mod product;
pub mod reservation;
pub mod stock;
