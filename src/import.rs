//! Bringing in what other systems know: `oms import`. It reads a file into a plan, sends the plan through the front
//! door of a running system, and accounts for every line of the file.

mod accounting;
pub mod orders;
pub mod rejects;
pub mod retail;
mod sending;
mod showing;

pub use accounting::{Account, Report};
pub use sending::{Counts, Sender, Stopped};
pub use showing::Progress;
