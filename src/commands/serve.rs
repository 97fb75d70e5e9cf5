//! `oms serve`: all services, or those named, on the database and addresses of the environment.

use anyhow::Context;
use pg::Database;
use service::{Process, Settings, metrics, telemetry};

use crate::cli::Serve;
use crate::compose;
use crate::config;

/// Runs the services until SIGTERM or Ctrl-C.
pub async fn run(options: Serve) -> anyhow::Result<()> {
    let names = compose::named(&options.service)?;
    let settings = Settings::load()?;
    telemetry::init(&settings)?;
    metrics::handle();
    let url = settings.required("DATABASE_URL")?;
    let database = Database::new(&url, config::connections(&settings)?)?;
    database.check_durability().await.context("the database cannot be used")?;
    let process = Process::new(settings, database, &names)?;
    let services = compose::build(&process, &names).await?;
    process.run(services, Vec::new(), |_| {}).await?;
    Ok(())
}
