//! How long and how hard a run is: small by default, whatever `./oms faults` asks for else.

use std::{str::FromStr, time::Duration};

/// What a run was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub seed: u64,
    pub kills: usize,
    /// Over which the kills are spread.
    pub time: Duration,
}

impl Budget {
    /// From the environment; prints the seed, so that a failure can be repeated.
    pub fn of_this_run(name: &str) -> Self {
        let budget = Self {
            seed: setting("OMS_FAULT_SEED").unwrap_or_else(rand::random),
            kills: setting("OMS_FAULT_KILLS").unwrap_or(6),
            time: Duration::from_secs(setting("OMS_FAULT_SECONDS").unwrap_or(6)),
        };
        println!("{name}: OMS_FAULT_SEED={} with {} kills in {:?}", budget.seed, budget.kills, budget.time);
        budget
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no service settings; these variables are the test run's own")]
pub fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no such value")))
}
