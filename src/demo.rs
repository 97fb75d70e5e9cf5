//! A shop's traffic on a running system: people who browse, buy, pay, fail, change their minds and send things back, and
//! staff who hold, ship and refund. Every answer is judged by what the shopper knows of their order; a system that is
//! killed and comes back is asked again under the same keys.

mod catalogue;
mod keeper;
mod report;
mod shopper;
mod showing;
mod staff;
mod story;
mod tally;

pub use report::Report;

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use self::shopper::{Run, Shopper};
use self::showing::Showing;
use self::tally::Tally;
use crate::random;
use crate::system::Api;

/// Beyond so many, who comes is turned away at the door: the system is slower than the traffic.
const MOST_SHOPPERS: usize = 5_000;
const SHOWN_EVERY: Duration = Duration::from_millis(250);

/// What traffic is made.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// Shoppers who come in a second, on average.
    pub rate: f64,
    /// For how long they come.
    pub lasts: Duration,
    /// How many come at most.
    pub most: u64,
    /// How long people take between two steps, on average.
    pub pause: Duration,
    /// What they do follows from it.
    pub seed: u64,
}

/// Makes it until its time is over or `closing` says so, and waits for the last shopper.
///
/// # Errors
/// If the system has no demo catalogue, or is away at the beginning.
pub async fn run(api: &Api, traffic: Traffic, closing: watch::Receiver<bool>) -> anyhow::Result<Report> {
    let tally = Tally::default();
    let run = Run { api, tally: &tally, goods: catalogue::goods(api, &tally).await?, name: random::text(10), traffic };
    let (began, over) = (Instant::now(), Cell::new(false));
    let closes = began + traffic.lasts;
    let showing = Showing::new(traffic.lasts);
    let shopping = async {
        let mut arrivals = StdRng::seed_from_u64(traffic.seed);
        let (mut closing, mut next, mut came) = (closing, began, 0_u64);
        let mut shoppers = FuturesUnordered::new();
        let mut shown = interval(SHOWN_EVERY);
        shown.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        while open || !shoppers.is_empty() {
            tokio::select! {
                () = sleep_until(next), if open => {
                    open = came < traffic.most && next < closes;
                    if open && shoppers.len() < MOST_SHOPPERS {
                        shoppers.push(Shopper::new(&run, came).lives());
                    } else if open {
                        tally.turned_away();
                    }
                    came += 1;
                    next += gap(&mut arrivals, traffic.rate);
                }
                _ended = closing.wait_for(|closing| *closing), if open => open = false,
                _left = shoppers.next(), if !shoppers.is_empty() => {}
                _ = shown.tick() => showing.show(&tally, shoppers.len()),
            }
        }
        over.set(true);
    };
    let (mut shopping, mut keeping) = (pin!(shopping), pin!(keeper::keep(&run, &over)));
    tokio::select! {
        () = &mut shopping => {}
        () = &mut keeping => shopping.await,
    }
    showing.finish();
    Ok(Report::of(&tally, traffic, began.elapsed()))
}

/// Until the next shopper comes: people come when they like, so that the gaps are those of chance.
fn gap(random: &mut StdRng, rate: f64) -> Duration {
    let chance: f64 = random.random_range(f64::MIN_POSITIVE..1.0);
    Duration::from_secs_f64((-chance.ln() / rate).min(3600.0))
}
