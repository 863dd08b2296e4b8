//! Interrupted and run again: every row is attached once, and what is done costs nothing.

use std::fs::OpenOptions;
use std::io::Write as _;

use rustix::process::Signal;
use stara_onboard::model::LeafUserId;
use stara_onboard::sandbox::CallKind::{CreateCredential, DeleteCredential, GetCredential};
use stara_onboard::sandbox::{CallKind, Fault};

use crate::support::{Bench, Ended, Grower, counts, csv_of, growers, read_results, side_by_side};

const ROWS: usize = 160;

/// Interrupts a run with this signal when half of its rows are attached.
fn interrupt_half_way(bench: &Bench, signal: Signal) -> Ended {
    let running = bench.run_of("growers.csv", &["--concurrency", "8"]).start();
    bench.until(|world| world.attach_effects_in_all() >= ROWS as u64 / 2);
    running.signal(signal);
    running.end()
}

#[test]
fn an_interrupted_run_drains_resumes_and_then_has_nothing_to_do() {
    let rows = growers(ROWS);
    let bench = Bench::slow(&rows);
    let ended = interrupt_half_way(&bench, Signal::INT).with_code(130);
    let ended = ended.saying("stopped by SIGINT");
    let (_, command) = ended.stderr.split_once("To go on: ").unwrap();
    let command: Vec<&str> = command.split_whitespace().skip(1).collect();
    let results = bench.results();
    let counted = counts(&results);
    assert_eq!(results.len(), ROWS);
    assert_eq!(counted["attached"] + counted["not-reached"], ROWS);
    assert_eq!(counted["attached"] as u64, bench.world().attach_effects_in_all(), "what was begun was ended");
    assert!(counted["not-reached"] > 0);

    let calls = bench.calls();
    bench.program().args(command).end().with_code(0).saying("decided by earlier runs");
    assert_eq!(bench.calls() - calls, counted["not-reached"] * 5, "finished rows cost no call");
    bench.expect_one_effect_each(&rows);

    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls);
    assert_eq!(bench.outcomes(), vec!["attached"; ROWS]);
}

#[test]
fn the_exit_code_names_the_signal() {
    let cases = [(Signal::TERM, 143, "stopped by SIGTERM"), (Signal::HUP, 129, "stopped by SIGHUP")];
    side_by_side(cases, |(signal, code, name)| {
        let rows = growers(ROWS);
        let bench = Bench::slow(&rows);
        interrupt_half_way(&bench, signal).with_code(code).saying(name);
        assert_eq!(bench.status(&[])["runs"][0]["exitCode"], code);
        bench.run(&[]).with_code(0);
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_killed_run_is_resumed_with_one_effect_a_user() {
    let rows = growers(ROWS);
    let bench = Bench::slow(&rows);
    let ended = interrupt_half_way(&bench, Signal::KILL);
    assert_eq!((ended.code, ended.signal), (None, Some(9)));
    let status = bench.status(&[]);
    assert_eq!((&status["running"], &status["runs"][0]["exitCode"]), (&().into(), &().into()));

    let before = bench.calls();
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
    let attaches = |from: usize, to: usize| {
        bench.seen()[from..to].iter().filter(|call| call.call == CreateCredential).count()
    };
    let (first, second) = (attaches(0, before), attaches(before, bench.calls()));
    assert!(first + second <= ROWS + 8, "only what was in flight may be sent twice: {first} + {second}");

    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn an_attach_in_the_open_is_looked_for_before_anything_is_sent() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang_after_effect());
    let running = bench.run_of("growers.csv", &[]).start();
    bench.until(|world| world.attach_effects_in_all() == 1);
    running.signal(Signal::KILL);
    running.end();
    let status = bench.status(&[&rows[0].id.to_string()]);
    assert_eq!(status["openIntent"]["attaches"], 1);
    bench.program().args(["report", "killed.jsonl"]).end().with_code(0);
    let killed = read_results(&bench.path("killed.jsonl"));
    assert_eq!(killed[0].outcome, "attach-unconfirmed");

    let before = bench.calls();
    bench.run(&[]).with_code(0);
    let calls: Vec<CallKind> = bench.seen()[before..].iter().map(|call| call.call).collect();
    assert_eq!(calls, [GetCredential]);
    let results = bench.results();
    assert_eq!(results[0].origin.as_deref(), Some("recovered"));
    bench.expect_one_effect_each(&rows);
    assert!(bench.status(&[&rows[0].id.to_string()])["openIntent"].is_null());
}

#[test]
fn a_stop_does_not_wait_until_a_lost_attach_has_settled() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.inject(Fault::cut_before_effect().for_user(rows[0].id));
    let running = bench.run_of("growers.csv", &["--settle", "10m"]).start();
    bench
        .until(|world| world.faults_befallen("cut-before-effect") == 1 && world.attach_effects_in_all() == 1);
    running.signal(Signal::INT);
    running.end().with_code(130);
    assert_eq!(bench.outcomes(), ["attach-unconfirmed", "attached"]);
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_changed_login_replaces_the_credential_of_a_done_row_once() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let old = bench.world().credential(rows[1].id).unwrap();
    let mut changed = rows.clone();
    changed[1] = rows[1].with_login("new-owner@agro.example");
    changed[1].join(bench.world());
    bench.write_manifest(&changed);

    let before = bench.calls();
    bench.run(&[]).with_code(0);
    let deletions = bench.calls_of(DeleteCredential);
    let new = bench.world().credential(rows[1].id).unwrap();
    assert_eq!((deletions, bench.world().credentials_of(rows[1].id).len()), (1, 1));
    assert_ne!(old.id, new.id);
    let api_key = bench.world().api_key(&changed[1].login());
    assert_eq!(new.api_key.expose_secret(), api_key.expose_secret());
    assert_eq!(bench.results()[1].origin.as_deref(), Some("replaced"));
    assert!(bench.seen()[before..].iter().all(|call| call.leaf_user_id.is_none_or(|id| id == rows[1].id)));
    // The history of the deleted credential is kept.
    let status = bench.status(&[&rows[1].id.to_string()]);
    assert_eq!(status["savedEvents"].as_array().unwrap().len(), 3);

    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn a_changed_login_that_stara_refuses_leaves_the_old_credential_alone() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let old = bench.world().credential(rows[0].id).unwrap().id;
    bench.write_manifest(&[rows[0].with_login("nobody@agro.example")]);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected"]);
    assert_eq!(bench.calls_of(DeleteCredential), 0);
    assert_eq!(bench.world().credential(rows[0].id).unwrap().id, old);
}

#[test]
fn a_changed_password_beside_a_healthy_credential_costs_one_look_and_is_noted_once() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let calls = bench.calls();
    bench.write_manifest(&[rows[0].with_password("a new password"), rows[1].clone()]);
    let ended = bench.run(&[]).with_code(0);
    assert_eq!(bench.calls() - calls, 1, "one look, and no Stara login");
    assert_eq!(bench.outcomes(), ["attached", "attached"]);
    assert!(bench.results()[0].message.contains("password"), "{:?}", bench.results()[0]);
    assert!(ended.stderr.contains("1 password changed beside a healthy credential"), "{}", ended.stderr);
    bench.expect_one_effect_each(&rows);
    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls, "from then on the row is unchanged");
}

