//! What the traffic came to, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::Traffic;
use super::tally::{Counts, Tally};
use crate::latencies::Percentiles;

/// The closing summary.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What the shoppers' doings followed from.
    pub seed: u64,
    /// Shoppers a second that were asked for.
    pub rate: f64,
    /// From the first shopper to the last answer.
    pub seconds: f64,
    /// Orders placed a second.
    pub orders_per_second: f64,
    /// From sending an order to its answer, repeats included.
    pub placed_in: Percentiles,
    /// From that answer to a GraphQL read that knows of the order.
    pub seen_after: Percentiles,
    /// Everything else.
    #[serde(flatten)]
    pub counts: Counts,
}

impl Report {
    /// Of what was counted.
    pub fn of(tally: &Tally, traffic: Traffic, took: Duration) -> Self {
        let ((placed_in, seen_after), counts) = (tally.latencies(), tally.counts());
        let placed = counts.steps.get("placed").copied().unwrap_or_default();
        Self {
            seed: traffic.seed,
            rate: traffic.rate,
            seconds: took.as_secs_f64(),
            orders_per_second: placed as f64 / took.as_secs_f64(),
            placed_in,
            seen_after,
            counts,
        }
    }

    /// Whether every answer was one that the state of the shop explains.
    pub fn is_explained(&self) -> bool {
        self.counts.absurd == 0
    }

    /// Whether every request was answered in the end.
    pub fn is_answered(&self) -> bool {
        self.counts.unanswered == 0
    }

    /// Writes it for people.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Counts { shoppers, turned_away, unanswered, steps, refused, answers, .. } = &self.counts;
        writeln!(out, "{shoppers} shoppers in {:.1} s, seed {}", self.seconds, self.seed)?;
        writeln!(out, "  {:.1} orders/s; placing: {}", self.orders_per_second, self.placed_in)?;
        writeln!(out, "  until an order can be read: {}\n", self.seen_after)?;
        for (step, times) in steps {
            writeln!(out, "{times:>9}  {step}")?;
        }
        writeln!(out, "\nanswers: {}", listed(answers))?;
        if !refused.is_empty() {
            writeln!(out, "refused with reason: {}", listed(refused))?;
        }
        let Counts { lost, outages, away_seconds, absurd, examples, .. } = &self.counts;
        if *outages > 0 {
            writeln!(out, "away {outages} times, {away_seconds:.1} s in all; {lost} requests lost and repeated")?;
        }
        if *turned_away > 0 {
            writeln!(out, "{turned_away} shoppers were turned away: the system is slower than they come")?;
        }
        if *unanswered > 0 {
            writeln!(out, "{unanswered} shoppers were never answered")?;
        }
        for example in examples {
            writeln!(out, "IMPOSSIBLE  {example}")?;
        }
        match absurd {
            0 => writeln!(out, "\nevery answer was one that the state of the shop explains"),
            absurd => writeln!(out, "\n{absurd} answers that nothing explains"),
        }
    }
}

/// `200 × 12, 201 × 3`.
pub fn listed<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    counts.iter().map(|(what, times)| format!("{what} × {times}")).collect::<Vec<_>>().join(", ")
}
