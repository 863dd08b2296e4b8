//! The direction of the layers: a file imports only from floors below its own, and siblings don't know each other.
//!
//! The floors are those of the house plan. What is checked is every path of the crate that a file names, not only its
//! `use` lines.

mod source;

use std::fs;
use std::path::Path;

use source::{Token, crate_paths, module_of, tokens};

/// The floors, from the ground up.
const FLOORS: [(&str, u8); 13] = [
    ("model", 1),
    ("http", 2),
    ("manifest", 3),
    ("bucket", 3),
    ("checkpoint", 3),
    ("api", 3),
    ("pipeline", 4),
    ("report", 4),
    ("settings", 5),
    ("ui", 5),
    ("sandbox", 5),
    ("onboarding", 6),
    ("cli", 7),
];

/// What a folder may not import although it lies below: client and simulator must not share a bug, and a library shows nothing.
const NEVER: [(&str, &str); 3] = [("sandbox", "api"), ("sandbox", "http"), ("onboarding", "ui")];

/// The crates that a folder may not name, so that it stays ignorant of what they are for.
const FOREIGN: [(&str, &[&str]); 7] = [
    ("model", &["tokio", "futures", "reqwest", "hyper", "rusqlite"]),
    ("manifest", &["tokio", "reqwest", "hyper", "object_store"]),
    ("report", &["tokio", "reqwest", "hyper", "object_store"]),
    ("checkpoint", &["reqwest", "hyper"]),
    ("pipeline", &["clap", "indicatif", "csv", "parquet"]),
    ("sandbox", &["reqwest"]),
    ("onboarding", &["clap", "indicatif", "anyhow"]),
];

/// What a table of contents may not hold.
const LOGIC: [&str; 3] = ["fn", "impl", "macro_rules"];

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// What is wrong with a file, each with its line. `file` is relative to `src/`.
fn violations(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let module = module_of(file);
    if let Some(own) = module.first() {
        found.extend(imports_up(own, file, &tokens));
        found.extend(foreign_crates(own, &tokens));
    }
    if file == "lib.rs" || file == "mod.rs" || file.ends_with("/mod.rs") {
        found.extend(logic_in_contents(text, &tokens));
    }
    found.into_iter().map(|what| format!("src/{file}:{what}")).collect()
}

fn imports_up(own: &str, file: &str, tokens: &[Token]) -> Vec<String> {
    let Some(own_floor) = floor(own) else {
        return vec![format!("1: {own} has no floor; give it one in the house plan and here")];
    };
    let mut found = Vec::new();
    for path in crate_paths(file, tokens) {
        let line = path.line;
        match path.segments.first().map(String::as_str) {
            None | Some("*") => found.push(format!("{line}: the crate's root is imported as a whole")),
            Some(other) if other == own => {}
            Some(other) if NEVER.contains(&(own, other)) => {
                found.push(format!("{line}: {own} may never import {other}"));
            }
            Some(other) => match floor(other) {
                None => found.push(format!("{line}: {other} is no floor's folder")),
                Some(floor) if floor == own_floor => {
                    found.push(format!("{line}: {own} and {other} are siblings on floor {floor}"));
                }
                Some(floor) if floor > own_floor => found.push(format!(
                    "{line}: {own} (floor {own_floor}) imports {other} (floor {floor}), which lies above it"
                )),
                Some(_) => {}
            },
        }
    }
    found
}

