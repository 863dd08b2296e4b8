//! `audit`: whether what Leaf holds is what the ledger expects, and what `--repair` and `--accept` do about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use stara_onboard::model::{LeafUserId, Service};
use stara_onboard::sandbox::CallKind::{
    Authenticate, CreateCredential, DeleteCredential, GetCredential, GetEvents, GetUser, ListUsers,
};
use stara_onboard::sandbox::{Answer, Calls, Fault, SandboxOptions, SecondAttach, Trouble, When};

use crate::support::{Bench, Ended, Grower, csv_of, growers, side_by_side, user};

/// So many growers who are attached.
fn attached(count: usize) -> (Bench, Vec<Grower>) {
    let rows = growers(count);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    (bench, rows)
}

fn audit(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.program().args(["audit"]).args(arguments).end()
}

/// The JSON of an audit that ends with this code.
fn audited(bench: &Bench, code: i32, arguments: &[&str]) -> Value {
    let ended = audit(bench, &[arguments, &["--json"]].concat()).with_code(code);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Which users were found to be what.
fn found(audit: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for user in audit["users"].as_array().unwrap() {
        let text = |name: &str| user[name].as_str().unwrap();
        assert!(found.entry(text("finding")).or_default().insert(text("leafUserId")), "each is listed once");
    }
    found
}

fn counts(healthy: u64, missing: u64, unhealthy: u64, foreign: u64, unknown_user: u64) -> Value {
    json!({
        "healthy": healthy,
        "missing": missing,
        "unhealthy": unhealthy,
        "foreign": foreign,
        "unknownUser": unknown_user,
    })
}

fn ids<'a>(rows: impl IntoIterator<Item = &'a Grower>) -> BTreeSet<String> {
    rows.into_iter().map(|row| row.id.to_string()).collect()
}

fn texts(ids: &BTreeSet<String>) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}

/// The ids of the credentials that the growers hold.
fn held(bench: &Bench, rows: &[Grower]) -> Vec<Option<String>> {
    let id = |row: &Grower| bench.world().credential(row.id).map(|held| held.id.as_str().to_owned());
    rows.iter().map(id).collect()
}

fn break_credentials<'a>(bench: &Bench, rows: impl IntoIterator<Item = &'a Grower>) {
    for row in rows {
        assert!(bench.world().set_status(row.id, "invalid"));
    }
}

#[test]
fn exactly_those_that_turned_unhealthy_are_found() {
    let (bench, rows) = attached(300);
    let broken: Vec<&Grower> = rows.iter().step_by(10).collect();
    break_credentials(&bench, broken.iter().copied());
    let before = held(&bench, &rows);
    let calls = bench.calls();
    let audit = audited(&bench, 0, &[]);
    assert_eq!(audit["schema"], 1);
    assert_eq!(audit["counts"], counts(270, 0, 30, 0, 0));
    let expected = ids(broken.iter().copied());
    assert_eq!(found(&audit), BTreeMap::from([("unhealthy", texts(&expected))]));
    assert_eq!(
        bench.calls() - calls,
        3 + 30 + 30,
        "the list, a look at each it doesn't prove, and a log each"
    );
    assert_eq!((bench.calls_of(ListUsers), bench.calls_of(GetEvents)), (3, 30));
    for user in audit["users"].as_array().unwrap() {
        assert_eq!((&user["ours"], &user["credentialStatus"]), (&json!(true), &json!("invalid")));
        assert_eq!((&user["audits"], &user["credentialId"]), (&json!(1), &user["knownCredentialId"]));
        assert!(!user["events"].as_array().unwrap().is_empty());
    }
    assert_eq!(held(&bench, &rows), before, "an audit changes nothing");
    // What Leaf said of them outlives them.
    let status = bench.status(&[&broken[0].id.to_string()]);
    assert!(!status["savedEvents"].as_array().unwrap().is_empty());
    audited(&bench, 6, &["--detailed-exitcode"]);
}

