//! How far an import is: a bar on a terminal, a line every few seconds elsewhere. It goes to standard error.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const EVERY: Duration = Duration::from_secs(5);
const BAR: &str = "{bar:30} {human_pos} of {human_len} lines, {per_sec}, {eta} left {msg}";

/// Shows how far an import is.
pub struct Progress {
    bar: ProgressBar,
    /// When the last line was written, where no bar is drawn.
    spoke: Mutex<Option<Instant>>,
    began: Instant,
}

impl Progress {
    /// Of so many lines.
    pub fn new(lines: usize) -> Self {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        let draws = stderr().is_terminal();
        let target = if draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(lines), target);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        let began = Instant::now();
        Self { bar, spoke: Mutex::new((!draws).then_some(began)), began }
    }

    /// So many more are done.
    pub fn add(&self, lines: usize) {
        self.bar.inc(u64::try_from(lines).unwrap_or_default());
        self.bar.set_message("");
        self.speak("");
    }

    /// It waits, for that reason.
    pub fn waits(&self, why: &str) {
        self.bar.set_message(format!("(waiting: {why})"));
        self.speak(why);
    }

    /// No more is shown.
    pub fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.began.elapsed()
    }

    fn speak(&self, why: &str) {
        let Ok(mut spoke) = self.spoke.lock() else { return };
        let Some(last) = spoke.as_mut().filter(|last| last.elapsed() >= EVERY) else { return };
        *last = Instant::now();
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let rate = done as f64 / self.began.elapsed().as_secs_f64();
        let left = if rate > 0.0 { (all.saturating_sub(done)) as f64 / rate } else { f64::INFINITY };
        let waiting = if why.is_empty() { String::new() } else { format!(" (waiting: {why})") };
        eprintln!("oms: {done} of {all} lines, {rate:.0}/s, {left:.0} s left{waiting}");
    }
}
