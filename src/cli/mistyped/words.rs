//! What clap says of a command line, in our words.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::asked::Asked;
use super::blame::{Origin, blame};
use super::{flag, value, verb};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;

/// What is wrong, and what to write instead.
pub(super) type Told = (String, String);

/// Tells why these words, of which the first is the program, are no command line.
pub(in crate::cli) fn refuse(error: &clap::Error, words: &[OsString]) -> Failure {
    let asked = Asked::new(words);
    let origin = blame(error, &asked);
    let (what, hint) = told(error, &asked, &origin).unwrap_or_else(|| (first_line(error), asked.help()));
    let hint = match &origin {
        Origin::Environment(variables) => {
            format!("{hint}; it comes from the environment: correct or unset {}", variables.join(" or "))
        }
        Origin::CommandLine => hint,
    };
    Failure::new(ExitCode::Usage, anyhow::anyhow!(what), hint)
}

fn told(error: &clap::Error, asked: &Asked<'_>, origin: &Origin) -> Option<Told> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            Some(verb::unknown(&text(error, ContextKind::InvalidSubcommand)?, asked))
        }
        ErrorKind::MissingSubcommand => Some(("no verb is named".to_owned(), asked.help())),
        ErrorKind::UnknownArgument => {
            let suggested = text(error, ContextKind::SuggestedArg);
            Some(flag::unknown(&text(error, ContextKind::InvalidArg)?, suggested.as_deref(), asked))
        }
        ErrorKind::MissingRequiredArgument => {
            Some(flag::missing(&texts(error, ContextKind::InvalidArg), asked))
        }
        ErrorKind::ArgumentConflict => {
            let one = text(error, ContextKind::InvalidArg)?;
            let others = texts(error, ContextKind::PriorArg);
            Some(flag::conflict(&one, &others, asked))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => value::invalid(error, asked, origin),
        _ => None,
    }
}

/// What clap says first, without what it says of itself.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// A word of the context of an error.
pub(super) fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
