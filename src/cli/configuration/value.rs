//! A value of the file as clap would get it from a command line.

use std::error::Error as _;
use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

use super::declared;
use crate::settings::{FileValue, SettingsFile};

/// What stands for no file, and for stdin or stdout, wherever a path may stand.
const NO_PATHS: [&str; 2] = ["none", "-"];

/// The words that a value comes to, or why it can't be one of this flag: a predicate, as *must be …*. It never quotes the
/// value.
pub(super) fn words(argument: &Arg, value: &FileValue, file: &SettingsFile) -> Result<Vec<OsString>, String> {
    let words = match value {
        FileValue::List(values) if declared::is_repeatable(argument) => {
            values.iter().map(|value| word(argument, value)).collect::<Result<Vec<_>, _>>()?
        }
        FileValue::List(_) => return Err("takes one value, and no list".to_owned()),
        value => vec![word(argument, value)?],
    };
    check(argument, &words)?;
    let resolved = |word: String| {
        if declared::is_path(argument) && !NO_PATHS.contains(&word.as_str()) {
            file.resolve(Path::new(&word)).into_os_string()
        } else {
            word.into()
        }
    };
    Ok(words.into_iter().map(resolved).collect())
}

fn word(argument: &Arg, value: &FileValue) -> Result<String, String> {
    let is_switch = declared::is_switch(argument);
    let is_text = declared::is_path(argument) || declared::is_free_text(argument);
    match value {
        FileValue::Text(text) => Ok(text.clone()),
        FileValue::Boolean(truth) if is_switch || declared::has_optional_value(argument) => {
            Ok(truth.to_string())
        }
        FileValue::Integer(number) if !is_switch && !is_text => Ok(number.to_string()),
        _ if is_switch => Err("must be true or false".to_owned()),
        _ => Err("must be a text in quotes".to_owned()),
    }
}

/// Lets the flag's own parser judge the words.
fn check(argument: &Arg, words: &[String]) -> Result<(), String> {
    // A flag of its own, because the real one may name others that this command doesn't have.
    let mut alone = Arg::new("value")
        .long("value")
        .action(argument.get_action().clone())
        .value_parser(argument.get_value_parser().clone())
        .default_values(words);
    if let Some(delimiter) = argument.get_value_delimiter() {
        alone = alone.value_delimiter(delimiter);
    }
    if let Some(number) = argument.get_num_args() {
        alone = alone.num_args(number);
    }
    let command = Command::new("settings").no_binary_name(true).arg(alone);
    command.try_get_matches_from(Vec::<OsString>::new()).map(drop).map_err(|error| reason(&error))
}

fn reason(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        let said = source.to_string();
        return if is_predicate(&said) { said } else { format!("isn't right: {said}") };
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) => format!("must be one of {}", valid.join(", ")),
        _ => "has a value that can't be read".to_owned(),
    }
}

/// Whether what a parser says of a value goes on where the value ends, as ours do: *is no rate*.
pub(in crate::cli) fn is_predicate(said: &str) -> bool {
    matches!(said.split(' ').next(), Some("is" | "must" | "names" | "has" | "can" | "doesn't"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::ArgAction;
    use clap::builder::BoolishValueParser;

    use super::*;

    fn file() -> SettingsFile {
        SettingsFile { path: "/etc/stara/onboard.toml".into(), entries: Vec::new(), tables: Vec::new() }
    }

    fn text(text: &str) -> FileValue {
        FileValue::Text(text.to_owned())
    }

    fn words_of(argument: &Arg, value: &FileValue) -> Result<Vec<String>, String> {
        let words = words(argument, value, &file())?;
        Ok(words.into_iter().map(|word| word.into_string().unwrap()).collect())
    }

    #[test]
    fn a_value_must_be_of_the_kind_that_the_flag_takes() {
        let switch =
            Arg::new("a").long("a").action(ArgAction::SetTrue).value_parser(BoolishValueParser::new());
        let number = Arg::new("a").long("a").value_parser(clap::value_parser!(u32).range(1..=9));
        let path = Arg::new("a").long("a").value_parser(clap::value_parser!(PathBuf));
        let choice = Arg::new("a").long("a").value_parser(["text", "json"]);
        let many = Arg::new("a").long("a").action(ArgAction::Append);
        let ids = Arg::new("a").long("a").value_delimiter(',').value_parser(clap::value_parser!(u8));
        let optional = Arg::new("a").long("a").num_args(0..=1).require_equals(true);
        for (argument, value, expected) in [
            (&switch, FileValue::Boolean(true), Ok(vec!["true"])),
            (&switch, FileValue::Boolean(false), Ok(vec!["false"])),
            (&switch, text("yes"), Ok(vec!["yes"])),
            (&switch, text("perhaps"), Err("isn't right")),
            (&switch, FileValue::Integer(1), Err("must be true or false")),
            (&number, FileValue::Integer(5), Ok(vec!["5"])),
            (&number, text("5"), Ok(vec!["5"])),
            (&number, FileValue::Integer(10), Err("isn't right: 10 is not in 1..=9")),
            (&number, FileValue::Boolean(true), Err("must be a text in quotes")),
            (&number, FileValue::List(vec![text("5")]), Err("takes one value")),
            (&path, FileValue::Integer(5), Err("must be a text in quotes")),
            (&path, FileValue::Boolean(true), Err("must be a text in quotes")),
            (&path, FileValue::Other, Err("must be a text in quotes")),
            (&path, text("state/x.db"), Ok(vec!["/etc/stara/state/x.db"])),
            (&path, text("/var/x.db"), Ok(vec!["/var/x.db"])),
            (&path, text("none"), Ok(vec!["none"])),
            (&path, text("-"), Ok(vec!["-"])),
            (&path, text(""), Err("")),
            (&choice, text("json"), Ok(vec!["json"])),
            (&choice, text("xml"), Err("must be one of text, json")),
            (&many, FileValue::List(vec![text("a"), text("b,c")]), Ok(vec!["a", "b,c"])),
            (&many, FileValue::List(Vec::new()), Ok(Vec::new())),
            (&many, FileValue::List(vec![FileValue::Other]), Err("must be a text in quotes")),
            (&many, text("a"), Ok(vec!["a"])),
            (&ids, FileValue::List(vec![FileValue::Integer(3), FileValue::Integer(5)]), Ok(vec!["3", "5"])),
            (&ids, text("3,5"), Ok(vec!["3,5"])),
            (&ids, text("3,x"), Err("isn't right")),
            (&optional, FileValue::Boolean(true), Ok(vec!["true"])),
            (&optional, text("storm"), Ok(vec!["storm"])),
        ] {
            match (words_of(argument, &value), expected) {
                (Ok(words), Ok(expected)) => assert_eq!(words, expected, "{argument:?}"),
                (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{reason:?} {expected:?}"),
                (words, expected) => panic!("{words:?} instead of {expected:?}: {argument:?}"),
            }
        }
    }
}
