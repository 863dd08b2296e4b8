//! Services of a certain kind, for rehearsals: each a name for faults that go together.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::faults::{Fault, Trouble};
use super::options::SandboxOptions;
use super::world::World;

/// Of which kind the simulated services of a rehearsal are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// Nothing goes wrong by itself.
    #[default]
    Clean,
    /// Now and then an error, a cut connection, an answer that can't be read.
    Flaky,
    /// Everything at once: quotas, errors, lost and late replies, tokens that expire.
    Storm,
    /// One login in twenty is refused, and Stara locks a login after three refusals.
    Lockout,
    /// Every answer takes its time, and some take a lot of it.
    Slow,
    /// Attaches take effect without an answer, some of them late, and some not at all.
    LostReplies,
    /// Leaf's tokens don't last.
    TokenExpiry,
}

/// What makes a profile: words of `--fault`, and flags of `sandbox`.
struct Ingredients {
    /// In the order in which they are put into force.
    faults: &'static [&'static str],
    latency: Duration,
    token_lifetime: Option<u64>,
}

/// A text that names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no profile: write clean, flaky, storm, lockout, slow, lost-replies or token-expiry")]
pub struct ParseProfileError;

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 7] = [
        Self::Clean,
        Self::Flaky,
        Self::Storm,
        Self::Lockout,
        Self::Slow,
        Self::LostReplies,
        Self::TokenExpiry,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Flaky => "flaky",
            Self::Storm => "storm",
            Self::Lockout => "lockout",
            Self::Slow => "slow",
            Self::LostReplies => "lost-replies",
            Self::TokenExpiry => "token-expiry",
        }
    }

    /// What goes wrong, in a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Clean => "Nothing goes wrong by itself.",
            Self::Flaky => "Now and then an error, a cut connection, an answer that can't be read.",
            Self::Storm => "Everything at once: quotas, errors, lost and late replies, tokens that expire.",
            Self::Lockout => "One login in twenty is refused, and Stara locks a login after three refusals.",
            Self::Slow => "Every answer takes its time, and some take a lot of it.",
            Self::LostReplies => {
                "Attaches take effect without an answer, some of them late, and some not at all."
            }
            Self::TokenExpiry => "Leaf's tokens don't last.",
        }
    }

    /// The faults that it consists of, as `--fault` takes them. Where several fit a call, the first befalls it.
    #[must_use]
    pub fn faults(self) -> &'static [&'static str] {
        self.ingredients().faults
    }

    /// How long every answer takes at least.
    #[must_use]
    pub fn latency(self) -> Duration {
        self.ingredients().latency
    }

    /// How many calls a bearer token of Leaf is good for; `None` for no end.
    #[must_use]
    pub fn token_lifetime(self) -> Option<u64> {
        self.ingredients().token_lifetime
    }

    /// How many refusals lock a login; `None` where nothing does.
    #[must_use]
    pub fn locked_after(self) -> Option<u32> {
        self.parsed().find_map(|fault| match fault.trouble {
            Trouble::Lockout { refusals } => Some(refusals),
            _ => None,
        })
    }

    fn parsed(self) -> impl Iterator<Item = Fault> {
        // Every one of them is one; a test sees to it.
        self.faults().iter().filter_map(|spec| Fault::parse(spec).ok())
    }

    /// The flags of `sandbox` that come to the same: `--fault replies-lost:20% --latency 800ms`.
    #[must_use]
    pub fn flags(self) -> Vec<String> {
        let Ingredients { faults, latency, token_lifetime } = self.ingredients();
        let mut flags: Vec<String> = faults.iter().map(|fault| format!("--fault {fault}")).collect();
        if !latency.is_zero() {
            flags.push(format!("--latency {}ms", latency.as_millis()));
        }
        flags.extend(token_lifetime.map(|calls| format!("--token-lifetime {calls}")));
        flags
    }

    /// Makes services and world such. What was injected into the world before goes first.
    pub fn apply(self, options: &mut SandboxOptions, world: &World) {
        let Ingredients { latency, token_lifetime, .. } = self.ingredients();
        for fault in self.parsed() {
            world.inject(fault);
        }
        options.latency = options.latency.max(latency);
        options.token_lifetime_requests = options.token_lifetime_requests.or(token_lifetime);
    }

    /// What comes late and then can't be seen yet is there three seconds after its request, which is less than a rehearsal's
    /// settle time. And no profile has more than one fault that leaves an attach without effect, and only for a row's first: a second in a
    /// row would be for a person to look at.
    const fn ingredients(self) -> Ingredients {
        let faults: &[&str] = match self {
            Self::Clean | Self::TokenExpiry => &[],
            Self::Flaky => &[
                "stara-errors:3%",
                "stara:reset-before-effect:1%",
                "list:502:3%",
                "user:500:3%",
                "attach:reset-before-effect:once=3%",
                "replies-lost:3%",
                "look:502:3%",
                "look:truncated-body:3%",
                "lagging-time:5%:time=1s",
            ],
            Self::Storm => &[
                "stara:429:rate=50/s:burst=20:retry-after",
                "leaf:429:rate=100/s:burst=40:retry-date",
                "stara-errors:3%",
                "list:502:3%",
                "user:500:3%",
                "attach:error-before-effect:once=5%",
                "attach:cut-then-late-effect:5%",
                "replies-lost:10%",
                "look:502:3%",
                "lagging-time:10%:time=1s",
            ],
            Self::Lockout => &["stara-lockout", "authenticate:401:rows=5%"],
            Self::Slow => &["all:late-answer:10%:time=4s", "lagging-time:20%:time=1s"],
            Self::LostReplies => &[
                "replies-lost:20%",
                "attach:error-after-effect:5%",
                "attach:cut-before-effect:once=5%",
                "attach:cut-then-late-effect:5%",
                "remove:reply-lost:20%",
            ],
        };
        let latency = match self {
            Self::Slow => Duration::from_millis(800),
            Self::Storm => Duration::from_millis(20),
            _ => Duration::ZERO,
        };
        let token_lifetime = match self {
            Self::Storm => Some(200),
            // More than rows are in flight by themselves, so that a token is known to be good before it expires.
            Self::TokenExpiry => Some(40),
            _ => None,
        };
        Ingredients { faults, latency, token_lifetime }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = ParseProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or(ParseProfileError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_again_by_its_name_and_others_are_told_all_names() {
        for profile in Profile::ALL {
            assert_eq!(profile.as_str().parse(), Ok(profile));
            assert!(ParseProfileError.to_string().contains(profile.as_str()), "{profile}");
        }
        assert_eq!("calm".parse::<Profile>(), Err(ParseProfileError));
    }

    #[test]
    fn every_fault_of_every_profile_is_one() {
        for profile in Profile::ALL {
            for spec in profile.faults() {
                assert!(Fault::parse(spec).is_ok(), "{profile}: {spec}");
            }
            let locks = (profile == Profile::Lockout).then_some(3);
            assert_eq!(profile.locked_after(), locks, "{profile}");
        }
    }

    #[test]
    fn every_profile_is_documented_with_what_it_consists_of() {
        let manual = include_str!("../../docs/REHEARSAL.md");
        for profile in Profile::ALL {
            let row = manual.lines().find(|line| line.starts_with(&format!("| `{profile}` |")));
            let row = row.unwrap_or_else(|| panic!("{profile} isn't in the table"));
            for part in profile.flags().iter().map(String::as_str).chain([profile.meaning()]) {
                assert!(row.contains(part), "{profile}: {part} isn't in {row}");
            }
        }
    }

    #[test]
    fn what_was_set_up_already_is_kept() {
        let slow = SandboxOptions {
            latency: Duration::from_secs(2),
            token_lifetime_requests: Some(7),
            ..SandboxOptions::default()
        };
        for profile in Profile::ALL {
            let mut options = slow.clone();
            profile.apply(&mut options, &World::open());
            assert_eq!((options.latency, options.token_lifetime_requests), (slow.latency, Some(7)));
        }
    }
}
