//! What can go wrong, in which order, and doing it.

use crate::{machine::Machine, waiting::pass};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use std::time::Duration;

/// The lease of a reader, and some more.
const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(12);

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    KillOms,
    /// Postgres goes with all its processes, as in a power cut.
    KillPostgres,
    /// Its children find out by themselves.
    KillPostmaster,
    /// One of its processes: the postmaster ends all others and recovers.
    KillBackend,
    KillBoth,
    FreezePostgres,
    FreezeOms,
}

impl Fault {
    /// Whether it is counted as a kill.
    pub fn kills(self) -> bool {
        !matches!(self, Self::FreezePostgres | Self::FreezeOms)
    }
}

/// So many kills in random order, every kind as often as every other, with some freezes between them.
pub fn deck(seed: u64, kills: usize) -> Vec<Fault> {
    use Fault::{FreezeOms, FreezePostgres, KillBackend, KillBoth, KillOms, KillPostgres, KillPostmaster};
    let mut random = StdRng::seed_from_u64(seed);
    let mut faults: Vec<Fault> = [KillOms, KillBackend, KillPostgres, KillOms, KillBoth, KillPostmaster]
        .into_iter()
        .cycle()
        .take(kills)
        .collect();
    faults.extend((0..kills.div_ceil(6)).map(|_| FreezePostgres));
    faults.extend((0..kills / 15).map(|_| FreezeOms));
    faults.shuffle(&mut random);
    faults
}

impl Machine {
    /// Does it and waits until everything serves again.
    pub fn suffer(&self, fault: Fault, random: &mut StdRng) {
        match fault {
            Fault::KillOms => {
                self.signal_oms("KILL");
                self.start_again();
            }
            Fault::KillPostgres => self.signal_postgres("KILL"),
            Fault::KillPostmaster => self.signal_postmaster("KILL"),
            Fault::KillBackend => self.signal_backend("KILL", random.random_range(0..64)),
            Fault::KillBoth => {
                self.signal_postgres("KILL");
                self.signal_oms("KILL");
                self.start_again();
            }
            Fault::FreezePostgres => {
                self.signal_postgres("STOP");
                pass(Duration::from_millis(random.random_range(300..2_500)), || false);
                self.signal_postgres("CONT");
            }
            Fault::FreezeOms => {
                self.signal_oms("STOP");
                pass(LONGER_THAN_A_LEASE, || false);
                self.signal_oms("CONT");
            }
        }
    }
}
