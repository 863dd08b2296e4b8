//! The quota, measured where it counts: at the server.

use std::time::{Duration, Instant};

use stara_onboard::model::Service;
use stara_onboard::sandbox::{Advice, Answer, CallKind, Calls, Fault, Quota, Trouble, When};

use crate::support::{Bench, growers, side_by_side};

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

/// Runs until a run kept its quota as the server saw it, but three times at most. A machine that stands still for a
/// moment bunches arrivals that were sent evenly, but not three times; a program that sends too fast does it each time.
fn expect_quota(rows: usize, arguments: &[&str], stara: usize, leaf: usize) {
    let mut busiest = Vec::new();
    for _ in 0..3 {
        let rows = growers(rows);
        let bench = Bench::new(&rows);
        bench.run(arguments).with_code(0);
        bench.expect_one_effect_each(&rows);
        let seconds = (busiest_second(&bench, Service::Stara), busiest_second(&bench, Service::Leaf));
        busiest.push(seconds);
        if seconds.0 <= stara + 1 && seconds.1 <= leaf + 1 {
            return;
        }
    }
    panic!("{stara} and {leaf} requests in any second were allowed, and {busiest:?} came");
}

#[test]
fn no_second_sees_more_than_the_quota_and_one() {
    expect_quota(30, &["--stara-rate", "40/s", "--leaf-rate", "40/s"], 40, 40);
}

#[test]
fn a_quota_by_the_minute_is_spread_evenly_and_each_host_has_its_own() {
    expect_quota(6, &["--stara-rate", "600/min", "--leaf-rate", "15/s"], 10, 15);
}

#[test]
fn an_automatic_rate_begins_low() {
    expect_quota(2, &["--stara-rate", "auto", "--leaf-rate", "auto"], 2, 5);
}

#[test]
fn a_quota_holds_for_repeated_requests_too() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    let trouble = Trouble::Answer(Answer::new(500));
    bench.inject(Fault::new(Calls::One(CallKind::Authenticate), When::FirstPerRow(1), trouble));
    bench.run(&["--stara-rate", "10/s"]).with_code(0);
    let arrivals: Vec<Instant> =
        bench.seen().iter().filter(|call| call.service == Service::Stara).map(|call| call.at).collect();
    assert_eq!(arrivals.len(), 12);
    let took = arrivals[11].duration_since(arrivals[0]);
    // Eleven distances of 100 ms, less what one late arrival can shorten them by.
    assert!(took >= Duration::from_millis(900), "{took:?}");
}

#[test]
fn no_more_rows_are_in_flight_than_asked_for() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    bench.run(&["--concurrency", "1"]).with_code(0);
    // One row at a time: the calls of a row stand together.
    let seen = bench.seen();
    let users: Vec<_> = seen.iter().filter_map(|call| call.leaf_user_id).collect();
    let turns = users.chunk_by(|one, other| one == other).count();
    assert_eq!(turns, rows.len());
}

/// A quota that nobody published, with this status for whoever exceeds it.
fn hidden_quota(service: Service, per_second: f64, status: u16, advice: Advice) -> Fault {
    let quota = Quota { per_second, burst: 5, status, advice };
    Fault::new(Calls::Of(service), When::Always, Trouble::Quota(quota))
}

/// What the ledger says was learned of a service's quota.
fn learned(bench: &Bench, service: &str) -> Option<f64> {
    let status = bench.status(&[]);
    let rates = status["learnedRates"].as_array().unwrap().clone();
    rates.iter().find(|rate| rate["service"] == service).map(|rate| rate["perSecond"].as_f64().unwrap())
}

#[test]
fn a_quota_that_nobody_published_is_found_kept_and_forgotten_on_request() {
    let cases = [(429, Advice::None), (429, Advice::Seconds), (503, Advice::None)];
    side_by_side(cases, |(status, advice)| {
        let rows = growers(120);
        let bench = Bench::new(&rows);
        bench.inject(hidden_quota(Service::Stara, 20.0, status, advice));
        bench.run(&["--stara-rate", "auto:400/s"]).with_code(0);
        bench.expect_one_effect_each(&rows);
        let refused = bench.seen().iter().filter(|call| call.status == Some(status)).count();
        assert!((1..=30).contains(&refused), "{status} {advice:?}: {refused} of {}", bench.calls());
        let found = learned(&bench, "stara").unwrap();
        assert!((8.0..=32.0).contains(&found), "{status} {advice:?}: {found}");
        assert_eq!(learned(&bench, "leaf"), None, "its rate was none");

        // The next run begins where this one was, and says so.
        bench.write_manifest(&rows[..1]);
        let more = ["--stara-rate", "auto:400/s", "--retry-failed"];
        let begins = format!("{:.1}/s (auto:400/s)", found * 0.8);
        bench.run(&more).with_code(0).saying(&begins);
        bench.run(&["--stara-rate", "auto:400/s", "--relearn"]).with_code(0).saying("2.0/s (auto:400/s)");
        assert_eq!(learned(&bench, "stara"), None);
    });
}
