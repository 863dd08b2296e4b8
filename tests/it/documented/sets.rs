//! What the pages name is what there is, and what there is has a test: flags, verbs, variables, exit codes, outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Command, CommandFactory as _};
use stara_onboard::cli::{Cli, ExitCode};
use stara_onboard::model::{Finding, OutcomeCode, Sign};
use stara_onboard::settings::SECRETS;

use super::pages::{Page, pages, root};

/// Flags of other programs that pages name, and of whom they are.
const OF_OTHERS: [(&str, &str); 10] = [
    ("docker", "build-arg rm read-only tmpfs cap-drop security-opt time"),
    (
        "cargo",
        "release locked features bench benches test tests lib bins bin profile path no-deps all-targets nocapture \
         ignored no-default-features open example doc exact skip",
    ),
    ("the benches", "tool rows rounds tls latency manifest concurrency precheck"),
    ("perf, valgrind, nm, strace and systemctl", "call-graph no-children sort tool size-sort inject failed"),
    ("kubectl wait", "for"),
    ("git tag", "message sign"),
    ("age, gpg and sops", "encrypt decrypt passphrase identity recipient output armor batch quiet"),
    ("the programs of COMPARISON.md", "bail halt joblog resume"),
    (
        "kubectl, aws and sbatch",
        "from-file from job-name nodelist array parsable dependency export wrap cli-input-json query output \
         depends-on role-name assume-role-policy-document policy-arn policy-name policy-document \
         instance-profile-name launch-template-name launch-template-data name secret-string signal",
    ),
    ("node_exporter, curl, npm", "collector.textfile.directory install global"),
];

/// Variables that look like ours and are none: slips that a page shows, and switches of the tests.
const NO_SETTINGS: [&str; 7] = [
    // What the reference calls an argument.
    "LEAF_USER_ID",
    // What the Debian package's own script asks when it is purged.
    "STARA_ONBOARD_PURGE",
    "STARA_ONBOARD_LEAF_RAT",
    "STARA_ONBOARD_LEAFRATE",
    "STARA_ONBOARD_NEEDS_MOTO",
    "STARA_ONBOARD_NEEDS_BROWSER",
    "LEAF_TOKN",
];

/// Every verb with its flags; a verb with verbs below it is all of them.
fn verbs() -> BTreeMap<String, BTreeSet<String>> {
    fn flags(of: &Command) -> BTreeSet<String> {
        let own = of.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned));
        own.chain(of.get_subcommands().flat_map(flags)).collect()
    }
    let program = Cli::command();
    let common: BTreeSet<String> =
        program.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)).collect();
    let verbs = program.get_subcommands();
    let common = &common;
    verbs.map(move |verb| (verb.get_name().to_owned(), &flags(verb) | common)).collect()
}

/// Everything on a page that is written as code: what stands in backticks, and every block.
fn code(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let spans = prose.split('`').skip(1).step_by(2).map(str::to_owned);
    spans.chain(page.blocks().into_iter().map(|block| block.text)).collect()
}

/// The names of the flags in a text: what begins with two hyphens behind something that is no word.
fn flags_of(text: &str) -> Vec<&str> {
    let mut flags = Vec::new();
    for (place, _) in text.match_indices("--") {
        let before = text[..place].chars().next_back();
        let rest = &text[place + 2..];
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
        let name = rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())].trim_end_matches('.');
        let is_flag = name.starts_with(|letter: char| letter.is_ascii_lowercase());
        if is_flag && before.is_none_or(|letter| !(letter.is_alphanumeric() || letter == '-')) {
            flags.push(name);
        }
    }
    flags
}

