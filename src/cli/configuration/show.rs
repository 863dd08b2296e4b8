//! `--show-settings`: each setting of a verb, its value, and where that comes from.

use std::fmt::Write as _;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use url::Url;

use super::DeclaredVerb;
use super::declared;
use super::inject::FileDefaults;
use crate::settings::{SECRETS, SettingsFile};

/// What is shown of a verb.
pub(super) struct Shown<'a> {
    /// The verb.
    pub(super) verb: DeclaredVerb<'a>,
    /// What is said by flags and environment.
    pub(super) said: &'a ArgMatches,
    /// What flags, environment, file and defaults come to.
    pub(super) matches: &'a ArgMatches,
    /// The file, where there is one.
    pub(super) file: Option<&'a SettingsFile>,
    /// What it says for the verb.
    pub(super) defaults: &'a FileDefaults,
}

/// What stands in the place of a secret.
const MASKED: &str = "***";

/// One line of the table.
struct Line {
    setting: String,
    value: String,
    source: String,
}

impl Shown<'_> {
    /// The table; `is_set` says whether there is an environment variable of that name.
    pub(super) fn render(&self, is_set: impl Fn(&str) -> bool) -> String {
        let mut lines: Vec<Line> = self.verb.flags().map(|argument| self.line(argument)).collect();
        // Which secrets a verb heeds stands in its help and nowhere else.
        let help = self.verb.command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for secret in SECRETS.iter().filter(|secret| help.contains(secret.name)) {
            let value = if is_set(secret.name) { "set" } else { "not set" };
            lines.push(Line {
                setting: secret.name.to_owned(),
                value: value.to_owned(),
                source: "environment".to_owned(),
            });
        }
        let file = self.file.map_or_else(|| "none".to_owned(), |file| file.path.display().to_string());
        let mut text = format!("# stara-onboard {}; settings file: {file}\n", self.verb.path().join(" "));
        let width = |column: fn(&Line) -> &str| lines.iter().map(|line| column(line).chars().count()).max();
        let setting_width = width(|line| &line.setting).unwrap_or_default();
        let value_width = width(|line| &line.value).unwrap_or_default();
        for Line { setting, value, source } in &lines {
            // Writing into a string can't fail.
            let _ = writeln!(text, "{setting:<setting_width$}  {value:<value_width$}  {source}");
        }
        // What a file or a variable holds is somebody's choice, and a terminal carries out what it is told.
        text.chars()
            .map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter })
            .collect()
    }

    fn line(&self, argument: &Arg) -> Line {
        let id = argument.get_id().as_str();
        let setting = argument.get_long().unwrap_or(id).to_owned();
        let words: Vec<String> = self.matches.get_raw(id).map_or_else(Vec::new, |words| {
            words.map(|word| without_secrets(&word.to_string_lossy())).collect()
        });
        let default = self.defaults.get(id);
        let source = match (self.said.value_source(id), default, self.file) {
            (Some(ValueSource::CommandLine), ..) => "flag".to_owned(),
            (Some(ValueSource::EnvVariable), ..) => {
                format!("environment {}", declared::variable(argument).unwrap_or_default())
            }
            (_, Some(default), Some(file)) => format!("file {}:{}", file.path.display(), default.line),
            _ => "default".to_owned(),
        };
        let nothing = || match default {
            // An empty list in the file is somebody's word.
            Some(_) => None,
            None => declared::default_of(argument),
        };
        let value = match words.as_slice() {
            [] => nothing().unwrap_or_else(|| "not set".to_owned()),
            words if declared::is_repeatable(argument) => words.join(", "),
            [word, ..] => word.clone(),
        };
        Line { setting, value, source }
    }
}

/// A URL without the password that somebody may have put into it, nor the values in its query, of which one may be a token, nor its
/// fragment; any other word as it is.
fn without_secrets(word: &str) -> String {
    let Ok(mut url) = Url::parse(word) else { return word.to_owned() };
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let has_password = url.password().is_some();
    if names.is_empty() && url.fragment().is_none() && !has_password {
        return word.to_owned();
    }
    if has_password && url.set_password(Some(MASKED)).is_err() {
        return MASKED.to_owned();
    }
    if url.fragment().is_some() {
        url.set_fragment(Some(MASKED));
    }
    if !names.is_empty() {
        // A token may stand there without a name, too.
        let pairs: Vec<String> = (0..names.len()).map(|_| MASKED.to_owned()).collect();
        url.set_query(Some(&pairs.join("&")));
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_password_nor_query_of_a_url_is_shown() {
        assert_eq!(without_secrets("https://me:hunter2@leaf.example/x"), "https://me:***@leaf.example/x");
        assert_eq!(
            without_secrets("https://leaf.example/x?token=hunter2&k#s"),
            "https://leaf.example/x?***&***#***"
        );
        for word in
            ["https://leaf.example", "https://leaf.example/?", "state/ledger.db", "10/s", "auto:50/s", ""]
        {
            assert_eq!(without_secrets(word), word);
        }
    }
}
