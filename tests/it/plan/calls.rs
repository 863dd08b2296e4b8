//! The requests of a run are foreseen exactly.

use serde_json::Value;
use stara_onboard::model::Secret;
use stara_onboard::sandbox::{CallKind, Fault, LeafAccount, MagicWord, SandboxOptions};

use super::{Signal, counts, foreseen, foreseen_by, killed, plan, plan_of, read, second_night, signs};
use crate::support::{Bench, Grower, csv_of, growers, side_by_side};

#[test]
fn a_first_night_is_foreseen_whatever_the_look() {
    side_by_side(["auto", "list", "row", "off"], |precheck| {
        let rows = growers(230);
        let bench = Bench::new(&rows);
        let plan = foreseen(&bench, &["--precheck", precheck]);
        assert_eq!(counts(&plan), [230, 0, 0, 0, 0, 0, 0]);
        let pages = if matches!(precheck, "auto" | "list") { Value::from(3) } else { Value::Null };
        assert_eq!(plan["listPages"], pages);
        assert_eq!(plan["staraLogins"], 230);
        bench.expect_one_effect_each(&rows);
        let plan = foreseen(&bench, &["--precheck", precheck]);
        assert_eq!(counts(&plan), [0, 230, 0, 0, 0, 0, 0]);
        assert_eq!((&plan["calls"]["stara"], &plan["calls"]["leaf"]), (&0.into(), &0.into()));
    });
}

#[test]
fn a_night_with_a_lost_ledger_is_foreseen() {
    for precheck in ["auto", "list", "row", "off"] {
        let rows = growers(320);
        let bench = Bench::new(&rows);
        for row in &rows[5..] {
            bench.world().seed_credential(row.id, "OK");
        }
        bench.world().set_status(rows[200].id, "invalid");
        if precheck == "off" {
            // Nobody can foresee what nobody looks at.
            assert_eq!(counts(&plan_of(&bench, &["--precheck", "off"], 0))[0], 320);
            continue;
        }
        let plan = foreseen(&bench, &["--precheck", precheck]);
        assert_eq!(counts(&plan), [5, 314, 0, 1, 0, 0, 0]);
        assert_eq!(plan["staraLogins"], 5);
        if precheck != "row" {
            assert_eq!(plan["calls"]["leaf"], 4 + 6 + 5 + 5);
        }
    }
}

#[test]
fn a_list_and_looks_that_leave_something_open_are_foreseen_with_the_calls_that_close_it() {
    let flaws = [
        "embedded-without-status",
        "embedded-without-id",
        "embedded-null",
        "embedded-empty",
        "list-without-total",
        "list-small-pages",
        "list-user-twice",
    ];
    side_by_side(flaws, |flaw| {
        let rows = growers(130);
        let bench = Bench::new(&rows);
        for row in &rows[4..] {
            bench.world().seed_credential(row.id, "OK");
        }
        bench.inject(Fault::parse(flaw).unwrap());
        let plan = foreseen(&bench, &["--precheck", "auto"]);
        assert_eq!(plan["counts"]["+"].as_u64().unwrap(), bench.world().attach_effects_in_all(), "{flaw}");
    });
}

#[test]
fn a_second_night_with_every_kind_of_row_is_foreseen() {
    let (bench, _) = second_night();
    let plan = foreseen(&bench, &["--precheck", "auto"]);
    assert_eq!(counts(&plan), [10, 22, 2, 1, 1, 3, 1]);
}

#[test]
fn replacements_are_foreseen_within_their_bound() {
    for bound in ["0", "1", "50"] {
        let (bench, _) = second_night();
        let plan = foreseen(&bench, &["--max-changes", bound, "--concurrency", "1"]);
        assert_eq!(counts(&plan)[2], 2, "they stay listed: {plan:#}");
        assert_eq!(plan["notReplaced"], 2_u64.saturating_sub(bound.parse().unwrap()));
    }
    let rows = growers(4);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[0].id, "invalid");
    bench.world().seed_credential(rows[1].id, "OK");
    let plan = foreseen(&bench, &["--on-existing", "replace"]);
    assert_eq!(counts(&plan), [2, 0, 1, 1, 0, 0, 0]);
    assert_eq!(signs(&plan), [(2, "!"), (3, "~"), (4, "+"), (5, "+")]);
}

