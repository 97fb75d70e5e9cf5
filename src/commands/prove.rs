//! `oms prove oversell`: thousands of buyers for a few pieces on a running system, and the laws that have to hold.

use std::io::{self, Write};

use tokio::sync::watch;

use super::FoundWrong;
use crate::cli::{Prove, ProveOversell};
use crate::prove::{self, Attack, Shop};
use crate::system;

/// Runs one of the words after `oms prove`.
pub async fn run(command: Prove) -> anyhow::Result<()> {
    match command {
        Prove::Oversell(options) => Box::pin(oversell(options)).await,
    }
}

async fn oversell(options: ProveOversell) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let api = system::Api::find(&options.system, options.patience, stopping).await?;
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let attack =
        Attack { buyers: count(options.buyers), units: count(options.units), concurrency: count(options.concurrency) };
    let says = |words: &str| eprintln!("oms: {words}");
    let proving = async {
        let shop = Shop::open(api, attack.units).await?;
        prove::oversell(&shop, attack, says).await
    };
    let stopped = async {
        service::lifecycle::stop_signal().await;
        stop.send_replace(true);
        anyhow::bail!("stopped before anything was proven")
    };
    let report = tokio::select! {
        report = proving => report?,
        stopped = stopped => return stopped,
    };
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report.write(&mut out)?;
    }
    if report.proven { Ok(()) } else { Err(FoundWrong.into()) }
}
