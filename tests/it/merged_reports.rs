//! Several ledgers, one of each shard, read as one: by `report` and by `status`.
//!
//! No two growers share a login here: their rows would be in each other's way where they belong to different shards.

mod equal;
mod interrupted;
mod links;
mod nights;
mod refused;
mod told;

use std::path::{Path, PathBuf};

use crate::support::{Bench, Grower, csv_of, growers, side_by_side};

/// A manifest with every kind of line, and two more columns, one of them with formulas and line breaks in it.
fn every_kind() -> Bench {
    let mut rows = growers(40);
    rows[2] = rows[2].with_login("=cmd|' /C calc'!A0");
    rows[4] = rows[4].with_login("@agro \"quoted\", ção");
    // The last three are unknown to Leaf.
    let bench = Bench::new(&rows[..37]);
    let mut manifest = rows.clone();
    manifest[3] = rows[3].with_password("not the password");
    manifest.push(rows[0].clone());
    manifest.push(rows[1].with_password("another one"));
    bench.write("growers.csv", with_columns(&manifest));
    bench
}

/// The manifest with two columns that are kept, a blank line, and lines that are no rows.
fn with_columns(rows: &[Grower]) -> String {
    let mut lines: Vec<String> = csv_of(rows).lines().map(str::to_owned).collect();
    lines[0].push_str(",Fazenda,\"Obs, do técnico\"");
    for (number, line) in lines.iter_mut().enumerate().skip(1) {
        let note = if number % 7 == 0 { "\"two\nlines\"".to_owned() } else { format!("-1+2{number}") };
        *line = format!("{line},Fazenda São João {number},{note}");
    }
    lines.insert(9, String::new());
    lines.push("no-uuid,x,y,\"several\nlines\",=1".to_owned());
    lines.push(format!("{},,,,", rows[8].id));
    lines.push(format!("{},x,,,", crate::support::user(900)));
    lines.join("\n")
}

const KEEP: [&str; 4] = ["--keep-column", "Fazenda", "--keep-column", "Obs, do técnico"];

/// The ledger of a shard beside `state/ledger.db`.
fn ledger(index: u32, count: u32) -> String {
    format!("state/ledger.{index}-of-{count}.db")
}

/// The flags that name the ledgers of all shards.
fn states(count: u32) -> Vec<String> {
    (0..count).flat_map(|index| ["--state".to_owned(), ledger(index, count)]).collect()
}

/// Runs `growers.csv` in so many shards side by side, each with these arguments.
fn run_shards(bench: &Bench, count: u32, arguments: &[&str]) {
    side_by_side(0..count, |index| {
        run_shard(bench, index, count, arguments);
    });
}

fn run_shard(bench: &Bench, index: u32, count: u32, arguments: &[&str]) {
    let shard = format!("{index}/{count}");
    let run = bench.program().args(["run", "growers.csv", "--report", "none", "--shard", &shard]);
    let ended = run.args(arguments).end();
    assert!(matches!(ended.code, Some(0 | 3)), "shard {shard}: {:?}\n{}", ended.code, ended.stderr);
}

/// Lets everything in a ledger have happened at one time, which is all in which two runs over one manifest may differ.
fn at_one_time(ledger: &Path) {
    let connection = rusqlite::Connection::open(ledger).unwrap();
    let sql = "UPDATE users SET finished_at = 9 WHERE finished_at IS NOT NULL; UPDATE refusals SET at = 9";
    connection.execute_batch(sql).unwrap();
}

fn change(ledger: &Path, sql: &str) {
    let changed = rusqlite::Connection::open(ledger).unwrap().execute(sql, []).unwrap();
    assert!(changed > 0, "{sql}");
}

/// Where the ledgers are.
fn paths(bench: &Bench, count: u32) -> Vec<PathBuf> {
    (0..count).map(|index| bench.path(&ledger(index, count))).collect()
}

/// The command that a page names for whoever wants every row, as words behind the program's name.
fn command_of(bench: &Bench) -> Vec<String> {
    let page = std::fs::read_to_string(bench.path("page.html")).unwrap();
    let (_, rest) = page.split_once("<code>stara-onboard report ").unwrap();
    let (command, _) = rest.split_once("</code>").unwrap();
    ["report"].into_iter().chain(command.split(' ')).map(str::to_owned).collect()
}

#[test]
fn the_command_that_a_page_names_writes_the_rows_of_the_same_ledgers() {
    let mut rows = growers(24);
    for row in &mut rows {
        *row = row.with_password("sandbox:wrong-password");
    }
    let bench = Bench::new(&rows);
    let written = |ledgers: &[String]| {
        let command = command_of(&bench);
        assert_eq!(command[..2], ["report", "results.csv"]);
        assert_eq!(command[2], "--state");
        assert_eq!(command[3..], *ledgers);
        bench.program().args(command).end().with_code(0);
        csv::Reader::from_path(bench.path("results.csv")).unwrap().records().count()
    };
    let page = ["--report", "page.html"];
    let rehearsed = bench.program().args(["run", "growers.csv", "--limit", "5", "--sandbox"]).args(page);
    rehearsed.end().with_code(3);
    assert_eq!(written(&["state/sandbox.db".to_owned()]), 24);
    let own = bench.program().args(["run", "growers.csv", "--state", "own/a b.db"]).args(page);
    own.end().with_code(3);
    assert!(
        std::fs::read_to_string(bench.path("page.html")).unwrap().contains("--state &#39;own/a b.db&#39;")
    );
    run_shards(&bench, 2, &[]);
    bench.program().args(["report", "page.html"]).args(states(2)).end().with_code(0);
    assert_eq!(written(&[ledger(0, 2), ledger(1, 2)]), 24);
    bench.program().args(["report", "page.html", "--state", &ledger(1, 2)]).end().with_code(0);
    let of_one = written(&[ledger(1, 2)]);
    assert!(of_one > 0 && of_one < 24, "{of_one}");
}
