//! The `oms` binary: every role of the system and the commands that work on it.

use std::process::ExitCode;

fn main() -> ExitCode {
    oms::run()
}
