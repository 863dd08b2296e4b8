//! Environment variables that look like ours and are none: a slip there is as bad as one in the file.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::Command;

use super::DeclaredVerb;
use super::declared;
use crate::settings::{SECRETS, closest};

/// Before the names of all variables that are ours alone.
const PREFIX: &str = "STARA_ONBOARD_";

/// Before the names of ours and of the services' own variables, and of others that are none of our business.
const SHARED_PREFIXES: [&str; 2] = ["STARA_", "LEAF_"];

/// What is wrong with these variables, in the order of their names.
pub(super) fn warnings(program: &Command, names: impl Iterator<Item = OsString>) -> Vec<String> {
    let flags = || {
        let verbs = DeclaredVerb::all(program).into_iter();
        verbs.flat_map(DeclaredVerb::flags).chain(program.get_arguments())
    };
    // Many flags stand under several verbs.
    let known: BTreeSet<String> =
        flags().filter_map(declared::variable).chain(SECRETS.map(|secret| secret.name.to_owned())).collect();
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    let mut warnings = Vec::new();
    for name in names.iter().filter(|name| may_be_meant_for_us(name) && !known.contains(*name)) {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            // Other variables may have names like the services' own. It is a slip where the right one is missing.
            let nearest = closest(name, known.iter().map(String::as_str));
            if let Some(near) = nearest.filter(|near| !names.iter().any(|name| name == near)) {
                warnings.push(format!("the environment variable {name} sets nothing; did you mean {near}?"));
            }
            continue;
        };
        let key = rest.replace('_', "-").to_ascii_lowercase();
        let of_flag = flags().find(|argument| argument.get_long() == Some(key.as_str()));
        let nearest = closest(rest, known.iter().filter_map(|known| known.strip_prefix(PREFIX)));
        let help = match (of_flag.map(declared::variable), nearest) {
            (Some(Some(variable)), _) => format!("did you mean {variable}?"),
            (Some(None), _) => format!("--{key} is a flag of one call"),
            (None, Some(near)) => format!("did you mean {PREFIX}{near}?"),
            (None, None) => "no flag is called so".to_owned(),
        };
        warnings.push(format!("the environment variable {name} sets nothing; {help}"));
    }
    warnings
}

/// Whether a variable could be a slip for one of ours. In a pod there are several variables for each service of its
/// namespace, thousands in all, and to compare one with all of ours takes longer than anything else at the start.
fn may_be_meant_for_us(name: &str) -> bool {
    SHARED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn warned(names: &[&str]) -> Vec<String> {
        warnings(&Cli::command(), names.iter().map(OsString::from))
    }

    #[test]
    fn every_variable_that_there_is_passes() {
        let program = Cli::command();
        let verbs = DeclaredVerb::all(&program).into_iter().flat_map(DeclaredVerb::flags);
        let names: Vec<String> = verbs.filter_map(declared::variable).collect();
        assert!(names.iter().any(|name| name == "STARA_ONBOARD_LEAF_RATE"), "{names:?}");
        let secrets = SECRETS.map(|secret| secret.name);
        let others = ["PATH", "STARA_ONBOARD_CONFIG", "LEAF_BLOWER", "LEAFLET", "STARA", "STARA_FARM_ID"];
        let all: Vec<&str> = names.iter().map(String::as_str).chain(secrets).chain(others).collect();
        assert_eq!(warned(&all), Vec::<String>::new());
        // A second token beside the first is no slip.
        assert_eq!(warned(&["LEAF_TOKEN", "LEAF_TOKEN2"]), Vec::<String>::new());
    }

    #[test]
    fn a_slip_is_told_with_the_right_name() {
        for (name, told) in [
            ("STARA_ONBOARD_LEAF_RAT", "did you mean STARA_ONBOARD_LEAF_RATE?"),
            ("STARA_ONBOARD_LEAF_URL", "did you mean LEAF_URL?"),
            ("STARA_ONBOARD_YES", "--yes is a flag of one call"),
            ("STARA_ONBOARD_COLOUR", "no flag is called so"),
            ("LEAF_TOKN", "did you mean LEAF_TOKEN?"),
            ("STARA_ULR", "did you mean STARA_URL?"),
        ] {
            let warned = warned(&[name]);
            assert!(warned.len() == 1 && warned[0].contains(name) && warned[0].contains(told), "{warned:?}");
        }
    }
}