#[test]
fn every_flag_that_a_page_names_is_there() {
    let verbs = verbs();
    let ours: BTreeSet<&str> = verbs.values().flatten().map(String::as_str).collect();
    let others: BTreeSet<&str> = OF_OTHERS.iter().flat_map(|(_, flags)| flags.split_whitespace()).collect();
    let mut wrong = BTreeSet::new();
    for page in pages() {
        for text in code(&page) {
            for flag in flags_of(&text) {
                if !ours.contains(flag) && !others.contains(flag) && !["help", "version"].contains(&flag) {
                    wrong.insert(format!("{}: --{flag}", page.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_command_on_a_page_is_a_verb_with_flags_that_it_takes() {
    let verbs = verbs();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for page in pages() {
        for text in code(&page) {
            let text = text.replace("\\\n", " ");
            for line in text.lines() {
                let line = line.split(" # ").next().unwrap();
                for call in line.split("stara-onboard ").skip(1) {
                    let call = call.split(['|', ';', '>', '<', '&', ')']).next().unwrap();
                    let verb = call.split_whitespace().next().unwrap_or_default();
                    let Some(known) = verbs.get(verb) else { continue };
                    used.insert(verb.to_owned());
                    let unknown =
                        flags_of(call).into_iter().filter(|flag| !known.contains(*flag) && *flag != "help");
                    wrong.extend(unknown.map(|flag| format!("{}: {verb} --{flag}", page.name)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let missed: Vec<_> = verbs.keys().filter(|verb| *verb != "help" && !used.contains(*verb)).collect();
    assert!(missed.is_empty(), "no page shows how to call {missed:?}");
}

#[test]
fn every_variable_that_a_page_names_is_there() {
    let program = Cli::command();
    let mut known: BTreeSet<String> = NO_SETTINGS.iter().map(|name| (*name).to_owned()).collect();
    known.extend(SECRETS.iter().map(|secret| secret.name.to_owned()));
    let mut commands: Vec<&Command> = vec![&program];
    while let Some(command) = commands.pop() {
        let variables = command.get_arguments().filter_map(|argument| argument.get_env());
        known.extend(variables.map(|name| name.to_str().unwrap().to_owned()));
        commands.extend(command.get_subcommands());
    }
    let mut wrong = BTreeSet::new();
    for page in pages() {
        let is_part = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        for name in page.text.split(|letter| !is_part(letter)) {
            let is_ours = ["STARA_ONBOARD_", "LEAF_", "STARA_"].iter().any(|start| name.starts_with(start));
            if is_ours && !name.ends_with('_') && !known.contains(name) {
                wrong.insert(format!("{}: {name}", page.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_exit_code_that_a_page_names_is_there() {
    let known: BTreeSet<u16> = ExitCode::ALL.map(|code| u16::from(code.number())).into();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        // grep's own, in SECURITY.md, is 1 as well.
        for words in ["exit code ", "exits with ", "Exit code ", "explain "] {
            let text = page.text.replace('\n', " ");
            for rest in text.split(words).skip(1) {
                let digits =
                    &rest[..rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())];
                let Ok(code) = digits.parse::<u16>() else { continue };
                count += 1;
                if !known.contains(&code) {
                    wrong.push(format!("{}: {words}{code}", page.name));
                }
            }
        }
    }
    assert!(count > 30, "{count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn whoever_is_in_trouble_finds_each_exit_code() {
    let page = super::pages::page("docs/TROUBLESHOOTING.md");
    let (_, table) =
        page.text.split_once("| code | first | then |\n").expect("there is a table of exit codes");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let codes = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
    let listed: Vec<u8> = codes.map(|code| code.trim().parse().unwrap()).collect();
    assert_eq!(listed, ExitCode::ALL.map(ExitCode::number));
}

/// A code in backticks that nearly is one of ours was one once, or is a slip.
#[test]
fn no_page_names_an_outcome_that_there_is_not() {
    let outcomes: BTreeSet<&str> = OutcomeCode::ALL.iter().map(|code| code.as_str()).collect();
    // That page is about faults, whose names begin alike.
    let services = ["stara-", "leaf-", "credential-", "manifest-", "attach-", "detach-", "needs-"];
    let known_otherwise: BTreeSet<String> = verbs().into_values().flatten().collect();
    let mut wrong = BTreeSet::new();
    for page in pages() {
        for span in code(&page).iter().filter(|span| {
            page.name != "docs/SANDBOX.md" && services.iter().any(|start| span.starts_with(start))
        }) {
            let is_code = span.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
            let is_known = outcomes.contains(span.as_str()) || known_otherwise.contains(span);
            if is_code && !is_known && !OTHER_WORDS.contains(&span.as_str()) {
                wrong.insert(format!("{}: {span}", page.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Words in backticks that look like outcomes and are something else: the program and its jobs, checks, files.
const OTHER_WORDS: [&str; 7] = [
    // A slip that a message is shown for.
    "leaf-rat",
    "stara-onboard",
    "stara-onboard-manifest",
    "stara-onboard-audit",
    "manifest-mode",
    "leaf-token",
    "leaf-token-expiry",
];

/// What the tests say, but for those of this folder.
fn tests() -> String {
    let mut text = String::new();
    let mut folders: Vec<PathBuf> = vec![root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with("documented") && !path.ends_with("snapshots") && !path.ends_with("mutants")
                {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

#[test]
fn every_outcome_finding_and_sign_is_expected_by_a_test() {
    let tests = tests();
    let outcomes = OutcomeCode::ALL.iter().map(|code| code.as_str());
    let findings = Finding::ALL.iter().map(|finding| finding.as_str());
    let signs = Sign::ALL.iter().map(|sign| sign.as_str());
    let missed: Vec<&str> = outcomes
        .chain(findings)
        .chain(signs)
        .filter(|code| !tests.contains(&format!("\"{code}\"")))
        .collect();
    // A defect can't be asked for from outside; `pipeline::decide` has tests of what follows one.
    assert_eq!(missed, ["internal"]);
}

#[test]
fn every_exit_code_is_expected_by_a_test() {
    let tests = tests();
    let missed: Vec<u8> = ExitCode::ALL
        .map(ExitCode::number)
        .into_iter()
        .filter(|code| {
            let forms = [format!("with_code({code})"), format!("Some({code})"), format!(", {code})")];
            !forms.iter().any(|form| tests.contains(form))
        })
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn every_flag_is_given_by_a_test_or_on_a_page_that_is_run() {
    let mut given = tests();
    let pages = pages();
    for block in pages.iter().flat_map(Page::blocks).filter(|block| block.language == "sh") {
        given.push_str(&block.text);
    }
    let program = Cli::command();
    let mut commands: Vec<&Command> = vec![&program];
    let mut missed = BTreeSet::new();
    while let Some(command) = commands.pop() {
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long() else { continue };
            let variable = argument.get_env().map(|name| name.to_str().unwrap());
            let short = argument.get_short().map(|letter| format!("\"-{letter}"));
            let forms =
                [Some(format!("--{long}\"")), Some(format!("--{long} ")), Some(format!("--{long}=")), short];
            let is_given = forms.iter().flatten().any(|form| given.contains(form.as_str()));
            if !is_given && !variable.is_some_and(|name| given.contains(&format!("\"{name}\""))) {
                missed.insert(format!("{} --{long}", command.get_name()));
            }
        }
        commands.extend(command.get_subcommands());
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_pages_ask_of_cargo_is_there() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for text in code(&page) {
            let words: Vec<&str> = text.split_whitespace().collect();
            for pair in words.windows(2).filter(|_| text.contains("cargo ")) {
                let (section, name) = match pair[0] {
                    "--bench" => ("[[bench]]\nname = ", pair[1]),
                    "--test" => ("[[test]]\nname = ", pair[1]),
                    "--profile" => ("[profile.", pair[1]),
                    "--features" => ("\n", pair[1]),
                    _ => continue,
                };
                let name = name.trim_matches(['`', ',', '.', ')', ';']);
                count += 1;
                let is_there = match section {
                    "[profile." => manifest.contains(&format!("[profile.{name}]")),
                    "\n" => manifest.contains(&format!("\n{name} = [")),
                    section => manifest.contains(&format!("{section}\"{name}\"")),
                };
                if !is_there {
                    wrong.push(format!("{}: {} {name}", page.name, pair[0]));
                }
            }
        }
    }
    assert!(count > 5, "{count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
