//! Users that hold a Stara credential before the run: what `--on-existing` does to healthy and unhealthy ones.

use stara_onboard::sandbox::CallKind::{
    self, Authenticate, CreateCredential, DeleteCredential, GetCredential, GetEvents, GetUser, Token,
};
use stara_onboard::sandbox::{Answer, Calls, Fault, SandboxOptions, SecondAttach, Trouble, When};

use crate::support::{Bench, Grower, growers, read_results};

const STATUSES: [&str; 4] = ["OK", "invalid", "UNAUTHENTICATED", "a word nobody knows"];

/// One grower for each status, who holds a credential in it.
fn bench() -> (Bench, Vec<Grower>) {
    let rows = growers(STATUSES.len());
    let bench = Bench::new(&rows);
    for (row, status) in rows.iter().zip(STATUSES) {
        bench.world().seed_credential(row.id, status);
    }
    (bench, rows)
}

fn held(bench: &Bench, rows: &[Grower]) -> Vec<String> {
    let id = |row: &Grower| bench.world().credential(row.id).unwrap().id.as_str().to_owned();
    rows.iter().map(id).collect()
}

#[test]
fn kept_credentials_are_judged_by_their_status() {
    let (bench, rows) = bench();
    let before = held(&bench, &rows);
    bench.run(&[]).with_code(3);
    let expected = ["already-attached", "credential-unhealthy", "credential-unhealthy", "already-attached"];
    assert_eq!(bench.outcomes(), expected);
    let results = bench.results();
    for (result, status) in results.iter().zip(STATUSES) {
        assert_eq!(result.credential_status.as_deref(), Some(status), "word for word");
    }
    assert_eq!(results[0].origin.as_deref(), Some("found"));
    let calls: Vec<CallKind> = bench.seen().iter().map(|call| call.call).collect();
    assert_eq!(calls, [GetUser; 4], "one look each, and no Stara login");
    assert_eq!(held(&bench, &rows), before);

    let calls = bench.calls();
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls() - calls, 2, "only the unhealthy ones are looked at again");
    bench.world().set_status(rows[1].id, "OK");
    bench.world().set_status(rows[2].id, "ok");
    bench.run(&[]).with_code(0);
}

#[test]
fn credentials_that_may_not_be_there_fail_their_rows() {
    let (bench, rows) = bench();
    let before = held(&bench, &rows);
    bench.run(&["--on-existing", "fail"]).with_code(3);
    assert_eq!(bench.outcomes(), ["leaf-credentials-exist"; 4]);
    assert_eq!(held(&bench, &rows), before);
    // They wait for a decision.
    let calls = bench.calls();
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls(), calls);
    bench.run(&["--retry-failed", "--on-existing", "replace"]).with_code(0);
    assert!(held(&bench, &rows).iter().zip(&before).all(|(now, before)| now != before));
}

#[test]
fn a_credential_is_replaced_only_with_the_new_tokens_in_hand() {
    let (bench, rows) = bench();
    let before = held(&bench, &rows);
    bench.run(&["--on-existing", "replace"]).with_code(0);
    assert_eq!(bench.outcomes(), ["attached"; 4]);
    assert!(bench.results().iter().all(|result| result.origin.as_deref() == Some("replaced")));
    for (row, old) in rows.iter().zip(before) {
        let expected = [
            GetUser,
            Authenticate,
            Token,
            GetEvents,
            GetCredential,
            DeleteCredential,
            GetCredential,
            CreateCredential,
            GetCredential,
        ];
        assert_eq!(bench.calls_about(row), expected);
        let held = bench.world().credentials_of(row.id);
        assert_eq!(held.len(), 1);
        assert_ne!(held[0].id.as_str(), old);
        assert_eq!(held[0].api_key.expose_secret(), bench.world().api_key(&row.login()).expose_secret());
        let status = bench.status(&[&row.id.to_string()]);
        assert_eq!(status["savedEvents"].as_array().unwrap().len(), 3);
        assert_eq!((&status["credential"]["ours"], &status["openIntent"]), (&true.into(), &().into()));
    }
    // A user without one is attached as ever.
    let calls = bench.calls();
    bench.run(&["--on-existing", "replace"]).with_code(0);
    assert_eq!(bench.calls(), calls, "done is done: the next night replaces nothing again");
}

