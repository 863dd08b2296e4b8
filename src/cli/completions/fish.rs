//! What fish needs beyond the script that clap makes.

use std::fmt::Write as _;

use clap::Command;

use super::words;

/// The words of arguments without a flag, which clap's script leaves out.
pub(super) fn further(program: &Command, name: &str) -> String {
    let condition = format!("__fish_{}_using_subcommand", name.replace('-', "_"));
    let mut text = String::new();
    for (verb, argument) in words::arguments(program).filter(|(_, argument)| argument.is_positional()) {
        let words = argument.get_possible_values();
        let words: Vec<&str> = words.iter().map(clap::builder::PossibleValue::get_name).collect();
        if !words.is_empty() {
            // Writing into a string can't fail.
            let _ =
                writeln!(text, "complete -c {name} -n \"{condition} {verb}\" -f -a \"{}\"", words.join(" "));
        }
    }
    text
}
