//! What a buyer does with an order that they got: pay, fail to pay, cancel, or several of these at the same moment, which
//! is when mistakes show.

use std::cell::Cell;

use futures_util::future::try_join;
use serde_json::{Value, json};

use super::rush::Sale;
use super::shop::Shop;
use crate::system::{Answered, Call};

/// What a buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Pays.
    Pays,
    /// Pays, and the provider reports the payment again and again.
    PaysAndIsReportedTwice,
    /// Has a card that fails, then another.
    FailsThenPays,
    /// Neither pays nor cancels: the piece is kept until the window ends.
    Waits,
    /// Cancels.
    Cancels,
    /// Pays, then cancels.
    PaysThenCancels,
    /// Cancels, and the money comes all the same.
    CancelsThenPays,
    /// Pays and cancels at the same moment: one of them is first.
    PaysWhileCancelling,
    /// Fails for good: the piece is given up.
    FailsForGood,
    /// Fails for good, and the money comes all the same: whether there is a piece for it, others decide.
    FailsForGoodThenPays,
}

/// All of them, so that each ends differently from its neighbour.
pub const FATES: [Fate; 10] = [
    Fate::Pays,
    Fate::Cancels,
    Fate::PaysThenCancels,
    Fate::FailsThenPays,
    Fate::CancelsThenPays,
    Fate::Waits,
    Fate::PaysWhileCancelling,
    Fate::FailsForGood,
    Fate::PaysAndIsReportedTwice,
    Fate::FailsForGoodThenPays,
];

/// An order after its buyer did what they would.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The order.
    pub sale: Sale,
    /// What its buyer did.
    pub fate: Fate,
    /// Whether money was captured for it.
    pub captured: bool,
    /// Answers that were not 200.
    pub absurd: Vec<String>,
}

/// Whose order it is, and how many orders somebody began to give up, this one included.
pub struct Buyer<'a> {
    /// Where it was bought.
    pub shop: &'a Shop,
    /// Counted before the request is sent.
    pub given_up: &'a Cell<i64>,
}

impl Buyer<'_> {
    /// Does it.
    pub async fn lives(&self, sale: Sale, fate: Fate) -> anyhow::Result<Tried> {
        let at = &sale;
        let answers = match fate {
            Fate::Pays => vec![self.pays(at).await?],
            Fate::PaysAndIsReportedTwice => {
                let (once, twice) = try_join(self.pays(at), self.pays_again(at)).await?;
                vec![once, twice, self.pays_again(at).await?]
            }
            Fate::FailsThenPays => vec![self.fails(at, "card_declined").await?, self.pays(at).await?],
            Fate::Waits => Vec::new(),
            Fate::Cancels => vec![self.cancels(at).await?],
            Fate::PaysThenCancels => vec![self.pays(at).await?, self.cancels(at).await?],
            Fate::CancelsThenPays => vec![self.cancels(at).await?, self.pays(at).await?],
            Fate::PaysWhileCancelling => {
                let (paid, cancelled) = try_join(self.pays(at), self.cancels(at)).await?;
                vec![paid, cancelled]
            }
            Fate::FailsForGood => vec![self.fails(at, "final").await?],
            Fate::FailsForGoodThenPays => vec![self.fails(at, "final").await?, self.pays(at).await?],
        };
        let refused = answers.iter().filter(|answered| answered.status != 200);
        let absurd = refused.map(|answered| format!("{fate:?} {}: {}", at.order_id, answered.told())).collect();
        let newest = answers.iter().max_by_key(|answered| answered.body["version"].as_i64());
        let consistency = newest.and_then(|answered| answered.consistency.clone()).or(sale.consistency.clone());
        Ok(Tried { sale: Sale { consistency, ..sale }, fate, captured: fate.captures(), absurd })
    }

    async fn pays(&self, sale: &Sale) -> anyhow::Result<Answered> {
        self.reports(sale, "completed", "paid", json!({ "paymentId": payment(sale, "paid") })).await
    }

    /// The same payment under a key of its own, as a provider that heard no answer would report it.
    async fn pays_again(&self, sale: &Sale) -> anyhow::Result<Answered> {
        self.reports(sale, "completed", "paid-again", json!({ "paymentId": payment(sale, "paid") })).await
    }

    async fn fails(&self, sale: &Sale, reason: &str) -> anyhow::Result<Answered> {
        if reason == "final" {
            self.given_up.set(self.given_up.get() + 1);
        }
        let body = json!({ "paymentId": payment(sale, "failed"), "reason": reason });
        self.reports(sale, "failed", "failed", body).await
    }

    async fn reports(&self, sale: &Sale, what: &str, key: &str, mut body: Value) -> anyhow::Result<Answered> {
        body["amount"] = sale.total.clone();
        let path = format!("/api/orders/{}/payment/{what}", sale.order_id);
        self.shop.call(&Call::post(path, format!("{}-{key}", sale.key), body)).await
    }

    async fn cancels(&self, sale: &Sale) -> anyhow::Result<Answered> {
        self.given_up.set(self.given_up.get() + 1);
        let path = format!("/api/orders/{}/cancel", sale.order_id);
        let body = json!({ "reason": "changed my mind" });
        self.shop.call(&Call::post(path, format!("{}-cancelled", sale.key), body)).await
    }
}

/// The provider's reference, which is told apart from those of other orders by the key of the order.
fn payment(sale: &Sale, what: &str) -> String {
    format!("{}-{what}", sale.key)
}

impl Fate {
    /// Whether money is captured.
    const fn captures(self) -> bool {
        match self {
            Self::Pays
            | Self::PaysAndIsReportedTwice
            | Self::FailsThenPays
            | Self::PaysThenCancels
            | Self::CancelsThenPays
            | Self::PaysWhileCancelling
            | Self::FailsForGoodThenPays => true,
            Self::Waits | Self::Cancels | Self::FailsForGood => false,
        }
    }

    /// Where its order may end.
    pub const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Pays | Self::PaysAndIsReportedTwice | Self::FailsThenPays => &["CONFIRMED"],
            Self::Waits | Self::FailsForGood => &["PENDING"],
            Self::Cancels | Self::PaysThenCancels | Self::CancelsThenPays | Self::PaysWhileCancelling => &["CANCELLED"],
            Self::FailsForGoodThenPays => &["CONFIRMED", "CANCELLED"],
        }
    }
}
