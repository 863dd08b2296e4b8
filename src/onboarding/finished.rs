//! What a run came to.

use super::exit_code::ExitCode;
use super::results::Results;

/// A run that has ended: how, and with which results.
///
/// ```
/// use stara_onboard::{Ending, Finished};
///
/// fn sum_up(finished: &Finished) -> String {
///     match finished.ending() {
///         Ending::Done => "everybody is attached".to_owned(),
///         Ending::RowsFailed => "some rows need somebody".to_owned(),
///         _ => format!("not through: {}", finished.stopped_by().unwrap_or_default()),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Finished {
    code: ExitCode,
    stopped_by: Option<String>,
    results: Results,
}

/// How a run ended. More may come.
///
/// ```
/// # use stara_onboard::Ending;
/// fn is_worth_another_try_by_itself(ending: Ending) -> bool {
///     ending == Ending::Incomplete
/// }
/// # assert!(!is_worth_another_try_by_itself(Ending::Done));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// Every selected row is attached and verified, or already was.
    Done,
    /// It came to its end, and some rows failed, remembered refusals and invalid lines included.
    RowsFailed,
    /// It stopped by itself, because it went wrong for everybody: it is the manifest, the settings or the service, and no grower.
    TooManyFailures,
    /// It was stopped, a host is down or asked for too long a pause, or the manifest changed under it. The same onboarding resumes.
    Incomplete,
    /// Leaf refuses the token or everything, or answered with a redirect.
    Refused,
}

impl Finished {
    pub(super) const fn new(code: ExitCode, stopped_by: Option<String>, results: Results) -> Self {
        Self { code, stopped_by, results }
    }

    /// How it ended.
    #[must_use]
    pub const fn ending(&self) -> Ending {
        match self.code {
            ExitCode::Done => Ending::Done,
            ExitCode::RowsFailed => Ending::RowsFailed,
            ExitCode::TooManyFailures => Ending::TooManyFailures,
            ExitCode::Refused => Ending::Refused,
            _ => Ending::Incomplete,
        }
    }

    /// The code with which the program would have exited: 0, 3, 4, 5 or 7, as `docs/CODES.md` tells.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.code.number()
    }

    /// Why it stopped before its end, as a clause for people; `None` where it came to its end.
    #[must_use]
    pub fn stopped_by(&self) -> Option<&str> {
        self.stopped_by.as_deref()
    }

    /// What became of every line.
    #[must_use]
    pub const fn results(&self) -> &Results {
        &self.results
    }
}
