//! `oms import orders`: orders of any other system as lines of JSON, each a line of the import route. The file is read
//! twice: first for the products that it names by their sku, then line by line, so that its size does not matter.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;

use anyhow::Context;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use web::json_body::LARGEST_BODY;

use super::Progress;
use super::sending::{Answer, AnsweredLine, BATCH_BYTES, Batch, Counts, Outcome, Stopped, in_batches};
use crate::system::{Api, Call};

/// The product of an item in a dry run whose sku the shop does not know yet.
const NOT_MADE_YET: &str = "prod_00000000000000000000000000";

/// So many products are looked for at once.
const LOOKUPS: usize = 8;

/// Products by sku, as the bulk route takes them.
type Products = BTreeMap<String, Value>;

/// What the file has.
pub struct Scan {
    /// Lines that are not blank.
    pub lines: usize,
    /// The products that it names by their sku.
    pub products: Products,
}

/// A line that became no order.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Its number in the file.
    pub line: usize,
    /// The order's id there.
    pub external_id: Option<String>,
    /// Why, for programs.
    pub code: String,
    /// Why, for people.
    pub detail: String,
}

/// What became of the file.
#[derive(Default)]
pub struct Taken {
    /// What the system said.
    pub counts: Counts,
    /// The lines that became no order.
    pub rejects: Vec<Reject>,
}

/// Sends for one source.
pub struct OrderSender<'a> {
    /// The system.
    pub api: &'a Api,
    /// The source of lines that name none.
    pub source: &'a str,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// Where it is told how far it is.
    pub progress: &'a Progress,
    /// Whether to stop.
    pub stopping: watch::Receiver<bool>,
}

/// A line that can be sent.
struct Ready {
    line: usize,
    text: String,
    external_id: Option<String>,
}

struct FileLines {
    lines: std::iter::Enumerate<Lines<BufReader<File>>>,
}

/// Reads the file for the first time.
///
/// # Errors
/// When it cannot be read.
pub fn scan(path: &Path) -> anyhow::Result<Scan> {
    let mut scan = Scan { lines: 0, products: Products::new() };
    for line in FileLines::open(path)? {
        let (_, text) = line?;
        scan.lines += 1;
        // What is wrong with a line is told when it is sent.
        let Ok(order) = serde_json::from_str::<Value>(&text) else { continue };
        for item in order["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
            if let Some(sku) = item["sku"].as_str().filter(|_| item["productId"].is_null()) {
                let name = item["name"].as_str().unwrap_or(sku);
                let product = || json!({ "sku": sku, "name": name, "price": item["unitPrice"] });
                scan.products.entry(sku.to_owned()).or_insert_with(product);
            }
        }
    }
    Ok(scan)
}

impl FileLines {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { lines: BufReader::new(file).lines().enumerate() })
    }
}

impl Iterator for FileLines {
    type Item = anyhow::Result<(usize, String)>;

    /// The lines that are not blank, with their numbers.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (index, line) = self.lines.next()?;
            match line {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => return Some(Ok((index + 1, text))),
                Err(error) => return Some(Err(error).context(format!("line {} cannot be read", index + 1))),
            }
        }
    }
}