#[test]
fn nights_of_repair_replace_what_is_unhealthy_a_few_at_a_time_and_nothing_else() {
    let (bench, rows) = attached(40);
    let broken: Vec<&Grower> = rows.iter().step_by(4).collect();
    break_credentials(&bench, broken.iter().copied());
    let mut last = held(&bench, &rows);
    let repair = ["growers.csv", "--repair", "--max-changes", "4", "--detailed-exitcode"];
    let night = || audited(&bench, 6, &repair);
    let first = night();
    assert_eq!((&first["repair"]["run"], &first["repair"]["due"]), (&json!(null), &json!(0)));
    assert_eq!(held(&bench, &rows), last, "one audit is no proof");
    for (due, changed) in [(10, 4), (6, 4), (2, 2)] {
        let code = if due > changed { 6 } else { 0 };
        let audit = audited(&bench, code, &repair);
        assert_eq!(audit["counts"]["unhealthy"], due);
        let repair = &audit["repair"];
        assert_eq!((&repair["due"], &repair["replaced"]), (&json!(due), &json!(changed)));
        assert_eq!(repair["left"], due - changed);
        let now = held(&bench, &rows);
        assert_eq!(now.iter().zip(&last).filter(|(now, last)| now != last).count(), changed);
        last = now;
    }
    let audit = audited(&bench, 0, &repair);
    assert_eq!((&audit["counts"], &audit["repair"]["due"]), (&counts(40, 0, 0, 0, 0), &json!(0)));
    for row in &rows {
        let is_broken = broken.iter().any(|broken| broken.id == row.id);
        assert_eq!(bench.world().attach_effects(row.id), 1 + u32::from(is_broken));
        assert_eq!(bench.world().credentials_of(row.id).len(), 1);
        let saved = &bench.status(&[&row.id.to_string()])["savedEvents"];
        assert_eq!(saved.as_array().unwrap().is_empty(), !is_broken, "the log of what was replaced is kept");
    }
    assert_eq!(bench.calls_of(DeleteCredential), 10);
}

#[test]
fn two_thousand_credentials_of_which_a_tenth_breaks_are_well_again_after_some_nights() {
    let (bench, rows) = attached(2_000);
    // By a rule that no page of the list follows.
    let broken: Vec<&Grower> =
        rows.iter().enumerate().filter(|(row, _)| (row * 7) % 10 == 3).map(|(_, row)| row).collect();
    break_credentials(&bench, broken.iter().copied());
    for row in rows.iter().skip(5).step_by(20) {
        bench.world().seed_credential(row.id, "OK");
    }
    let foreign = ids(rows.iter().skip(5).step_by(20));
    let expected: BTreeSet<String> = ids(broken.iter().copied()).difference(&foreign).cloned().collect();
    let audit = audited(&bench, 0, &["growers.csv"]);
    assert_eq!(found(&audit)["unhealthy"], texts(&expected));
    assert_eq!(found(&audit)["foreign"], texts(&foreign));
    let (mut left, mut nights, mut last) = (expected.len(), 0, held(&bench, &rows));
    while left > 0 {
        let audit = audited(&bench, 0, &["growers.csv", "--repair", "--max-changes", "50"]);
        assert_eq!(audit["counts"]["unhealthy"], left);
        let now = held(&bench, &rows);
        let changed: BTreeSet<String> = ids(rows
            .iter()
            .zip(now.iter().zip(&last))
            .filter(|(_, (now, last))| now != last)
            .map(|(row, _)| row));
        assert_eq!(changed.len(), left.min(50));
        assert!(changed.is_subset(&expected));
        (left, nights, last) = (left - changed.len(), nights + 1, now);
    }
    assert_eq!(nights, expected.len().div_ceil(50));
    let counts_now = audited(&bench, 6, &["growers.csv", "--detailed-exitcode"])["counts"].clone();
    assert_eq!(counts_now, counts(1_900, 0, 0, 100, 0));
    assert!(broken.iter().all(|row| bench.world().credentials_of(row.id).len() == 1));
}

