//! Leaf's log of a credential: from Leaf and from what was saved, oldest first, with no secret in it.

use std::collections::BTreeSet;

use serde_json::Value;
use stara_onboard::sandbox::CallKind::GetEvents;
use stara_onboard::sandbox::{Answer, Calls, Fault, Trouble, When};

use crate::support::leaks::Needles;
use crate::support::{Bench, Ended, Grower, growers, user};

/// A bench with two growers attached.
fn attached() -> (Bench, Vec<Grower>) {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    (bench, rows)
}

fn events(bench: &Bench, grower: &Grower, arguments: &[&str]) -> Ended {
    bench.program().args(["events", &grower.id.to_string()]).args(arguments).end()
}

fn events_json(bench: &Bench, grower: &Grower, arguments: &[&str]) -> Value {
    let ended = events(bench, grower, &[&["--json"], arguments].concat()).with_code(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn places(log: &Value) -> Vec<Vec<&str>> {
    let events = log["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            event["places"].as_array().unwrap().iter().map(|place| place.as_str().unwrap()).collect()
        })
        .collect()
}

#[test]
fn the_log_at_leaf_is_one_call_and_names_fields_without_their_values() {
    let (bench, rows) = attached();
    bench.world().set_status(rows[0].id, "invalid");
    let calls = bench.calls();
    let log = events_json(&bench, &rows[0], &[]);
    assert_eq!((bench.calls() - calls, bench.calls_of(GetEvents)), (1, 1));
    assert_eq!((&log["schema"], &log["leaf"]["asked"]), (&1.into(), &true.into()));
    assert_eq!(places(&log), vec![vec!["leaf"]; 3]);
    let dates: Vec<&str> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["createdDate"].as_str().unwrap())
        .collect();
    assert!(dates.is_sorted(), "{dates:?}");
    assert_eq!(log["events"][2]["statusCode"], 401);
    let names: Vec<&str> = log["events"][0]["body"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["accessToken", "accessTokenClient", "refreshToken"]);
    let text = events(&bench, &rows[0], &[]).with_code(0).stdout;
    assert!(text.contains("status 401") && text.contains("accessToken=***"), "{text}");
}

#[test]
fn no_secret_of_the_log_is_shown_or_kept() {
    let (bench, rows) = attached();
    let mut shown = String::new();
    for arguments in [&[][..], &["--json"], &["-vvv"], &["-vvv", "--log-file", "events.log"]] {
        let ended = events(&bench, &rows[0], arguments).with_code(0);
        shown.push_str(&ended.stdout);
        shown.push_str(&ended.stderr);
    }
    bench
        .program()
        .args(["detach", "growers.csv", "--yes", "-vvv", "--log-file", "detach.log"])
        .end()
        .with_code(0);
    shown.push_str(&events(&bench, &rows[0], &["--saved"]).with_code(0).stdout);
    let needles = Needles::new(bench.world().secrets());
    let (leaks, searched) = needles.find_below(bench.folder(), &["growers.csv"]);
    assert!(searched.iter().any(|file| file.ends_with("ledger.db")), "{searched:?}");
    assert_eq!((needles.find("output", shown.as_bytes()), leaks), (BTreeSet::new(), BTreeSet::new()));
}

#[test]
fn what_was_saved_before_a_credential_was_taken_away_is_printed_offline() {
    let (bench, rows) = attached();
    let before = events_json(&bench, &rows[0], &[]);
    bench.program().args(["detach", "--yes", &rows[0].id.to_string()]).end().with_code(0);
    let calls = bench.calls();
    let invocation = bench.program().env_remove("LEAF_TOKEN");
    let ended = invocation.args(["events", &rows[0].id.to_string(), "--saved", "--json"]).end().with_code(0);
    let saved: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(bench.calls(), calls);
    assert_eq!(places(&saved), vec![vec!["saved"]; 3]);
    for at in 0..3 {
        for field in ["id", "createdDate", "statusCode"] {
            assert_eq!(saved["events"][at][field], before["events"][at][field]);
        }
    }
    assert_eq!(saved["leaf"]["asked"], false);
    // Leaf has forgotten it, and what is saved is shown all the same.
    assert_eq!(places(&events_json(&bench, &rows[0], &[])), vec![vec!["saved"]; 3]);
}

#[test]
fn what_is_known_in_both_places_is_printed_once() {
    let (bench, rows) = attached();
    // Its events are saved, and then the deletion is refused.
    let forbidden = Trouble::Answer(Answer::new(403));
    bench.inject(Fault::new(Calls::named("remove").unwrap(), When::Always, forbidden));
    bench.program().args(["detach", "--yes", &rows[0].id.to_string()]).end().with_code(3);
    assert_eq!(places(&events_json(&bench, &rows[0], &[])), vec![vec!["leaf", "saved"]; 3]);
}

#[test]
fn without_leaf_what_is_saved_is_shown_and_the_exit_code_says_that_it_is_not_all() {
    let (bench, rows) = attached();
    bench.program().args(["detach", "--yes", &rows[0].id.to_string()]).end().with_code(0);
    let failing = Trouble::Answer(Answer::new(500));
    bench.inject(Fault::new(Calls::named("events").unwrap(), When::Always, failing));
    let ended = events(&bench, &rows[0], &["--json"]).with_code(5).saying("Leaf couldn't be asked");
    let log: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((log["events"].as_array().unwrap().len(), log["leaf"]["error"].is_string()), (3, true));
    bench.world().lift_faults();
    bench.world().revoke_leaf_tokens();
    events(&bench, &rows[0], &[]).with_code(7);
}

#[test]
fn without_a_ledger_leaf_is_asked_and_nothing_is_made() {
    let (bench, rows) = attached();
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    assert_eq!(places(&events_json(&bench, &rows[0], &[])), vec![vec!["leaf"]; 3]);
    assert!(!bench.path("state").exists());
    events(&bench, &rows[0], &["--saved"]).with_code(2);
}

#[test]
fn it_waits_for_no_run_that_holds_the_ledger() {
    let rows = growers(40);
    let bench = Bench::slow(&rows);
    let running = bench.run_of("growers.csv", &["--concurrency", "2"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    events(&bench, &rows[0], &[]).with_code(0);
    running.signal(rustix::process::Signal::INT);
    running.end().with_code(130);
}

#[test]
fn a_user_without_a_log_has_none() {
    let (bench, _) = attached();
    let ended = bench.program().args(["events", &user(77).to_string()]).end().with_code(0);
    assert!(ended.stdout.contains("no event"), "{}", ended.stdout);
    bench.program().args(["events", "no-uuid"]).end().with_code(2);
}

#[test]
fn a_credential_is_found_by_its_own_id_too() {
    let (bench, rows) = attached();
    let credential = bench.world().credential(rows[1].id).unwrap().id.as_str().to_owned();
    let ended = bench.program().args(["events", &credential, "--json"]).end().with_code(0);
    let log: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(log["leafUserId"], rows[1].id.to_string());
    assert_eq!(log["events"], events_json(&bench, &rows[1], &[])["events"]);
}
