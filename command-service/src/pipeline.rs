//! Placing an order, as pipes and filters: `authenticate → deduplicate → validate → price → decide → reserve →
//! append`. The first two belong to the request (`http/place.rs`); each of the others is a file here with its own
//! error. All of it goes on even if the client hangs up.

pub mod append;
pub mod decide;
pub mod price;
pub mod profile;
pub mod reserve;
pub mod validate;
