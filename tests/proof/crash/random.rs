//! Killed at seeded random moments.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::campaign::Campaign;
use super::kill::Kill;
use super::scenario::Scenario;
use crate::support::{Dice, has_strace, leave_out, number_of};

/// How many kills without `CRASH_KILLS`.
const KILLS: u64 = 100;

/// How many scenarios are under way at a time. They wait most of the time.
const AT_ONCE: usize = 8;

/// The most kills of one scenario.
const KILLS_OF_ONE: usize = 10;

/// Kills a run up to ten times, lets it finish, and tells how many kills there were.
fn survive(seed: u64) -> usize {
    let mut dice = Dice::new(!seed);
    let mut campaign = Campaign::new(Scenario::by_chance(seed));
    let kills = 3 + dice.below(KILLS_OF_ONE - 2);
    for kills_left in (0..kills).rev() {
        campaign.run(&Kill::by_chance(&mut dice, campaign.rows(), kills_left));
    }
    let killed = campaign.kills;
    campaign.finish();
    killed
}

#[test]
fn runs_that_are_killed_anywhere_end_like_one_that_is_not() {
    let wanted = number_of("CRASH_KILLS").unwrap_or(KILLS);
    let first = number_of("CRASH_SEED").unwrap_or(1);
    if !has_strace() {
        leave_out("kills before a system call of the program's own");
    }
    let (next, killed) = (AtomicU64::new(first), AtomicUsize::new(0));
    let failed: Mutex<Vec<u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(usize::try_from(wanted.div_ceil(4)).unwrap()) {
            scope.spawn(|| {
                while (killed.load(Ordering::Relaxed) as u64) < wanted && failed.lock().unwrap().is_empty() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // Its message has been printed by the panic's hook.
                    match catch_unwind(AssertUnwindSafe(|| survive(seed))) {
                        Ok(kills) => drop(killed.fetch_add(kills, Ordering::Relaxed)),
                        Err(_) => failed.lock().unwrap().push(seed),
                    }
                }
            });
        }
    });
    let (failed, last) = (failed.into_inner().unwrap(), next.into_inner());
    println!("{} kills in {} scenarios, seeds {first} to {}", killed.into_inner(), last - first, last - 1);
    assert!(
        failed.is_empty(),
        "seeds {failed:?} failed; again: CRASH_KILLS=1 CRASH_SEED={} cargo test --test proof crash::random",
        failed[0]
    );
}
