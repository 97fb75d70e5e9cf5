//! `oms demo`: a shop's traffic on a running system, with a live summary and a closing one.

use std::io::{self, Write};
use std::pin::pin;

use anyhow::bail;
use tokio::sync::watch;

use super::FoundWrong;
use crate::cli::Demo;
use crate::demo::{self, Report, Traffic};
use crate::system;

/// Makes traffic until its time is over, or until Ctrl-C; a second Ctrl-C does not wait for answers.
pub async fn run(options: Demo) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let (close, closing) = watch::channel(false);
    let api = system::Api::find(&options.system, options.patience, stopping).await?;
    let traffic = Traffic {
        rate: options.rate,
        lasts: options.lasts,
        most: options.shoppers.unwrap_or(u64::MAX),
        pause: options.pause,
        seed: options.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
    };
    let mut running = pin!(demo::run(&api, traffic, closing));
    let report: Report = loop {
        tokio::select! {
            report = &mut running => break report?,
            () = service::lifecycle::stop_signal() => {
                let again = close.send_replace(true);
                stop.send_replace(again);
                eprintln!("oms: {}", if again { "stopping" } else { "closing; those in the shop finish first" });
            }
        }
    };
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report.write(&mut out)?;
    }
    if !report.is_explained() {
        return Err(FoundWrong.into());
    }
    if !report.is_answered() {
        bail!("the system was away for so long that not everybody was answered");
    }
    Ok(())
}
