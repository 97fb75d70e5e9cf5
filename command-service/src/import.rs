//! Orders of other systems: what a line of an import says becomes an `ImportOrder`, and its ids follow from the other
//! system's own, so that bringing it in again finds it there. Nothing is asked of inventory's stock, of prices or of
//! profiles: the other system has decided all that.

mod body;
mod history;
mod ids;

pub use body::ImportOrderBody;
pub use history::{Imported, read};
pub use ids::command as command_id;
