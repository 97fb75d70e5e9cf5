//! How long answers took: the middle one and the slow ones, as people quote them.

use std::time::Duration;

use serde::Serialize;

/// What was measured, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<f64>);

/// The figures that are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    /// How many were measured.
    pub count: usize,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// One in a hundred took longer.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Latencies {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1000.0);
    }

    /// All zero where nothing was measured.
    pub fn percentiles(&self) -> Percentiles {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |hundredths: usize| sorted.get((sorted.len() * hundredths).div_ceil(100).saturating_sub(1));
        let told = |value: Option<&f64>| (value.copied().unwrap_or_default() * 100.0).round() / 100.0;
        Percentiles { count: sorted.len(), p50_ms: told(at(50)), p99_ms: told(at(99)), max_ms: told(sorted.last()) }
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p50_ms, p99_ms, max_ms, .. } = self;
        write!(formatter, "p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, slowest {max_ms:.1} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentiles(), Percentiles::default());
        (1..=200).for_each(|ms| latencies.add(Duration::from_millis(ms)));
        let Percentiles { count, p50_ms, p99_ms, max_ms } = latencies.percentiles();
        assert_eq!((count, p50_ms, p99_ms, max_ms), (200, 100.0, 198.0, 200.0));
    }

    #[test]
    fn of_a_single_answer_all_percentiles_are_that_answer() {
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_millis(7));
        let told = latencies.percentiles();
        assert_eq!((told.p50_ms, told.p99_ms, told.max_ms), (7.0, 7.0, 7.0));
    }
}
