//! Flags that there aren't, that are missing, or that can't go together.

use clap::{Arg, Command};

use super::asked::{Asked, plain_name};
use super::words::Told;
use crate::settings::closest;

/// What people write to give a secret on the command line, where every list of processes would show it, and where it belongs.
const SECRETS: [(&str, &str); 12] = [
    ("token", "set LEAF_TOKEN, or name a file that holds it with --leaf-token-file"),
    ("leaf-token", "set LEAF_TOKEN, or name a file that holds it with --leaf-token-file"),
    ("bearer", "set LEAF_TOKEN, or name a file that holds it with --leaf-token-file"),
    ("bearer-token", "set LEAF_TOKEN, or name a file that holds it with --leaf-token-file"),
    ("api-key", "set LEAF_TOKEN, or name a file that holds it with --leaf-token-file"),
    (
        "username",
        "set LEAF_USERNAME and LEAF_PASSWORD (Leaf's account; growers' logins stand in the manifest)",
    ),
    (
        "password",
        "set LEAF_USERNAME and LEAF_PASSWORD (Leaf's account; growers' passwords stand in the manifest)",
    ),
    ("leaf-username", "set LEAF_USERNAME and LEAF_PASSWORD"),
    ("leaf-password", "set LEAF_USERNAME and LEAF_PASSWORD"),
    ("access-token-client", "set STARA_ACCESS_TOKEN_CLIENT"),
    ("stara-access-token-client", "set STARA_ACCESS_TOKEN_CLIENT"),
    ("fingerprint-key", "set STARA_ONBOARD_FINGERPRINT_KEY"),
];

/// Tells of a flag that the verb doesn't take, or of a word too many.
pub(super) fn unknown(shown: &str, suggested: Option<&str>, asked: &Asked<'_>) -> Told {
    let Some(flag) = shown.strip_prefix("--") else { return unknown_word(shown, asked) };
    let flag = flag.split('=').next().unwrap_or(flag);
    let what = if asked.path.is_empty() {
        format!("there is no flag --{flag} before the verb")
    } else {
        format!("{} takes no flag --{flag}", asked.verb())
    };
    if let Some((_, place)) = SECRETS.iter().find(|(name, _)| *name == flag) {
        return (what, format!("what stands on a command line is seen in every list of processes: {place}"));
    }
    let elsewhere = verbs_with(&asked.program, flag);
    if !elsewhere.is_empty() {
        let hint = if asked.path.is_empty() {
            format!("the verb comes first: `{} {} … --{flag}`", asked.program.get_name(), elsewhere[0])
        } else {
            format!("it is a flag of {}; {}", elsewhere.join(", "), asked.help())
        };
        return (what, hint);
    }
    let suggested = suggested.and_then(|flag| flag.strip_prefix("--"));
    let hint = match nearest_flag(flag, asked.arguments()).or(suggested) {
        Some(near) => format!("did you mean --{near}? {}", asked.help()),
        None => match nearest_elsewhere(flag, &asked.program) {
            Some((near, verb)) => format!("did you mean --{near}, a flag of {verb}? {}", asked.help()),
            None => asked.help(),
        },
    };
    (what, hint)
}

fn unknown_word(word: &str, asked: &Asked<'_>) -> Told {
    if word.starts_with('-') && word.len() > 1 {
        return (format!("{} takes no flag {word}", asked.call()), asked.help());
    }
    let takes_manifest = asked.arguments().any(|argument| argument.get_id() == "manifest");
    if takes_manifest {
        let hint =
            "call it once for each manifest, or put them together into one; a name with spaces needs quotes";
        return (
            format!("{} takes one manifest, and {word:?} is one word too many", asked.verb()),
            hint.to_owned(),
        );
    }
    (format!("{} has no use for {word:?}", asked.call()), asked.help())
}

/// Tells what is missing.
pub(super) fn missing(shown: &[String], asked: &Asked<'_>) -> Told {
    let names: Vec<String> = shown.iter().map(|name| plain_name(name)).collect();
    let verb = asked.verb();
    if names.iter().any(|name| name == "MANIFEST") {
        let hint = format!(
            "name it: `{} growers.csv` (CSV, also .gz or .zst, or Parquet; - reads stdin); {}",
            asked.call(),
            asked.help()
        );
        return (format!("{verb} needs a manifest, and none is named"), hint);
    }
    if names.iter().all(|name| name.starts_with("--")) {
        return (
            format!("{verb} needs {} here", names.join(" and ")),
            format!("add {}; {}", shown.join(" "), asked.help()),
        );
    }
    let usage = asked.command().clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    (format!("{verb} needs {} here", names.join(" and ")), format!("write `{usage}`; {}", asked.help()))
}

/// Tells what can't go together.
pub(super) fn conflict(one: &str, others: &[String], asked: &Asked<'_>) -> Told {
    let one = plain_name(one);
    let others: Vec<String> = others.iter().map(|other| plain_name(other)).collect();
    if others.is_empty() || others.iter().all(|other| *other == one) {
        return (format!("{one} is given more than once"), format!("give it once; {}", asked.help()));
    }
    let what = format!("{one} can't go together with {}", others.join(" and "));
    (what, format!("leave one of them out; {}", asked.help()))
}

/// The verbs that take this flag, in the order of the help.
fn verbs_with(program: &Command, flag: &str) -> Vec<String> {
    verbs(program)
        .into_iter()
        .filter(|(_, command)| command.get_arguments().any(|argument| argument.get_long() == Some(flag)))
        .map(|(name, _)| name)
        .collect()
}

fn nearest_flag<'a>(flag: &str, arguments: impl Iterator<Item = &'a Arg>) -> Option<&'a str> {
    let longs: Vec<&str> =
        arguments.filter(|argument| !argument.is_hide_set()).filter_map(Arg::get_long).collect();
    let same = flag.to_ascii_lowercase().replace('_', "-");
    // A word left out or added is no slip of a finger, but meant all the same: `--leaf-token` for `--leaf-token-file`.
    closest(&same, longs.iter().copied())
        .or_else(|| longs.iter().copied().find(|long| long.starts_with(&format!("{same}-"))))
        .or_else(|| longs.iter().copied().find(|long| long.ends_with(&format!("-{same}"))))
}

fn nearest_elsewhere(flag: &str, program: &Command) -> Option<(String, String)> {
    let verbs = verbs(program);
    verbs
        .into_iter()
        .find_map(|(name, command)| Some((nearest_flag(flag, command.get_arguments())?.to_owned(), name)))
}

/// Every verb that does something, with its whole name.
fn verbs(program: &Command) -> Vec<(String, &Command)> {
    let mut verbs = Vec::new();
    for command in program.get_subcommands() {
        let name = command.get_name();
        if command.has_subcommands() {
            verbs.extend(
                command.get_subcommands().map(|below| (format!("{name} {}", below.get_name()), below)),
            );
        } else {
            verbs.push((name.to_owned(), command));
        }
    }
    verbs
}
