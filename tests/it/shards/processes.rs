//! Eight processes over one manifest: together they do what one would, whatever the manifest's order or format.

use std::fs::OpenOptions;
use std::io::Write as _;

use rustix::process::Signal;
use stara_onboard::model::{LeafUserId, Shard};

use super::{SHARDS, all, run_as, taken_by};
use crate::support::{Bench, Grower, Running, growers, read_results, side_by_side, user};

/// The growers of the sample manifest, which there is as CSV and as Parquet.
fn sample() -> (Vec<Grower>, [String; 2]) {
    let file = |name: &str| format!("{}/manifests/{name}", env!("CARGO_MANIFEST_DIR"));
    let [csv, parquet] = [file("growers.csv"), file("growers.parquet")];
    let mut reader = csv::ReaderBuilder::new().from_path(&csv).unwrap();
    let grower = |record: csv::StringRecord| Grower {
        id: record[0].parse().unwrap(),
        login: record[1].to_owned(),
        password: record[2].to_owned(),
    };
    (reader.records().map(|record| grower(record.unwrap())).collect(), [csv, parquet])
}

/// Another order of the same growers: every seventh one, and again from the next one.
fn shuffled(growers: &[Grower]) -> Vec<Grower> {
    (0..7).flat_map(|first| growers.iter().skip(first).step_by(7).cloned()).rev().collect()
}

/// Starts every shard, and waits for all of them.
fn run_all(bench: &Bench, manifest: &str, arguments: &[&str]) {
    let running: Vec<Running> =
        all(SHARDS).map(|shard| run_as(bench, shard, manifest, arguments).start()).collect();
    for shard in running {
        shard.end().with_code(0);
    }
}

/// Each shard's report as line, user and outcome, put together in the manifest's order.
fn reported(bench: &Bench) -> Vec<(u64, LeafUserId, String)> {
    let mut lines = Vec::new();
    for shard in all(SHARDS) {
        for result in read_results(&bench.path(&format!("{}.jsonl", shard.index()))) {
            let id: LeafUserId = result.leaf_user_id.unwrap().parse().unwrap();
            assert!(shard.takes(id), "{id} is reported by {shard}");
            lines.push((result.line, id, result.outcome));
        }
    }
    lines.sort();
    lines
}

#[test]
fn eight_processes_attach_every_user_once_whatever_the_order_and_format_of_the_manifest() {
    let (rows, [csv, parquet]) = sample();
    let bench = Bench::new(&rows);
    bench.write_manifest(&shuffled(&rows));
    // The first night in another order, the second in CSV, the third in Parquet: nobody moves to another shard.
    run_all(&bench, "growers.csv", &[]);
    bench.expect_one_effect_each(&rows);
    assert_eq!(reported(&bench).len(), rows.len());
    let calls = bench.calls();
    for manifest in [csv, parquet] {
        run_all(&bench, &manifest, &[]);
        let lines = reported(&bench);
        let ids: Vec<LeafUserId> = lines.iter().map(|(_, id, _)| *id).collect();
        let expected: Vec<LeafUserId> = rows.iter().map(|grower| grower.id).collect();
        assert_eq!(ids, expected, "{manifest}");
        assert!(lines.iter().all(|(_, _, outcome)| outcome == "attached"));
    }
    assert_eq!(bench.calls(), calls, "whoever is done costs no call");
}

#[test]
fn a_shard_that_is_killed_and_run_again_ends_as_if_nothing_had_been() {
    let rows = growers(160);
    let bench = Bench::slow(&rows);
    let killed = Shard::new(3, SHARDS).unwrap();
    let own = taken_by(killed, &rows);
    assert!(own.len() >= 8, "{}", own.len());
    let running: Vec<Running> = all(SHARDS)
        .map(|shard| run_as(&bench, shard, "growers.csv", &["--concurrency", "16", "--settle", "1s"]).start())
        .collect();
    // In the middle of its own rows, whoever else is at work.
    let attached = |world: &stara_onboard::sandbox::World| {
        own.iter().map(|grower| world.attach_effects(grower.id)).sum::<u32>()
    };
    bench.until(|world| attached(world) >= 2);
    running[3].signal(Signal::KILL);
    for (shard, running) in all(SHARDS).zip(running) {
        let ended = running.end();
        assert!(ended.code == Some(0) || (shard == killed && ended.signal == Some(9)), "{shard}: {ended:?}");
    }
    run_as(&bench, killed, "growers.csv", &["--settle", "1s"]).end().with_code(0);
    bench.expect_one_effect_each(&rows);
    let lines: Vec<u64> = reported(&bench).iter().map(|(line, _, _)| *line).collect();
    assert_eq!(lines, (2..162).collect::<Vec<u64>>());
    assert!(reported(&bench).iter().all(|(_, _, outcome)| outcome == "attached"));
}

#[test]
fn each_shard_counts_its_own_lines_and_knows_how_many_there_are_in_all() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    side_by_side(all(3), |shard| {
        let own = taken_by(shard, &rows).len();
        let said = format!("{own} to do of {own} lines");
        run_as(&bench, shard, "growers.csv", &["--progress", "lines"]).end().with_code(0).saying(&said);
        let status = bench.status(&["--shard", &shard.to_string()]);
        assert_eq!(status["runs"][0]["lines"], own);
        let path = bench.path(&format!("state/ledger.{}-of-3.db", shard.index()));
        let ledger = rusqlite::Connection::open(path).unwrap();
        let (lines, print): (u64, String) = ledger
            .query_row("SELECT manifest_lines, manifest_print FROM runs", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((lines, print.len()), (60, 64));
    });
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_manifest_that_changes_under_the_run_of_a_shard_stops_it() {
    let rows = growers(400);
    let shard = Shard::new(1, 2).unwrap();
    let newcomer = (1_000..2_000).map(user).find(|id| shard.takes(*id)).unwrap();
    // Far behind what has been read by then: a row of its own has another password, or another shard's becomes its own.
    let change = |is_own: bool, change: &dyn Fn(&Grower) -> Grower| -> Vec<Grower> {
        let changed = rows.iter().enumerate().map(|(number, grower)| {
            if number >= 300 && shard.takes(grower.id) == is_own { change(grower) } else { grower.clone() }
        });
        changed.collect()
    };
    let other_password =
        change(true, &|grower| Grower { password: grower.password.to_uppercase(), ..grower.clone() });
    let other_user = change(false, &|grower| Grower { id: newcomer, ..grower.clone() });
    side_by_side([other_password, other_user], |changed| {
        let bench = Bench::slow(&rows);
        // Rows so long that the program can't have read far ahead of those under way.
        let filler = "x".repeat(30_000);
        let text = |rows: &[Grower]| {
            let line = |row: &Grower| {
                format!("{},{},{},{filler}\n", row.id, row.login, row.password.replace('"', "'"))
            };
            format!("leafUserId,login,password,remarks\n{}", rows.iter().map(line).collect::<String>())
        };
        for row in &rows {
            row.with_password(&row.password.replace('"', "'")).join(bench.world());
        }
        bench.write("growers.csv", text(&rows));
        let running = run_as(&bench, shard, "growers.csv", &["--concurrency", "8"]).start();
        bench.until(|world| world.attach_effects_in_all() >= 4);
        // In its place and of the same length: the program has the file open.
        let mut file = OpenOptions::new().write(true).open(bench.path("growers.csv")).unwrap();
        file.write_all(text(&changed).as_bytes()).unwrap();
        running.end().with_code(5).saying("the manifest changed while it was being read (line");
    });
}