#[test]
fn rows_that_share_a_login_and_lines_that_are_left_out_are_foreseen() {
    let mut rows = growers(30);
    for at in 0..20 {
        rows[at] = Grower { id: rows[at].id, ..rows[at - at % 5].clone() };
    }
    for flags in [&["--share-logins"][..], &[], &["--share-logins", "--limit", "7"], &["--limit", "12"]] {
        let options = SandboxOptions { tokens_voided_by_next: false, ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        let text = csv_of(&rows);
        let repeated = text.lines().nth(3).unwrap();
        let contrary = format!("{},someone@agro.example,else", rows[25].id);
        bench.write("growers.csv", format!("{text}{repeated}\n{contrary}\nno-uuid,x,y\n"));
        let plan = foreseen(&bench, flags);
        assert_eq!(plan["lines"]["manifest"], 33);
        assert_eq!(
            ["invalid", "duplicate", "conflict"].map(|kind| plan["lines"][kind].as_u64().unwrap()),
            [1, 1, 2]
        );
        let only = rows[29].id.to_string();
        let plan = foreseen(&bench, &["--only", &only]);
        assert_eq!(plan["lines"]["notSelected"], 28);
    }
}

#[test]
fn the_login_to_leaf_is_among_the_calls() {
    let rows = growers(3);
    let password = Secret::new("the account's password".to_owned());
    let account = LeafAccount { username: "ops@coop.example".into(), password };
    let options = SandboxOptions { leaf_account: Some(account), ..SandboxOptions::default() };
    let bench = Bench::with_options(options, &rows);
    let plan = foreseen_by(&bench, &[], |program| {
        let program = program.env_remove("LEAF_TOKEN").env("LEAF_USERNAME", "ops@coop.example");
        program.env("LEAF_PASSWORD", "the account's password")
    });
    assert_eq!(plan["calls"]["leaf"], 3 * 3 + 1);
}

#[test]
fn what_a_killed_run_left_open_is_foreseen_from_its_log_and_the_log_is_left_alone() {
    let (bench, rows) = killed();
    assert!(bench.path("state").join("ledger.db-wal").exists(), "or nothing is shown");
    let plan = foreseen(&bench, &["--settle", "1s"]);
    assert_eq!(counts(&plan), [2, 1, 0, 0, 0, 0, 0]);
    assert_eq!(plan["openIntents"], 2);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn without_its_key_a_plan_replaces_nothing_and_says_so() {
    let (bench, _) = second_night();
    std::fs::remove_file(bench.path("state").join("ledger.key")).unwrap();
    let ended = plan(&bench, &[]).with_code(0).saying("fingerprint key beside the ledger is missing");
    assert_eq!(counts(&read(&ended))[2], 0);
    foreseen(&bench, &[]);
}

#[test]
fn what_an_audit_found_is_foreseen_as_the_next_run_takes_it() {
    let rows = growers(8);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.world().remove_credential(rows[0].id);
    bench.world().set_status(rows[1].id, "invalid");
    bench.world().delete_user(rows[2].id);
    bench.world().remove_credential(rows[3].id);
    bench.world().seed_credential(rows[3].id, "OK");
    assert_eq!(counts(&plan_of(&bench, &[], 0)), [0, 8, 0, 0, 0, 0, 0], "before anybody looks");
    bench.program().args(["audit", "--json"]).end().with_code(0);
    let plan = foreseen(&bench, &[]);
    assert_eq!(signs(&plan), [(2, "+"), (3, "!"), (4, "?")]);
    let plan = foreseen(&bench, &["--on-existing", "replace"]);
    assert_eq!(counts(&plan), [0, 6, 0, 1, 1, 0, 0]);
}

#[test]
fn who_was_detached_waits_and_is_not_missed_once_gone_from_the_manifest() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.program().args(["detach", &rows[0].id.to_string(), "--yes"]).end().with_code(0);
    let plan = foreseen(&bench, &[]);
    assert_eq!(counts(&plan), [0, 2, 0, 0, 0, 1, 0]);
    assert!(plan["rows"][0]["why"].as_str().unwrap().starts_with("detached"), "{plan:#}");
    assert_eq!(counts(&foreseen(&bench, &["--retry-failed"]))[0], 0, "whoever was offboarded must be named");
    assert_eq!(counts(&foreseen(&bench, &["--retry-failed", "--only", &rows[0].id.to_string()]))[0], 1);
    bench.program().args(["detach", &rows[0].id.to_string(), "--yes"]).end().with_code(0);
    bench.write_manifest(&rows[1..]);
    assert_eq!(counts(&foreseen(&bench, &[])), [0, 2, 0, 0, 0, 0, 0]);
}

#[test]
fn a_detachment_that_was_cut_short_is_foreseen() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.inject(Fault::parse("remove:hang").unwrap());
    let ids = rows.iter().map(|row| row.id.to_string());
    let running = bench.program().args(["detach", "--yes"]).args(ids).start();
    bench.until(|world| world.faults_befallen("hang") == 2);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();
    bench.world().remove_credential(rows[0].id);
    let plan = foreseen(&bench, &["--settle", "1s"]);
    assert_eq!(plan["openIntents"], 2);
}

