//! Placing an order, as pipes and filters: `authenticate → deduplicate → validate → price → decide → reserve →
//! append`. The first two belong to the request (`http/place.rs`); each of the others is a file here with its own
//! error. What is ordered may be items, a cart or a quote (`source`); a quote is made by the same stages up to the price.
//! All of it goes on even if the client hangs up.

pub mod append;
pub mod decide;
pub mod offer;
pub mod price;
pub mod profile;
pub mod quote;
pub mod redeem;
pub mod reserve;
pub mod source;
pub mod validate;
