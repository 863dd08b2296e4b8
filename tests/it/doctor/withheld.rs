//! The canary that stays at home: what a run would never send, and what could be refused twice because nobody remembers it.

use serde_json::json;
use stara_onboard::checkpoint::RunLock;
use stara_onboard::sandbox::CallKind::Authenticate;
use stara_onboard::sandbox::Dialects;

use super::canary::{canary, with_wrong_password};
use super::{Checkup, doctor};
use crate::support::{Bench, Grower, growers, side_by_side};

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
fn of_lines_that_contradict_each_other_none_is_sent_and_of_lines_that_agree_each_may_be() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let manifest = [
        rows[0].clone(),
        rows[1].clone(),
        rows[2].clone(),
        rows[1].with_password("another one"),
        rows[0].clone(),
        rows[2].with_login("somebody@agro.example"),
    ];
    bench.write_manifest(&manifest);
    for (line, lines) in [(3, "3, 5"), (5, "3, 5"), (4, "4, 7"), (7, "4, 7")] {
        expect_withheld(&try_line(&bench, line), &format!("lines {lines} name this user and disagree"));
    }
    assert_eq!(bench.calls_of(Authenticate), 0);
    assert!(!bench.path("state").exists(), "nothing is made for a canary that isn't sent");
    for line in [2, 6] {
        try_line(&bench, line).expect_said("canary", "Stara speaks json");
    }
    bench.run(&["--strict"]).with_code(3);
    assert_eq!(bench.outcomes()[1], "manifest-conflict", "the run says so, too");
}

#[test]
fn the_variable_that_stands_for_an_empty_cell_is_part_of_what_lines_agree_on() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    let (id, login) = (rows[0].id, &rows[0].login);
    let manifest = format!(
        "leafUserId,login,password,accessTokenClient\n{id},{login},Safra1,\n{id},{login},Safra1,of-all\n"
    );
    bench.write("growers.csv", manifest);
    expect_withheld(&try_line(&bench, 2), "lines 2, 3 name this user and disagree");
    let agreeing = doctor(&bench, &["--canary", "2"]).env("STARA_ACCESS_TOKEN_CLIENT", "of-all").end();
    Checkup::of(&agreeing).expect_said("canary", "Stara refused the login of line 2");
}

#[test]
fn a_login_or_password_that_check_finds_fault_with_is_not_sent_and_the_fault_is_named() {
    let clean: Vec<Grower> =
        growers(9).into_iter().enumerate().map(|(at, row)| row.with_login(&format!("{at:08}"))).collect();
    let with = |change: fn(&Grower) -> Grower| [&[change(&clean[0])], &clean[1..]].concat();
    let cases = [
        (with(|row| row.with_password("Safra1 ")), "trailing-space in column 3 (password)"),
        (with(|row| row.with_password("1.23E+11")), "scientific-notation in column 3 (password)"),
        (with(|row| row.with_login("0000\u{a0}001")), "non-breaking-space in column 2 (login)"),
        // Only the other lines tell that zeros are missing.
        (with(|row| row.with_login("1000001")), "lost-leading-zeros in column 2 (login)"),
    ];
    side_by_side(cases, |(rows, words)| {
        let bench = Bench::new(&rows);
        let checkup = canary(&bench, &[]);
        expect_withheld(&checkup, words);
        checkup.expect(&["canary of stara"], &[]).expect_said("canary", "check growers.csv");
        assert_eq!(bench.calls_of(Authenticate), 0, "{words}");
        try_line(&bench, 3).expect_said("canary", "Stara speaks json");
    });
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
