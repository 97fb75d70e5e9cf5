//! How far the passes are, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

const TEMPLATE: &str = "{msg:24} {wide_bar} {human_pos} of {human_len} events · {per_sec} · {eta} left";

/// A bar over all events that are to be read; silent where nobody looks.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that ends at so many events.
    pub fn new(events: u64) -> Self {
        let is_seen = std::io::stderr().is_terminal();
        let target = if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(events), target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// What is being looked at now.
    pub fn step(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// So many events more were read.
    pub fn advance(&self, events: usize) {
        self.0.inc(events as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
