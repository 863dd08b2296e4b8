//! How an audit sees: a list proves that somebody is well and nothing else, and whatever fails proves nothing.

use super::*;

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
