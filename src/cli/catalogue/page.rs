//! The page, and what it proves.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::samples::{self, Sample};
use super::sites;
use super::source::{self, Declared};
use super::unhinted::{STANDING_FOR_ANOTHER, UNHINTED};

/// Around what is generated in the page.
const MARKS: [&str; 2] =
    ["<!-- What follows is generated -->\n", "<!-- What stands above is generated -->\n"];

#[test]
fn every_error_has_a_hint_or_a_reason_why_it_has_none() {
    let samples = samples::all();
    let told: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    for Declared { name, file, variants } in source::declared() {
        if UNHINTED.iter().any(|(unhinted, _)| *unhinted == name) {
            assert!(
                !told.iter().any(|told| told.starts_with(&format!("{name}::"))),
                "{name} has hints: leave out its reason"
            );
            continue;
        }
        for variant in variants {
            let full = format!("{name}::{variant}");
            let is_listed = told.contains(full.as_str()) || STANDING_FOR_ANOTHER.contains(&full.as_str());
            assert!(
                is_listed,
                "{full} ({file}) has no hint: give it one in a sample, or a reason why there is none"
            );
        }
    }
}

#[test]
fn every_hint_tells_what_to_do_and_none_says_what_happened_once_more() {
    for Sample { name, what, hint, .. } in samples::all() {
        assert!(hint.len() > 10 && !hint.ends_with('\n'), "{name}: {hint:?}");
        assert!(!what.is_empty() && what != hint, "{name}");
    }
}

/// `INSTA_UPDATE=always` writes it anew.
#[test]
fn the_page_of_errors_says_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ERRORS.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).expect("the page has its first mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("the page has its second mark");
    let made = format!("{before}{}\n{}\n{}{after}", MARKS[0], generated(), MARKS[1]);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        made,
        "INSTA_UPDATE=always cargo test --lib catalogue writes it anew"
    );
}

fn generated() -> String {
    let mut text = String::new();
    let mut kind = String::new();
    for Sample { name, what, hint, code } in samples::all() {
        let (of, variant) = name.split_once("::").unwrap();
        if of != kind {
            of.clone_into(&mut kind);
            let _ = write!(
                text,
                "\n### `{of}`: {}\n\n| variant | exit | what is said | hint |\n|---|---|---|---|\n",
                subject(of)
            );
        }
        let _ = writeln!(text, "| `{variant}` | {code} | {} | {} |", cell(&what), cell(&hint));
    }
    text.push_str("\n### Said by a verb itself\n\n| file | what is said | hint |\n|---|---|---|\n");
    for site in sites::all() {
        let what = if site.what.is_empty() {
            "(what the system or an error above says)".to_owned()
        } else {
            cell(&site.what)
        };
        let _ = writeln!(text, "| `{}` | {what} | {} |", site.file, cell(&site.hint));
    }
    text.push_str("\n### Without a hint of their own\n\n| type | why |\n|---|---|\n");
    for (name, why) in UNHINTED {
        let _ = writeln!(text, "| `{name}` | {why} |");
    }
    text.trim_start().to_owned()
}

/// What the errors of a type are about.
fn subject(kind: &str) -> &'static str {
    match kind {
        "ManifestProblem" => "a manifest that can't be read",
        "StagingError" => "a manifest that isn't carried out",
        "SettingsError" => "settings that make no sense",
        "LedgerError" => "the ledger",
        "ShardedLedgerError" => "the ledgers of several shards",
        "AutoShardError" => "`--shard auto/N`",
        "FileError" => "the settings file",
        "StopCause" => "a run that was stopped",
        "RunError" => "a defect",
        other => panic!("say what the errors of {other} are about"),
    }
}

/// A text in a table's cell.
fn cell(text: &str) -> String {
    text.trim().replace('\n', " ").replace('|', "\\|").replace('<', "&lt;")
}
