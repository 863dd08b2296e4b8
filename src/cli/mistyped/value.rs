//! Values that a flag or a variable can't have.

use std::error::Error as _;

use clap::error::ContextKind;

use super::asked::{Asked, plain_name};
use super::blame::Origin;
use super::words::{Told, text};
use crate::cli::configuration::is_predicate;
use crate::sandbox::Fault;
use crate::settings::closest;

/// Tells of a value that can't be used, as the variable's that holds it or as the flag's.
pub(super) fn invalid(error: &clap::Error, asked: &Asked<'_>, origin: &Origin) -> Option<Told> {
    let shown = text(error, ContextKind::InvalidArg)?;
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let place = match origin {
        Origin::Environment(variables) => variables.join(" and "),
        Origin::CommandLine => plain_name(&shown),
    };
    let choices = choices_of(error);
    if value.is_empty() && error.source().is_none() {
        return Some((format!("{place} has no value"), with_choices(&choices, asked)));
    }
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let (complaint, cure) = match said.split_once(": write ") {
        Some((complaint, cure)) => (complaint.to_owned(), Some(format!("write {cure}"))),
        None => (said, None),
    };
    let what = match complaint.as_str() {
        "" => format!("{place} can't be {value:?}"),
        "value was not a boolean" => format!("{place} can't be {value:?}: it is neither true nor false"),
        "invalid digit found in string" => format!("{place} can't be {value:?}: it is no whole number"),
        "number too large to fit in target type" => format!("{place} can't be {value:?}: it is too large"),
        complaint if is_predicate(complaint) => format!("{place} can't be {value:?}: it {complaint}"),
        complaint => format!("{place} can't be {value:?}: {complaint}"),
    };
    let hint = cure.unwrap_or_else(|| with_choices(&choices, asked));
    let faults = if shown.starts_with("--fault") { Fault::NAMES } else { &[] };
    let candidates = faults
        .iter()
        .copied()
        .chain(choices.iter().map(String::as_str))
        .chain(words_of(&hint))
        .chain(words_of(&complaint));
    let nearest = nearest(&value, candidates);
    Some((what, nearest.map_or(hint.clone(), |near| format!("did you mean {near}? {hint}"))))
}

/// What clap would have taken.
fn choices_of(error: &clap::Error) -> Vec<String> {
    match error.get(ContextKind::ValidValue) {
        Some(clap::error::ContextValue::Strings(choices)) => choices.clone(),
        _ => Vec::new(),
    }
}

fn with_choices(choices: &[String], asked: &Asked<'_>) -> String {
    if choices.is_empty() { asked.help() } else { format!("write {}; {}", choices.join(", "), asked.help()) }
}

/// The words of a list of choices.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let is_choice =
        |word: &&str| word.len() > 2 && word.chars().all(|letter| letter.is_alphabetic() || letter == '-');
    text.split([' ', ',', ';']).filter(is_choice)
}

/// The choice that was meant, for the part before an equals sign or colon as well: `logn=HEADER`, `reply-lots:20%`.
fn nearest<'a>(value: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.filter(|word| *word != value).collect();
    // A part that is right as it stands isn't what was mistyped.
    let parts = value.split(['=', ':']).filter(|part| part.len() > 2 && !candidates.contains(part));
    [value].into_iter().chain(parts).find_map(|part| {
        let by_case = candidates.iter().copied().find(|word| word.eq_ignore_ascii_case(part));
        by_case.or_else(|| closest(&part.to_ascii_lowercase(), candidates.iter().copied()))
    })
}
