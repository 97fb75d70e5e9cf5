//! Which limits guessing meets. They count attempts that failed: one that succeeds is given back.

use crate::rate_limit::{Quota, RateLimited, RateLimiter};
use crate::sessions::Origin;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(15 * 60);
const FAILED_LOGINS_PER_ACCOUNT: Quota = Quota { burst: 10, window: WINDOW };
const FAILURES_PER_ADDRESS: Quota = Quota { burst: 100, window: WINDOW };
const HOUR: Duration = Duration::from_secs(60 * 60);
const FORGOTTEN_PER_ACCOUNT: Quota = Quota { burst: 5, window: HOUR };
const FORGOTTEN_PER_ADDRESS: Quota = Quota { burst: 100, window: HOUR };
const REGISTRATIONS_PER_ADDRESS: Quota = Quota { burst: 300, window: Duration::from_secs(60 * 60) };

/// Every limit of this service, or none of them.
#[derive(Debug)]
pub struct Limits {
    enabled: bool,
    accounts: RateLimiter,
    addresses: RateLimiter,
    registrations: RateLimiter,
    forgotten_accounts: RateLimiter,
    forgotten_addresses: RateLimiter,
}

impl Limits {
    /// Limits that hold, unless `OMS_RATE_LIMIT=off`.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self {
            enabled,
            accounts: RateLimiter::new(FAILED_LOGINS_PER_ACCOUNT),
            addresses: RateLimiter::new(FAILURES_PER_ADDRESS),
            registrations: RateLimiter::new(REGISTRATIONS_PER_ADDRESS),
            forgotten_accounts: RateLimiter::new(FORGOTTEN_PER_ACCOUNT),
            forgotten_addresses: RateLimiter::new(FORGOTTEN_PER_ADDRESS),
        }
    }

    /// One login of that account from there.
    ///
    /// # Errors
    /// [`RateLimited`] when the account or the address has failed too often.
    pub fn login(&self, account: &str, origin: &Origin) -> Result<Attempt<'_>, RateLimited> {
        let mut attempt = Attempt { taken: Vec::with_capacity(2) };
        if self.enabled {
            if let Some(address) = &origin.address {
                attempt.take(&self.addresses, address)?;
            }
            attempt.take(&self.accounts, account)?;
        }
        Ok(attempt)
    }

    /// One authentication of a client from there.
    ///
    /// # Errors
    /// [`RateLimited`] when the address has failed too often.
    pub fn client(&self, origin: &Origin) -> Result<Attempt<'_>, RateLimited> {
        let mut attempt = Attempt { taken: Vec::with_capacity(1) };
        if let (true, Some(address)) = (self.enabled, &origin.address) {
            attempt.take(&self.addresses, address)?;
        }
        Ok(attempt)
    }

    /// Whether somebody there may have a code mailed for that account. It is not said when they may not.
    pub fn forgotten(&self, account: &str, origin: &Origin) -> bool {
        let address = origin.address.as_deref().unwrap_or_default();
        !self.enabled
            || (self.forgotten_addresses.take(address).is_ok() && self.forgotten_accounts.take(account).is_ok())
    }

    /// One registration from there, successful or not.
    ///
    /// # Errors
    /// [`RateLimited`] when there have been too many.
    pub fn registration(&self, origin: &Origin) -> Result<(), RateLimited> {
        match &origin.address {
            Some(address) if self.enabled => self.registrations.take(address),
            Some(_) | None => Ok(()),
        }
    }
}

/// An attempt that counts unless it is given back.
#[must_use]
#[derive(Debug)]
pub struct Attempt<'a> {
    taken: Vec<(&'a RateLimiter, String)>,
}

impl<'a> Attempt<'a> {
    /// It was no failed guess.
    pub fn give_back(self) {
        for (limiter, key) in self.taken {
            limiter.give_back(&key);
        }
    }

    /// It was a failed guess, and counts.
    pub fn count(self) {
        drop(self);
    }

    fn take(&mut self, limiter: &'a RateLimiter, key: &str) -> Result<(), RateLimited> {
        limiter.take(key)?;
        self.taken.push((limiter, key.to_owned()));
        Ok(())
    }
}