#[test]
fn a_repair_can_be_had_at_once_and_is_a_run_with_a_report() {
    let (bench, rows) = attached(3);
    break_credentials(&bench, &rows[1..2]);
    let report = ["--report", "results.jsonl"];
    audit(&bench, &[&["growers.csv", "--repair", "--now"][..], &report].concat())
        .with_code(0)
        .saying("attached");
    let results = bench.results();
    let outcomes: Vec<&str> = results.iter().map(|result| result.outcome.as_str()).collect();
    assert_eq!(outcomes, ["attached"; 3]);
    assert_eq!(results[1].origin.as_deref(), Some("replaced"));
    let status = bench.status(&[]);
    assert_eq!(status["runs"].as_array().unwrap().len(), 2);
    // The next run has nothing to do for it.
    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn a_refused_login_leaves_the_unhealthy_credential_alone_and_is_not_tried_again() {
    let (bench, rows) = attached(2);
    break_credentials(&bench, &rows);
    let before = held(&bench, &rows);
    let refusal = Trouble::Answer(Answer::new(401));
    bench.inject(Fault::new(Calls::One(Authenticate), When::Always, refusal).for_login(rows[0].login()));
    let repair = ["growers.csv", "--repair", "--now"];
    let audit = audited(&bench, 3, &repair);
    assert_eq!(audit["repair"]["outcomes"], json!({ "attached": 1, "stara-login-rejected": 1 }));
    let now = held(&bench, &rows);
    assert_eq!(now[0], before[0]);
    assert_ne!(now[1], before[1]);
    bench.world().lift_faults();
    let logins = bench.calls_of(Authenticate);
    let audit = audited(&bench, 3, &repair);
    assert_eq!((&audit["repair"]["due"], &audit["repair"]["replaced"]), (&json!(1), &json!(0)));
    assert_eq!(bench.calls_of(Authenticate), logins);
    // Another password is another matter.
    let changed = rows[0].with_password("Nova&0");
    changed.join(bench.world());
    bench.write_manifest(&[changed, rows[1].clone()]);
    audited(&bench, 0, &repair);
    assert_ne!(held(&bench, &rows)[0], before[0]);
}

#[test]
fn a_repair_touches_neither_what_is_foreign_nor_what_was_found_nor_what_is_missing() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[0].id, "OK");
    bench.run(&[]).with_code(0);
    // Found by the run, not ours; foreign; missing; ours; healthy.
    bench.world().set_status(rows[0].id, "invalid");
    bench.world().seed_credential(rows[1].id, "invalid");
    bench.world().remove_credential(rows[2].id);
    break_credentials(&bench, &rows[3..4]);
    let before = held(&bench, &rows);
    for _ in 0..3 {
        let audit = audited(&bench, 0, &["growers.csv", "--repair"]);
        let one = |row: &Grower| BTreeSet::from([row.id.to_string()]);
        assert_eq!(found(&audit)["foreign"], texts(&one(&rows[1])));
        assert_eq!(found(&audit)["missing"], texts(&one(&rows[2])));
        let users = audit["users"].as_array().unwrap();
        let of = |row: &Grower| users.iter().find(|user| user["leafUserId"] == row.id.to_string()).unwrap();
        assert_eq!(of(&rows[0])["ours"], false);
        assert_eq!(of(&rows[1])["ours"], false);
        assert_ne!(of(&rows[1])["credentialId"], of(&rows[1])["knownCredentialId"]);
        assert_eq!(of(&rows[2])["credentialId"], json!(null));
    }
    let now = held(&bench, &rows);
    let changed: Vec<usize> = (0..5).filter(|row| now[*row] != before[*row]).collect();
    assert_eq!(changed, [3]);
}

