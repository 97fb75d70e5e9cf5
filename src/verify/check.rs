//! A check: a name, how much it looked at, and what it found wrong, with a few examples.

use serde::Serialize;
use std::time::{Duration, Instant};

const MOST_EXAMPLES: usize = 20;

/// One thing that has to hold, and whether it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Its name, such as `orders.positions`.
    pub name: String,
    /// What it looks at, in the plural.
    pub unit: &'static str,
    /// How many of those it looked at.
    pub counted: u64,
    /// How many of them are wrong.
    pub wrong: u64,
    /// What is wrong, for the first of them.
    pub examples: Vec<String>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<String>,
    /// How long it took; checks that are made in one pass all say the pass's time.
    pub seconds: f64,
}

impl Check {
    /// A check that has looked at nothing yet.
    pub fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, counted: 0, wrong: 0, examples: Vec::new(), notes: Vec::new(), seconds: 0.0 }
    }

    /// It looked at so many more.
    pub fn saw(&mut self, more: u64) {
        self.counted += more;
    }

    /// Something is wrong.
    pub fn wrong(&mut self, example: impl FnOnce() -> String) {
        self.wrong += 1;
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(example());
        }
    }

    /// Something is worth knowing.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Whether nothing is wrong.
    pub const fn is_ok(&self) -> bool {
        self.wrong == 0
    }

    /// It is done; it began with the pass.
    pub fn done(mut self, since: Instant) -> Self {
        self.seconds = seconds(since.elapsed());
        self
    }
}

/// To the millisecond, which is as much as anybody reads.
fn seconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1000.0).round() / 1000.0
}
