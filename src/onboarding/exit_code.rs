//! The exit codes: a contract with schedulers and scripts.

use crate::pipeline::Signal;

/// What the process says with its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExitCode {
    /// Every selected row is attached and verified, or already was.
    Done,
    /// An internal error, or the accounting identity is broken.
    Internal,
    /// Usage, configuration or manifest are invalid; nothing was sent.
    Usage,
    /// Finished; some rows failed.
    RowsFailed,
    /// Stopped by canaries or failure budget.
    TooManyFailures,
    /// Incomplete and resumable, be it for a magic link alone.
    Incomplete,
    /// Changes or drift are present.
    Changes,
    /// Leaf refuses our token or everything, or a redirect.
    Refused,
    /// The ledger or the state directory can't be written.
    StateUnwritable,
    /// Another run holds the ledger.
    Held,
    /// Stopped by SIGHUP after draining.
    Hangup,
    /// Stopped by SIGINT after draining.
    Interrupt,
    /// Stopped by SIGTERM after draining.
    Terminate,
}

impl ExitCode {
    /// Every code this version uses, in order.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Internal,
        Self::Usage,
        Self::RowsFailed,
        Self::TooManyFailures,
        Self::Incomplete,
        Self::Changes,
        Self::Refused,
        Self::StateUnwritable,
        Self::Held,
        Self::Hangup,
        Self::Interrupt,
        Self::Terminate,
    ];

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::RowsFailed => 3,
            Self::TooManyFailures => 4,
            Self::Incomplete => 5,
            Self::Changes => 6,
            Self::Refused => 7,
            Self::StateUnwritable => 8,
            Self::Held => 11,
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// Whether the call did what it was to do, even if somebody is needed now.
    #[must_use]
    pub const fn is_work_done(self) -> bool {
        matches!(self, Self::Done | Self::RowsFailed | Self::Changes)
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Every selected row is attached and verified, or already was.",
            Self::Internal => {
                "Internal error, or the lines of the report don't add up to those of the manifest."
            }
            Self::Usage => "Usage, configuration or manifest are invalid; nothing was sent.",
            Self::RowsFailed => "Finished; some rows failed, remembered refusals and invalid lines included.",
            Self::TooManyFailures => {
                "Stopped by the first rows or the failure budget: it goes wrong for everybody."
            }
            Self::Incomplete => {
                "Incomplete and resumable: a host is down or asked for too long a pause, Leaf gave no token, --max-duration \
                 was reached, the manifest changed, or a magic link couldn't be made that another try may bring."
            }
            Self::Changes => {
                "There are changes to be made, or there is drift (only with --detailed-exitcode)."
            }
            Self::Refused => "Stopped: Leaf refuses our token or everything, or answered with a redirect.",
            Self::StateUnwritable => "The ledger, a report or the state directory can't be written.",
            Self::Held => "Another run holds the ledger.",
            Self::Hangup => "Stopped by SIGHUP after draining.",
            Self::Interrupt => "Stopped by SIGINT after draining.",
            Self::Terminate => "Stopped by SIGTERM after draining.",
        }
    }

    /// Who must act.
    #[must_use]
    pub const fn owner(self) -> &'static str {
        match self {
            Self::Done => "nobody",
            Self::Internal => "you, and the makers of this tool",
            Self::Usage | Self::Changes | Self::Refused | Self::StateUnwritable => "you",
            Self::RowsFailed => "for each row somebody else: the report's column owner names them",
            Self::TooManyFailures => "you: it is the manifest, the settings or the service, and no grower",
            Self::Incomplete => "nobody, while the next run comes by itself; else you, who start it",
            Self::Held => "nobody, while the other run is at work",
            Self::Hangup | Self::Interrupt | Self::Terminate => "whoever stopped it",
        }
    }

    /// What the same command does when it is given again, in a clause.
    #[must_use]
    pub const fn next_run(self) -> &'static str {
        match self {
            Self::Done => "does nothing for unchanged rows, and no call is made for them",
            Self::Internal | Self::StateUnwritable => {
                "looks first wherever something is open, and goes on from what the ledger holds"
            }
            Self::Usage => "begins from the start: nothing was sent",
            Self::RowsFailed => {
                "tries what can be tried; refused logins wait until their row changes, or --retry-rejected"
            }
            Self::TooManyFailures => {
                "goes on where this one stopped; refused logins open again when dialect, URL or columns were changed"
            }
            Self::Changes => "plan and audit say the same again until the changes are made",
            Self::Incomplete | Self::Refused | Self::Hangup | Self::Interrupt | Self::Terminate => {
                "goes on where this one stopped"
            }
            Self::Held => "does its work once the other has ended",
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Done => "Nothing to do.",
            Self::Internal => "Report it with the log; the ledger is true, and the same command resumes.",
            Self::Usage => "Correct what the error names, then run again.",
            Self::RowsFailed => {
                "The report says for each failed row who must act; running again tries what can be tried."
            }
            Self::TooManyFailures => {
                "Mend what the error names, then run the same command again; --max-failures 100% goes on regardless."
            }
            Self::Incomplete => {
                "Run the same command again; after a pause that was asked for, not before it is over."
            }
            Self::Changes => {
                "After plan, run the manifest; after audit, read what it found and run it again with --repair."
            }
            Self::Refused => {
                "Check LEAF_TOKEN (or the account) and --leaf-url, then run the same command again; where Leaf answered 403, with \
                 --retry-failed."
            }
            Self::StateUnwritable => "Make room or mend the permissions, then run the same command again.",
            Self::Held => "Wait until it ends, or let the next one wait by itself with --lock-timeout.",
            Self::Hangup | Self::Interrupt | Self::Terminate => "Run the same command again to resume.",
        }
    }
}

impl From<Signal> for ExitCode {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Hangup => Self::Hangup,
            Signal::Interrupt => Self::Interrupt,
            Signal::Terminate => Self::Terminate,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_contract() {
        let numbers = ExitCode::ALL.map(ExitCode::number);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 129, 130, 143]);
    }
}
