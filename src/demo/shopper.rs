//! One shopper: knows what they did and what that has to be answered. A step is sent until it is answered; an answer that
//! is neither the expected one nor a refusal that the step allows ends the visit and is told.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::time::sleep;

use super::catalogue::Goods;
use super::tally::Tally;
use super::{Traffic, story};
use crate::system::{Answered, Api, Call};

/// What all shoppers share.
pub struct Run<'a> {
    /// The system.
    pub api: &'a Api,
    /// The counts.
    pub tally: &'a Tally,
    /// What is sold.
    pub goods: Vec<Goods>,
    /// Part of every key, so that no run repeats another's.
    pub name: String,
    /// What was asked for.
    pub traffic: Traffic,
}

/// One of them.
pub struct Shopper<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) random: StdRng,
    /// Their order as it was last answered; null before there is one.
    pub(super) order: Value,
    key: String,
    steps: u32,
}

/// Why a visit ends before its story does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The shop could not do it, and said why.
    Refused,
    /// The shop answered what cannot be.
    Absurd,
    /// The shop never answered.
    Unanswered,
}

impl Run<'_> {
    /// Calls until there is an answer for good, and counts the attempts.
    pub async fn call(&self, call: &Call) -> anyhow::Result<Answered> {
        self.api.call(call, |attempt| self.tally.saw(attempt)).await
    }
}

impl<'a> Shopper<'a> {
    /// The shopper of that number, who does what follows from the seed.
    pub fn new(run: &'a Run<'a>, number: u64) -> Self {
        let seed = run.traffic.seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let key = format!("demo-{}-{number}", run.name);
        Self { run, random: StdRng::seed_from_u64(seed), order: Value::Null, key, steps: 0 }
    }

    /// The whole visit.
    pub async fn lives(mut self) {
        self.run.tally.came();
        if story::unfolds(&mut self).await == Err(Ends::Unanswered) {
            self.run.tally.unanswered();
        }
    }

    /// A key for the next step.
    pub(super) fn next_key(&mut self) -> String {
        self.steps += 1;
        format!("{}-{}", self.key, self.steps)
    }

    /// So many times in a hundred.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    /// Takes a while.
    pub(super) async fn pauses(&mut self) {
        let pause = self.run.traffic.pause.as_secs_f64();
        if pause > 0.0 {
            sleep(Duration::from_secs_f64(self.random.random_range(0.0..2.0 * pause))).await;
        }
    }

    /// Does a step. `allowed` are the codes of refusals that the state of the shop may explain.
    pub(super) async fn does(&mut self, step: &'static str, call: Call, allowed: &[&str]) -> Result<Answered, Ends> {
        self.pauses().await;
        let Ok(answered) = self.run.call(&call).await else { return Err(Ends::Unanswered) };
        let tally = self.run.tally;
        if matches!(answered.status, 200 | 201) && answered.body.get("errors").is_none() {
            tally.did(step);
            return Ok(answered);
        }
        let code = answered.text("code");
        if answered.status == 409 && allowed.contains(&code) {
            tally.refused(code);
            return Err(Ends::Refused);
        }
        let told = answered.told();
        tally.absurd(&format!("{step} of {}: {told}", self.order["orderId"].as_str().unwrap_or(&self.key)));
        Err(Ends::Absurd)
    }

    /// Does a step whose answer is the order.
    pub(super) async fn changes(&mut self, step: &'static str, call: Call, allowed: &[&str]) -> Result<(), Ends> {
        self.order = self.does(step, call, allowed).await?.body;
        Ok(())
    }

    /// Posts to the order.
    pub(super) fn post(&mut self, to: &str, body: Value) -> Call {
        let path = format!("{}/{to}", self.path());
        Call::post(path, self.next_key(), body)
    }

    /// Where the order is.
    pub(super) fn path(&self) -> String {
        format!("/api/orders/{}", self.order["orderId"].as_str().unwrap_or_default())
    }

    /// The lines of the order.
    pub(super) fn lines(&self) -> &[Value] {
        self.order["lines"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}