#[test]
fn whoever_an_audit_found_missing_is_attached_again_by_the_next_run_and_whoever_is_foreign_is_kept() {
    let (bench, rows) = attached(4);
    bench.world().remove_credential(rows[0].id);
    bench.world().seed_credential(rows[1].id, "OK");
    break_credentials(&bench, &rows[2..3]);
    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls, "a run alone knows nothing of it");
    let audit = audited(&bench, 0, &["growers.csv"]);
    assert_eq!(audit["counts"], counts(1, 1, 1, 1, 0));
    let before = held(&bench, &rows);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["attached", "attached", "credential-unhealthy", "attached"]);
    assert_eq!(bench.calls_about(&rows[1]).len(), 5 + 1, "the journey and the audit's look, none of the run");
    assert!(held(&bench, &rows)[0].is_some());
    assert_eq!(held(&bench, &rows)[1..], before[1..]);
    let audit = audited(&bench, 0, &["growers.csv"]);
    assert_eq!(audit["counts"], counts(2, 0, 1, 1, 0));
}

#[test]
fn a_list_never_calls_anybody_anything_but_healthy() {
    let (bench, rows) = attached(120);
    bench.world().remove_credential(rows[0].id);
    bench.world().seed_credential(rows[1].id, "OK");
    break_credentials(&bench, &rows[2..3]);
    let looks = bench.calls_of(GetUser);
    let audit = audited(&bench, 0, &["--look", "list"]);
    assert_eq!(audit["counts"], counts(117, 1, 1, 1, 0));
    assert_eq!(audit["look"], json!({ "list": true, "pages": 2, "failedPages": 0, "users": 3 }));
    assert_eq!(bench.calls_of(GetUser) - looks, 3);
    // Without the list the same is found, by a look at everybody.
    let lists = bench.calls_of(ListUsers);
    let audit = audited(&bench, 0, &["--look", "row"]);
    assert_eq!(audit["counts"], counts(117, 1, 1, 1, 0));
    assert_eq!(audit["look"], json!({ "list": false, "pages": 0, "failedPages": 0, "users": 120 }));
    assert_eq!(bench.calls_of(ListUsers), lists);
}

#[test]
fn a_list_that_fails_costs_looks_and_makes_nobody_missing() {
    let (bench, _) = attached(120);
    let refused = Trouble::Answer(Answer::new(400));
    bench.inject(Fault::new(Calls::One(ListUsers), When::Always, refused));
    let audit = audited(&bench, 0, &["--look", "list"]);
    assert_eq!(audit["counts"], counts(120, 0, 0, 0, 0));
    assert_eq!(audit["look"]["users"], 120);
}

#[test]
fn whoever_is_shown_without_the_embedded_credential_is_asked_for_it_before_being_called_missing() {
    let (bench, rows) = attached(4);
    bench.world().remove_credential(rows[0].id);
    for flaw in ["user:embedded-missing", "user:embedded-null", "list:embedded-missing"] {
        bench.inject(Fault::parse(flaw).unwrap());
        for look in ["row", "list"] {
            let audit = audited(&bench, 0, &["--look", look]);
            assert_eq!(audit["counts"], counts(3, 1, 0, 0, 0), "{flaw} {look}");
        }
    }
    // What couldn't be confirmed isn't called anything.
    let down = Trouble::Answer(Answer::new(400));
    bench.inject(Fault::new(Calls::One(GetCredential), When::Always, down).for_user(rows[0].id));
    let audit = audited(&bench, 5, &[]);
    assert_eq!((&audit["counts"], &audit["unseen"]), (&counts(3, 0, 0, 0, 0), &json!(1)));
}

#[test]
fn whoever_cannot_be_seen_is_called_nothing_and_keeps_what_was_found_before() {
    let (bench, rows) = attached(3);
    break_credentials(&bench, &rows[..1]);
    audited(&bench, 0, &[]);
    let forbidden = Trouble::Answer(Answer::new(403));
    for row in &rows[..2] {
        let calls = Calls::One(GetUser);
        bench.inject(Fault::new(calls, When::Always, forbidden.clone()).for_user(row.id));
    }
    let audit = audited(&bench, 5, &["--look", "row", "--detailed-exitcode"]);
    assert_eq!((&audit["counts"], &audit["unseen"]), (&counts(1, 0, 0, 0, 0), &json!(2)));
    assert_eq!(audit["forbidden"], 2);
    bench.world().lift_faults();
    let audit = audited(&bench, 0, &[]);
    assert_eq!((&audit["counts"], &audit["unseen"]), (&counts(2, 0, 1, 0, 0), &json!(0)));
    assert_eq!(audit["users"][0]["audits"], 2, "the night between neither counts nor breaks the row");
}

