//! How a run ends: with which exit code, and in which words.

use super::exit_code::ExitCode;
use crate::checkpoint::{OutcomeCounts, RunKind};
use crate::model::{NextRun, OutcomeCode};
use crate::pipeline::StopCause;

/// Why a run ended, as the ledger keeps it.
pub(crate) fn ending_of(stopped: Option<&StopCause>) -> String {
    stopped.map_or_else(|| "finished".to_owned(), ToString::to_string)
}

/// Whether the same command would do something for some row.
pub(crate) fn is_something_left(outcomes: &OutcomeCounts) -> bool {
    let again = |code: OutcomeCode| matches!(code.next_run(), NextRun::TriesAgain | NextRun::LooksAgain);
    OutcomeCode::ALL.iter().any(|code| again(*code) && outcomes.selected(*code) > 0)
}

/// Whether a run that came to its last row still counts as stopped: not when its time was over just then, or it was asked to stop,
/// and nothing is left to be resumed.
pub(crate) fn outlasts(cause: &StopCause, outcomes: &OutcomeCounts) -> bool {
    !matches!(cause, StopCause::DurationReached { .. } | StopCause::Requested) || is_something_left(outcomes)
}

/// How a run ends, in the order of precedence: 1, 8, signal, 7, 4, 5, 3.
pub(crate) fn exit_code(
    kind: RunKind,
    stopped: Option<&StopCause>,
    outcomes: &OutcomeCounts,
    lines: u64,
) -> ExitCode {
    if outcomes.total() != lines {
        return ExitCode::Internal;
    }
    if let Some(cause) = stopped {
        return code_of_stop(cause);
    }
    // A row that the run should have tried and didn't come to counts as well, for whatever reason.
    let failed = |code: OutcomeCode| kind.is_failure(code) || code == OutcomeCode::NotReached;
    let any_failed = OutcomeCode::ALL.iter().any(|code| failed(*code) && outcomes.selected(*code) > 0);
    if any_failed { ExitCode::RowsFailed } else { ExitCode::Done }
}

/// How a verb ends that was stopped before its end.
pub(crate) fn code_of_stop(cause: &StopCause) -> ExitCode {
    match cause {
        StopCause::LedgerUnwritable { .. } => ExitCode::StateUnwritable,
        StopCause::Signal(signal) => (*signal).into(),
        StopCause::TokenRefused { .. } | StopCause::Redirected { .. } | StopCause::Forbidden { .. } => {
            ExitCode::Refused
        }
        StopCause::TooManyFailures { .. } => ExitCode::TooManyFailures,
        StopCause::HeldTooLong { .. }
        | StopCause::HostDown { .. }
        | StopCause::DurationReached { .. }
        | StopCause::Requested
        | StopCause::NoToken { .. }
        | StopCause::ManifestUnreadable { .. }
        | StopCause::ManifestChanged { .. } => ExitCode::Incomplete,
    }
}
