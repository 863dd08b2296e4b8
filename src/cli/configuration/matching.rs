//! What clap makes of a command line, with a settings file behind it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};

use super::DeclaredVerb;
use super::declared;
use super::inject::{self, FileDefaults};

/// What is said without the file. What is required may be missing, for the file may hold it, and settings can be shown
/// without it.
///
/// # Errors
///
/// When it makes no sense whatever the file holds, or asks for help.
pub(super) fn without_file(program: &Command, words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    match program.clone().try_get_matches_from(words) {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            program.clone().ignore_errors(true).try_get_matches_from(words)
        }
        matches => matches,
    }
}

/// What is said with what the file holds for a verb.
///
/// # Errors
///
/// When something is missing that the file doesn't hold either, unless settings are only to be shown.
pub(super) fn with_file(
    program: &Command,
    verb: DeclaredVerb<'_>,
    words: &[OsString],
    defaults: &FileDefaults,
    may_lack: bool,
) -> Result<ArgMatches, clap::Error> {
    let program = inject::inject(program.clone(), &verb.path(), defaults);
    match program.clone().try_get_matches_from(words) {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            // To clap, nothing that it has for a default is there where another flag requires it.
            let words = with_words_for(&missing(&error), verb, words, defaults);
            match program.clone().try_get_matches_from(&words) {
                Err(error) if may_lack && error.kind() == ErrorKind::MissingRequiredArgument => {
                    without_file(&program, &words)
                }
                matches => matches,
            }
        }
        matches => matches,
    }
}

/// The long names of what clap misses.
fn missing(error: &clap::Error) -> Vec<String> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return Vec::new() };
    let name = |usage: &String| Some(usage.strip_prefix("--")?.split([' ', '=', '[']).next()?.to_owned());
    missing.iter().filter_map(name).collect()
}

/// The words, and those that say what the file holds for these flags.
fn with_words_for(
    names: &[String],
    verb: DeclaredVerb<'_>,
    words: &[OsString],
    defaults: &FileDefaults,
) -> Vec<OsString> {
    let is_missing = |argument: &&Arg| names.iter().any(|name| argument.get_long() == Some(name));
    let mut further = Vec::new();
    for argument in verb.settings().filter(is_missing) {
        let Some(default) = defaults.get(argument.get_id().as_str()) else { continue };
        let flag = OsString::from(format!("--{}", argument.get_long().unwrap_or_default()));
        for value in &default.words {
            let mut word = flag.clone();
            if !declared::is_switch(argument) {
                word.push("=");
                word.push(value);
            }
            // A switch that the file turns off isn't there.
            if !declared::is_switch(argument) || value == "true" {
                further.push(word);
            }
        }
    }
    let end_of_flags = words.iter().position(|word| word == "--").unwrap_or(words.len());
    [&words[..end_of_flags], &further, &words[end_of_flags..]].concat()
}
