//! `state forget` leaves no byte of a user behind; `state prune` drops what is old.

use rustix::process::Signal;
use stara_onboard::model::LeafUserId;
use stara_onboard::sandbox::{CallKind, Fault, MagicWord};

use crate::support::leaks::{Needles, disguises};
use crate::support::{Bench, Ended, Grower, growers};

fn forget(bench: &Bench, rows: &[&Grower], flags: &[&str]) -> Ended {
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    bench.program().args(["state", "forget"]).args(&ids).args(flags).end()
}

/// What a user would be known by, in whatever disguise.
fn needles(rows: &[&Grower]) -> Needles {
    Needles::new(rows.iter().flat_map(|row| [row.id.to_string(), row.login.clone()]))
}

/// Where in `state/` anything of these users is to be found.
fn found(bench: &Bench, rows: &[&Grower]) -> Vec<String> {
    let (leaks, searched) = needles(rows).find_below(&bench.path("state"), &[]);
    assert!(searched.contains("ledger.db"), "{searched:?}");
    let mut found: Vec<String> =
        leaks.into_iter().map(|leak| format!("{} in {}", leak.secret, leak.place)).collect();
    for name in searched {
        let bytes = std::fs::read(bench.path("state").join(&name)).unwrap();
        let is_there = |id: LeafUserId| bytes.windows(16).any(|window| window == id.as_bytes());
        found.extend(rows.iter().filter(|row| is_there(row.id)).map(|row| format!("{} in {name}", row.id)));
    }
    found
}

/// Twelve growers of every fate: 0 had another login before, 1 was refused, 2 is refused with the login of 3, 4 is unknown
/// to Leaf, 5 holds somebody else's credential, and 6 had another login before, too. What was
/// replaced has its events saved.
fn bench() -> (Bench, Vec<Grower>) {
    let mut rows = growers(12);
    MagicWord::WrongPassword.as_str().clone_into(&mut rows[1].password);
    MagicWord::WrongPassword.as_str().clone_into(&mut rows[3].password);
    rows[2] = Grower { id: rows[2].id, ..rows[3].clone() };
    MagicWord::UnknownUser.as_str().clone_into(&mut rows[4].password);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[5].id, "OK");
    let before: Vec<Grower> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            if matches!(at, 0 | 6) {
                row.with_login(&format!("before-{at}@agro.example"))
            } else {
                row.clone()
            }
        })
        .collect();
    for row in &before {
        row.join(bench.world());
    }
    bench.write_manifest(&before);
    bench.program().args(["run", "growers.csv"]).end().with_code(3);
    bench.write_manifest(&rows);
    bench.program().args(["run", "growers.csv"]).end().with_code(3);
    assert_eq!(bench.status(&[&rows[6].id.to_string()])["savedEvents"].as_array().unwrap().len(), 3);
    (bench, rows)
}

#[test]
fn no_byte_of_a_forgotten_user_stays_in_the_ledgers_folder_and_all_others_stay() {
    let (bench, rows) = bench();
    let gone = [&rows[0], &rows[1], &rows[2], &rows[4], &rows[5], &rows[6]];
    assert!(found(&bench, &gone).len() > 12, "or nothing is shown");
    let calls = bench.calls();
    let ended = forget(&bench, &gone, &["--yes", "--even-if-attached"]).with_code(0);
    ended.saying("Forgotten: 6 users, 6 lines, 6 saved events, 1 refusal.").saying("lost 6 records");
    assert_eq!(bench.calls(), calls, "at Leaf nothing is changed");
    let login_of_another = &rows[3].login;
    let left: Vec<String> =
        found(&bench, &gone).into_iter().filter(|what| !what.contains(login_of_another)).collect();
    assert!(left.is_empty(), "{left:#?}");
    let before = ["before-0@agro.example", "before-6@agro.example"];
    assert!(Needles::new(before).find_below(&bench.path("state"), &[]).0.is_empty());

    let stays: Vec<&Grower> = rows[7..].iter().chain([&rows[3]]).collect();
    for row in &stays {
        let there = found(&bench, &[row]);
        assert!(there.iter().any(|place| place.ends_with("ledger.db")), "{there:?}");
        assert!(there.iter().any(|place| place.ends_with("growers.results.csv")), "{there:?}");
    }
    // The others are as they were: nothing is sent for them, and the refusal that one of them shares stands.
    bench.write_manifest(&stays.into_iter().cloned().collect::<Vec<_>>());
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls(), calls);
    assert_eq!(bench.outcomes().iter().filter(|outcome| *outcome == "stara-login-rejected").count(), 1);
}

#[test]
fn the_search_would_find_a_user_in_every_disguise() {
    let row = &growers(1)[0];
    for text in [row.id.to_string(), row.login.clone()] {
        for (_, bytes) in disguises(&text) {
            assert!(!needles(&[row]).find("x", &bytes).is_empty());
        }
    }
}

#[test]
fn a_forgotten_refusal_is_forgotten_with_its_last_user() {
    let (bench, rows) = bench();
    let sent = |row: &Grower| {
        bench.calls_about(row).into_iter().filter(|call| *call == CallKind::Authenticate).count()
    };
    let before = sent(&rows[3]);
    forget(&bench, &[&rows[2]], &["--yes"]).with_code(0).saying("0 refusals");
    bench.run(&[]).with_code(3);
    assert_eq!(sent(&rows[3]), before, "it is another user's, too");
    forget(&bench, &[&rows[2], &rows[3]], &["--yes"]).with_code(0).saying("1 refusal.");
    bench.run(&[]).with_code(3);
    assert_eq!(sent(&rows[3]), before + 1);
}

