//! A ledger belongs to one shard of one division, and whatever else is asked for is refused.

use std::path::Path;

use stara_onboard::model::Shard;
use stara_onboard::sandbox::CallKind;

use super::{all, run_as};
use crate::support::{Bench, growers, user};

fn shard(text: &str) -> Shard {
    text.parse().unwrap()
}

/// The names in the folder of ledgers, but for keys, locks and SQLite's own.
fn ledgers(bench: &Bench) -> Vec<String> {
    let entries = bench.path("state").read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|ending| ending == "db"));
    names.sort();
    names
}

#[test]
fn another_number_of_shards_or_none_is_refused_where_a_ledger_knows_users() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    run_as(&bench, shard("0/2"), "growers.csv", &[]).end().with_code(0);
    let calls = bench.calls();
    let hint = "go on with --shard I/2, as before";
    for other in ["0/3", "1/3", "0/1"] {
        let ended = run_as(&bench, shard(other), "growers.csv", &[]).end().with_code(2).saying(hint);
        assert!(ended.stderr.contains("ledger.0-of-2.db beside it"), "{ended:?}");
        // What a run would be refused, is not foreseen either.
        bench.program().args(["plan", "growers.csv", "--shard", other]).end().with_code(2).saying(hint);
    }
    bench.run(&[]).with_code(2).saying(hint);
    assert_eq!(bench.calls(), calls);
    assert_eq!(ledgers(&bench), ["ledger.0-of-2.db"], "nothing was begun");
    // The other shard of the same division is another matter, and so is another folder.
    run_as(&bench, shard("1/2"), "growers.csv", &[]).end().with_code(0);
    bench.expect_one_effect_each(&rows);
    run_as(&bench, shard("2/3"), "growers.csv", &["--state", "other/ledger.db"]).end().with_code(0);
}

#[test]
fn a_shard_is_refused_beside_a_ledger_of_whole_manifests_that_knows_users() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    run_as(&bench, shard("0/2"), "growers.csv", &[]).end().with_code(2).saying("ledger.db beside it");
    // One that knows nobody has nothing to forget.
    let empty = Bench::new(&rows);
    empty.run(&["--only", &user(99).to_string()]).with_code(2);
    assert_eq!(ledgers(&empty), ["ledger.db"]);
    run_as(&empty, shard("0/2"), "growers.csv", &[]).end().with_code(0);
}

#[test]
fn the_ledger_of_another_shard_is_refused_and_whoever_only_reads_may_read_any() {
    let rows = growers(24);
    let bench = Bench::new(&rows);
    for shard in all(2) {
        run_as(&bench, shard, "growers.csv", &[]).end().with_code(0);
    }
    let state = |part: &str| bench.path(&format!("state/ledger.{part}.db")).display().to_string();
    let (first, second) = (state("0-of-2"), state("1-of-2"));
    for verb in [vec!["status"], vec!["report", "again.csv"]] {
        bench.program().args(&verb).args(["--state", &first]).end().with_code(0);
        bench.program().args(&verb).args(["--shard", "0/2"]).end().with_code(0);
    }
    // Without --shard it is for whole manifests.
    let hint = "go on with the same --shard I/N as before";
    for verb in
        [vec!["run", "growers.csv"], vec!["audit"], vec!["state", "prune"], vec!["plan", "growers.csv"]]
    {
        let ended = bench.program().args(&verb).args(["--state", &first]).end().with_code(2).saying(hint);
        assert!(ended.stderr.contains("belongs to shard 0/2"), "{verb:?} {ended:?}");
    }
    // A file that says so by its name, and is another one's.
    std::fs::copy(&first, &second).unwrap();
    std::fs::copy(state("0-of-2").replace(".db", ".key"), state("1-of-2").replace(".db", ".key")).unwrap();
    for verb in [vec!["run", "growers.csv"], vec!["status"]] {
        bench.program().args(&verb).args(["--shard", "1/2"]).end().with_code(2).saying("is about shard 1/2");
    }
}

