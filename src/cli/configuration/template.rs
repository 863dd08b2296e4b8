//! The settings file that `init` writes, from the command line's own declarations.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::declared::{self, DeclaredVerb};
use super::locate::DEFAULT_FILE;
use super::value;
use crate::settings::{FileValue, SettingsFile};

/// How wide a comment is, in characters.
const WIDTH: usize = 100;

/// An example of each notation that the help uses for values.
const EXAMPLES: [(&str, &str); 15] = [
    ("TIME", "8h"),
    ("RATE", "10/s"),
    ("N", "100"),
    ("N|P%", "10%"),
    ("ID", "2e416788-f5ec-42ed-8108-847512e1bc76"),
    ("FORMAT", "csv"),
    ("CHARACTER", ";"),
    ("ENCODING", "utf-8"),
    ("FIELD=HEADER", "login=Usuario"),
    ("HEADER", "email"),
    ("CODES", "3"),
    ("HOW", "auto"),
    ("DIALECT", "json"),
    ("URL", "https://localhost"),
    ("I/N|auto/N", "auto/8"),
];

/// A setting as the file shows it.
struct Entry<'a> {
    argument: &'a Arg,
    verbs: Vec<String>,
    /// What holds without it, with the verbs for which it does; mostly one.
    defaults: Vec<(String, Vec<String>)>,
}

/// The settings that stand under one heading of the help.
struct Group<'a> {
    heading: &'a str,
    entries: Vec<Entry<'a>>,
}

/// The whole file. Each line that begins with `#` and a letter is a setting that is switched off.
pub(super) fn template(program: &Command) -> String {
    let mut text = format!(
        "# Settings of stara-onboard, read as ./{DEFAULT_FILE}, or as the file that --config FILE names.\n#\n\
         # Take away the # before a key to set it. The values are the defaults, or examples where there is none.\n\
         # Flags win over environment variables, these over this file, and this file over the defaults.\n\
         # Relative paths are meant from this file's folder. No secret belongs here: Leaf's token and its kin come\n\
         # from the environment, or from leaf-token-file.\n\
         # `stara-onboard run --show-settings` says what is set, and where.\n"
    );
    for Group { heading, entries } in groups(program) {
        // Writing into a string can't fail.
        let _ = write!(text, "\n# ---- {heading} ----\n");
        for entry in entries {
            text.push('\n');
            entry.write(&mut text);
        }
    }
    let tables: Vec<String> = DeclaredVerb::all(program)
        .into_iter()
        .filter(|verb| verb.settings().next().is_some())
        .map(|verb| format!("[{}]", verb.table()))
        .collect();
    let mut of_one_call: Vec<String> = Vec::new();
    for flag in DeclaredVerb::all(program).into_iter().flat_map(DeclaredVerb::flags_of_one_call) {
        let (Some(long), Some(variable)) = (flag.get_long(), declared::variable(flag)) else { continue };
        let shown = format!("--{long} ({variable})");
        if !of_one_call.contains(&shown) {
            of_one_call.push(shown);
        }
    }
    text.push_str("\n# ---- One call ----\n\n");
    comment(
        &mut text,
        &format!(
            "What is meant for one call may not stand here, but on the command line or in the environment: {}.",
            of_one_call.join(", ")
        ),
    );
    text.push_str("\n# ---- One verb ----\n\n");
    comment(
        &mut text,
        &format!(
            "What is meant for one verb only stands under its name, below all that is meant for all, and wins over it: {}. \
             A name that is a setting too, as report, can't be both in one file.",
            tables.join(", ")
        ),
    );
    text
}

/// Every setting once, under the heading under which the help shows it first.
fn groups(program: &Command) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for verb in DeclaredVerb::all(program) {
        for argument in verb.settings() {
            let name = verb.path().join(" ");
            let default = declared::default_of(argument).unwrap_or_else(|| nothing(argument).to_owned());
            let key = argument.get_long();
            let mut known = groups.iter_mut().flat_map(|group| &mut group.entries);
            if let Some(entry) = known.find(|entry| entry.argument.get_long() == key) {
                entry.verbs.push(name.clone());
                match entry.defaults.iter_mut().find(|(known, _)| *known == default) {
                    Some((_, verbs)) => verbs.push(name),
                    None => entry.defaults.push((default, vec![name])),
                }
                continue;
            }
            let entry = Entry { argument, verbs: vec![name.clone()], defaults: vec![(default, vec![name])] };
            let heading = argument.get_help_heading().unwrap_or("General");
            match groups.iter_mut().find(|group| group.heading == heading) {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group { heading, entries: vec![entry] }),
            }
        }
    }
    groups
}

fn nothing(argument: &Arg) -> &'static str {
    if declared::is_switch(argument) { "false" } else { "not set" }
}

impl Entry<'_> {
    fn write(&self, text: &mut String) {
        let help = declared::help_of(self.argument);
        let help = help.split_once("[default: ").map_or(help.as_str(), |(help, _)| help.trim_end());
        comment(text, &format!("{help}."));
        let defaults: Vec<String> = match self.defaults.as_slice() {
            [(default, _)] => vec![default.clone()],
            several => {
                several.iter().map(|(default, verbs)| format!("{default} ({})", verbs.join(", "))).collect()
            }
        };
        let variable = declared::variable(self.argument).unwrap_or_default();
        comment(
            text,
            &format!(
                "Default: {}. Environment: {variable}. Verbs: {}.",
                defaults.join("; "),
                self.verbs.join(", ")
            ),
        );
        let key = self.argument.get_long().unwrap_or_default();
        if let Some(example) = example(self.argument) {
            // Writing into a string can't fail.
            let _ = writeln!(text, "#{key} = {example}");
        }
    }
}