#[test]
fn who_still_holds_our_credential_is_not_forgotten_by_accident() {
    let (bench, rows) = bench();
    let ended = forget(&bench, &[&rows[7], &rows[5]], &["--yes"]).with_code(2);
    let ended =
        ended.saying(&rows[7].id.to_string()).saying("detach them first").saying("--even-if-attached");
    assert!(
        !ended.stderr.contains(&rows[5].id.to_string()),
        "somebody else's credential is no matter of ours"
    );
    assert!(!found(&bench, &[&rows[7]]).is_empty());
    forget(&bench, &[&rows[5], &rows[1]], &["--yes"]).with_code(0).saying("Forgotten: 2 users");
}

#[test]
fn who_was_detached_is_forgotten_without_further_ado() {
    let (bench, rows) = bench();
    let id = rows[7].id.to_string();
    bench.program().args(["detach", &id, "--yes"]).end().with_code(0);
    forget(&bench, &[&rows[7]], &["--yes"]).with_code(0).saying("Forgotten: 1 user, 1 line");
    assert_eq!(found(&bench, &[&rows[7]]), Vec::<String>::new());
}

#[test]
fn what_is_not_settled_is_not_forgotten_by_accident() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang_after_effect());
    let running = bench.run_of("growers.csv", &[]).start();
    bench.until(|world| world.attach_effects_in_all() == 1);
    let asked = forget(&bench, &[&rows[0]], &["--yes"]).with_code(11);
    asked.saying("another run holds the ledger");
    running.signal(Signal::KILL);
    running.end();
    forget(&bench, &[&rows[0]], &["--yes"]).with_code(2).saying("isn't settled");
    forget(&bench, &[&rows[0]], &["--yes", "--even-if-attached"]).with_code(0);
    assert_eq!(found(&bench, &[&rows[0]]), Vec::<String>::new());
}

#[test]
fn without_a_terminal_nobody_is_forgotten_unless_it_was_confirmed() {
    let (bench, rows) = bench();
    let before = std::fs::read(bench.path("state").join("ledger.db")).unwrap();
    let asked = forget(&bench, &[&rows[1]], &[]).with_code(2);
    asked.saying("forgets for good what it knows of 1 user").saying("--yes");
    assert_eq!(std::fs::read(bench.path("state").join("ledger.db")).unwrap(), before);
}

#[test]
fn other_files_that_name_a_forgotten_user_are_told_and_left_alone() {
    let (bench, rows) = bench();
    let id = rows[1].id.to_string();
    let note = format!("ask the bank about {}", id.to_uppercase());
    bench.write("state/notes.txt", &note);
    bench.run_of("growers.csv", &[]).args(["--report", "state/night.parquet"]).end().with_code(3);
    let ended = forget(&bench, &[&rows[1]], &["--yes"]).with_code(3);
    ended.saying("state/notes.txt still names them").saying("state/night.parquet is packed");
    assert_eq!(std::fs::read_to_string(bench.path("state/notes.txt")).unwrap(), note);
    std::fs::remove_file(bench.path("state/notes.txt")).unwrap();
    std::fs::remove_file(bench.path("state/night.parquet")).unwrap();
    // To do it again is harmless, and an id that nobody knows is named.
    forget(&bench, &[&rows[1]], &["--yes"]).with_code(3).saying(&format!("has never met {id}"));
}

#[test]
fn where_there_is_no_ledger_nothing_is_forgotten_and_none_is_made() {
    let bench = Bench::new(&growers(1));
    forget(&bench, &[&growers(1)[0]], &["--yes"]).with_code(2).saying("there is no ledger");
    bench.program().args(["state", "prune"]).end().with_code(2).saying("there is no ledger");
    assert!(!bench.path("state").exists());
}

#[test]
fn pruning_drops_the_totals_of_earlier_runs_but_those_that_can_be_rolled_back() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    for night in [&rows[..1], &rows[..1], &rows[..2], &rows[..2], &rows[..2], &rows[..2]] {
        bench.write_manifest(night);
        bench.run(&[]).with_code(0);
    }
    let prune = |flags: &[&str]| bench.program().args(["state", "prune"]).args(flags).end();
    prune(&[]).with_code(0).saying("totals of 0 runs and 0 audits, and 0 saved events");
    prune(&["--keep-runs", "2"]).with_code(0).saying("totals of 2 runs");
    let runs = bench.status(&[])["runs"].as_array().unwrap().clone();
    let numbers: Vec<i64> = runs.iter().map(|run| run["run"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [6, 5, 3, 1], "1 and 3 attached what is still there");
    let calls = bench.calls();
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn pruning_drops_saved_events_that_are_old() {
    let (bench, rows) = bench();
    let saved = || bench.status(&[&rows[6].id.to_string()])["savedEvents"].as_array().unwrap().len();
    let prune = |age: &str| bench.program().args(["state", "prune", "--events-older-than", age]).end();
    prune("90d").with_code(0).saying("0 saved events");
    assert_eq!(saved(), 3);
    prune("0s").with_code(0).saying("6 saved events");
    assert_eq!(saved(), 0);
}
