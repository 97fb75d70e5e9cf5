//! inventory-service on its own: `cargo run` in its folder.

fn main() -> std::process::ExitCode {
    service::run_alone(inventory_service::NAME, inventory_service::Config::from_settings, inventory_service::build)
}
