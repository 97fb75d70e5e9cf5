//! query-service on its own.

fn main() -> std::process::ExitCode {
    service::run_alone(query_service::NAME, query_service::Config::from_settings, query_service::build)
}
