//! The memory of runs.

use std::collections::BTreeMap;

use super::fixtures::*;
use crate::checkpoint::{HostTotals, RunEnd};

#[test]
fn a_ledger_in_which_nothing_ran_has_no_run() {
    let place = Place::new();
    assert!(place.ledger.latest_run().unwrap().is_none());
    assert!(place.ledger.runs(10).unwrap().is_empty());
}

#[test]
fn a_run_is_remembered_from_its_staging_on() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0), invalid(3, None)]);
    let run = place.ledger.latest_run().unwrap().unwrap();
    assert_eq!((run.run, run.lines, run.to_do), (1, 2, 1));
    assert_eq!((run.manifest.as_str(), run.kept_columns), ("growers.csv", vec!["farm".to_owned()]));
    assert_eq!((run.ended_at, run.exit_code, run.ending), (None, None, None));
    assert!(run.outcomes.is_empty() && run.hosts.is_empty());
}

#[test]
fn a_run_that_ended_comes_back_with_its_totals() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0), invalid(3, None)]);
    let outcomes = place.ledger.count_outcomes(1).unwrap();
    let totals = HostTotals { requests: 10, unanswered: 1, throttled: 2 };
    let hosts = BTreeMap::from([("https://leaf.example".to_owned(), totals)]);
    let end =
        RunEnd { exit_code: 130, ending: "stopped by SIGINT".to_owned(), outcomes, hosts: hosts.clone() };
    place.ledger.end_run(1, &end).unwrap();
    let run = place.ledger.latest_run().unwrap().unwrap();
    assert!(run.ended_at.unwrap() >= run.started_at);
    assert_eq!((run.exit_code, run.ending.as_deref()), (Some(130), Some("stopped by SIGINT")));
    let expected =
        [("manifest-invalid", 1), ("not-reached", 1)].map(|(code, lines)| (code.to_owned(), lines));
    assert_eq!(run.outcomes, BTreeMap::from(expected));
    assert_eq!(run.hosts, hosts);
}

#[test]
fn the_latest_runs_come_first_and_no_more_than_asked() {
    let mut place = Place::new();
    for _ in 0..4 {
        place.stage(rows(2, 1));
    }
    let numbers: Vec<i64> = place.ledger.runs(3).unwrap().iter().map(|run| run.run).collect();
    assert_eq!(numbers, [4, 3, 2]);
    let other = open(&place.directory);
    assert_eq!(other.latest_run().unwrap().unwrap().run, 4);
}
