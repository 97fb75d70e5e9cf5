//! How long a delivery waits after it failed, and how often it is tried.

use std::time::Duration;

const LONGEST_WAIT: Duration = Duration::from_secs(12 * 60 * 60);
const FACTOR: u32 = 4;

/// How patient webhooks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// So many attempts, then it is a dead letter (`OMS_WEBHOOK_ATTEMPTS`).
    pub attempts: i32,
    /// The wait after the first failure; each further one is four times as long (`OMS_WEBHOOK_RETRY`).
    pub first_wait: Duration,
    /// An endpoint at which nothing succeeded for so long is disabled (`OMS_WEBHOOK_DISABLE_AFTER`).
    pub disable_after: Duration,
}

impl Patience {
    /// How long to wait after that many attempts, a quarter more or less as `chance` (0 to 1) has it, so that those
    /// that failed together do not come back together. None where it is over.
    #[must_use]
    pub fn wait_after(&self, attempts: i32, chance: f64) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let exponent = u32::try_from(attempts.max(1) - 1).unwrap_or_default();
        let factor = FACTOR.checked_pow(exponent).unwrap_or(u32::MAX);
        let wait = self.first_wait.saturating_mul(factor).min(LONGEST_WAIT);
        Some(wait.mul_f64(0.75 + chance.clamp(0.0, 1.0) / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_half_a_day_and_end() {
        let seconds = Duration::from_secs;
        let patience = Patience { attempts: 10, first_wait: seconds(5), disable_after: seconds(1) };
        let waits: Vec<_> = (1..=10).map(|attempts| patience.wait_after(attempts, 0.5)).collect();
        assert_eq!(waits[..4], [Some(seconds(5)), Some(seconds(20)), Some(seconds(80)), Some(seconds(320))]);
        assert_eq!(waits[8..], [Some(LONGEST_WAIT), None]);
        assert_eq!(patience.wait_after(2, 0.0), Some(seconds(15)));
        assert_eq!(patience.wait_after(2, 1.0), Some(seconds(25)));
    }
}