/// A value as TOML: the default where there is one that can be written, else one that its own parser accepts.
fn example(argument: &Arg) -> Option<String> {
    if declared::is_switch(argument) {
        return Some("false".to_owned());
    }
    if declared::has_optional_value(argument) && is_accepted(argument, &FileValue::Boolean(false)) {
        return Some("false".to_owned());
    }
    let own_default = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    // The help may tell of more than one, `auto; none with --sandbox`, or leave a name open, `state/<manifest>.csv`.
    let told_default = declared::default_of(argument)
        .filter(|text| !text.contains('<'))
        .and_then(|text| text.split(';').next().map(ToOwned::to_owned));
    let path =
        declared::is_path(argument).then(|| format!("path/to/{}", argument.get_long().unwrap_or_default()));
    let value_name = argument.get_value_names().and_then(|names| names.first());
    let is_named = |name: &str| value_name.is_some_and(|value_name| value_name.as_str() == name);
    let named = EXAMPLES.iter().filter(|(name, _)| is_named(name)).map(|(_, example)| (*example).to_owned());
    let any = EXAMPLES.iter().map(|(_, example)| (*example).to_owned());
    let mut candidates = own_default.into_iter().chain(told_default).chain(path).chain(named).chain(any);
    candidates.find_map(|word| as_toml(argument, &word))
}

/// The word as a value that the setting takes, a number as a number where it may be one.
fn as_toml(argument: &Arg, word: &str) -> Option<String> {
    let number = word.parse().ok().map(FileValue::Integer);
    let text = Some(FileValue::Text(word.to_owned()));
    let value = [number, text].into_iter().flatten().find(|value| is_accepted(argument, value))?;
    let written = match value {
        FileValue::Integer(number) => number.to_string(),
        _ => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    Some(if declared::is_repeatable(argument) { format!("[{written}]") } else { written })
}

fn is_accepted(argument: &Arg, value: &FileValue) -> bool {
    let file = SettingsFile { path: DEFAULT_FILE.into(), entries: Vec::new(), tables: Vec::new() };
    value::words(argument, value, &file).is_ok()
}

/// Writes prose, wrapped between words.
fn comment(text: &mut String, prose: &str) {
    let mut width = 0;
    for word in prose.split_whitespace() {
        if width == 0 || width + 1 + word.chars().count() > WIDTH {
            text.push_str(if width == 0 { "#" } else { "\n#" });
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += 1 + word.chars().count();
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;
    use proptest::prelude::*;

    use super::super::declared::vocabulary;
    use super::super::inject::judge;
    use super::*;
    use crate::cli::Cli;
    use crate::settings::{FileError, Refused};

    fn judged(text: &str) -> Vec<Refused> {
        let program = Cli::command();
        let file = SettingsFile::parse(Path::new(DEFAULT_FILE), text).unwrap();
        judge(&program, &vocabulary(&program), &file)
    }

    fn switched_on(template: &str) -> String {
        let switch_on = |line| match str::strip_prefix(line, "#") {
            Some(setting) if setting.starts_with(|letter: char| letter.is_ascii_lowercase()) => setting,
            _ => line,
        };
        template.lines().flat_map(|line| [switch_on(line), "\n"]).collect()
    }

    #[test]
    fn the_file_is_accepted_as_it_is_and_with_every_setting_switched_on() {
        let template = template(&Cli::command());
        assert_eq!(judged(&template), []);
        let switched_on = switched_on(&template);
        assert_ne!(switched_on, template);
        assert_eq!(judged(&switched_on), []);
    }

    #[test]
    fn every_setting_stands_in_the_file_once_with_a_value() {
        let program = Cli::command();
        let template = template(&program);
        for verb in DeclaredVerb::all(&program) {
            for argument in verb.settings() {
                let key = argument.get_long().unwrap();
                let line = format!("\n#{key} = ");
                assert_eq!(
                    template.matches(&line).count(),
                    1,
                    "{key}: its notation may lack an example in EXAMPLES"
                );
                assert!(template.contains(&declared::variable(argument).unwrap()), "{key}");
            }
        }
        assert!(template.lines().all(|line| line.chars().count() <= 110), "{template}");
    }

    #[test]
    fn a_switch_that_may_take_a_word_stands_there_switched_off() {
        let words = clap::builder::PossibleValuesParser::new(["true", "false", "storm"]);
        let trial = Arg::new("trial").long("trial").num_args(0..=1).value_parser(words);
        assert_eq!(example(&trial).as_deref(), Some("false"));
    }

    proptest! {
        #[test]
        fn whatever_befalls_the_file_it_is_judged_or_refused_by_a_line_that_it_has(
            slips in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3_u8), 1..8),
        ) {
            let program = Cli::command();
            let mut text: Vec<char> = switched_on(&template(&program)).chars().collect();
            for (place, letter, kind) in slips {
                let place = place.index(text.len());
                match kind {
                    0 => text[place] = letter,
                    1 => text.insert(place, letter),
                    _ => drop(text.remove(place)),
                }
            }
            let text: String = text.into_iter().collect();
            let lines = text.matches('\n').count() + 1;
            match SettingsFile::parse(Path::new(DEFAULT_FILE), &text) {
                Ok(file) => {
                    let refused = judge(&program, &vocabulary(&program), &file);
                    prop_assert!(refused.iter().all(|refused| (1..=lines).contains(&refused.line)));
                }
                Err(FileError::Syntax { line, .. }) => prop_assert!((1..=lines).contains(&line)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }
}