impl OrderSender<'_> {
    /// Makes the products that the shop does not have, and sends the orders.
    ///
    /// # Errors
    /// When the file cannot be read, or the system refuses a product or is away for too long.
    pub async fn send(&self, path: &Path, scan: &Scan) -> anyhow::Result<(Stopped, Taken)> {
        let products = &scan.products;
        let ids = if self.dry_run { self.known(products).await? } else { self.products(products).await? };
        let mut lines = FileLines::open(path)?;
        let (mut taken, mut unreadable) = (Taken::default(), Vec::new());
        let route = if self.dry_run { "/api/orders/import?dryRun=true" } else { "/api/orders/import" };
        // The line that did not fit into the batch before.
        let mut left: Option<Ready> = None;
        let next = || {
            let mut batch = Batch { body: String::new(), made_of: Vec::new() };
            loop {
                let ready = match left.take() {
                    Some(ready) => ready,
                    None => match lines.next().transpose()? {
                        None => break,
                        Some((number, text)) => match self.ready(number, &text, &ids) {
                            Ok(ready) => ready,
                            Err(reject) => {
                                unreadable.push(reject);
                                self.progress.add(1);
                                continue;
                            }
                        },
                    },
                };
                if !batch.body.is_empty() && batch.body.len() + ready.text.len() > BATCH_BYTES {
                    left = Some(ready);
                    break;
                }
                batch.body.push_str(&ready.text);
                batch.body.push('\n');
                batch.made_of.push((ready.line, ready.external_id));
            }
            Ok((!batch.made_of.is_empty()).then_some(batch))
        };
        let answered = |(line, external_id): (usize, Option<String>), told: AnsweredLine| {
            taken.counts.add(told.outcome);
            if told.outcome == Outcome::Rejected {
                let code = told.code.clone().unwrap_or_else(|| "REFUSED".to_owned());
                taken.rejects.push(Reject { line, external_id, code, detail: told.why() });
            }
            self.progress.add(1);
        };
        let stopped = in_batches(self.api, route, self.progress, &self.stopping, next, answered).await?;
        taken.counts.rejected += unreadable.len();
        taken.rejects.extend(unreadable);
        Ok((stopped, taken))
    }

    /// The line as the route takes it: with a source, and with products by their ids.
    fn ready(&self, line: usize, text: &str, ids: &BTreeMap<String, String>) -> Result<Ready, Reject> {
        let reject = |code: &str, detail: String| Reject { line, external_id: None, code: code.to_owned(), detail };
        let malformed = |detail: String| reject("MALFORMED_JSON", detail);
        let mut order: Value = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let fields = order.as_object_mut().ok_or_else(|| malformed("an order is a JSON object".to_owned()))?;
        fields.entry("source").or_insert_with(|| self.source.into());
        let external_id = fields.get("externalId").and_then(Value::as_str).map(ToOwned::to_owned);
        let items = fields.get_mut("items").and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            let sku =
                item.get("sku").and_then(Value::as_str).filter(|_| item.get("productId").is_none_or(Value::is_null));
            if let Some(sku) = sku {
                let id = ids.get(sku).map_or(NOT_MADE_YET, String::as_str).to_owned();
                item.insert("productId".to_owned(), id.into());
            }
        }
        let text = order.to_string();
        if text.len() >= LARGEST_BODY {
            return Err(reject("BODY_TOO_LARGE", format!("the order has more than {LARGEST_BODY} bytes")));
        }
        Ok(Ready { line, text, external_id })
    }

    /// The ids of those that the shop has: in a dry run nothing is made.
    async fn known(&self, products: &Products) -> anyhow::Result<BTreeMap<String, String>> {
        let mut ids = BTreeMap::new();
        let path =
            |sku: &str| form_urlencoded::Serializer::new("/api/products?".to_owned()).append_pair("sku", sku).finish();
        let calls = products.keys().map(|sku| async move {
            let found = self.api.call(&Call::get(path(sku)), |_| {}).await?;
            Ok::<_, anyhow::Error>((sku, found.body["items"][0]["productId"].as_str().map(ToOwned::to_owned)))
        });
        let mut found = stream::iter(calls).buffer_unordered(LOOKUPS);
        while let Some(looked_up) = found.next().await {
            if let (sku, Some(id)) = looked_up? {
                ids.insert(sku.clone(), id);
            }
        }
        Ok(ids)
    }

    async fn products(&self, products: &Products) -> anyhow::Result<BTreeMap<String, String>> {
        let mut ids = BTreeMap::new();
        let mut waiting = products.iter().peekable();
        while waiting.peek().is_some() {
            let (mut body, mut sent) = (String::new(), Vec::new());
            while let Some((sku, product)) = waiting.next_if(|_| body.len() < BATCH_BYTES) {
                body.push_str(&product.to_string());
                body.push('\n');
                sent.push(sku);
            }
            // What the shop made of them stays so.
            let path = "/api/products/bulk?existing=keep";
            let answer: Answer = self.api.post_lines(path, body, |why| self.progress.waits(why)).await?;
            for line in answer.items {
                let sku = *sent.get(line.line.wrapping_sub(1)).context("an answer to a line that was not sent")?;
                match line.product_id.clone() {
                    Some(id) => drop(ids.insert(sku.clone(), id)),
                    // Its orders are refused, each for itself.
                    None => eprintln!("oms: the product {sku} cannot be made: {}", line.why()),
                }
            }
        }
        Ok(ids)
    }
}

/// Writes the rejects, a line of JSON each, by their place in the file.
///
/// # Errors
/// When it cannot be written.
pub fn write_rejects(path: &Path, rejects: &mut [Reject]) -> anyhow::Result<()> {
    rejects.sort_by_key(|reject| reject.line);
    let written = || {
        let mut file = std::io::BufWriter::new(File::create(path)?);
        for Reject { line, external_id, code, detail } in rejects.iter() {
            writeln!(file, "{}", json!({ "line": line, "externalId": external_id, "code": code, "detail": detail }))?;
        }
        file.flush()
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}
