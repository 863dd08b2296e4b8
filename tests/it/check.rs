//! `check`: what is wrong in a manifest is named with its line, and nothing else is.

mod each;
mod forms;
mod notice;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use each::EachDefect;
use serde_json::Value;
use stara_onboard::manifest::{LintKind, LintSeverity};

use crate::support::leaks::Needles;
use crate::support::{Bench, Ended, csv_of, growers};

/// A place: line, column, kind.
type Place = (u64, u64, String);

/// `check` of a file in the folder.
fn check(bench: &Bench, name: &str, arguments: &[&str]) -> Ended {
    bench.program().args(["check", name]).args(arguments).end()
}

/// The object that `check --json` prints.
fn object(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The places in it.
fn places(object: &Value) -> Vec<Place> {
    let place = |finding: &Value| {
        let kind = finding["kind"].as_str().unwrap().to_owned();
        (finding["line"].as_u64().unwrap(), finding["column"].as_u64().unwrap(), kind)
    };
    object["findings"].as_array().unwrap().iter().map(place).collect()
}

#[test]
fn a_manifest_with_one_of_each_defect_has_each_named_with_its_line_and_nothing_else() {
    let EachDefect { text, places: expected, passwords, .. } = EachDefect::new();
    let bench = Bench::new(&[]);
    bench.write("each.csv", &text);
    let ended = check(&bench, "each.csv", &["--json"]).with_code(2);
    let found = object(&ended);
    assert_eq!(places(&found), expected);
    let kinds: BTreeSet<&str> = expected.iter().map(|(.., kind)| kind.as_str()).collect();
    let all: BTreeSet<&str> = LintKind::ALL.map(LintKind::as_str).into();
    let left_out: Vec<_> = all.difference(&kinds).copied().collect();
    // A CSV is valid in its encoding, numbers that surely lost their zeros aren't only noted, and columns that changed places
    // have nothing else to be told of.
    assert_eq!(left_out, ["mixed-login-lengths", "not-utf-8", "swapped-columns"]);
    let told = check(&bench, "each.csv", &[]).with_code(2);
    for (line, column, kind) in &expected {
        let (_, of_kind) = told.stdout.split_once(&format!(": {kind}, ")).unwrap();
        let of_kind = of_kind.split("\n\n").next().unwrap();
        assert!(
            of_kind.contains(&format!("    line {line}, column {column}")),
            "{kind} on {line}\n{of_kind}"
        );
    }
    let needles = Needles::new(passwords);
    for output in [&ended.stdout, &ended.stderr, &told.stdout, &told.stderr] {
        assert_eq!(needles.find("the output", output.as_bytes()), BTreeSet::new(), "{output}");
    }
}

#[test]
fn numbers_that_may_have_lost_zeros_are_noted_and_do_not_refuse_a_manifest() {
    let bench = Bench::new(&[]);
    let mut rows = growers(6);
    for (row, login) in rows.iter_mut().zip(["4512345", "7812345", "3312345", "9912345", "2212345", "812345"])
    {
        *row = row.with_login(login);
    }
    bench.write("numbers.csv", csv_of(&rows));
    let ended = check(&bench, "numbers.csv", &["--json", "--strict"]).with_code(0);
    assert_eq!(places(&object(&ended)), [(7, 2, "mixed-login-lengths".to_owned())]);
}

#[test]
fn warnings_refuse_a_manifest_only_where_it_is_strict() {
    let bench = Bench::new(&[]);
    let rows = growers(3);
    bench.write("warned.csv", csv_of(&[rows[0].with_password("Safra 1 "), rows[1].clone()]));
    let ended = check(&bench, "warned.csv", &[]).with_code(0);
    assert!(ended.stdout.contains("trailing-space"), "{}", ended.stdout);
    check(&bench, "warned.csv", &["--strict"]).with_code(2);
    bench.program().args(["check", "warned.csv"]).env("STARA_ONBOARD_STRICT", "true").end().with_code(2);
    bench.write("clean.csv", csv_of(&rows));
    let ended = check(&bench, "clean.csv", &["--strict"]).with_code(0);
    assert_eq!(ended.stdout, "clean.csv: 3 lines: nothing found\n");
}

#[test]
fn a_check_reads_the_manifest_and_nothing_else() {
    let bench = Bench::new(&growers(3));
    let before = std::fs::metadata(bench.path("growers.csv")).unwrap().modified().unwrap();
    // No token, and no folder for a ledger: neither is missed.
    bench.program().env_remove("LEAF_TOKEN").args(["check", "growers.csv"]).end().with_code(0);
    assert_eq!(bench.calls(), 0);
    let names = std::fs::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["growers.csv"]);
    assert_eq!(std::fs::metadata(bench.path("growers.csv")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_manifest_that_cannot_be_read_is_an_error_that_says_why() {
    let bench = Bench::new(&[]);
    bench.write("open.csv", "leafUserId,login,password\n0a1b2c3d-0000-4000-8000-00000000abcd,ana,\"x\n");
    let ended =
        check(&bench, "open.csv", &["--json"]).with_code(2).saying("begins on line 2 is never closed");
    assert_eq!(ended.stdout, "");
    check(&bench, "nowhere.csv", &[]).with_code(2).saying("hint:");
    check(&bench, "growers.csv", &["--delimiter", ";"]).with_code(2).saying("no column is named for");
}

#[test]
fn the_list_of_places_is_as_long_as_is_asked_and_the_counts_are_whole() {
    let bench = Bench::new(&[]);
    let rows: Vec<_> = growers(30).iter().map(|row| row.with_password("Safra ")).collect();
    bench.write("many.csv", csv_of(&rows));
    let ended = check(&bench, "many.csv", &["--max-findings", "2"]).with_code(0);
    assert!(ended.stdout.contains("warning: trailing-space, 30\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("    and 28 more (--max-findings lists more)\n"), "{}", ended.stdout);
    let ended = check(&bench, "many.csv", &["--max-findings", "2", "--json"]).with_code(0);
    let found = object(&ended);
    assert_eq!(
        (places(&found).len(), &found["findingsLeftOut"], &found["warnings"]),
        (2, &28.into(), &30.into())
    );
}

#[test]
fn a_longer_manifest_takes_no_more_memory() {
    let bench = Bench::new(&[]);
    let [short, long] = [20_000, 200_000].map(|rows| {
        bench.write("long.csv", csv_of(&growers(rows)));
        let ended = check(&bench, "long.csv", &[]).with_code(0);
        assert_eq!(ended.stdout, format!("long.csv: {rows} lines: nothing found\n"));
        assert!(ended.peak_memory > 0, "its memory was never looked at");
        ended.peak_memory
    });
    // The longer file alone has 13 MB.
    assert!(long < short + 8_000_000, "{} and {} MB", short / 1_000_000, long / 1_000_000);
}

#[test]
fn the_manual_describes_every_kind_and_every_field() {
    let manual = include_str!("../../docs/CHECK.md");
    let mut table = "| kind | severity | what it means | how to mend it |\n|---|---|---|---|\n".to_owned();
    for kind in LintKind::ALL {
        let (severity, meaning, advice) = (kind.severity(), kind.meaning(), kind.advice());
        writeln!(table, "| `{kind}` | {severity} | {meaning} | {advice} |").unwrap();
    }
    assert!(manual.contains(&table), "docs/CHECK.md should have this table:\n{table}");
    let bench = Bench::new(&[]);
    bench.write("each.csv", EachDefect::new().text);
    let found = object(&check(&bench, "each.csv", &["--json"]));
    let mut fields: BTreeSet<String> = found.as_object().unwrap().keys().cloned().collect();
    for list in ["findings", "kinds"] {
        fields.extend(found[list][0].as_object().unwrap().keys().cloned());
    }
    for field in fields {
        assert!(manual.contains(&format!("| `{field}` |")), "`{field}` isn't described");
    }
    assert_eq!(found["schema"], 1);
    let counted = |severity: LintSeverity| {
        let of_it = |kind: &&Value| kind["severity"] == severity.as_str();
        let kinds = found["kinds"].as_array().unwrap().iter().filter(of_it);
        kinds.map(|kind| kind["count"].as_u64().unwrap()).sum::<u64>()
    };
    for (field, severity) in
        [("errors", LintSeverity::Error), ("warnings", LintSeverity::Warning), ("notes", LintSeverity::Note)]
    {
        assert_eq!(found[field], counted(severity), "{field}");
    }
}
