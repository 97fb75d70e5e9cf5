//! The traffic as it goes: two lines that are drawn anew on a terminal, a line every few seconds elsewhere. It goes to
//! standard error.

use std::cell::Cell;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::listed;
use super::tally::Tally;

const EVERY: Duration = Duration::from_secs(5);
const BAR: &str = "{bar:30} {elapsed} of {prefix}\n{msg}";

/// Shows it.
pub struct Showing {
    bar: ProgressBar,
    /// When the last line was written, where nothing is drawn.
    spoke: Option<Cell<Instant>>,
    began: Instant,
}

impl Showing {
    /// Of traffic that lasts that long.
    pub fn new(lasts: Duration) -> Self {
        let draws = stderr().is_terminal();
        let target = if draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(lasts.as_secs()), target);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        bar.set_prefix(format!("{} s", lasts.as_secs()));
        let began = Instant::now();
        Self { bar, spoke: (!draws).then(|| Cell::new(began)), began }
    }

    /// As it is now, with so many shoppers in the shop.
    pub fn show(&self, tally: &Tally, shoppers: usize) {
        if let Some(spoke) = &self.spoke {
            if spoke.get().elapsed() >= EVERY {
                spoke.set(Instant::now());
                eprintln!("oms: {:.0} s: {}", self.began.elapsed().as_secs_f64(), told(tally, shoppers, "; "));
            }
            return;
        }
        self.bar.set_position(self.began.elapsed().as_secs());
        self.bar.set_message(told(tally, shoppers, "\n"));
    }

    /// No more is shown.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn told(tally: &Tally, shoppers: usize, between: &str) -> String {
    let (counts, (placed_in, seen_after)) = (tally.counts(), tally.latencies());
    let step = |name: &str| counts.steps.get(name).copied().unwrap_or_default();
    let mut told = format!(
        "{} placed, {} paid, {} delivered, {} returned, {shoppers} in the shop{between}place p50 {:.1} ms p99 {:.1} ms, \
         read after p99 {:.1} ms{between}answers {}",
        step("placed"),
        step("paid"),
        step("delivered"),
        step("returned"),
        placed_in.p50_ms,
        placed_in.p99_ms,
        seen_after.p99_ms,
        listed(&counts.answers),
    );
    if counts.outages > 0 {
        told.push_str(&format!("{between}away {} times, {} requests lost", counts.outages, counts.lost));
    }
    if counts.absurd > 0 {
        told.push_str(&format!("{between}{} IMPOSSIBLE ANSWERS", counts.absurd));
    }
    told
}
