//! What is counted: what was done, what was answered, how long it took, when the system was away, and what cannot be.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::latencies::{Latencies, Percentiles};
use crate::system::Attempt;

const MOST_EXAMPLES: usize = 20;

/// The counts. One task makes all of the traffic, so cells are enough.
#[derive(Debug, Default)]
pub struct Tally {
    counts: RefCell<Counts>,
    placed_in: RefCell<Latencies>,
    seen_after: RefCell<Latencies>,
    away_since: Cell<Option<Instant>>,
}

/// Everything that is told.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Shoppers who came.
    pub shoppers: u64,
    /// Shoppers who came when the shop was full of waiting people.
    pub turned_away: u64,
    /// Shoppers whose last request was never answered.
    pub unanswered: u64,
    /// What was done.
    pub steps: BTreeMap<&'static str, u64>,
    /// What the shop refused with good reason.
    pub refused: BTreeMap<String, u64>,
    /// Every answer by its status, also those after which a request was repeated.
    pub answers: BTreeMap<u16, u64>,
    /// Requests that got no answer, and were repeated.
    pub lost: u64,
    /// How often the system went away.
    pub outages: u64,
    /// For how long in all.
    pub away_seconds: f64,
    /// Answers that the state of the shop does not explain.
    pub absurd: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

impl Tally {
    /// A shopper came.
    pub fn came(&self) {
        self.counts.borrow_mut().shoppers += 1;
    }

    /// A shopper was turned away.
    pub fn turned_away(&self) {
        self.counts.borrow_mut().turned_away += 1;
    }

    /// A shopper gave up waiting.
    pub fn unanswered(&self) {
        self.counts.borrow_mut().unanswered += 1;
    }

    /// Something was done.
    pub fn did(&self, step: &'static str) {
        *self.counts.borrow_mut().steps.entry(step).or_default() += 1;
    }

    /// Something was refused with good reason.
    pub fn refused(&self, code: &str) {
        *self.counts.borrow_mut().refused.entry(code.to_owned()).or_default() += 1;
    }

    /// Something was answered that cannot be.
    pub fn absurd(&self, what: &str) {
        let mut counts = self.counts.borrow_mut();
        counts.absurd += 1;
        if counts.examples.len() < MOST_EXAMPLES {
            counts.examples.push(what.to_owned());
        }
    }

    /// An order was placed in that time.
    pub fn placed_in(&self, took: Duration) {
        self.placed_in.borrow_mut().add(took);
    }

    /// An order could be read so long after it was placed.
    pub fn seen_after(&self, took: Duration) {
        self.seen_after.borrow_mut().add(took);
    }

    /// An attempt was made. A system that does not answer, or says that it is not there, is away until it answers again.
    pub fn saw(&self, attempt: Attempt<'_>) {
        let mut counts = self.counts.borrow_mut();
        let away = match attempt {
            Attempt::Answered { status, code, .. } => {
                *counts.answers.entry(status).or_default() += 1;
                // One that is overloaded or behind is there.
                status == 502 || status == 504 || code == "UNAVAILABLE"
            }
            Attempt::Lost(_) => {
                counts.lost += 1;
                true
            }
        };
        if matches!(attempt, Attempt::Answered { status: 500, .. }) {
            drop(counts);
            self.absurd("500: the system's log says why");
            return;
        }
        match (away, self.away_since.get()) {
            (true, None) => {
                counts.outages += 1;
                self.away_since.set(Some(Instant::now()));
            }
            (false, Some(since)) => {
                counts.away_seconds += since.elapsed().as_secs_f64();
                self.away_since.set(None);
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// All counts as they are now.
    pub fn counts(&self) -> Counts {
        self.counts.borrow().clone()
    }

    /// How long placing took, and how long it took until an order could be read.
    pub fn latencies(&self) -> (Percentiles, Percentiles) {
        (self.placed_in.borrow().percentiles(), self.seen_after.borrow().percentiles())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_counted_once_however_many_requests_it_meets() {
        let tally = Tally::default();
        let answered = |status, code| Attempt::Answered { status, code, last: true };
        tally.saw(answered(201, ""));
        for _ in 0..3 {
            tally.saw(Attempt::Lost("connection refused"));
        }
        tally.saw(answered(503, "UNAVAILABLE"));
        tally.saw(answered(200, ""));
        tally.saw(answered(503, "OVERLOADED"));
        tally.saw(Attempt::Lost("connection refused"));
        let counts = tally.counts();
        assert_eq!((counts.outages, counts.lost), (2, 4));
        assert_eq!(counts.answers, BTreeMap::from([(200, 1), (201, 1), (503, 2)]));
    }
}
