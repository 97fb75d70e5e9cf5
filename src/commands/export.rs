//! `oms export orders`: every order as a line of JSON on standard output, newest first. Pages follow each other by keys, so
//! orders that are placed meanwhile neither shift nor repeat any.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::bail;
use form_urlencoded::Serializer;
use serde_json::Value;
use tokio::sync::watch;

use crate::cli::{Export, ExportOrders};
use crate::system::{Api, Attempt, Call};

const PAGE: usize = 100;

/// Runs one of the words after `oms export`.
pub async fn run(command: Export) -> anyhow::Result<()> {
    match command {
        Export::Orders(options) => Box::pin(orders(options)).await,
    }
}

async fn orders(options: ExportOrders) -> anyhow::Result<()> {
    let (_stop, stopping) = watch::channel(false);
    let api = Api::find(&options.system, options.patience, stopping).await?;
    let mut filter = Serializer::new(String::new());
    if !options.statuses.is_empty() {
        filter.append_pair("status", &options.statuses.join(","));
    }
    if let Some(customer) = &options.customer {
        filter.append_pair("customerId", customer);
    }
    let filter = filter.finish();
    let mut out = BufWriter::new(stdout().lock());
    let mut told = 0_usize;
    let mut pages = Pages::of(format!("/api/orders?{filter}"));
    while let Some(orders) = pages.next(&api).await? {
        for mut order in orders {
            if options.history {
                let id = order["orderId"].as_str().unwrap_or_default().to_owned();
                let mut events = Vec::new();
                let mut pages = Pages::of(format!("/api/orders/{id}/events?"));
                while let Some(page) = pages.next(&api).await? {
                    events.extend(page);
                }
                order["events"] = events.into();
            }
            writeln!(out, "{order}")?;
            told += 1;
        }
    }
    out.flush()?;
    eprintln!("oms: {told} orders");
    Ok(())
}

/// A list, page by page.
struct Pages {
    path: String,
    cursor: Option<String>,
    is_over: bool,
}

impl Pages {
    /// `path` ends where a parameter may follow.
    fn of(path: String) -> Self {
        Self { path, cursor: None, is_over: false }
    }

    async fn next(&mut self, api: &Api) -> anyhow::Result<Option<Vec<Value>>> {
        if self.is_over {
            return Ok(None);
        }
        let mut path = format!("{}&limit={PAGE}", self.path);
        if let Some(cursor) = &self.cursor {
            path.push_str("&cursor=");
            path.push_str(cursor);
        }
        let mut answered = api
            .call(&Call::get(path), |attempt| {
                if let Attempt::Lost(why) = attempt {
                    eprintln!("oms: waiting: {why}");
                }
            })
            .await?;
        if answered.status != 200 {
            bail!("the system refuses: {}", answered.told());
        }
        self.cursor = answered.body["nextCursor"].as_str().map(ToOwned::to_owned);
        self.is_over = self.cursor.is_none();
        Ok(match answered.body["items"].take() {
            Value::Array(items) => Some(items),
            _ => None,
        })
    }
}
