//! Ledgers that aren't those of all shards of one run are refused by name, and nothing is written.

use super::{change, ledger, run_shard, run_shards, states};
use crate::support::{Bench, growers};

/// A manifest in two shards, in three, and in one piece, each in its folder.
fn bench() -> Bench {
    let bench = Bench::new(&growers(12));
    run_shards(&bench, 2, &[]);
    run_shards(&bench, 3, &["--state", "three/ledger.db"]);
    bench
        .program()
        .args(["run", "growers.csv", "--state", "whole/ledger.db", "--report", "none"])
        .end()
        .with_code(0);
    bench
}

/// Expects `report` and `status` to refuse these ledgers, saying all of this.
#[track_caller]
fn expect_refused(bench: &Bench, ledgers: &[&str], said: &[&str]) {
    expect_refused_by(
        &[&["report", "results.jsonl"], &["status"], &["status", "--json"]],
        bench,
        ledgers,
        said,
    );
}

/// Expects `report` to refuse these ledgers, saying all of this.
#[track_caller]
fn expect_no_report(bench: &Bench, ledgers: &[&str], said: &[&str]) {
    expect_refused_by(&[&["report", "results.jsonl"]], bench, ledgers, said);
}

#[track_caller]
fn expect_refused_by(verbs: &[&[&str]], bench: &Bench, ledgers: &[&str], said: &[&str]) {
    let flags = || ledgers.iter().flat_map(|path| ["--state", path]);
    for verb in verbs {
        let mut ended = bench.program().args(*verb).args(flags()).end().with_code(2);
        assert_eq!(ended.stdout, "", "{verb:?}");
        for text in said {
            ended = ended.saying(text);
        }
    }
    assert!(!bench.path("results.jsonl").exists(), "nothing is written");
}

#[test]
fn whatever_does_not_fit_together_is_refused_with_what_to_do() {
    let bench = bench();
    let [first, second] = [ledger(0, 2), ledger(1, 2)];
    let [first, second] = [first.as_str(), second.as_str()];
    let copy = "elsewhere/1-of-2.db";
    std::fs::create_dir(bench.path("elsewhere")).unwrap();
    std::fs::copy(bench.path(second), bench.path(copy)).unwrap();
    for (ledgers, said) in [
        (
            &[first, second, copy][..],
            &["elsewhere/1-of-2.db are both of shard 1/2", "hint: name the ledger of each shard once"][..],
        ),
        (&[second, second], &["are both of shard 1/2"]),
        (&[first, first], &["are both of shard 0/2"]),
        (
            &["three/ledger.2-of-3.db", "three/ledger.1-of-3.db"],
            &[
                "of the 3 shards 0 is missing",
                "hint: name the ledgers of all shards, with --state three/ledger.0-of-3.db",
            ],
        ),
        (
            &[first, "three/ledger.1-of-3.db"],
            &[
                "state/ledger.0-of-2.db is of shard 0/2, and three/ledger.1-of-3.db of shard 1/3",
                "hint: name the ledgers of all shards of one run",
            ],
        ),
        (
            &[first, second, "whole/ledger.db"],
            &["whole/ledger.db is no shard's ledger", "hint: name it alone"],
        ),
        (&["whole/ledger.db", "whole/ledger.db"], &["whole/ledger.db is no shard's ledger"]),
        (
            &[first, "state/ledger.9-of-2.db"],
            &["there is no ledger at state/ledger.9-of-2.db", "hint: run a manifest first"],
        ),
        (&[first, "growers.csv.db"], &["growers.csv.db"]),
    ] {
        expect_refused(&bench, ledgers, said);
    }
}

#[test]
fn shards_of_other_hosts_are_refused() {
    let bench = bench();
    change(&bench.path(&ledger(1, 2)), "UPDATE facts SET value = 'https://leaf.example' WHERE name = 'leaf'");
    let said = [
        "state/ledger.0-of-2.db belongs to Stara at this machine and Leaf at this machine",
        "state/ledger.1-of-2.db to Stara at this machine and Leaf at https://leaf.example",
        "hint: name the ledgers of one rehearsal, or of one pair of hosts",
    ];
    expect_refused(&bench, &[&ledger(0, 2), &ledger(1, 2)], &said);
}

#[test]
fn shards_of_different_nights_are_refused_until_all_have_read_the_manifest() {
    let bench = Bench::new(&growers(12));
    run_shards(&bench, 2, &[]);
    let mut rows = growers(12);
    rows.swap(3, 4);
    bench.write_manifest(&rows);
    run_shard(&bench, 1, 2, &[]);
    let said = [
        "the latest runs of state/ledger.0-of-2.db and state/ledger.1-of-2.db read different manifests",
        "growers.csv of 12 lines on ",
        "hint: these are shards of different runs",
    ];
    expect_no_report(&bench, &[&ledger(0, 2), &ledger(1, 2)], &said);
    run_shard(&bench, 0, 2, &[]);
    bench.program().args(["report", "results.jsonl"]).args(states(2)).end().with_code(0);
    assert_eq!(bench.outcomes(), ["attached"; 12]);
}

#[test]
fn shards_that_kept_other_columns_or_did_something_else_are_refused() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    let with_farm: Vec<String> =
        crate::support::csv_of(&rows).lines().map(|line| format!("{line},farm")).collect();
    bench.write("growers.csv", with_farm.join("\n"));
    run_shards(&bench, 2, &[]);
    run_shard(&bench, 0, 2, &["--keep-column", "farm"]);
    let both = [&ledger(0, 2) as &str, &ledger(1, 2)];
    expect_no_report(
        &bench,
        &both,
        &["kept different columns", "hint: run all shards with the same --keep-column"],
    );
    let detach = ["detach", "growers.csv", "--yes", "--report", "none", "--shard", "0/2"];
    bench.program().args(detach).end().with_code(0);
    expect_no_report(
        &bench,
        &both,
        &["the latest run of state/ledger.0-of-2.db is a detach, and that of", "hint: bring all shards"],
    );
}

#[test]
fn several_ledgers_are_of_no_one_shard() {
    let bench = bench();
    let report = || bench.program().args(["report", "results.jsonl"]).args(states(2));
    report().args(["--shard", "0/2"]).end().with_code(2).saying("--shard");
    report().env("STARA_ONBOARD_SHARD", "0/2").end().with_code(2).saying("STARA_ONBOARD_SHARD");
    assert!(!bench.path("results.jsonl").exists());
}

#[test]
fn the_limit_on_open_files_is_raised_or_named() {
    let bench = Bench::new(&growers(12));
    run_shards(&bench, 2, &[]);
    let program = env!("CARGO_BIN_EXE_stara-onboard");
    // Fewer than two ledgers need beside all else, at first as a limit that everybody may raise.
    let report = |limit: &str| {
        let report =
            format!("ulimit {limit} 60; '{program}' report --state state/ledger.*-of-2.db results.jsonl");
        let mut shell = std::process::Command::new("bash");
        let output = shell.current_dir(bench.folder()).args(["-c", &report]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = report("-Sn");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(bench.outcomes(), ["attached"; 12]);
    let (code, said) = report("-n");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("70 open files, and 60 are allowed") && said.contains("`ulimit -n 70`"), "{said}");
}
