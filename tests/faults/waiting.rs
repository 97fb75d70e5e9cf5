//! Waiting for conditions, in threads.

use std::{
    panic::Location,
    thread,
    time::{Duration, Instant},
};

/// After a kill leases of 30 seconds have to end before everything is settled.
const GENEROUS: Duration = Duration::from_secs(240);

/// Waits for a condition, as long as it takes but not for ever.
#[track_caller]
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + GENEROUS;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "it never happened: {what} (at {})", Location::caller());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Lets so much time pass, or less if there is no more reason to wait.
pub fn pass(time: Duration, no_more_reason: impl Fn() -> bool) {
    let since = Instant::now();
    eventually("time passes", || (since.elapsed() >= time || no_more_reason()).then_some(()));
}