#[test]
fn users_that_leaf_does_not_know_are_told_apart_from_those_that_never_had_a_credential() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    // Nobody at Leaf; and two rows that never came to an end.
    let unknown = Grower { id: user(9), ..rows[3].clone() };
    let manifest = [&rows[..3], std::slice::from_ref(&unknown)].concat();
    bench.write_manifest(&manifest);
    let down = Trouble::Answer(Answer::new(401));
    bench.inject(Fault::new(Calls::One(Authenticate), When::Always, down).for_login(rows[1].login()));
    bench.run(&[]).with_code(3);
    let audit = audited(&bench, 0, &["growers.csv"]);
    assert_eq!((&audit["counts"], &audit["notAttached"]), (&counts(2, 0, 0, 0, 1), &json!(1)));
    assert_eq!(found(&audit)["unknownUser"], texts(&ids([&unknown])));
}

#[test]
fn rows_that_the_ledger_has_never_met_are_looked_at_and_nothing_is_kept_of_them() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    bench.write("some.csv", csv_of(&rows[..1]));
    bench.run_of("some.csv", &[]).end().with_code(0);
    bench.world().seed_credential(rows[1].id, "OK");
    // The same row twice is one user.
    let manifest = [&rows[..], &rows[..]].concat();
    bench.write_manifest(&manifest);
    let audit = audited(&bench, 0, &["growers.csv"]);
    assert_eq!((&audit["counts"], &audit["notAttached"]), (&counts(1, 0, 0, 1, 0), &json!(2)));
    assert_eq!(found(&audit)["foreign"], texts(&ids([&rows[1]])));
    assert_eq!(audit["users"][0]["login"], json!(null));
    let again = audited(&bench, 0, &["growers.csv"]);
    assert_eq!(again["users"][0]["audits"], 1);
    assert_eq!(
        audited(&bench, 0, &[])["counts"],
        counts(1, 0, 0, 0, 0),
        "the ledger still doesn't know them"
    );
}

#[test]
fn whoever_is_only_looked_at_needs_neither_login_nor_password() {
    let (bench, rows) = attached(3);
    break_credentials(&bench, &rows[..1]);
    bench.write("some.csv", format!("leafUserId\n{}\n{}\nno user\n", rows[0].id, rows[1].id));
    let audit = audited(&bench, 0, &["some.csv"]);
    assert_eq!(audit["counts"], counts(1, 0, 1, 0, 0));
    let ended = audit_of(&bench, &["some.csv"]);
    assert!(ended.contains("1  lines of the manifest that are no rows"), "{ended}");
    let calls = bench.calls();
    self::audit(&bench, &["some.csv", "--repair", "--now"]).with_code(2).saying("named for login");
    assert_eq!(bench.calls(), calls);
}

fn audit_of(bench: &Bench, arguments: &[&str]) -> String {
    audit(bench, arguments).with_code(0).stdout
}

#[test]
fn an_audit_is_compared_with_the_last_one_of_the_same_users() {
    let (bench, rows) = attached(5);
    assert_eq!(audited(&bench, 0, &[])["previous"], json!(null));
    break_credentials(&bench, &rows[..2]);
    audited(&bench, 0, &["growers.csv"]);
    let audit = audited(&bench, 0, &[]);
    assert_eq!(audit["previous"]["counts"], counts(5, 0, 0, 0, 0), "that of the manifest is another matter");
    bench.world().set_status(rows[0].id, "OK");
    let ended = audit_of(&bench, &[]);
    assert!(ended.contains("-1 unhealthy, +1 healthy"), "{ended}");
    assert!(ended.contains(&format!("{}", rows[1].id)), "{ended}");
    assert!(ended.contains("status invalid, ours") && ended.contains("last events"), "{ended}");
    assert!(!ended.contains(&format!("{}", rows[0].id)), "{ended}");
}

