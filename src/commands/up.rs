//! `oms up`: everything on this machine for development. A database of its own, the development clients and users, a
//! demo catalogue at the first start, and an orderly end on Ctrl-C or SIGTERM.

use std::pin::{Pin, pin};
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::Context;
use auth_service::Directory;
use pg::Database;
use service::{Process, Settings, lifecycle, metrics, telemetry};

use crate::cli::Up;
use crate::config::{self, UpConfig};
use crate::embedded::Storage;
use crate::opening::Opening;
use crate::{compose, credentials};

/// How long an end before the listener serves waits for what was started.
const PATIENCE: Duration = Duration::from_secs(10);

type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs until Ctrl-C or SIGTERM. The embedded server ends with us, whatever else happened.
pub async fn run(options: Up) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    telemetry::init(&settings)?;
    metrics::handle();
    let mut signal: Signal = Box::pin(lifecycle::stop_signal());
    let config = UpConfig::bind(options, &settings).await?;

    let mut stop_asked = false;
    let storage = {
        // A signal meanwhile is kept: only a server that has started can be stopped.
        let mut opening = pin!(Storage::open(config.database_url.clone(), config.data_dir.clone()));
        loop {
            tokio::select! {
                opened = &mut opening => break opened?,
                () = &mut signal, if !stop_asked => stop_asked = true,
            }
        }
    };
    let ran = if stop_asked {
        Ok(())
    } else {
        tokio::select! {
            ran = run_on(&storage, config, settings, signal) => ran,
            never = storage.keep_running() => match never {},
        }
    };
    ran.and(storage.close().await)
}

async fn run_on(storage: &Storage, config: UpConfig, settings: Settings, signal: Signal) -> anyhow::Result<()> {
    let url = config.url();
    let listen = config.listen.to_string();
    // Nothing is given away for simulated money where others can reach it.
    let provider = if config.listen.ip().is_loopback() { "simulated" } else { "none" };
    let settings = settings
        .with("DATABASE_URL", storage.own_url.as_str())
        .with("OMS_DATA_DIR", storage.data_dir.to_string_lossy())
        .with("OMS_LISTEN", listen)
        .with_default("OMS_PUBLIC_URL", url.as_str())
        .with_default("OMS_WEBHOOK_PRIVATE_ADDRESSES", "loopback")
        .with_default("OMS_PAYMENT_PROVIDER", provider);
    let database = Database::new(&storage.own_url, config::connections(&settings)?)?;
    database.check_durability().await.context("the database cannot be used")?;
    let process = Process::new(settings, database.clone(), &compose::all())?.with_listener(config.listener);
    let lifecycle = process.deps().lifecycle.clone();
    let asked = lifecycle.clone();
    lifecycle.spawn("first signal", |stop| async move {
        if stop.run_until_cancelled(signal).await.is_some() {
            asked.begin_drain();
        }
    });

    let starting = async {
        let services = compose::build(&process, &compose::all()).await?;
        let directory = Directory::open(&database).await?;
        let credentials = credentials::ensure(&directory, &storage.data_dir, &process.deps().public_url).await?;
        anyhow::Ok((services, credentials))
    };
    let draining = lifecycle.draining().clone();
    let (services, credentials) = match draining.run_until_cancelled(Box::pin(starting)).await {
        Some(Ok(started)) => started,
        ended_early => {
            lifecycle.shut_down(PATIENCE).await;
            return ended_early.map_or(Ok(()), |started| started.map(drop));
        }
    };

    let opening = Opening {
        url,
        database_url: storage.database_url.clone(),
        data_dir: storage.data_dir.clone(),
        ready_file: config.ready_file,
        credentials,
    };
    let (failure, failed) = channel();
    let opened = move |_address| {
        let ending = lifecycle.clone();
        lifecycle.spawn("opening", move |stop| async move {
            if let Some(Err(error)) = stop.run_until_cancelled(opening.open()).await {
                // It is looked at when everything has ended.
                let _ = failure.send(error);
                ending.begin_drain();
            }
        });
    };
    process.run(services, Vec::new(), opened).await?;
    failed.try_recv().map_or(Ok(()), Err)
}
