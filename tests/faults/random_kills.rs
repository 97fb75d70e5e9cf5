//! The run itself: 32 connections, a deck of faults, then the checks.

use crate::{
    budget::Budget,
    buyer::{Buyer, Shop},
    checker::Checker,
    kills::deck,
    machine::Machine,
    record::Record,
    waiting::{eventually, pass},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{sync::atomic::Ordering, thread, time::Instant};

const CONNECTIONS: usize = 32;
/// Between two faults at least so much has to succeed.
const BETWEEN_FAULTS: usize = 20;

#[test]
fn killed_at_random_it_loses_nothing_acknowledged_and_does_nothing_twice() {
    let budget = Budget::of_this_run("killed at random");
    let clock = Instant::now();
    let machine = Machine::start();
    let shop = Shop::open(vec![machine.url.clone()], machine.access());
    let (record, kills) = buy_while(&shop, budget.seed, || torment(&machine, &shop, budget));
    println!(
        "{:?}: {kills} kills; {} requests: {} commands acknowledged, {} refused, {} unknown, {} requests repeated",
        clock.elapsed(),
        record.requests,
        record.acknowledged(),
        record.refused(),
        record.unknown(),
        record.repeats
    );
    let mut checker = Checker::new(&machine.database_url(), &shop, &record);
    checker.check_answers();
    checker.await_settled();
    println!("{:?}: settled", clock.elapsed());
    checker.check_tables();
    checker.check_graphql(&machine.url);
    println!("{:?}: looked at everything", clock.elapsed());
    checker.compare_with_a_rebuild();
    println!("{:?}: compared with a rebuild", clock.elapsed());
    checker.finish();
    machine.verify();
    machine.stop();
}

/// Runs the load while something happens, then lets it finish what is open.
pub fn buy_while<T>(shop: &Shop, seed: u64, happens: impl FnOnce() -> T) -> (Record, T) {
    let mut record = Record::default();
    let happened = thread::scope(|scope| {
        let buyers: Vec<_> =
            (0..CONNECTIONS).map(|number| scope.spawn(move || Buyer::new(shop, seed, number).run())).collect();
        // Also when a check fails: the buyers have to go home.
        let closing = Closing(shop);
        let happened = happens();
        drop(closing);
        for buyer in buyers {
            record.merge(buyer.join().unwrap());
        }
        happened
    });
    (record, happened)
}

struct Closing<'a>(&'a Shop);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.closing.store(true, Ordering::Relaxed);
    }
}

fn torment(machine: &Machine, shop: &Shop, budget: Budget) -> usize {
    let mut random = StdRng::seed_from_u64(budget.seed);
    let faults = deck(budget.seed, budget.kills);
    let pause = budget.time / u32::try_from(faults.len().max(1)).unwrap();
    let mut kills = 0;
    for fault in faults {
        let before = shop.acknowledged();
        pass(pause.mul_f64(random.random_range(0.2..1.8)), || false);
        eventually("something is acknowledged", || (shop.acknowledged() >= before + BETWEEN_FAULTS).then_some(()));
        println!("{} commands are acknowledged; now {fault:?}", shop.acknowledged());
        machine.suffer(fault, &mut random);
        kills += usize::from(fault.kills());
    }
    let before = shop.acknowledged();
    eventually("it serves after the last fault", || (shop.acknowledged() >= before + BETWEEN_FAULTS).then_some(()));
    kills
}