#[test]
fn a_foreign_credential_that_is_accepted_is_known_and_never_ours() {
    let (bench, rows) = attached(3);
    for row in &rows[..2] {
        bench.world().seed_credential(row.id, "OK");
    }
    let id = |row: &Grower| row.id.to_string();
    let audit = audited(&bench, 6, &["--accept", &id(&rows[0]), "--detailed-exitcode"]);
    assert_eq!((&audit["counts"]["foreign"], &audit["accepted"]), (&json!(2), &json!(1)));
    let audit = audited(&bench, 3, &["--accept", &id(&rows[2])]);
    assert_eq!((&audit["counts"], &audit["accepted"]), (&counts(2, 0, 0, 1, 0), &json!(0)));
    audited(&bench, 0, &["--accept", "all", "--detailed-exitcode"]);
    assert_eq!(audited(&bench, 0, &[])["counts"], counts(3, 0, 0, 0, 0));
    let credential = &bench.status(&[&id(&rows[0])])["credential"];
    assert_eq!((&credential["ours"], &credential["origin"]), (&json!(false), &json!("found")));
    // Known isn't ours: it is never repaired.
    let before = held(&bench, &rows);
    break_credentials(&bench, &rows);
    let audit = audited(&bench, 0, &["growers.csv", "--repair", "--now"]);
    assert_eq!((&audit["repair"]["due"], &audit["repair"]["replaced"]), (&json!(1), &json!(1)));
    assert_eq!(held(&bench, &rows)[..2], before[..2]);
}

#[test]
fn without_its_key_the_ledger_is_audited_and_nothing_is_repaired() {
    let (bench, rows) = attached(2);
    break_credentials(&bench, &rows);
    std::fs::remove_file(bench.path("state/ledger.key")).unwrap();
    let calls = bench.calls();
    audit(&bench, &["growers.csv", "--repair", "--now"]).with_code(2).saying("fingerprint key");
    assert_eq!(bench.calls(), calls);
    assert_eq!(audited(&bench, 0, &["growers.csv"])["counts"]["unhealthy"], 2);
}

#[test]
fn mistakes_are_told_before_anything_is_sent() {
    let (bench, _) = attached(1);
    let calls = bench.calls();
    audit(&bench, &["--repair"]).with_code(2).saying("--repair needs a manifest");
    audit(&bench, &["--now"]).with_code(2);
    audit(&bench, &["--accept", "nobody"]).with_code(2);
    audit(&bench, &["--state", "elsewhere.db"]).with_code(2).saying("elsewhere.db");
    bench.program().env("LEAF_URL", "http://localhost.:1").args(["audit"]).end().with_code(2);
    bench.program().env_remove("LEAF_TOKEN").args(["audit"]).end().with_code(2).saying("no token");
    assert_eq!(bench.calls(), calls);
    assert!(!bench.path("elsewhere.db").exists());
}

