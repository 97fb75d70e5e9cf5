//! Logs: people's form on a terminal, JSON in production (`OMS_LOG_FORMAT`), filtered by `RUST_LOG`. They carry ids,
//! never personal data or secrets.

use crate::{SettingError, Settings};
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_FILTER: &str = "info,tokio_postgres=warn,refinery_core=warn,hyper=warn,tantivy=warn";

/// Sends the logs of this process to standard error. A second call changes nothing.
///
/// # Errors
/// [`SettingError`] when the filter or the format is not one.
pub fn init(settings: &Settings) -> Result<(), SettingError> {
    let text = settings.text("RUST_LOG", DEFAULT_FILTER);
    let filter = EnvFilter::try_new(&text).map_err(|error| SettingError::wrong("RUST_LOG", &text, error))?;
    let format = settings.one_of("OMS_LOG_FORMAT", &["pretty", "json"])?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if format.as_deref() == Some("json") {
        subscriber.json().flatten_event(true).with_current_span(true).try_init()
    } else {
        subscriber.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    if installed.is_err() {
        tracing::debug!("logs go where they went before");
    }
    Ok(())
}