#[test]
fn a_user_who_is_gone_from_the_manifest_is_told_and_left_alone() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let calls = bench.calls();
    bench.write_manifest(&rows[1..]);
    let ended = bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls);
    assert!(
        ended.stderr.contains("1 user of the ledger not in the manifest, left alone"),
        "{}",
        ended.stderr
    );
    assert!(bench.world().credential(rows[0].id).is_some());
}

#[test]
fn rows_added_to_a_manifest_are_the_only_ones_carried_out() {
    let rows = growers(8);
    let bench = Bench::new(&rows);
    bench.write_manifest(&rows[..5]);
    bench.run(&[]).with_code(0);
    let calls = bench.calls();
    bench.write("tonight.csv", csv_of(&rows[3..]));
    bench.run_of("tonight.csv", &[]).end().with_code(0);
    assert_eq!(bench.calls() - calls, 3 * 5);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_row_that_changes_its_user_under_the_run_is_carried_out_for_neither() {
    let rows = growers(ROWS);
    let bench = Bench::slow(&rows);
    let strangers: Vec<_> = growers(2 * ROWS).split_off(ROWS);
    for stranger in &strangers {
        stranger.join(bench.world());
    }
    // Rows so long that the program can't have read far ahead of those under way.
    let filler = "x".repeat(30_000);
    let text = |of_whom: &dyn Fn(usize) -> LeafUserId| {
        let line = |(number, row): (usize, &Grower)| {
            format!("{},{},{},{filler}\n", of_whom(number), row.login, row.password.replace('"', "'"))
        };
        let lines: String = rows.iter().enumerate().map(line).collect();
        format!("leafUserId,login,password,remarks\n{lines}")
    };
    for row in &rows {
        row.with_password(&row.password.replace('"', "'")).join(bench.world());
    }
    bench.write("growers.csv", text(&|number| rows[number].id));
    let running = bench.run_of("growers.csv", &["--concurrency", "2"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 4);
    // In its place and of the same length: the program has the file open.
    let mut file = OpenOptions::new().write(true).open(bench.path("growers.csv")).unwrap();
    file.write_all(text(&|number| strangers[number].id).as_bytes()).unwrap();
    running.end().with_code(5).saying("the manifest changed while it was being read (line");
    for stranger in &strangers {
        assert_eq!(bench.world().attach_effects(stranger.id), 0, "a user who was never staged was attached");
    }
}

#[test]
fn a_manifest_that_changes_under_the_run_stops_it() {
    let rows: Vec<_> = growers(ROWS).iter().map(|row| row.with_password("first password")).collect();
    let bench = Bench::slow(&rows);
    // Rows so long that the program can't have read far ahead of those under way.
    let filler = "x".repeat(30_000);
    let text = |password: &str| {
        let line = |row: &Grower| format!("{},{},{password},{filler}\n", row.id, row.login);
        let lines: String = rows.iter().map(line).collect();
        format!("leafUserId,login,password,remarks\n{lines}")
    };
    bench.write("growers.csv", text("first password"));
    let running = bench.run_of("growers.csv", &["--concurrency", "2"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 4);
    // In its place and of the same length: the program has the file open.
    let mut file = OpenOptions::new().write(true).open(bench.path("growers.csv")).unwrap();
    file.write_all(text("other password").as_bytes()).unwrap();
    running.end().with_code(5).saying("the manifest changed while it was being read (line");
    let results = bench.results();
    assert_eq!(counts(&results)["attached"] as u64, bench.world().attach_effects_in_all());
    assert!(results.iter().all(|result| ["attached", "not-reached"].contains(&result.outcome.as_str())));

    bench.write("growers.csv", text("first password"));
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}
