//! Waiting for what happens in its own time, with a deadline that only a broken build reaches.

use std::panic::Location;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Waits until the condition holds; panics at the caller's line if it does not within a minute.
#[track_caller]
pub fn eventually<F>(condition: impl FnMut() -> F) -> impl Future<Output = ()>
where
    F: Future<Output = bool>,
{
    let caller = Location::caller();
    let mut condition = condition;
    async move {
        wait(caller, async || condition().await.then_some(())).await;
    }
}

/// Waits until there is an answer and returns it; panics at the caller's line if there is none within a minute.
#[track_caller]
pub fn eventually_some<T, F>(answer: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Option<T>>,
{
    let caller = Location::caller();
    let mut answer = answer;
    async move { wait(caller, async || answer().await).await }
}

async fn wait<T>(caller: &Location<'_>, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = look().await {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "nothing came of the condition at {caller} within {DEADLINE:?}");
        tokio::time::sleep(PAUSE_BETWEEN_LOOKS).await;
    }
}