#[test]
fn a_repair_that_is_killed_between_deleting_and_attaching_is_finished_by_the_next_one() {
    let (bench, rows) = attached(2);
    break_credentials(&bench, &rows[1..]);
    let hang = Fault::new(Calls::One(CreateCredential), When::Always, Trouble::Hang);
    bench.inject(hang.for_user(rows[1].id));
    let arguments = ["audit", "growers.csv", "--repair", "--now", "--settle", "1s"];
    let running = bench.program().args(arguments).start();
    bench.until(|world| world.faults_befallen("custom") == 1 && world.attach_effects_in_all() == 2);
    running.signal(rustix::process::Signal::KILL);
    running.end();
    assert!(bench.world().credential(rows[1].id).is_none());
    bench.world().lift_faults();
    let audit = audited(&bench, 0, &arguments[1..]);
    assert_eq!((&audit["counts"], &audit["unsettled"]), (&counts(1, 0, 0, 0, 0), &json!(1)));
    assert_eq!(audit["repair"]["replaced"], 1);
    assert_eq!(audited(&bench, 0, &[])["counts"], counts(2, 0, 0, 0, 0));
    assert_eq!(rows.iter().map(|row| bench.world().attach_effects(row.id)).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn repairs_that_lose_replies_and_are_killed_leave_one_working_credential_each() {
    let (lost, late) = (AtomicU64::new(0), AtomicU64::new(0));
    side_by_side([4, 15, 27, 38, 49, 60], |calls| {
        let rows = growers(12);
        let second = SecondAttach::SecondObject;
        let options = SandboxOptions { on_second_attach: second, ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        bench.run(&[]).with_code(0);
        // One of them changed its password and said nothing.
        break_credentials(&bench, &rows[..11]);
        let before = held(&bench, &rows);
        let refusal = Trouble::Answer(Answer::new(401));
        bench.inject(Fault::new(Calls::One(Authenticate), When::Always, refusal).for_login(rows[10].login()));
        // Another share for each, so that others are hit.
        for fault in ["remove:late-effect", "remove:reply-lost", "attach:reply-lost"] {
            bench.inject(Fault::parse(&format!("{fault}:{}%", 10 + calls)).unwrap());
        }
        let repair =
            ["growers.csv", "--repair", "--now", "--settle", "3s", "--timeout", "500ms", "--report", "none"];
        let (start, running) = (bench.calls(), bench.program().args(["audit"]).args(repair).start());
        while bench.calls() < start + calls {
            std::thread::yield_now();
        }
        running.signal(rustix::process::Signal::KILL);
        running.end();
        let nights = (1..=4).take_while(|_| {
            audited(&bench, 3, &repair)["repair"]["outcomes"]
                != json!({ "attached": 11, "stara-login-rejected": 1 })
        });
        assert!(nights.count() < 4, "it comes to its end");
        for (row, before) in rows.iter().zip(before).take(11) {
            let held = bench.world().credentials_of(row.id);
            assert_eq!(held.len(), 1, "{calls}: {held:?}");
            let is_refused = row.id == rows[10].id;
            assert_eq!(Some(held[0].id.as_str().to_owned()) == before, is_refused, "{calls}");
            assert_eq!(held[0].status, if is_refused { "invalid" } else { "OK" });
        }
        assert_eq!(bench.world().attach_effects(rows[11].id), 1, "nobody touched the healthy one");
        lost.fetch_add(bench.world().faults_befallen("reply-lost"), Ordering::Relaxed);
        late.fetch_add(bench.world().faults_befallen("late-effect"), Ordering::Relaxed);
    });
    assert!(lost.into_inner() > 0 && late.into_inner() > 0, "what can go wrong did");
}

#[test]
fn an_audit_that_is_stopped_keeps_what_it_saw_and_calls_the_rest_unseen() {
    let rows = growers(60);
    let bench = Bench::slow(&rows);
    bench.run(&[]).with_code(0);
    break_credentials(&bench, &rows[..1]);
    let looks = bench.calls_of(GetUser);
    let arguments = ["audit", "--look", "row", "--concurrency", "1", "--json"];
    let running = bench.program().args(arguments).start();
    while bench.calls_of(GetUser) < looks + 3 {
        std::thread::yield_now();
    }
    running.signal(rustix::process::Signal::TERM);
    let ended = running.end().with_code(143);
    let audit: Value = serde_json::from_str(&ended.stdout).unwrap();
    let counts = &audit["counts"];
    assert_eq!(counts["missing"], 0);
    assert_eq!(
        counts["healthy"].as_u64().unwrap()
            + counts["unhealthy"].as_u64().unwrap()
            + audit["unseen"].as_u64().unwrap(),
        60
    );
    assert!(audit["unseen"].as_u64().unwrap() > 0);
    assert_eq!(bench.calls_of(GetCredential), 60, "those of the run");
}

#[test]
fn a_second_audit_waits_for_no_other_and_says_who_holds_the_ledger() {
    let (bench, _) = attached(1);
    bench.inject(Fault::new(Calls::One(GetUser), When::Always, Trouble::Hang));
    let calls = bench.calls_of(GetUser);
    let running = bench.program().args(["audit", "--grace", "1ms"]).start();
    while bench.calls_of(GetUser) == calls {
        std::thread::yield_now();
    }
    audit(&bench, &[]).with_code(11);
    running.signal(rustix::process::Signal::INT);
    running.end().with_code(130);
}

#[test]
fn no_id_of_a_user_is_taken_for_another() {
    // The ledger holds half of Leaf's users; the other half hold credentials of their own.
    let rows = growers(20);
    let bench = Bench::new(&rows);
    bench.write("half.csv", csv_of(&rows[..10]));
    bench.run_of("half.csv", &[]).end().with_code(0);
    for row in &rows[10..] {
        bench.world().seed_credential(row.id, "OK");
    }
    assert_eq!(audited(&bench, 0, &["--look", "list"])["counts"], counts(10, 0, 0, 0, 0));
    let audit = audited(&bench, 0, &["growers.csv", "--look", "list"]);
    assert_eq!(audit["counts"], counts(10, 0, 0, 10, 0));
    let foreign: BTreeSet<LeafUserId> =
        found(&audit)["foreign"].iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(foreign, rows[10..].iter().map(|row| row.id).collect());
}

#[test]
fn a_leaf_that_is_down_or_refuses_our_token_makes_nobody_anything() {
    let (bench, rows) = attached(40);
    break_credentials(&bench, &rows[..1]);
    for (status, code, why) in [(503, 5, "Leaf is down"), (401, 7, "refuses our token"), (302, 7, "redirect")]
    {
        let answer = Trouble::Answer(Answer::new(status));
        bench.inject(Fault::new(Calls::Of(Service::Leaf), When::Always, answer));
        for look in ["list", "row"] {
            let ended =
                audit(&bench, &["--json", "--look", look, "--max-hold", "1s"]).with_code(code).saying(why);
            let audit: Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!(
                (&audit["counts"], &audit["unseen"]),
                (&counts(0, 0, 0, 0, 0), &json!(40)),
                "{status}"
            );
            assert_eq!(audit["previous"], json!(null), "an audit that saw nobody is none to compare with");
        }
        bench.world().lift_faults();
    }
    assert_eq!(audited(&bench, 0, &[])["counts"], counts(39, 0, 1, 0, 0));
}

#[test]
fn quiet_says_nothing_while_everybody_is_well_and_everything_as_soon_as_somebody_is_not() {
    let (bench, rows) = attached(30);
    let ended = audit(&bench, &["-q"]).with_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    break_credentials(&bench, &rows[..25]);
    let ended = audit(&bench, &["-q"]).with_code(0);
    assert!(ended.stdout.contains("25  unhealthy"), "{}", ended.stdout);
    assert!(ended.stdout.contains("… and 5 more; --json has all of them"), "{}", ended.stdout);
    let listed = ended.stdout.lines().filter(|line| line.contains("status invalid, ours")).count();
    assert_eq!((listed, ended.stderr.as_str()), (20, ""));
}

#[test]
fn where_progress_is_json_every_line_is_and_the_last_one_is_the_audit() {
    let (bench, rows) = attached(2);
    break_credentials(&bench, &rows[..1]);
    let ended = audit(&bench, &["growers.csv", "--repair", "--now", "--progress", "json"]).with_code(0);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["type"] == "ended"), "{lines:#?}");
    let last = lines.last().unwrap();
    assert_eq!((&last["counts"]["unhealthy"], &last["repair"]["replaced"]), (&json!(1), &json!(1)));
}