#[test]
fn a_refused_login_leaves_the_old_credential_alone() {
    for call in [Authenticate, Token] {
        let (bench, rows) = bench();
        let before = held(&bench, &rows);
        let refusal = Trouble::Answer(Answer::new(401));
        bench.inject(Fault::new(Calls::One(call), When::Always, refusal));
        bench.run(&["--on-existing", "replace"]).with_code(3);
        let outcome = if call == Authenticate { "stara-login-rejected" } else { "stara-unexpected-answer" };
        assert_eq!(bench.outcomes(), [outcome; 4]);
        assert_eq!(bench.calls_of(DeleteCredential), 0);
        assert_eq!(held(&bench, &rows), before);
    }
}

#[test]
fn no_more_credentials_are_replaced_than_allowed() {
    let (bench, rows) = bench();
    bench.run(&["--on-existing", "replace", "--max-changes", "1", "--concurrency", "1"]).with_code(3);
    assert_eq!(bench.calls_of(DeleteCredential), 1);
    assert_eq!(bench.outcomes(), ["attached", "not-reached", "not-reached", "not-reached"]);
    assert_eq!(bench.calls_of(Authenticate), 1, "no login is spent on what may not be replaced");
    bench.run(&["--on-existing", "replace"]).with_code(0);
    assert!(rows.iter().all(|row| bench.world().attach_effects(row.id) == 1));
}

#[test]
fn a_deletion_with_a_lost_reply_is_waited_out_before_the_attach() {
    let rows = growers(1);
    let options =
        SandboxOptions { on_second_attach: SecondAttach::SecondObject, ..SandboxOptions::default() };
    let bench = Bench::with_options(options, &rows);
    bench.world().seed_credential(rows[0].id, "OK");
    bench.inject(Fault::reply_lost().on_call(DeleteCredential));
    bench.run(&["--on-existing", "replace", "--settle", "1s"]).with_code(0);
    assert_eq!(bench.calls_of(DeleteCredential), 1);
    assert_eq!(bench.world().credentials_of(rows[0].id).len(), 1);
    let seen = bench.seen();
    let at = |kind| seen.iter().find(|call| call.call == kind).unwrap().at;
    assert!(at(CreateCredential).duration_since(at(DeleteCredential)).as_secs() >= 1);
}

#[test]
fn a_replacement_that_was_cut_short_is_finished_by_the_next_run() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[2].id, "OK");
    let hang = Fault::new(Calls::One(CreateCredential), When::Always, Trouble::Hang);
    bench.inject(hang.for_user(rows[2].id));
    let running = bench.run_of("growers.csv", &["--on-existing", "replace"]).start();
    bench.until(|world| world.faults_befallen("custom") == 1 && world.attach_effects_in_all() == 2);
    running.signal(rustix::process::Signal::KILL);
    running.end();
    assert!(bench.world().credential(rows[2].id).is_none());
    bench.program().args(["report", "killed.jsonl"]).end().with_code(0);
    let killed = read_results(&bench.path("killed.jsonl"));
    assert_eq!(killed[2].outcome, "credential-removed");
    bench.world().lift_faults();
    // Even a run that wouldn't replace anything must give the grower a credential back.
    bench.run(&["--settle", "1s"]).with_code(0);
    assert_eq!(bench.results()[2].origin.as_deref(), Some("replaced"));
    bench.expect_one_effect_each(&rows);
}

#[test]
fn replacing_needs_the_look_before() {
    let (bench, _) = bench();
    bench.run(&["--on-existing", "replace", "--precheck", "off"]).with_code(2).saying("--precheck off");
    assert_eq!(bench.calls(), 0);
}
