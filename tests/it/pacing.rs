//! The quota, measured where it counts: at the server.

use std::time::{Duration, Instant};

use stara_onboard::model::Service;
use stara_onboard::sandbox::Fault;

use crate::support::{Bench, growers};

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
    bench.inject(Fault::stara_down());
    bench.run(&["--stara-rate", "10/s"]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-unavailable"; 4]);
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
