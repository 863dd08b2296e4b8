//! `run` and `plan` tell the counts of the lint before anything is sent.

use serde_json::Value;

use crate::support::{Bench, growers};

/// Five growers, of whom one password ends with a space, and a line that is no row.
fn bench() -> Bench {
    let mut rows = growers(5);
    rows[2] = rows[2].with_password("Safra 2041 ");
    let bench = Bench::new(&rows);
    let manifest = std::fs::read_to_string(bench.path("growers.csv")).unwrap();
    bench.write("growers.csv", format!("{manifest}123,ana,Safra1\n"));
    bench
}

const NOTICE: &str = "the manifest has 1 error and 1 warning (not-a-uuid 1, trailing-space 1); `";

#[test]
fn a_run_and_a_plan_name_the_check_and_its_counts_in_one_line() {
    for arguments in
        [&["run"][..], &["run", "--progress", "none"], &["plan"], &["run", "--dry-run"], &["plan", "--json"]]
    {
        let bench = bench();
        let program = bench.program().args([arguments[0], "growers.csv"]).args(&arguments[1..]);
        let ended = program.end();
        let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("check")).collect();
        assert_eq!(lines.len(), 1, "{arguments:?}:\n{}", ended.stderr);
        assert!(lines[0].starts_with(NOTICE), "{}", lines[0]);
        assert!(lines[0].ends_with(" check growers.csv` names each with its line"), "{}", lines[0]);
        assert!(!ended.stdout.contains("check growers.csv"), "{}", ended.stdout);
    }
}

#[test]
fn nothing_is_said_of_a_clean_manifest_nor_when_nothing_is_to_be_said() {
    let clean = Bench::new(&growers(5));
    let ended = clean.run(&[]).with_code(0);
    assert!(!ended.stderr.contains("check growers.csv"), "{}", ended.stderr);
    let bench = bench();
    let ended = bench.run(&["-q"]).with_code(3);
    assert!(!ended.stderr.contains("check growers.csv"), "{}", ended.stderr);
}

#[test]
fn the_check_that_is_named_reads_the_manifest_as_the_run_did() {
    let bench = bench();
    let manifest = std::fs::read_to_string(bench.path("growers.csv")).unwrap();
    let manifest = manifest.replacen("login", "Acesso", 1).replace(',', "\t");
    bench.write("growers.csv", format!("{manifest}4,jo\u{e3}o,Safra1\n"));
    bench.write("mine.toml", "column = ['login=Acesso']\n");
    let files = ["--delimiter", "tab", "--encoding=utf-8", "--format", "csv", "--limit", "1"];
    for column in [&["--column", "login=Acesso"][..], &["--config", "mine.toml"]] {
        let told = bench.run(&[&files[..], column].concat()).with_code(3).stderr;
        let (_, rest) = told.split_once('`').unwrap_or_else(|| panic!("{told}"));
        let (command, _) = rest.split_once('`').unwrap();
        assert!(command.contains(" check ") && !command.contains("--limit"), "{command}");
        let mut shell = std::process::Command::new("sh");
        let checked = shell.args(["-c", command]).current_dir(bench.folder()).output().unwrap();
        let said = String::from_utf8(checked.stdout).unwrap();
        assert!(said.contains("trailing-space"), "{command}: {said} {:?}", checked.stderr);
    }
}

#[test]
fn a_program_that_watches_is_told_before_rows_begin() {
    let bench = bench();
    let ended = bench.run(&["--progress", "json"]).with_code(3);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place = |name: &str| lines.iter().position(|line| line["type"] == name).unwrap();
    let linted = &lines[place("linted")];
    assert!(place("linted") < place("started"));
    assert_eq!((&linted["errors"], &linted["warnings"], &linted["notes"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(linted["kinds"], serde_json::json!({"not-a-uuid": 1, "trailing-space": 1}));
}

#[test]
fn a_run_counts_repeated_lines_as_a_check_does() {
    let mut rows = growers(6);
    rows[1] = rows[0].clone();
    rows[3] = rows[3].with_login(&rows[2].login);
    rows[5] = crate::support::Grower { id: rows[4].id, ..rows[5].clone() };
    let bench = Bench::new(&[]);
    bench.write_manifest(&rows);
    let checked = bench.program().args(["check", "growers.csv", "--json"]).end().with_code(2);
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    let ended = bench.run(&["--progress", "json"]);
    let linted = ended.stdout.lines().find(|line| line.contains("\"linted\"")).unwrap();
    let linted: Value = serde_json::from_str(linted).unwrap();
    for kind in checked["kinds"].as_array().unwrap() {
        assert_eq!(linted["kinds"][kind["kind"].as_str().unwrap()], kind["count"]);
    }
    assert_eq!(
        linted["kinds"],
        serde_json::json!({"conflicting-user": 2, "duplicate-line": 1, "shared-login": 2})
    );
}
