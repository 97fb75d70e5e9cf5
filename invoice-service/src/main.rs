//! Invoices, alone.

fn main() -> std::process::ExitCode {
    service::run_alone(invoice_service::NAME, invoice_service::Config::from_settings, invoice_service::build)
}
