//! Limits on guessing, per account and per address, in this process's memory. Every attempt takes a token from its
//! bucket before any work is done, and a successful one gives it back, so parallel guesses can't slip through. Buckets
//! refill evenly (GCRA).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MAX_BUCKETS: usize = 100_000;

/// One kind of limit: a number of attempts, refilled evenly over a window.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// How many attempts may come at once.
    pub burst: u32,
    /// In which time an empty bucket fills up.
    pub window: Duration,
}

/// Too many attempts; when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct RateLimited {
    /// Whole seconds until the next attempt is allowed, at least 1.
    pub retry_after_seconds: u64,
}

/// Buckets of one quota, by key.
#[derive(Debug)]
pub struct RateLimiter {
    quota: Quota,
    /// Per key the moment at which its bucket is full again.
    full_at: Mutex<HashMap<String, Instant>>,
}

impl RateLimiter {
    /// Full buckets for everybody.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { quota, full_at: Mutex::new(HashMap::new()) }
    }

    /// Takes one attempt from the key's bucket.
    ///
    /// # Errors
    /// [`RateLimited`] when it is empty.
    pub fn take(&self, key: &str) -> Result<(), RateLimited> {
        self.take_at(key, Instant::now())
    }

    /// Puts an attempt back: it was no guess.
    pub fn give_back(&self, key: &str) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moment) = full_at.get_mut(key)
            && let Some(earlier) = moment.checked_sub(self.per_attempt())
        {
            *moment = earlier;
        }
    }

    fn take_at(&self, key: &str, now: Instant) -> Result<(), RateLimited> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MAX_BUCKETS && !full_at.contains_key(key) {
            full_at.retain(|_, moment| *moment > now);
            if full_at.len() >= MAX_BUCKETS {
                // Memory is bounded whatever comes; the limit per address still holds those who flood it.
                full_at.clear();
            }
        }
        let moment = full_at.get(key).copied().unwrap_or(now).max(now);
        let after = moment + self.per_attempt();
        let over = after.saturating_duration_since(now).saturating_sub(self.quota.window);
        if !over.is_zero() {
            return Err(RateLimited { retry_after_seconds: over.as_secs() + 1 });
        }
        full_at.insert(key.to_owned(), after);
        Ok(())
    }

    fn per_attempt(&self) -> Duration {
        self.quota.window / self.quota.burst.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> RateLimiter {
        RateLimiter::new(Quota { burst: 3, window: Duration::from_secs(30) })
    }

    #[test]
    fn a_bucket_empties_and_refills_evenly() {
        let (limiter, start) = (limiter(), Instant::now());
        for _ in 0..3 {
            assert_eq!(limiter.take_at("ada", start), Ok(()));
        }
        assert_eq!(limiter.take_at("ada", start), Err(RateLimited { retry_after_seconds: 11 }));
        assert_eq!(limiter.take_at("grace", start), Ok(()), "buckets are apart");
        assert_eq!(limiter.take_at("ada", start + Duration::from_secs(11)), Ok(()));
        assert!(limiter.take_at("ada", start + Duration::from_secs(11)).is_err());
        assert_eq!(limiter.take_at("ada", start + Duration::from_secs(100)), Ok(()));
    }

    #[test]
    fn an_attempt_that_was_no_guess_is_given_back() {
        let limiter = limiter();
        for _ in 0..20 {
            assert_eq!(limiter.take("ada"), Ok(()));
            limiter.give_back("ada");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let (limiter, start) = (limiter(), Instant::now());
        for number in 0..=MAX_BUCKETS {
            assert_eq!(limiter.take_at(&number.to_string(), start), Ok(()));
        }
        assert!(limiter.full_at.lock().unwrap().len() <= MAX_BUCKETS);
    }
}
