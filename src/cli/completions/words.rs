//! The words that an argument takes, and which arguments are files.

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, Command, ValueHint};

use crate::cli::exit_code::ExitCode;
use crate::cli::explain;
use crate::model::Dialect;
use crate::sandbox::{Fault, Profile};
use crate::ui::Progress;

/// The program, all of whose arguments tell what they take. It is good for completing only: whatever is written otherwise
/// than the words is still right for the real one.
pub(super) fn known(program: Command) -> Command {
    let told = program.mut_args(|argument| tell("", argument));
    told.mut_subcommands(known_verb)
}

fn known_verb(verb: Command) -> Command {
    let name = verb.get_name().to_owned();
    verb.mut_args(|argument| tell(&name, argument)).mut_subcommands(known_verb)
}

/// Every argument of every verb, beside the verb's own name.
pub(super) fn arguments(program: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let verbs = program.get_subcommands().flat_map(|verb| {
        let below = verb.get_subcommands();
        std::iter::once(verb).chain(below)
    });
    verbs.flat_map(|verb| verb.get_arguments().map(|argument| (verb.get_name(), argument)))
}

fn tell(verb: &str, argument: Arg) -> Arg {
    let takes_value = argument.get_action().takes_values();
    if !takes_value || !argument.get_possible_values().is_empty() {
        return argument;
    }
    let words = of(verb, &argument);
    if !words.is_empty() {
        return argument.value_parser(PossibleValuesParser::new(words));
    }
    let is_path = argument.get_value_parser().type_id() == ValueParser::path_buf().type_id();
    argument.value_hint(if is_path { ValueHint::FilePath } else { ValueHint::Other })
}

/// What stands for an argument that isn't free text. A value may be more than these words: a rate, or several codes.
fn of(verb: &str, argument: &Arg) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (verb, argument.get_id().as_str()) {
        ("explain", "code") => explain::codes().filter(|code| code.len() > 1 || is_number(code)).collect(),
        (_, "exit_zero_on") => {
            let numbers = ExitCode::ALL.map(|code| code.number().to_string()).into_iter();
            numbers.filter(|number| is_accepted(argument, number)).collect()
        }
        (_, "fault") => owned(Fault::NAMES),
        (_, "sandbox" | "profile") => owned(&Profile::ALL.map(Profile::as_str)),
        (_, "progress") => owned(&Progress::ALL.map(Progress::as_str)),
        (_, "stara_dialect") => owned(&[Dialect::Json, Dialect::Form].map(Dialect::as_str)),
        (_, "stara_rate" | "leaf_rate") => owned(&["auto", "none"]),
        (_, "precheck") => owned(&["auto", "list", "row", "off"]),
        (_, "look") => owned(&["auto", "list", "row"]),
        (_, "on_existing") => owned(&["keep", "replace", "fail"]),
        (_, "second_attach") => owned(&["409", "400", "replace", "second-object"]),
        (_, "format") => owned(&["csv", "parquet"]),
        (_, "encoding") => owned(&["utf-8", "utf-16", "windows-1252"]),
        (_, "accept") => owned(&["all"]),
        _ => Vec::new(),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the argument's own parser takes the word.
fn is_accepted(argument: &Arg, word: &str) -> bool {
    let name = "judge";
    let judged = Arg::new(name).value_parser(argument.get_value_parser().clone());
    Command::new(name).arg(judged).try_get_matches_from([name, word]).is_ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    /// What the value of a flag with a few words to choose from is called.
    const CHOICES: [&str; 6] = ["HOW", "WHAT", "FORMAT", "PROFILE", "DIALECT", "ENCODING"];

    #[test]
    fn every_word_that_is_offered_is_taken() {
        let program = Cli::command();
        let mut count = 0;
        for (verb, argument) in arguments(&program) {
            for word in of(verb, argument) {
                assert!(is_accepted(argument, &word), "{verb} {}: {word}", argument.get_id());
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }

    #[test]
    fn whoever_must_choose_is_told_of_what() {
        let program = known(Cli::command());
        let mut count = 0;
        for (verb, argument) in
            arguments(&program).filter(|(_, argument)| argument.get_action().takes_values())
        {
            let names = argument.get_value_names().unwrap_or_default();
            if names.iter().any(|name| CHOICES.contains(&name.as_str())) {
                assert!(!argument.get_possible_values().is_empty(), "{verb} {}", argument.get_id());
                count += 1;
            }
        }
        assert!(count > 15, "{count}");
    }

    #[test]
    fn all_the_words_that_the_help_of_a_choice_names_are_offered() {
        let program = Cli::command();
        for (id, words) in
            [("precheck", 4), ("look", 3), ("on_existing", 3), ("progress", 5), ("exit_zero_on", 8)]
        {
            let found: Vec<_> = arguments(&program).filter(|(_, argument)| argument.get_id() == id).collect();
            assert!(!found.is_empty(), "{id}");
            for (verb, argument) in found {
                let (help, offered) = (argument.get_help().unwrap().to_string(), of(verb, argument));
                assert_eq!(offered.len(), words, "{id}");
                for word in offered {
                    assert!(help.contains(&word), "{word} isn't in {help}");
                }
            }
        }
    }
}