#[test]
fn each_shard_has_files_of_its_own_by_default() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    let ended = bench.program().args(["run", "growers.csv", "--shard", "1/2"]).end().with_code(0);
    assert!(ended.stderr.contains("state/growers.results.1-of-2.csv"), "{ended:?}");
    bench.program().args(["run", "growers.csv", "--shard", "0/1", "--sandbox"]).end().with_code(0);
    assert_eq!(ledgers(&bench), ["ledger.1-of-2.db", "sandbox.0-of-1.db"]);
    for name in [
        "growers.results.1-of-2.csv",
        "growers.results.0-of-1.csv",
        "ledger.1-of-2.key",
        "ledger.1-of-2.lock",
    ] {
        assert!(bench.path("state").join(name).is_file(), "{name}");
    }
    // From the ledger alone, by its own name or by the shard's.
    std::fs::remove_file(bench.path("state/growers.results.1-of-2.csv")).unwrap();
    bench.program().args(["report", "--state", "state/ledger.1-of-2.db"]).end().with_code(0);
    std::fs::remove_file(bench.path("state/growers.results.1-of-2.csv")).unwrap();
    bench.program().args(["report"]).env("STARA_ONBOARD_SHARD", "1/2").end().with_code(0);
    assert!(bench.path("state/growers.results.1-of-2.csv").is_file());
}

/// What lies beside a ledger is called like it but for the ending: two shards must not meet in one key or lock.
#[test]
fn shards_of_a_ledger_without_an_ending_share_neither_key_nor_lock() {
    let rows = growers(12);
    let bench = Bench::slow(&rows);
    let running: Vec<_> =
        all(2).map(|shard| run_as(&bench, shard, "growers.csv", &["--state", "books"]).start()).collect();
    for shard in running {
        shard.end().with_code(0);
    }
    bench.expect_one_effect_each(&rows);
    for ending in ["db", "key", "lock"] {
        assert!(
            all(2).all(|shard| bench.path(&format!("books.{}.{ending}", shard.infix())).is_file()),
            "{ending}"
        );
    }
    bench.run(&["--state", "books"]).with_code(2).saying("divides the manifests otherwise");
}

#[test]
fn a_doctor_sees_what_a_run_would_be_refused_and_sends_no_canary_of_another_shard() {
    let rows = growers(8);
    let bench = Bench::new(&rows);
    let place = rows.iter().position(|grower| shard("1/2").takes(grower.id)).unwrap();
    let line = (place + 2).to_string();
    let doctor = |arguments: &[&str]| {
        let ended = bench.program().args(["doctor", "growers.csv", "--json"]).args(arguments).end();
        serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap()["checks"].to_string()
    };
    let checks = doctor(&["--canary", &line, "--shard", "0/2"]);
    assert!(checks.contains(&format!("the user of line {line} belongs to shard 1/2")), "{checks}");
    assert_eq!(bench.calls_of(CallKind::Authenticate), 0);
    assert!(!bench.path("state").exists(), "no ledger was made for it");
    doctor(&["--canary", &line, "--shard", "1/2"]);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 1);

    // The ledger that the canary made is the shard's.
    run_as(&bench, shard("1/2"), "growers.csv", &[]).end().with_code(0);
    assert!(!doctor(&["--shard", "1/2"]).contains("divides the manifests otherwise"));
    for other in [&["--shard", "1/3"][..], &[]] {
        assert!(doctor(other).contains("divides the manifests otherwise"), "{other:?}");
    }
}

#[test]
fn a_user_can_be_forgotten_and_detached_by_its_own_shard() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    for shard in all(2) {
        run_as(&bench, shard, "growers.csv", &[]).end().with_code(0);
    }
    let own = rows.iter().find(|grower| shard("0/2").takes(grower.id)).unwrap().id.to_string();
    let other = rows.iter().find(|grower| shard("1/2").takes(grower.id)).unwrap().id.to_string();
    let program = |arguments: &[&str]| bench.program().args(arguments).args(["--shard", "0/2"]).end();
    let mistaken = program(&["detach", &own, &other, "--yes"]).with_code(2);
    mistaken.saying(&format!("{other} belongs to shard")).saying("nothing was sent");
    bench.write("leavers.csv", format!("leafUserId\n{own}\n{other}\n"));
    let detached = program(&["detach", "leavers.csv", "--yes", "--report", "detached.jsonl"]).with_code(0);
    let detached = detached.saying("1 of the lines names a user of another shard");
    program(&["status", &other]).with_code(2).saying("it belongs to shard");
    assert!(detached.stderr.contains("1  hold a credential that this tool attached"), "{detached:?}");
    assert_eq!(crate::support::read_results(&bench.path("detached.jsonl")).len(), 1);
    assert!(bench.world().credential(own.parse().unwrap()).is_none());
    assert!(bench.world().credential(other.parse().unwrap()).is_some());
    program(&["state", "forget", &own, "--yes"]).with_code(0).saying("Forgotten: 1 user");
    program(&["state", "forget", &other, "--yes"]).with_code(3).saying("it belongs to shard 1/2");
}
