//! Sending a plan: products first, then orders, in batches of lines, several under way. What a batch is answered is
//! accounted at once; a batch whose answer is lost is sent again, and what is there already is `existing`.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;

use anyhow::{Context, bail};
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::Deserialize;
use tokio::sync::watch;

use super::retail::{Plan, PlannedOrder, Product, Table, Text, order_line};
use super::{Account, Progress};
use crate::system::Api;

/// Small enough for the progress to move, large enough for the log to fill its batches.
pub(super) const BATCH_BYTES: usize = 384 * 1024;
/// A line that is larger goes alone; the server takes 1 MiB.
const UNDER_WAY: usize = 4;

/// Sends for one source.
pub struct Sender<'a> {
    /// The system.
    pub api: &'a Api,
    /// The file.
    pub table: &'a Table,
    /// The name of the system that the file comes from.
    pub source: &'a str,
    /// Where it is told how far it is.
    pub progress: &'a Progress,
    /// Whether to stop.
    pub stopping: watch::Receiver<bool>,
}

/// Whether all was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was.
    No,
    /// Somebody stopped it before.
    Yes,
}

/// How many orders were new, were there before, or were refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// New; in a dry run, those that would be.
    pub created: usize,
    /// There before.
    pub existing: usize,
    /// Refused.
    pub rejected: usize,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) items: Vec<AnsweredLine>,
}

/// What became of a line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredLine {
    pub(super) line: usize,
    /// What.
    pub outcome: Outcome,
    pub(super) product_id: Option<String>,
    /// Why it was refused, for programs.
    pub code: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<AnsweredError>,
}

#[derive(Deserialize)]
struct AnsweredError {
    pointer: String,
    detail: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is there since.
    Created,
    /// It is another since.
    Updated,
    /// It was there.
    Existing,
    /// Of a dry run: it would be there.
    Valid,
    /// It is not there.
    Rejected,
}

impl Counts {
    /// One more.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created | Outcome::Updated | Outcome::Valid => self.created += 1,
            Outcome::Existing => self.existing += 1,
            Outcome::Rejected => self.rejected += 1,
        }
    }
}

/// Lines that go out together, and what they were made of.
pub struct Batch<T> {
    /// The lines.
    pub body: String,
    /// One for each line.
    pub made_of: Vec<T>,
}

type Sending<'s, T> = Pin<Box<dyn Future<Output = anyhow::Result<(Vec<T>, Answer)>> + Send + 's>>;

/// Sends batch after batch, several under way, and hands over what each line was answered with what it was made of.
///
/// # Errors
/// When the system refuses a batch, or is away for too long.
pub async fn in_batches<T: Send>(
    api: &Api,
    path: &str,
    progress: &Progress,
    stopping: &watch::Receiver<bool>,
    mut next: impl FnMut() -> anyhow::Result<Option<Batch<T>>>,
    mut answered: impl FnMut(T, AnsweredLine),
) -> anyhow::Result<Stopped> {
    let mut under_way: FuturesUnordered<Sending<'_, T>> = FuturesUnordered::new();
    let mut is_read = false;
    loop {
        while under_way.len() < UNDER_WAY && !is_read && !*stopping.borrow() {
            let Some(Batch { body, made_of }) = next()? else {
                is_read = true;
                break;
            };
            under_way.push(Box::pin(async move {
                Ok((made_of, api.post_lines(path, body, |why| progress.waits(why)).await?))
            }));
        }
        let Some(done) = under_way.next().await else { break };
        let (made_of, answer) = match done {
            Ok(done) => done,
            // What was under way may be there or not; the same command again finds out.
            Err(_) if *stopping.borrow() => continue,
            Err(error) => return Err(error),
        };
        let (sent, told) = (made_of.len(), answer.items.len());
        anyhow::ensure!(told == sent, "a batch of {sent} was answered by {told}");
        for (one, line) in made_of.into_iter().zip(answer.items) {
            answered(one, line);
        }
    }
    Ok(if *stopping.borrow() { Stopped::Yes } else { Stopped::No })
}

impl<'a> Sender<'a> {
    /// Makes the products that are not there yet, and gives the ids of all.
    pub async fn products(&self, products: &[Product]) -> anyhow::Result<HashMap<Text, String>> {
        let mut ids = HashMap::with_capacity(products.len());
        let mut lines = products.iter().peekable();
        while lines.peek().is_some() {
            let (mut body, mut sent) = (String::new(), Vec::new());
            while let Some(product) = lines.next_if(|_| body.len() < BATCH_BYTES) {
                body.push_str(&product.line(self.table, self.source).to_string());
                body.push('\n');
                sent.push(product.sku);
            }
            // What the shop made of them since stays so.
            let answer: Answer = self.post("/api/products/bulk?existing=keep", body).await?;
            for line in answer.items {
                let sku = *sent.get(line.line.wrapping_sub(1)).context("an answer to a line that was not sent")?;
                match line.product_id {
                    Some(id) => drop(ids.insert(sku, id)),
                    None => bail!("the product {} was refused: {}", self.table.text(sku), line.why()),
                }
            }
        }
        Ok(ids)
    }

    /// Sends the orders and accounts for the answers.
    pub async fn orders(
        &self,
        plan: &'a Plan,
        ids: &HashMap<Text, String>,
        account: &mut Account<'_>,
    ) -> anyhow::Result<(Stopped, Counts)> {
        let now = web::request_context::now();
        let mut waiting: VecDeque<&PlannedOrder> = plan.orders.iter().collect();
        let mut counts = Counts::default();
        let next = || if waiting.is_empty() { Ok(None) } else { self.batch(&mut waiting, ids, now).map(Some) };
        let answered = |order: &PlannedOrder, line: AnsweredLine| {
            counts.add(line.outcome);
            match line.outcome {
                Outcome::Rejected => {
                    account.refused(order, line.code.as_deref().unwrap_or("REFUSED"), &line.why());
                }
                Outcome::Created | Outcome::Updated | Outcome::Existing | Outcome::Valid => account.imported(order),
            }
            self.progress.add(order.items.len());
        };
        let path = "/api/orders/import";
        let stopped = in_batches(self.api, path, self.progress, &self.stopping, next, answered).await?;
        Ok((stopped, counts))
    }

    fn batch<'o>(
        &self,
        waiting: &mut VecDeque<&'o PlannedOrder>,
        ids: &HashMap<Text, String>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> anyhow::Result<Batch<&'o PlannedOrder>> {
        let mut batch = Batch { body: String::with_capacity(BATCH_BYTES * 2), made_of: Vec::new() };
        while batch.body.len() < BATCH_BYTES {
            let Some(order) = waiting.pop_front() else { break };
            let line = order_line(self.table, order, self.source, |sku| ids.get(&sku).cloned(), now);
            let line = line.context("an order has a product that was not made")?.to_string();
            if !batch.made_of.is_empty() && batch.body.len() + line.len() > BATCH_BYTES {
                waiting.push_front(order);
                break;
            }
            batch.body.push_str(&line);
            batch.body.push('\n');
            batch.made_of.push(order);
        }
        Ok(batch)
    }

    async fn post(&self, path: &str, body: String) -> anyhow::Result<Answer> {
        self.api.post_lines(path, body, |why| self.progress.waits(why)).await
    }
}

impl AnsweredLine {
    /// Why it was refused, for people.
    pub fn why(&self) -> String {
        let mut why = self.detail.clone().unwrap_or_default();
        for error in &self.errors {
            why.push_str(&format!("; {}: {}", error.pointer, error.detail));
        }
        why
    }
}
