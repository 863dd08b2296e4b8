//! Commands to be copied: the one that resumes, which is the one that was given, and the one that writes a report again. No
//! secret is ever a flag's value, so they can be shown.

use std::path::Path;

use crate::settings::StateFlags;

/// The command line of this process, quoted for a POSIX shell.
pub(super) fn command_line() -> String {
    let words: Vec<String> = std::env::args_os().map(|word| quoted(&word.to_string_lossy())).collect();
    words.join(" ")
}

/// The command line of this process with one more flag, if it hasn't that one.
pub(super) fn command_line_with(flag: &str) -> String {
    let has_it = std::env::args_os().any(|word| word == flag);
    if has_it { command_line() } else { format!("{} {flag}", command_line()) }
}

/// The command that does what this process foresaw: `run` with the same flags.
pub(super) fn run_command() -> String {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    as_run(words.collect())
}

fn as_run(mut words: Vec<String>) -> String {
    // The verb stands before whatever else could be called so.
    if let Some(verb) = words.iter_mut().skip(1).find(|word| *word == "plan" || *word == "run") {
        "run".clone_into(verb);
    }
    let only_of_plan = ["--dry-run", "--json", "--refresh", "--detailed-exitcode"];
    words.retain(|word| !only_of_plan.contains(&word.as_str()));
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The flags of a run that decide how a manifest is read, and the file that may decide it.
const OF_CHECK: [&str; 9] = [
    "--format",
    "--delimiter",
    "--encoding",
    "--column",
    "--config",
    "--age-identity",
    "--age-passphrase-file",
    "--decrypt-command",
    "--decrypt-timeout",
];

/// The command that lints this manifest as this process reads it.
pub(super) fn check_command(manifest: &Path) -> String {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    as_check(words.collect(), manifest)
}

fn as_check(words: Vec<String>, manifest: &Path) -> String {
    let mut words = words.into_iter().take_while(|word| word != "--");
    let program = words.next().unwrap_or_else(|| "stara-onboard".to_owned());
    let mut command = vec![program, "check".to_owned(), manifest.display().to_string()];
    while let Some(word) = words.next() {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, of)| (name, Some(of)));
        if OF_CHECK.contains(&name) {
            let value = if value.is_none() { words.next() } else { None };
            command.push(word);
            command.extend(value);
        }
    }
    command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The command that writes these reports from the ledger.
pub(super) fn report_command<'a>(
    reports: impl Iterator<Item = &'a Path>,
    state: &StateFlags,
    sandbox: bool,
) -> String {
    let program = std::env::args_os().next().unwrap_or_else(|| "stara-onboard".into());
    let mut words = vec![program.to_string_lossy().into_owned(), "report".to_owned()];
    words.extend(reports.map(|path| path.display().to_string()));
    if let Some(path) = &state.state {
        words.extend(["--state".to_owned(), path.display().to_string()]);
    }
    if let Some(shard) = state.shard() {
        words.extend(["--shard".to_owned(), shard.to_string()]);
    }
    if sandbox {
        words.push("--sandbox".to_owned());
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The command that writes every row of the latest run that these ledgers hold. They are named, so that it says the same
/// wherever a page is read that shows it, whatever is set there.
pub(super) fn rows_command(ledgers: &[&Path]) -> String {
    let mut words = vec!["stara-onboard".to_owned(), "report".to_owned(), "results.csv".to_owned()];
    words.push("--state".to_owned());
    words.extend(ledgers.iter().map(|path| path.display().to_string()));
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_foreseen_is_done_by_run_with_the_same_flags() {
        let words = |text: &str| text.split(' ').map(ToOwned::to_owned).collect();
        assert_eq!(as_run(words("x plan plan --json --limit 5")), "x run plan --limit 5");
        assert_eq!(as_run(words("x run plan.csv --dry-run --refresh")), "x run plan.csv");
    }

    #[test]
    fn a_manifest_is_linted_as_it_was_read() {
        let check =
            |text: &str| as_check(text.split(' ').map(ToOwned::to_owned).collect(), Path::new("g.csv"));
        assert_eq!(check("x run g.csv --limit 5 -q"), "x check g.csv");
        assert_eq!(
            check("x run --column login=Acesso --column=password=Senha g.csv --delimiter ; --limit 5"),
            "x check g.csv --column login=Acesso --column=password=Senha --delimiter ';'"
        );
        assert_eq!(
            check("x --config c.toml run --format=csv -- --encoding g.csv"),
            "x check g.csv --config c.toml --format=csv"
        );
    }

    #[test]
    fn words_a_shell_would_take_apart_are_quoted() {
        assert_eq!(quoted("manifests/growers.csv"), "manifests/growers.csv");
        assert_eq!(quoted("my growers.csv"), "'my growers.csv'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
