//! auth-service alone, on port 8085.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::run_alone(auth_service::NAME, auth_service::Config::from_settings, auth_service::build)
}
