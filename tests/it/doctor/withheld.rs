//! The canary that stays at home: what a run would never send, and what could be refused twice because nobody remembers it.

use serde_json::json;
use stara_onboard::checkpoint::RunLock;
use stara_onboard::sandbox::CallKind::Authenticate;
use stara_onboard::sandbox::Dialects;

use super::canary::{canary, with_wrong_password};
use super::{Checkup, doctor};
use crate::support::{Bench, Grower, growers};

/// A line as a canary.
fn try_line(bench: &Bench, line: u64) -> Checkup {
    Checkup::of(&doctor(bench, &["--canary", &line.to_string()]).end())
}

#[track_caller]
fn expect_withheld(checkup: &Checkup, words: &str) {
    checkup.expect_said("canary", "not sent").expect_said("canary", words);
    assert_eq!(
        (&checkup.0["canary"]["sent"], &checkup.0["canary"]["result"]),
        (&json!([]), &json!("not-sent"))
    );
}

#[test]
fn without_the_key_a_login_that_was_refused_under_another_user_is_not_sent_and_neither_is_any_other() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    let wrong = rows[1].with_password("not the password");
    bench.write_manifest(&[rows[0].clone(), wrong.clone()]);
    bench.run(&[]).with_code(3);
    std::fs::remove_file(bench.path("state/ledger.key")).unwrap();

    let same_login = Grower { id: rows[2].id, ..wrong.clone() };
    bench.write_manifest(&[rows[0].clone(), wrong, same_login, rows[3].clone()]);
    let before = bench.calls_of(Authenticate);
    expect_withheld(&try_line(&bench, 4), "Stara refused the login of line 4");
    expect_withheld(&try_line(&bench, 5), "the ledger's key is missing or another one");
    assert_eq!(bench.calls_of(Authenticate), before);
}

#[test]
fn while_a_run_is_at_work_nothing_is_sent() {
    let (bench, _) = with_wrong_password(Dialects::Both);
    bench.run(&["--limit", "0"]).with_code(0);
    let lock = RunLock::acquire(&bench.path("state/ledger.db")).unwrap();
    for _ in 0..2 {
        expect_withheld(&canary(&bench, &[]), "another run is at work");
    }
    assert_eq!(bench.calls_of(Authenticate), 0);
    drop(lock);
    canary(&bench, &[]).expect_said("canary", "(401)");
    assert_eq!(bench.calls_of(Authenticate), 1);
}

#[test]
fn before_the_first_run_a_ledger_is_made_that_remembers_what_was_refused() {
    let (bench, rows) = with_wrong_password(Dialects::Both);
    let first = canary(&bench, &[]);
    first.expect(&["canary of stara"], &[]).expect_said("canary", "it is remembered");
    assert_eq!(first.0["canary"]["remembered"], true);
    expect_withheld(&canary(&bench, &[]), "Stara refused the login and password of line 2");
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected", "attached", "attached"]);
    assert_eq!(bench.calls_about(&rows[0]), [Authenticate]);
}

#[test]
fn the_ledger_that_a_canary_makes_is_of_these_hosts_and_of_this_key_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new(&growers(3));
    canary(&bench, &[]).expect(&[], &[]).expect_said("canary", "it accepted the login of line 2");
    for name in ["ledger.db", "ledger.key", "ledger.lock"] {
        let mode = bench.path("state").join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    bench.program().args(["status"]).end().with_code(0);
    let elsewhere = bench.run_of("growers.csv", &[]).env("STARA_URL", "https://stara.example").end();
    elsewhere.with_code(2).saying("belongs to");
    let other_key =
        bench.run_of("growers.csv", &[]).env("STARA_ONBOARD_FINGERPRINT_KEY", "ab".repeat(32)).end();
    other_key.with_code(0).saying("the fingerprint key beside the ledger is missing or another one");
}

#[test]
fn where_no_ledger_can_be_made_nothing_is_sent() {
    let bench = Bench::new(&growers(3));
    bench.write("taken", "no folder");
    let checkup = canary(&bench, &["--state", "taken/ledger.db"]);
    expect_withheld(&checkup, "because a refusal couldn't be remembered");
    assert_eq!(bench.calls_of(Authenticate), 0);
}
