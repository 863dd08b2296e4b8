//! With which code an audit exits.

use crate::cli::exit_code::ExitCode;

/// What the exit code of an audit follows from.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a reason of its own")]
pub(super) struct Exit {
    /// What stopped it, if something did.
    pub(super) stopped: Option<ExitCode>,
    /// How the repair ended, where there was one.
    pub(super) repair: Option<ExitCode>,
    /// Whether somebody couldn't be seen.
    pub(super) is_incomplete: bool,
    /// Whether a magic link is missing.
    pub(super) are_links_missing: bool,
    /// Whether a credential that was to be accepted couldn't be.
    pub(super) is_acceptance_missed: bool,
    /// Whether somebody isn't as the ledger expects, and that is to be told (`--detailed-exitcode`).
    pub(super) is_drift_told: bool,
}

impl Exit {
    /// The weightiest code, in the order of precedence: 1, 8, signal, 7, 4, 5, 3, 6, 0.
    pub(super) fn code(self) -> ExitCode {
        let codes = [
            self.stopped,
            self.repair,
            (self.is_incomplete || self.are_links_missing).then_some(ExitCode::Incomplete),
            self.is_acceptance_missed.then_some(ExitCode::RowsFailed),
            self.is_drift_told.then_some(ExitCode::Changes),
        ];
        codes.into_iter().flatten().min_by_key(|code| weight(*code)).unwrap_or(ExitCode::Done)
    }
}

/// The place of a code in the order of precedence, the weightiest first.
const fn weight(code: ExitCode) -> u8 {
    match code {
        ExitCode::Internal => 0,
        ExitCode::StateUnwritable => 1,
        ExitCode::Hangup | ExitCode::Interrupt | ExitCode::Terminate => 2,
        ExitCode::Usage | ExitCode::Held => 3,
        ExitCode::Refused => 4,
        ExitCode::TooManyFailures => 5,
        ExitCode::Incomplete => 6,
        ExitCode::RowsFailed => 7,
        ExitCode::Changes => 8,
        ExitCode::Done => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_reason_decides() {
        let mut exit = Exit::default();
        assert_eq!(exit.code(), ExitCode::Done);
        exit.is_drift_told = true;
        assert_eq!(exit.code(), ExitCode::Changes);
        exit.repair = Some(ExitCode::Done);
        assert_eq!(exit.code(), ExitCode::Changes);
        exit.repair = Some(ExitCode::RowsFailed);
        assert_eq!(exit.code(), ExitCode::RowsFailed);
        exit.is_incomplete = true;
        assert_eq!(exit.code(), ExitCode::Incomplete);
        exit.repair = Some(ExitCode::TooManyFailures);
        assert_eq!(exit.code(), ExitCode::TooManyFailures);
        exit.stopped = Some(ExitCode::Terminate);
        assert_eq!(exit.code(), ExitCode::Terminate);
    }
}