#[test]
fn a_refreshed_plan_sees_done_rows_by_the_list_and_foresees_the_same_run() {
    let rows = growers(350);
    let bench = Bench::new(&rows);
    bench.write_manifest(&rows[..230]);
    bench.run(&[]).with_code(0);
    bench.world().set_status(rows[7].id, "invalid");
    for (at, row) in rows[230..].iter().enumerate().filter(|(at, _)| at % 3 > 0) {
        bench.world().seed_credential(row.id, if at % 3 == 1 { "OK" } else { "invalid" });
    }
    bench.write_manifest(&rows);
    let (pages, looks) = (bench.calls_of(CallKind::ListUsers), bench.calls_of(CallKind::GetUser));
    let refreshed = plan_of(&bench, &["--precheck", "auto", "--refresh"], 0);
    assert_eq!(bench.calls_of(CallKind::ListUsers) - pages, 4);
    assert_eq!(bench.calls_of(CallKind::GetUser) - looks, 40, "the list leaves open who holds none");
    assert_eq!(refreshed["wouldStop"], "21 rows failed, and --max-failures allows 20");
    let plan = foreseen(&bench, &["--precheck", "auto", "--max-failures", "100%"]);
    assert!(plan["wouldStop"].is_null());
    for field in ["calls", "staraLogins", "listPages"] {
        assert_eq!(refreshed[field], plan[field], "{field}");
    }
    assert_eq!(counts(&plan), [40, 270, 0, 40, 0, 0, 0]);
    assert_eq!(counts(&refreshed), [40, 269, 0, 41, 0, 0, 0]);
}

#[test]
fn a_run_that_would_stop_by_its_failure_budget_is_foreseen_to_do_so() {
    let mut rows = growers(60);
    for row in &mut rows {
        MagicWord::UnknownUser.as_str().clone_into(&mut row.password);
    }
    let bench = Bench::new(&rows);
    let plan = plan_of(&bench, &[], 0);
    let expected = "31 rows in a row ended as leaf-user-unknown";
    assert!(plan["wouldStop"].as_str().unwrap().starts_with(expected), "{plan:#}");
    let text = bench.program().args(["plan", "growers.csv"]).end().with_code(0).stdout;
    assert!(text.contains(&format!("The run would probably stop early (exit 4): {expected}")), "{text}");
    bench.run(&[]).with_code(4).saying(expected);
    // What is known from last night doesn't count against tonight.
    bench.run(&["--max-failures", "100%"]).with_code(3);
    assert!(plan_of(&bench, &[], 0)["wouldStop"].is_null());
    bench.run(&[]).with_code(3);
}
