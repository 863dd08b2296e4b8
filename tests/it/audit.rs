//! `audit`: whether what Leaf holds is what the ledger expects, and what `--repair` and `--accept` do about it.

mod repair;
mod seeing;
mod told;

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

fn audit_of(bench: &Bench, arguments: &[&str]) -> String {
    audit(bench, arguments).with_code(0).stdout
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
    let status = bench.program().args(["status"]).end().with_code(0).stdout;
    assert!(status.contains("4  attached") && status.contains("Last audit, 2"), "{status}");
    assert!(
        status.contains(": 1 healthy, 1 missing, 1 unhealthy, 1 foreign (`audit` again says"),
        "{status}"
    );
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
