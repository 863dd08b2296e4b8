//! The report of all shards is that of one process.

use super::{KEEP, at_one_time, change, every_kind, ledger, paths, run_shards, states};
use crate::support::{Bench, growers};

const NAMES: [&str; 3] = ["r.csv", "r.jsonl", "r.parquet"];

fn read(bench: &Bench) -> [Vec<u8>; 3] {
    NAMES.map(|name| std::fs::read(bench.path(name)).unwrap())
}

/// The reports of one process over the same manifest.
fn of_one_process(bench: &Bench) -> [Vec<u8>; 3] {
    at_one_time(&bench.path("state/ledger.db"));
    bench.program().args(["report"]).args(NAMES).end().with_code(0);
    read(bench)
}

fn of_shards(bench: &Bench, count: u32) -> [Vec<u8>; 3] {
    for path in paths(bench, count) {
        at_one_time(&path);
    }
    let calls = bench.calls();
    bench.program().args(["report"]).args(NAMES).args(states(count)).end().with_code(0);
    assert_eq!(bench.calls(), calls, "a report asks nobody");
    read(bench)
}

#[test]
fn in_each_format_it_is_byte_for_byte_that_of_one_process_night_after_night() {
    let (one, five) = (every_kind(), every_kind());
    for night in 0..2 {
        one.program().args(["run", "growers.csv", "--report", "none"]).args(KEEP).end().with_code(3);
        run_shards(&five, 5, &KEEP);
        let (expected, found) = (of_one_process(&one), of_shards(&five, 5));
        for (place, name) in NAMES.into_iter().enumerate() {
            assert!(found[place] == expected[place], "{name} of night {night}");
        }
    }
    assert_eq!(five.calls(), one.calls(), "and the shards asked no more often");
}

#[test]
fn it_has_the_name_of_the_whole_report_where_it_is_given_none() {
    let bench = Bench::new(&growers(9));
    run_shards(&bench, 3, &[]);
    let ended = bench.program().args(["report"]).args(states(3)).end().with_code(0);
    assert_eq!(ended.stdout, "state/growers.results.csv\n");
    let lines = std::fs::read_to_string(bench.path("state/growers.results.csv")).unwrap();
    assert_eq!(lines.lines().count(), 10);
}

#[test]
fn the_ledgers_may_be_named_by_a_pattern_with_the_report_behind_them() {
    let bench = Bench::new(&growers(9));
    run_shards(&bench, 3, &[]);
    let program = env!("CARGO_BIN_EXE_stara-onboard");
    let report = format!("'{program}' report --state state/ledger.*-of-3.db results.jsonl");
    let mut shell = std::process::Command::new("bash");
    let output = shell.current_dir(bench.folder()).args(["-c", &report]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bench.outcomes(), ["attached"; 9]);
}

#[test]
fn a_single_shard_is_reported_and_shown_by_itself() {
    let bench = Bench::new(&growers(20));
    run_shards(&bench, 2, &[]);
    let mut lines = 0;
    for index in 0..2 {
        let state = ["--state", &ledger(index, 2)];
        bench.program().args(["report", "results.jsonl"]).args(state).end().with_code(0);
        let status = bench.status(&state);
        assert_eq!(status["shard"], format!("{index}/2"));
        assert_eq!(status["outcomes"]["attached"], bench.outcomes().len());
        lines += bench.outcomes().len();
    }
    assert_eq!(lines, 20);
}

#[test]
fn a_ledger_from_before_there_were_shards_is_read_as_ever() {
    let bench = Bench::new(&growers(4));
    bench.run(&[]).with_code(0);
    let before = std::fs::read(bench.path("results.jsonl")).unwrap();
    let old = bench.path("state/ledger.db");
    let connection = rusqlite::Connection::open(&old).unwrap();
    let downgrade =
        "DROP TABLE measures; ALTER TABLE runs DROP COLUMN manifest_lines; ALTER TABLE runs DROP COLUMN manifest_print;
                     PRAGMA user_version = 4";
    connection.execute_batch(downgrade).unwrap();
    drop(connection);
    bench.program().args(["report", "--state", "state/ledger.db", "results.jsonl"]).end().with_code(0);
    assert_eq!(std::fs::read(bench.path("results.jsonl")).unwrap(), before);
    assert_eq!(bench.status(&["--state", "state/ledger.db"])["outcomes"]["attached"], 4);
}

#[test]
fn lines_that_do_not_come_to_the_manifest_are_told_and_exit_with_1() {
    let bench = Bench::new(&growers(20));
    run_shards(&bench, 2, &[]);
    change(&bench.path(&ledger(1, 2)), "DELETE FROM lines WHERE line = (SELECT max(line) FROM lines)");
    let report = || bench.program().args(["report", "results.jsonl"]).args(states(2)).end();
    report().with_code(1).saying("the manifest has 20 lines").saying("shards hold 19");
    assert_eq!(bench.outcomes().len(), 19);
    bench.program().args(["status"]).args(states(2)).end().with_code(1).saying("shards hold 19");
    // One that stands in two ledgers doesn't make up for it.
    let line: i64 = rusqlite::Connection::open(bench.path(&ledger(0, 2)))
        .unwrap()
        .query_row("SELECT min(line) FROM lines", [], |row| row.get(0))
        .unwrap();
    let copy = format!("INSERT INTO lines (line, decision) VALUES ({line}, 'to-do')");
    change(&bench.path(&ledger(1, 2)), &copy);
    report().with_code(1).saying("shards hold 20, of which 19 are different ones");
}

#[test]
fn a_report_never_takes_the_place_of_a_ledger_or_the_manifest() {
    let bench = Bench::new(&growers(6));
    run_shards(&bench, 2, &[]);
    let needed = ["growers.csv", "state/ledger.1-of-2.key", "state/ledger.0-of-2.lock"];
    let before = needed.map(|name| std::fs::read(bench.path(name)).unwrap());
    for name in needed {
        let ended = bench.program().args(["report", "--report", name]).args(states(2)).end().with_code(2);
        assert!(ended.stderr.contains("written over") || ended.stderr.contains("no report format"));
    }
    std::os::unix::fs::symlink(bench.path(&ledger(1, 2)), bench.path("link.csv")).unwrap();
    let ended = bench.program().args(["report", "link.csv"]).args(states(2)).end();
    ended.with_code(2).saying("is the ledger, and would be written over");
    assert_eq!(needed.map(|name| std::fs::read(bench.path(name)).unwrap()), before);
}
