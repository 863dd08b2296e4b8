//! The seeds. `docs/PROOFS.md` says how to run more of them, or one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fate::live;
use crate::model::simulated::Seeds;

/// How many seeds are run when nobody says otherwise.
const SEEDS: u64 = 2_000;

/// What is told of a seed that was caught: what was violated, what happened, and how to see it again.
fn tell(seed: u64) -> String {
    let fate = live(seed, true);
    let mut text = fate.told.join("\n");
    for objection in &fate.objections {
        write!(text, "\nviolated: {objection}").unwrap();
    }
    write!(text, "\nseed {seed}; again: SIMULATION_SEED={seed} cargo test --lib pipeline::simulation")
        .unwrap();
    text
}

#[test]
fn whatever_goes_wrong_every_rule_holds_and_a_disturbed_run_ends_like_an_undisturbed_one() {
    let seeds = Seeds::from_environment(SEEDS);
    if let Some(seed) = seeds.only {
        eprintln!("{}", tell(seed));
    }
    let next = AtomicU64::new(seeds.first);
    let caught = Mutex::new(None);
    let endings = Mutex::new(BTreeMap::<String, u32>::new());
    let work = || {
        while caught.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !seeds.range().contains(&seed) {
                return;
            }
            let fate = live(seed, false);
            if !fate.objections.is_empty() {
                caught.lock().unwrap().get_or_insert(seed);
            }
            let mut endings = endings.lock().unwrap();
            for (ending, count) in fate.endings {
                *endings.entry(ending).or_default() += count;
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if let Some(seed) = caught.into_inner().unwrap() {
        panic!("{}", tell(seed));
    }
    let endings = endings.into_inner().unwrap();
    eprintln!("{} seeds held: {endings:?}", seeds.count);
    if seeds.count < SEEDS {
        return;
    }
    // The simulation reaches what it is about.
    for ending in [
        "ended",
        "crashed",
        "Signal",
        "LedgerUnwritable",
        "Redirected",
        "HostDown",
        "HeldTooLong",
        "attached",
        "already-attached",
        "manifest-conflict",
        "manifest-duplicate",
        "manifest-invalid",
        "stara-login-rejected",
        "leaf-user-unknown",
        "leaf-user-forbidden",
        "leaf-credentials-exist",
        "credential-unhealthy",
        "attach-unconfirmed",
        "needs-review",
        "credential-removed",
        "stara-unavailable",
        "leaf-unavailable",
        "not-reached",
        "a link was made",
        "a grower signed in",
    ] {
        assert!(endings.contains_key(ending), "{ending:?} never occurred: {endings:#?}");
    }
}

#[test]
fn a_seed_always_has_the_same_fate() {
    for seed in 0..20 {
        assert_eq!(live(seed, true).told, live(seed, true).told, "seed {seed}");
    }
}
