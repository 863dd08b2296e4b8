//! What all shards together may do is what one process may.

use std::time::{Duration, Instant};

use stara_onboard::model::Service;

use super::{SHARDS, all, run_as, taken_by};
use crate::support::{Bench, Running, growers};

/// The most requests that arrived at a service within any one second.
fn busiest_second(bench: &Bench, service: Service) -> usize {
    let mut at: Vec<Instant> =
        bench.seen().iter().filter(|call| call.service == service).map(|call| call.at).collect();
    at.sort_unstable();
    let within = |(place, first): (usize, &Instant)| {
        at[place..].partition_point(|other| other.duration_since(*first) < Duration::from_secs(1))
    };
    at.iter().enumerate().map(within).max().unwrap_or_default()
}

/// Each process spreads its own part evenly, but nobody spreads them among each other: a second can hold one request more of
/// each of them. A machine that stands still for a moment bunches arrivals, but not three times.
#[test]
fn the_quota_of_all_shards_together_is_kept_as_the_services_see_it() {
    let mut busiest = Vec::new();
    for _ in 0..3 {
        let rows = growers(160);
        let bench = Bench::new(&rows);
        let flags = ["--stara-rate", "80/s", "--leaf-rate", "80/s"];
        let running: Vec<Running> =
            all(SHARDS).map(|shard| run_as(&bench, shard, "growers.csv", &flags).start()).collect();
        for shard in running {
            shard.end().with_code(0);
        }
        bench.expect_one_effect_each(&rows);
        let shards = usize::try_from(SHARDS).unwrap();
        let seconds = [Service::Stara, Service::Leaf].map(|service| busiest_second(&bench, service));
        if seconds.iter().all(|requests| *requests <= 80 + shards) {
            return;
        }
        busiest.push(seconds);
    }
    panic!("80 requests in any second were allowed to all shards together, and {busiest:?} came");
}

#[test]
fn a_run_begins_by_saying_which_part_of_what_it_may_ask() {
    let rows = growers(24);
    let bench = Bench::new(&rows);
    let shard = all(SHARDS).nth(3).unwrap();
    assert!(taken_by(shard, &rows).len() > 1);
    let flags = "--stara-rate 200/s --leaf-rate auto --progress json --limit 1 --precheck off";
    let flags: Vec<&str> = flags.split(' ').collect();
    let ended = run_as(&bench, shard, "growers.csv", &flags).end().with_code(0);
    let lines = ended.stdout.lines().chain(ended.stderr.lines());
    let started = lines
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|line| line["type"] == "started")
        .unwrap_or_else(|| panic!("{ended:?}"));
    assert_eq!(started["shard"], "3/8");
    assert_eq!(started["toDo"], 1, "the limit is of the shard");
    assert_eq!(started["stara"]["quotaPerSecond"], 25.0);
    assert_eq!(started["leaf"]["quotaPerSecond"], 0.625);
    assert_eq!(started["concurrency"], 4, "32 rows in flight of all shards together");

    let flags = ["--stara-rate", "200/s", "--leaf-rate", "none", "--progress", "lines", "--concurrency", "3"];
    let ended = run_as(&bench, all(SHARDS).nth(5).unwrap(), "growers.csv", &flags).end().with_code(0);
    ended.saying("shard 5 of 8: ").saying("at 25/s of 200/s;").saying("at no quota");
}

#[test]
fn the_most_changes_and_failures_of_all_shards_are_divided() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    for shard in all(2) {
        run_as(&bench, shard, "growers.csv", &[]).end().with_code(0);
    }
    // Everybody's login changes, and five of them may be replaced: three by the first shard, two by the second.
    let renamed: Vec<_> =
        rows.iter().map(|grower| grower.with_login(&format!("new.{}", grower.login))).collect();
    for grower in &renamed {
        grower.join(bench.world());
    }
    bench.write_manifest(&renamed);
    let before = bench.world().attach_effects_in_all();
    let replaced: Vec<u64> = all(2)
        .map(|shard| {
            let before = bench.world().attach_effects_in_all();
            run_as(&bench, shard, "growers.csv", &["--max-changes", "5", "--max-failures", "100%"])
                .end()
                .with_code(3);
            bench.world().attach_effects_in_all() - before
        })
        .collect();
    assert_eq!(replaced, [3, 2]);
    assert_eq!(bench.world().attach_effects_in_all() - before, 5);
}

/// A shard that may replace nobody would leave its growers waiting for ever, and one that may fail in nothing would stop at
/// the first wrong password.
#[test]
fn a_limit_that_leaves_a_shard_none_is_refused_by_every_shard_before_anything_is_sent() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    for shard in all(8) {
        for flag in ["--max-changes", "--max-failures"] {
            let ended = run_as(&bench, shard, "growers.csv", &[flag, "7"]).end().with_code(2);
            ended
                .saying(&format!("{flag} 7 leaves none to shard 7/8: name at least 8"))
                .saying("nothing was sent");
        }
    }
    let refused = |arguments: &[&str]| {
        let ended = bench.program().args(arguments).args(["--shard", "0/8", "--max-changes", "7"]).end();
        ended.with_code(2).saying("--max-changes 7 leaves none to shard 7/8: name at least 8");
    };
    refused(&["plan", "growers.csv"]);
    refused(&["audit", "growers.csv", "--repair"]);
    refused(&["detach", "growers.csv", "--yes"]);
    assert_eq!(bench.calls(), 0);
}

/// None is a limit that somebody wants, and the default is nobody's mistake.
#[test]
fn a_limit_of_none_or_the_default_is_never_too_small_for_the_shards() {
    let rows = growers(120);
    let bench = Bench::new(&rows);
    let shard = all(60).skip(50).find(|shard| taken_by(*shard, &rows).len() > 1).unwrap();
    run_as(&bench, shard, "growers.csv", &["--max-changes", "0", "--max-failures", "0"]).end().with_code(0);
    let renamed: Vec<_> =
        rows.iter().map(|grower| grower.with_login(&format!("new.{}", grower.login))).collect();
    for grower in &renamed {
        grower.join(bench.world());
    }
    bench.write_manifest(&renamed);
    let attached = bench.world().attach_effects_in_all();
    run_as(&bench, shard, "growers.csv", &["--max-changes", "0"]).end().with_code(3);
    assert_eq!(bench.world().attach_effects_in_all(), attached);
    run_as(&bench, shard, "growers.csv", &[]).end().with_code(3);
    assert_eq!(bench.world().attach_effects_in_all(), attached + 1, "50 of 60 shards is one for each");
}
