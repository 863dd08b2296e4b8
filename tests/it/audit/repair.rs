//! `audit --repair`: only what is ours and unhealthy is replaced, a few a night, whatever goes wrong meanwhile.

use super::*;

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
