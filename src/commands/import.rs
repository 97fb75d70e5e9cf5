//! `oms import`: brings a table of invoices, or lines of orders, into a running system, and accounts for each line.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use serde_json::json;
use tokio::sync::watch;

use super::FoundWrong;
use crate::cli::{Import, ImportOrders, ImportRetail};
use crate::import::orders::{OrderSender, scan, write_rejects};
use crate::import::retail::{Plan, Table, plan, products, read};
use crate::import::{Account, Counts, Progress, Report, Sender, Stopped, rejects};
use crate::system;

/// Runs one of the words after `oms import`.
pub async fn run(command: Import) -> anyhow::Result<()> {
    match command {
        Import::RetailCsv(options) => Box::pin(retail_csv(options)).await,
        Import::Orders(options) => Box::pin(orders(options)).await,
    }
}

/// What is told at the end.
struct Told {
    report: Report,
    orders: usize,
    products: usize,
    counts: Option<Counts>,
    took: Duration,
    rejects: PathBuf,
}

async fn retail_csv(options: ImportRetail) -> anyhow::Result<()> {
    let table = read(&options.file)?;
    let mut plan = plan(&table);
    let mut account = Account::new(&table, std::mem::take(&mut plan.rejects));
    let rejects_path =
        options.rejects.clone().unwrap_or_else(|| beside(&options.file, &[".xz", ".csv"], "rejects.csv"));
    let progress = Progress::new(plan.orders.iter().map(|order| order.items.len()).sum());
    let catalogue = products(&table, &plan);
    let counts = if options.dry_run {
        plan.orders.iter().for_each(|order| account.imported(order));
        None
    } else {
        let sent = send(&options, &table, &plan, &catalogue, &mut account, &progress).await;
        let took = progress.finish();
        match sent? {
            (Stopped::No, counts) => Some(counts),
            (Stopped::Yes, counts) => {
                let done = counts.created + counts.existing + counts.rejected;
                let (all, seconds) = (plan.orders.len(), took.as_secs_f64());
                bail!("stopped after {done} of {all} orders and {seconds:.1} s; run the same command again to go on");
            }
        }
    };
    rejects::write(&rejects_path, &mut account.rejects)?;
    let told = Told {
        report: account.report(),
        orders: plan.orders.len(),
        products: catalogue.len(),
        counts,
        took: progress.finish(),
        rejects: rejects_path,
    };
    if options.json {
        told.as_json()?;
    } else {
        told.as_table();
    }
    if told.report.closes { Ok(()) } else { Err(FoundWrong.into()) }
}

async fn orders(options: ImportOrders) -> anyhow::Result<()> {
    let scan = scan(&options.file)?;
    let progress = Progress::new(scan.lines);
    let (stop, stopping) = watch::channel(false);
    let api = system::Api::find(&options.system, options.patience, stopping.clone()).await?;
    let (source, dry_run) = (options.source.as_str(), options.dry_run);
    let sender = OrderSender { api: &api, source, dry_run, progress: &progress, stopping };
    let sent = until_stopped(&stop, sender.send(&options.file, &scan)).await;
    let took = progress.finish();
    let (stopped, mut taken) = sent?;
    let Counts { created, existing, rejected } = taken.counts;
    if stopped == Stopped::Yes {
        let (done, all) = (created + existing + rejected, scan.lines);
        bail!("stopped after {done} of {all} orders; run the same command again to go on");
    }
    let rejects = options.rejects.unwrap_or_else(|| beside(&options.file, &[".jsonl"], "rejects.jsonl"));
    write_rejects(&rejects, &mut taken.rejects)?;
    let closes = created + existing + rejected == scan.lines;
    if options.json {
        let told = json!({
            "dryRun": dry_run, "lines": scan.lines, "created": created, "existing": existing, "rejected": rejected,
            "products": scan.products.len(), "closes": closes, "seconds": took.as_secs_f64(), "rejectsFile": rejects,
        });
        println!("{told}");
    } else {
        let new = if dry_run { "would be new" } else { "new" };
        println!("{} lines: {created} {new}, {existing} there before, {rejected} rejected", scan.lines);
        println!("time: {:.1} s, {:.0} orders/s", took.as_secs_f64(), scan.lines as f64 / took.as_secs_f64());
        println!("rejects: {}", rejects.display());
    }
    if closes { Ok(()) } else { Err(FoundWrong.into()) }
}

async fn send(
    options: &ImportRetail,
    table: &Table,
    plan: &Plan,
    catalogue: &[crate::import::retail::Product],
    account: &mut Account<'_>,
    progress: &Progress,
) -> anyhow::Result<(Stopped, Counts)> {
    let (stop, stopping) = watch::channel(false);
    let patience = options.patience;
    let api = system::Api::find(&options.system, patience, stopping.clone()).await?;
    let sender = Sender { api: &api, table, source: &options.source, progress, stopping };
    let sending = async {
        let ids = sender.products(catalogue).await?;
        sender.orders(plan, &ids, account).await
    };
    until_stopped(&stop, sending).await
}

/// Lets it go on until it ends; a signal tells it to stop.
async fn until_stopped<T>(
    stop: &watch::Sender<bool>,
    sending: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut sending = pin!(sending);
    let mut signal = pin!(service::lifecycle::stop_signal());
    loop {
        tokio::select! {
            sent = &mut sending => return sent,
            () = &mut signal, if !*stop.borrow() => {
                eprintln!("oms: stopping; what is under way is finished first");
                stop.send_replace(true);
            }
        }
    }
}

/// In the current folder, by the file's own name without these ends.
fn beside(file: &Path, ends: &[&str], suffix: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = ends.iter().fold(&*name, |name, end| name.trim_end_matches(end));
    PathBuf::from(format!("{name}.{suffix}"))
}

impl Told {
    fn as_json(&self) -> anyhow::Result<()> {
        let mut value = serde_json::to_value(&self.report)?;
        value["orders"] = json!({ "planned": self.orders, "sent": self.counts });
        value["products"] = self.products.into();
        value["seconds"] = json!(self.took.as_secs_f64());
        value["rejectsFile"] = json!(self.rejects);
        println!("{value}");
        Ok(())
    }

    fn as_table(&self) {
        let Report { file, imported, rejected, reasons, closes } = &self.report;
        println!("{:<28} {:>9} {:>16}", "", "lines", "GBP");
        println!("{:<28} {:>9} {:>16}", "imported", imported.lines, imported.amount);
        println!("{:<28} {:>9} {:>16}", "rejected", rejected.lines, rejected.amount);
        for (reason, share) in reasons {
            println!("  {reason:<26} {:>9} {:>16}", share.lines, share.amount);
        }
        println!("{:<28} {:>9} {:>16}", "file", file.lines, file.amount);
        println!("{}\n", if *closes { "imported + rejected = file" } else { "THE SUMS DO NOT CLOSE" });
        match self.counts {
            Some(Counts { created, existing, rejected }) => {
                println!(
                    "orders: {created} new, {existing} there before, {rejected} refused; {} products",
                    self.products
                );
                let rate = imported.lines as f64 / self.took.as_secs_f64();
                println!("time: {:.1} s, {rate:.0} lines/s", self.took.as_secs_f64());
            }
            None => println!("nothing was sent: {} orders and {} products would be", self.orders, self.products),
        }
        println!("rejects: {}", self.rejects.display());
    }
}