fn foreign_crates(own: &str, tokens: &[Token]) -> Vec<String> {
    let foreign = FOREIGN.iter().find(|(folder, _)| *folder == own);
    let names = foreign.map_or(&[][..], |(_, names)| names);
    let word = |place: usize| tokens.get(place).map_or("", |token| &token.text);
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let is_first = place == 0 || word(place - 1) != "::" || place == 1 || !is_name(word(place - 2));
        let is_path = word(place + 1) == "::" || place > 0 && word(place - 1) == "use";
        if names.contains(&token.text.as_str()) && is_first && is_path {
            found.push(format!("{}: {own} may not name the crate {}", token.line, token.text));
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_') && word != "use"
}

fn logic_in_contents(text: &str, tokens: &[Token]) -> Vec<String> {
    let logic = tokens.iter().filter(|token| LOGIC.contains(&token.text.as_str()));
    let mut found: Vec<String> =
        logic.map(|token| format!("{}: a table of contents holds no `{}`", token.line, token.text)).collect();
    if !text.starts_with("//!") {
        found.push("1: a table of contents opens by saying what the module is for".to_owned());
    }
    found
}

fn sources(directory: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            sources(&path, &format!("{name}/"), found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_file_imports_from_its_own_floor_or_one_above_it() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    assert!(files.iter().any(|(file, _)| file == "model/mod.rs"), "nothing was read");
    let found: Vec<String> = files.iter().flat_map(|(file, text)| violations(file, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_planted_violation_is_caught() {
    for (file, text, expected) in [
        ("model/ids.rs", "use crate::http::Client;", "1: model (floor 1) imports http (floor 2)"),
        ("api/leaf.rs", "\nuse crate::checkpoint::Ledger;", "2: api and checkpoint are siblings on floor 3"),
        ("report/csv.rs", "use crate::{model::Stage, pipeline::Event};", "report and pipeline are siblings"),
        ("report/csv.rs", "use super::super::pipeline;", "report and pipeline are siblings"),
        ("ui/bars.rs", "fn f(x: crate::cli::Run) {}", "ui (floor 5) imports cli (floor 7)"),
        (
            "ui/bars.rs",
            "mod tests { use super::super::super::settings::Rate; }",
            "ui and settings are siblings",
        ),
        ("ui/bars.rs", "macro_rules! m { () => { $crate::sandbox::World } }", "ui and sandbox are siblings"),
        ("sandbox/leaf.rs", "use crate::api::leaf;", "sandbox may never import api"),
        ("onboarding/run.rs", "use crate::cli::Failure;", "onboarding (floor 6) imports cli (floor 7)"),
        ("onboarding/run.rs", "use clap::Parser;", "may not name the crate clap"),
        ("sandbox/mod.rs", "//! x\npub use super::http::Pacer;", "2: sandbox may never import http"),
        ("pipeline/stream.rs", "use crate as all;", "root is imported as a whole"),
        ("pipeline/stream.rs", "use crate::*;", "root is imported as a whole"),
        ("pipeline/stream.rs", "use crate::{self as all};", "root is imported as a whole"),
        ("pipeline/stream.rs", "use crate::Ledger;", "Ledger is no floor's folder"),
        ("pipeline/stream.rs", "use ::indicatif::ProgressBar;", "may not name the crate indicatif"),
        ("pipeline/stream.rs", "fn f(x: csv::Reader<u8>) {}", "may not name the crate csv"),
        ("pipeline/stream.rs", "use clap;", "may not name the crate clap"),
        ("report/write.rs", "use object_store::ObjectStore;", "may not name the crate object_store"),
        ("manifest/source.rs", "use crate::bucket::Bucket;", "manifest and bucket are siblings"),
        ("utils/mod.rs", "//! x", "utils has no floor"),
        ("api/mod.rs", "mod leaf;", "opens by saying what the module is for"),
        ("api/mod.rs", "//! x\n\npub fn f() {}", "3: a table of contents holds no `fn`"),
        ("api/mod.rs", "//! x\nimpl X {}", "holds no `impl`"),
        ("lib.rs", "//! x\nfn f() {}", "holds no `fn`"),
    ] {
        let found = violations(file, text);
        assert!(found.len() == 1 && found[0].contains(expected), "{text}\n{found:?}");
    }
}

#[test]
fn what_the_plan_allows_is_not_called_a_violation() {
    for (file, text) in [
        ("lib.rs", "//! x\npub mod cli;\npub use cli::run;"),
        ("main.rs", "fn main() { stara_onboard::cli::run() }"),
        ("cli/run.rs", "use crate::{settings::Settings, ui::{self, Progress}, sandbox, model::*};"),
        ("cli/run.rs", "use clap::Parser;"),
        ("sandbox/leaf.rs", "use crate::model::LeafUserId;"),
        ("pipeline/stream.rs", "use crate::{api, checkpoint, http, manifest, model};"),
        ("report/mod.rs", "//! x\nmod csv;\npub(super) use self::csv::Csv;\n#[cfg(test)]\nmod tests;"),
        ("report/csv.rs", "use super::cell; mod tests { use super::*; use crate::report::tests; }"),
        (
            "http/pacing/gate.rs",
            "pub(in crate::http) struct X; // crate::cli\nconst Y: &str = \"crate::cli\";",
        ),
        ("pipeline/stream.rs", "/// See [`crate::ui`].\nfn f() { self::csv() }"),
    ] {
        assert_eq!(violations(file, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn no_floor_is_shown_to_anybody_but_the_tests_of_this_package() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let declared = |start: &str| -> Vec<(String, String)> {
        let lines: Vec<&str> = map.lines().collect();
        let is_declared = |line: &&str| line.starts_with(start) && line.ends_with(';');
        let attributes = |end: usize| {
            let above = lines[..end].iter().rev().take_while(|line| line.starts_with("#["));
            above.copied().collect::<Vec<_>>().join("")
        };
        let places = lines.iter().enumerate().filter(|(_, line)| is_declared(line));
        places.map(|(at, line)| (line.trim_start_matches(start).to_owned(), attributes(at))).collect()
    };
    let (shown, private) = (declared("pub mod "), declared("mod "));
    let names = |all: &[(String, String)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&shown), names(&private));
    assert_eq!(shown.len(), FLOORS.len());
    for (name, attributes) in shown {
        assert!(attributes.contains("#[doc(hidden)]"), "{name} {attributes}");
        assert!(
            attributes.contains("feature = \"internals\"") && !attributes.contains("not("),
            "{name} {attributes}"
        );
    }
    let package = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let of_features = package.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    assert_eq!(of_features.matches("internals").count(), 1, "no other feature brings it:\n{of_features}");
}
