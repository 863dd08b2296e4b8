//! What the shells offer, asked of the shells themselves.

use std::io::Write as _;
use std::process::Command;

use stara_onboard::model::OutcomeCode;

use crate::support::{Bench, growers};

/// Loads the script into a bash of its own, and prints what is offered at the end of the line of words, which the shell has
/// parted as it does: at spaces and equals signs.
const IN_BASH: &str = r#"
source ./script
# It works within readline only.
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
word="${COMP_WORDS[COMP_CWORD]}"
[[ "$word" != "=" ]] || word=""
function=$(complete -p stara-onboard | sed 's/.* -F \([^ ]*\) .*/\1/')
"$function" stara-onboard "$word" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// A folder with the shell's script, called `script`, and two files.
fn prepared(shell: &str) -> Bench {
    let bench = Bench::new(&growers(1));
    let script = bench.program().args(["completions", shell]).end().with_code(0).stdout;
    bench.write("script", &script);
    bench
}

/// Whether there is such a shell. Where there is none, says so past the tests' capture.
fn has(shell: &str) -> bool {
    let found =
        Command::new(shell).args(["-c", "exit 0"]).output().is_ok_and(|output| output.status.success());
    if !found {
        let aloud = format!("SKIPPED: there is no {shell}, so that its completions aren't checked\n");
        std::io::stderr().write_all(aloud.as_bytes()).unwrap();
    }
    found
}

fn said(bench: &Bench, shell: &str, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(shell).args(arguments).current_dir(bench.folder()).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn in_bash(bench: &Bench, words: &[&str]) -> Vec<String> {
    let arguments = ["--norc", "-c", IN_BASH, "bash", "stara-onboard"];
    said(bench, "bash", &[&arguments[..], words].concat())
}

/// What fish offers, without what it says beside it.
fn in_fish(bench: &Bench, line: &str) -> Vec<String> {
    let command = format!("source ./script; complete -C '{line}'");
    let offered = said(bench, "fish", &["--no-config", "-c", &command]);
    offered.into_iter().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn bash_completes_verbs_flags_codes_and_words() {
    if !has("bash") {
        return;
    }
    let bench = prepared("bash");
    for (words, offered) in [
        (&["expl"][..], &["explain"][..]),
        (&["state", ""], &["forget", "prune", "help"]),
        (&["run", "--on-e"], &["--on-existing"]),
        (&["run", "--on-existing", ""], &["keep", "replace", "fail"]),
        (&["run", "--on-existing", "=", "re"], &["replace"]),
        (&["run", "growers.csv", "--progress", "="], &["auto", "bar", "lines", "json", "none"]),
        (&["explain", "stara-l"], &["stara-login-rejected"]),
        (&["explain", "14"], &["143"]),
        (&["sandbox", "--fault", "reply"], &["reply-lost"]),
        (&["run", "growers.csv", "--sandbox", "=", "st"], &["storm"]),
        // Without the sign it would be a second manifest.
        (&["run", "--sandbox", "st"], &[]),
        (&["run", "growers.csv", "--report", "gro"], &["growers.csv"]),
        // Files, which readline completes where a function offers nothing.
        (&["run", ""], &[]),
        (&["run", "gro"], &[]),
        (&["completions", "po"], &["powershell"]),
    ] {
        assert_eq!(in_bash(&bench, words), offered, "{words:?}");
    }
    let codes = in_bash(&bench, &["explain", ""]);
    for code in OutcomeCode::ALL {
        assert!(codes.iter().any(|offered| offered == code.as_str()), "{code} isn't in {codes:?}");
    }
}

#[test]
fn fish_completes_verbs_flags_codes_words_and_files() {
    if !has("fish") {
        return;
    }
    let bench = prepared("fish");
    for (line, offered) in [
        ("stara-onboard expl", "explain"),
        ("stara-onboard run --on-e", "--on-existing"),
        ("stara-onboard run --on-existing r", "replace"),
        ("stara-onboard explain stara-l", "stara-login-rejected"),
        ("stara-onboard run gro", "growers.csv"),
        ("stara-onboard run --report gro", "growers.csv"),
    ] {
        assert_eq!(in_fish(&bench, line), [offered], "{line}");
    }
}

#[test]
fn zsh_takes_the_script_as_a_completion_of_the_program() {
    if !has("zsh") {
        return;
    }
    let bench = prepared("zsh");
    let load = "autoload -Uz compinit && compinit -u -D && source ./script && print $_comps[stara-onboard]";
    assert_eq!(said(&bench, "zsh", &["-f", "-c", load]), ["_stara-onboard"]);
}

#[test]
fn every_shell_that_the_help_names_gets_a_script_with_all_verbs() {
    let bench = Bench::new(&[]);
    let help = bench.program().args(["completions", "--help"]).end().with_code(0).stdout;
    let (_, rest) = help.split_once("[possible values: ").unwrap();
    let shells: Vec<&str> = rest.split_once(']').unwrap().0.split(", ").collect();
    assert!(shells.len() >= 5, "{shells:?}");
    for shell in shells {
        let script = bench.program().args(["completions", shell]).end().with_code(0).stdout;
        // PowerShell and Elvish get verbs and flags, the others words, too.
        let is_plain = ["elvish", "powershell"].contains(&shell);
        let words: &[&str] = if is_plain { &[] } else { &["stara-login-rejected", "lost-replies"] };
        for word in ["run", "prune", "--retry-rejected"].iter().chain(words) {
            // Fish writes the hyphens of flags by itself.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
}
