//! The command side of orders, alone.

fn main() -> std::process::ExitCode {
    service::run_alone(command_service::NAME, command_service::Config::from_settings, command_service::build)
}
