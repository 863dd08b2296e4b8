//! The flags that name the ledger of a whole manifest, or those of all its shards.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::settings::StateFlags;

/// What `--state` says here, where it may name several.
const HELP: &str = "The ledger, or the ledgers of all shards, which are read as one (repeatable; several may stand behind one \
                    --state, as from a pattern) [default: state/ledger.db; state/sandbox.db with --sandbox]";

/// Which ledgers are read: the flags of every verb with a ledger, but that `--state` may name several.
#[derive(Debug, Clone)]
pub(in crate::cli) struct LedgerFlags {
    /// The first ledger, which is the only one elsewhere.
    pub(in crate::cli) first: StateFlags,
    /// What else stands behind `--state`.
    more: Vec<PathBuf>,
}

impl LedgerFlags {
    /// The paths of the ledgers, and what else stands among them by what `is_other` says: clap takes every word behind
    /// `--state FILE` for another ledger, even where a shell put the ledgers there for a pattern and something follows them.
    pub(in crate::cli) fn paths(
        &self,
        is_sandbox: bool,
        is_other: impl Fn(&Path) -> bool,
    ) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let (others, more): (Vec<_>, Vec<_>) = self.more.iter().cloned().partition(|path| is_other(path));
        (std::iter::once(self.first.path(is_sandbox)).chain(more).collect(), others)
    }
}

impl Args for LedgerFlags {
    fn augment_args(command: Command) -> Command {
        StateFlags::augment_args(command).mut_arg("state", several)
    }

    fn augment_args_for_update(command: Command) -> Command {
        StateFlags::augment_args_for_update(command).mut_arg("state", several)
    }
}

fn several(state: Arg) -> Arg {
    state.action(ArgAction::Append).num_args(1..).help(HELP)
}

impl FromArgMatches for LedgerFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let named = matches.get_many::<PathBuf>("state").unwrap_or_default();
        Ok(Self { first: StateFlags::from_arg_matches(matches)?, more: named.skip(1).cloned().collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(words: &str) -> (String, String) {
        let command = LedgerFlags::augment_args(Command::new("report").no_binary_name(true))
            .arg(Arg::new("files").value_parser(clap::value_parser!(PathBuf)).num_args(0..));
        let matches = command.try_get_matches_from(words.split_whitespace()).unwrap();
        let is_other = |path: &Path| path.extension().is_some_and(|ending| ending == "csv");
        let (ledgers, others) = LedgerFlags::from_arg_matches(&matches).unwrap().paths(false, is_other);
        let shown = |paths: Vec<PathBuf>| -> String {
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        (shown(ledgers), shown(others))
    }

    #[test]
    fn what_follows_the_ledgers_is_told_from_them_but_never_the_first() {
        for (words, ledgers, others) in [
            ("", "state/ledger.db", ""),
            ("out.csv", "state/ledger.db", ""),
            ("--state a.db", "a.db", ""),
            ("out.csv --state a.db", "a.db", ""),
            ("--state a.db out.csv", "a.db", "out.csv"),
            ("--state a.db b.db out.csv c.csv", "a.db b.db", "out.csv c.csv"),
            ("--state a.db --state b.db c.db -- out.csv", "a.db b.db c.db", ""),
            ("--state a.csv", "a.csv", ""),
        ] {
            assert_eq!(paths(words), (ledgers.to_owned(), others.to_owned()), "{words}");
        }
    }
}
