//! A host that is down parks the run instead of burning through the manifest.

use std::time::Duration;

use rustix::process::Signal;
use stara_onboard::model::Service;
use stara_onboard::sandbox::{Answer, Calls, Fault, Trouble, When};

use crate::support::{Bench, growers, side_by_side};

/// A host that answers the first so many calls with this status.
fn down_for(service: Service, calls: u64, status: u16) -> Fault {
    Fault::new(Calls::Of(service), When::First(calls), Trouble::Answer(Answer::new(status)))
}

#[test]
fn a_host_that_is_down_ends_the_run_resumably_and_blames_hardly_a_row() {
    let cases = [(Service::Stara, "stara-unavailable"), (Service::Leaf, "leaf-unavailable")];
    side_by_side(cases, |(service, outcome)| {
        let rows = growers(60);
        let bench = Bench::new(&rows);
        bench.inject(down_for(service, u64::MAX, 502));
        let ended = bench.run(&["--max-hold", "1s"]).with_code(5);
        let ended = ended.saying(&format!("{service} is down"));
        ended.saying("stara-onboard run growers.csv");
        let failed = bench.seen().iter().filter(|call| call.service == service).count();
        assert!(failed <= 12, "{failed} calls to a host that is down");
        let outcomes = bench.outcomes();
        let blamed = outcomes.iter().filter(|code| *code == outcome).count();
        let not_reached = outcomes.iter().filter(|code| *code == "not-reached").count();
        assert_eq!(blamed + not_reached, rows.len(), "{outcomes:?}");
        assert!(blamed <= 6, "{blamed}");
        bench.world().lift_faults();
        bench.run(&[]).with_code(0);
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_host_nobody_answers_at_is_no_fault_of_the_rows() {
    // Port 1 is never listened on by anybody.
    side_by_side(["--stara-url", "--leaf-url"], |flag| {
        let bench = Bench::new(&growers(40));
        let ended = bench.run(&[flag, "http://127.0.0.1:1", "--max-hold", "1s"]).with_code(5);
        ended.saying("can't be reached: it refuses connections");
        let outcomes = bench.outcomes();
        assert!(outcomes.iter().filter(|code| *code == "not-reached").count() >= 34, "{outcomes:?}");
    });
}

#[test]
fn why_a_host_is_not_reached_is_said_wherever_it_is_said_that_it_is_not() {
    let bench = Bench::new(&[]);
    let [_, leaf] = bench.urls().map(str::to_owned);
    let cases = [
        ("https://leaf.invalid".to_owned(), "its host name can't be resolved", "When that is mended"),
        ("http://127.0.0.1:1".to_owned(), "it refuses connections", "To go on"),
        (leaf.replace("http://", "https://"), "no TLS came about", "When that is mended"),
    ];
    side_by_side(cases, |(url, why, hint)| {
        let bench = Bench::new(&growers(20));
        let ended = bench.run(&["--leaf-url", &url, "--max-hold", "1s"]).with_code(5);
        let ended = ended.saying(&format!("Leaf can't be reached: {why}")).saying("stara-onboard doctor");
        ended.saying(hint).saying("stara-onboard run growers.csv");
        for result in bench.results().iter().filter(|result| result.outcome == "leaf-unavailable") {
            assert!(result.message.contains(why), "{}", result.message);
            assert!(!result.message.contains("lookup"), "the library's words: {}", result.message);
        }
        assert!(bench.results().iter().any(|result| result.outcome == "leaf-unavailable"));
        let quiet = bench.run(&["--leaf-url", &url, "--max-hold", "1s", "-q"]).with_code(5);
        quiet.saying(&format!("Leaf can't be reached: {why}"));
        let waiting = bench.run_of("growers.csv", &["--leaf-url", &url, "--retry-failed"]).start();
        waiting.until_said(&format!("Leaf can't be reached: {why}"));
        waiting.until_said("it is tried again in 30s");
        waiting.signal(Signal::KILL);
        waiting.end();
    });
}

#[test]
fn an_outage_is_waited_out_and_no_row_is_lost_by_it() {
    // The breaker's first pause is half a minute long; this is the one test that waits for it.
    let cases = [(Service::Stara, 500), (Service::Leaf, 503)];
    side_by_side(cases, |(service, status)| {
        // So few that there are no canaries: the failures are of different rows.
        let rows = growers(20);
        let bench = Bench::new(&rows);
        bench.inject(down_for(service, 5, status));
        // Five rows fail at the same time, and none of them so often that it is given up.
        let ended = bench.run(&["--concurrency", "5"]).with_code(0);
        ended.saying(&format!("{service} is down: it is tried again in 30s"));
        bench.expect_one_effect_each(&rows);
        let seen = bench.seen();
        let of_service: Vec<_> = seen.iter().filter(|call| call.service == service).collect();
        let longest = of_service.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at)).max().unwrap();
        assert!(longest >= Duration::from_secs(29), "{longest:?}");
    });
}
