//! How figures are told: samples of interleaved pairs, their medians and the spread of their ratios, and percentiles
//! of latencies. Percentiles are exact: every latency is kept.

use std::time::Duration;

/// The two sides of a comparison, measured in turns.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    ours: Vec<f64>,
    beside: Vec<f64>,
}

/// A median with the smallest and the largest sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Pairs {
    pub(crate) fn push(&mut self, ours: f64, beside: f64) {
        self.ours.push(ours);
        self.beside.push(beside);
    }

    pub(crate) fn ours(&self) -> Spread {
        Spread::of(&self.ours)
    }

    pub(crate) fn beside(&self) -> Spread {
        Spread::of(&self.beside)
    }

    /// Ours divided by the other, pair by pair: what disturbs a machine for a while disturbs both halves of a pair.
    pub(crate) fn ratio(&self) -> Spread {
        let ratios: Vec<f64> = self.ours.iter().zip(&self.beside).map(|(ours, beside)| ours / beside).collect();
        Spread::of(&ratios)
    }
}

impl Spread {
    /// Of no samples: nothing but NaN.
    pub(crate) fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(least), Some(most)) = (sorted.first().copied(), sorted.last().copied()) else {
            return Self { median: f64::NAN, least: f64::NAN, most: f64::NAN };
        };
        let upper = sorted[sorted.len() / 2];
        let median =
            if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[sorted.len() / 2 - 1], upper) } else { upper };
        Self { median, least, most }
    }
}

/// Latencies, every one of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    pub(crate) fn take_in(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The latency that `share` of all do not exceed, in milliseconds.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are far fewer latencies than 2^52, and a share is between 0 and 1"
    )]
    pub(crate) fn percentile_ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(place.clamp(1, sorted.len().max(1)) - 1).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    }
}

impl Extend<Duration> for Latencies {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, latencies: T) {
        self.0.extend(latencies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_pair_by_pair() {
        let mut pairs = Pairs::default();
        pairs.push(10.0, 20.0);
        pairs.push(1.0, 4.0);
        pairs.push(9.0, 9.0);
        assert_eq!(pairs.ratio(), Spread { median: 0.5, least: 0.25, most: 1.0 });
        assert_eq!(Spread::of(&[4.0, 2.0]).median, 3.0);
    }

    #[test]
    fn a_percentile_is_a_latency_that_was_measured() {
        let latencies = Latencies((1..=200).map(Duration::from_millis).collect());
        assert_eq!(latencies.percentile_ms(0.5), 100.0);
        assert_eq!(latencies.percentile_ms(0.99), 198.0);
        assert_eq!(latencies.percentile_ms(1.0), 200.0);
    }
}
