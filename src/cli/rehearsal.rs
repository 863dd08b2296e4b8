//! `--sandbox[=PROFILE]`: whether a command is a rehearsal, and against services of which kind.

use std::path::Path;
use std::str::FromStr;

use clap::Args;
use clap::builder::{BoolishValueParser, TypedValueParser as _};

use super::arguments::OnboardingFlags;
use crate::http::Rate;
use crate::onboarding::rehearsal::{REHEARSAL_SETTLE, runs_in};
use crate::pipeline::DividedRate;
use crate::sandbox::{ParseProfileError, Profile};
use crate::settings::DEFAULT_SETTLE;
use crate::ui::{Rehearsed, Totals};

/// Whether `run` and `plan` rehearse, and against what.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Rehearsal")]
pub(super) struct RehearsalFlags {
    /// Rehearse against simulated services inside this process, which know the manifest's users and logins. Alone all is
    /// well there; with =PROFILE they are clean, flaky, storm, lockout, slow, lost-replies or token-expiry. Reports and links
    /// that only a variable or the settings file names go to NAME.sandbox.csv beside the real ones, and metrics nowhere
    #[arg(long, value_name = "PROFILE", env = "STARA_ONBOARD_SANDBOX", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true)]
    sandbox: SandboxChoice,
    /// The seed of the chances in a rehearsal: which calls and rows are hit, in each run of a ledger others
    #[arg(long, value_name = "N", env = "STARA_ONBOARD_SANDBOX_SEED", default_value_t = 0)]
    sandbox_seed: u64,
}

/// Whose ledger is meant by the verbs that talk to no service.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct SandboxLedgerFlag {
    /// The ledger of rehearsals: state/sandbox.db. A profile may be named as with run, and is all the same
    #[arg(long, value_name = "PROFILE", env = "STARA_ONBOARD_SANDBOX", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true)]
    sandbox: SandboxChoice,
}

impl SandboxLedgerFlag {
    /// Whether it is the ledger of rehearsals.
    pub(super) const fn is_on(self) -> bool {
        self.sandbox.0.is_some()
    }
}

/// A rehearsal: services of which kind, and with which luck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rehearsal {
    pub(super) profile: Profile,
    pub(super) seed: u64,
}

impl RehearsalFlags {
    /// The rehearsal, if it is one.
    pub(super) fn rehearsal(self) -> Option<Rehearsal> {
        self.sandbox.0.map(|profile| Rehearsal { profile, seed: self.sandbox_seed })
    }
}

impl Rehearsal {
    /// The same with another luck for each run in this ledger: what befell a row in one run would else befall it in all,
    /// because the services are new ones each time. A ledger that can't be read says so later.
    pub(super) fn after_runs_in(self, ledger: &Path) -> Self {
        Self { seed: self.seed.wrapping_add(runs_in(ledger)), ..self }
    }

    /// What the summary tells of it, when so much was counted and no login got more refusals than that.
    pub(super) fn told(self, flags: &OnboardingFlags, totals: Totals, most_refusals: u32) -> Rehearsed {
        let OnboardingFlags { rates, rows, state, .. } = flags;
        let shard = state.shard();
        Rehearsed {
            profile: self.profile.as_str(),
            rates: [rates.stara_rate, rates.leaf_rate]
                .map(|rate| DividedRate { whole: rate.unwrap_or(Rate::AUTO), shard }),
            concurrency: shard
                .map_or(rates.concurrency.into(), |shard| shard.share_of(rates.concurrency.into()).max(1)),
            settle: rows.limits.settle.unwrap_or(REHEARSAL_SETTLE),
            settle_of_run: rows.limits.settle.unwrap_or(DEFAULT_SETTLE),
            totals,
            most_refusals,
            locked_after: self.profile.locked_after(),
        }
    }
}

/// The most characters of a line of help.
const WIDTH: usize = 98;

/// What each profile is, and of what it consists.
pub(super) fn profiles() -> String {
    let mut text = "Profiles, each with the flags that come to the same:\n".to_owned();
    for profile in Profile::ALL {
        let mut line = format!("  {:<13} {}", profile.as_str(), profile.meaning());
        for flag in profile.flags() {
            let has_room = line.starts_with(INDENT) && line.chars().count() + 1 + flag.len() <= WIDTH;
            if !has_room {
                text.push_str(&line);
                text.push('\n');
                INDENT.clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(&flag);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Before the flags of a profile.
const INDENT: &str = "               ";

/// The value of `--sandbox`: a profile, or whether at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SandboxChoice(Option<Profile>);

/// A value of `--sandbox` that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither true nor false, and {0}")]
struct ParseSandboxError(ParseProfileError);

impl FromStr for SandboxChoice {
    type Err = ParseSandboxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match is_on(text) {
            Some(is_on) => Ok(Self(is_on.then(Profile::default))),
            None => text.parse().map(|profile| Self(Some(profile))).map_err(ParseSandboxError),
        }
    }
}

/// The words by which every other switch is set in the environment: `1`, `yes`, `off`.
fn is_on(text: &str) -> Option<bool> {
    BoolishValueParser::new().parse_ref(&clap::Command::new(""), None, text.as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        manifest: Option<String>,
        #[command(flatten)]
        flags: RehearsalFlags,
    }

    fn rehearsal(words: &[&str]) -> Option<Rehearsal> {
        let line = Line::try_parse_from(["x"].iter().chain(words)).unwrap();
        assert_eq!(line.manifest.as_deref(), Some("growers.csv"), "{words:?}");
        line.flags.rehearsal()
    }

    #[test]
    fn the_flag_alone_is_a_clean_rehearsal_and_takes_no_word_that_follows() {
        let clean = Some(Rehearsal { profile: Profile::Clean, seed: 0 });
        assert_eq!(rehearsal(&["--sandbox", "growers.csv"]), clean);
        assert_eq!(rehearsal(&["growers.csv", "--sandbox"]), clean);
        assert_eq!(rehearsal(&["growers.csv"]), None);
    }

    #[test]
    fn a_profile_or_a_switch_stands_behind_an_equals_sign() {
        let of = |profile, seed| Some(Rehearsal { profile, seed });
        assert_eq!(rehearsal(&["growers.csv", "--sandbox=storm"]), of(Profile::Storm, 0));
        let seeded = ["--sandbox=lost-replies", "--sandbox-seed", "7", "growers.csv"];
        assert_eq!(rehearsal(&seeded), of(Profile::LostReplies, 7));
        assert_eq!(rehearsal(&["growers.csv", "--sandbox=true"]), of(Profile::Clean, 0));
        assert_eq!(rehearsal(&["growers.csv", "--sandbox=no"]), None);
    }

    #[test]
    fn the_help_names_every_profile_with_its_flags_in_lines_of_a_terminal() {
        let help = profiles();
        for profile in Profile::ALL {
            assert!(help.contains(&format!("  {profile} ")) && help.contains(profile.meaning()), "{profile}");
            for flag in profile.flags() {
                assert!(help.contains(&flag), "{flag}");
            }
        }
        assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{help}");
    }

    #[test]
    fn another_word_is_answered_with_all_profiles() {
        let error = "strom".parse::<SandboxChoice>().unwrap_err().to_string();
        assert!(error.contains("storm") && error.contains("token-expiry"), "{error}");
    }
}
