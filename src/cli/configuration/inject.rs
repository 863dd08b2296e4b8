//! Values of the file as clap's defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::DeclaredVerb;
use super::value;
use crate::settings::{Complaint, FileEntry, FileValue, Refused, SettingsFile, Vocabulary};

/// A value of the file for one flag of a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileDefault {
    /// Its words.
    pub(super) words: Vec<OsString>,
    /// The line of the file.
    pub(super) line: usize,
}

/// By the flag's id.
pub(super) type FileDefaults = BTreeMap<String, FileDefault>;

/// What is wrong with a file for any verb: its keys, its tables, and each value by itself.
pub(super) fn judge(program: &Command, vocabulary: &Vocabulary, file: &SettingsFile) -> Vec<Refused> {
    let mut refused = vocabulary.judge(file);
    let verbs = DeclaredVerb::all(program);
    for entry in &file.entries {
        let of_entry =
            |verb: &&DeclaredVerb<'_>| entry.table.as_ref().is_none_or(|table| *table == verb.table());
        let judged: Vec<_> = verbs
            .iter()
            .filter(of_entry)
            .filter_map(|verb| Some((verb, verb.setting(&entry.key)?)))
            .map(|(verb, argument)| (verb.table(), value::words(argument, &entry.value, file)))
            .collect();
        let is_right_for_some = judged.iter().any(|(_, words)| words.is_ok());
        if let Some((table, Err(reason))) = judged.into_iter().find(|(_, words)| words.is_err()) {
            let verb = is_right_for_some.then_some(table);
            let complaint = Complaint::BadValue { key: entry.key.clone(), reason, verb };
            refused.push(Refused { line: entry.line, complaint });
        }
    }
    for found in verbs.into_iter().flat_map(|verb| conflicts(verb, file)) {
        if !refused.contains(&found) {
            refused.push(found);
        }
    }
    refused.sort_by_key(|refused| refused.line);
    refused
}

/// What the file says for a verb, where the command line and the environment don't rule it out. A file that [`judge`] finds
/// fault with must not come here.
pub(super) fn defaults(verb: DeclaredVerb<'_>, file: &SettingsFile, matches: &ArgMatches) -> FileDefaults {
    let is_said = |other: &Arg| {
        let source = matches.value_source(other.get_id().as_str());
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    let mut defaults = FileDefaults::new();
    for (argument, entry) in entries(verb, file) {
        if verb.command.get_arguments().any(|other| rules_out(verb, argument, other) && is_said(other)) {
            continue;
        }
        if let Ok(words) = value::words(argument, &entry.value, file) {
            defaults.insert(argument.get_id().to_string(), FileDefault { words, line: entry.line });
        }
    }
    defaults
}

/// The program, in which the verb of this path has these defaults.
pub(super) fn inject(command: Command, path: &[&str], defaults: &FileDefaults) -> Command {
    match path.split_first() {
        Some((name, rest)) => command.mut_subcommand(*name, |below| inject(below, rest, defaults)),
        None => defaults.iter().fold(command, |command, (id, default)| {
            command.mut_arg(id, |argument| argument.default_values(&default.words))
        }),
    }
}

/// The entries that hold for a verb: for each of its settings the one under its own table, else the one at the top.
fn entries<'a>(
    verb: DeclaredVerb<'a>,
    file: &'a SettingsFile,
) -> impl Iterator<Item = (&'a Arg, &'a FileEntry)> {
    let table = verb.table();
    verb.settings().filter_map(move |argument| {
        let of_key = || file.entries.iter().filter(|entry| argument.get_long() == Some(entry.key.as_str()));
        let own = of_key().find(|entry| entry.table.as_ref() == Some(&table));
        own.or_else(|| of_key().find(|entry| entry.table.is_none())).map(|entry| (argument, entry))
    })
}

/// The pairs of entries of which one verb can only have one.
fn conflicts(verb: DeclaredVerb<'_>, file: &SettingsFile) -> Vec<Refused> {
    let is_on = |entry: &FileEntry| entry.value != FileValue::Boolean(false);
    let entries: Vec<_> = entries(verb, file).filter(|(_, entry)| is_on(entry)).collect();
    let mut found = Vec::new();
    for (place, (argument, entry)) in entries.iter().enumerate() {
        for (other_argument, other) in &entries[..place] {
            if rules_out(verb, argument, other_argument) {
                let line = entry.line.max(other.line);
                let complaint = Complaint::Conflict { key: entry.key.clone(), other: other.key.clone() };
                found.push(Refused { line, complaint });
            }
        }
    }
    found
}

/// Whether the verb takes only one of them, whichever of them says so.
fn rules_out(verb: DeclaredVerb<'_>, one: &Arg, other: &Arg) -> bool {
    let says = |one: &Arg, other: &Arg| {
        verb.command.get_arg_conflicts_with(one).iter().any(|ruled_out| ruled_out.get_id() == other.get_id())
    };
    one.get_id() != other.get_id() && (says(one, other) || says(other, one))
}

#[cfg(test)]
mod tests;
