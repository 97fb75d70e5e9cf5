//! What clients write into commands: the bodies' shared parts and the rules for them. A body is read
//! leniently into text first, so that every broken rule is found and named at once, with its pointer.

mod address;
mod checks;
mod country;
mod lines;

pub use address::{AddressInput, ContactInput};
pub use checks::Checks;
pub use country::is_country;
pub use lines::{LineQuantityBody, named_lines};
