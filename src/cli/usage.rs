//! The usage line of each verb, the same in its help and beside an error.

use clap::Command;

/// The program, whose errors show the usage of a verb as its help does. Clap's own line beside an error names every flag that the
/// environment sets, as if it had been typed and had to be.
pub(super) fn with_plain_usage(program: Command) -> Command {
    let mut built = program.clone();
    built.build();
    plain(program, &built)
}

fn plain(command: Command, built: &Command) -> Command {
    command.mut_subcommands(|verb| {
        let Some(below) = built.find_subcommand(verb.get_name()) else { return verb };
        let usage = below.clone().render_usage().to_string();
        let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
        plain(verb, below).override_usage(usage)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::arguments::Cli;

    #[test]
    fn an_error_shows_the_usage_of_the_help() {
        let program = with_plain_usage(Cli::command());
        let words = ["stara-onboard", "run", "--leaf-url", "http://leaf.example", "--repair"];
        let error = program.try_get_matches_from(words).unwrap_err().to_string();
        assert!(error.contains("\nUsage: stara-onboard run [OPTIONS] <MANIFEST>\n"), "{error}");
        let program = with_plain_usage(Cli::command());
        let error =
            program.try_get_matches_from(["stara-onboard", "state", "forget"]).unwrap_err().to_string();
        assert!(error.contains("\nUsage: stara-onboard state forget [OPTIONS] <ID>...\n"), "{error}");
    }
}
