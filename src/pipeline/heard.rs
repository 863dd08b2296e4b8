//! What the end of a request says about its host: pure judgements, for the pacer and for counting attempts.

use super::journey::Call;
use crate::api::{CallError, CallErrorKind};
use crate::http::{Attempted, Heard, Noted};

/// What an error tells about the host that it came from.
pub(super) fn what_was_heard(error: &CallError) -> Heard {
    match (error.kind, error.status) {
        (CallErrorKind::Throttled, _) => Heard::Throttled { retry_after: error.retry_after },
        // One that names a time asks for patience, whatever it was the answer to.
        (_, Some(503)) if error.retry_after.is_some() => Heard::Throttled { retry_after: error.retry_after },
        (_, Some(503)) => Heard::Busy,
        (CallErrorKind::ServerError | CallErrorKind::Unreachable(_), _) => Heard::Failed,
        (_, None) => Heard::Nothing,
        (_, Some(_)) => Heard::Served,
    }
}

/// Whether a request failed for the host's sake, so that it uses up no attempt. One that may have been processed is left as
/// it is, on an attach or a deletion because nobody knows what it did, with a password because it may have been looked at.
pub(super) fn is_fault_of_host(call: Call, heard: Heard, noted: &Noted, is_not_processed: bool) -> bool {
    let is_repeatable = call.attempted() == Attempted::Repeatable;
    match heard {
        Heard::Throttled { .. } => is_not_processed || is_repeatable,
        Heard::Failed | Heard::Busy => {
            let may_be_repeated = is_not_processed || (is_repeatable && call != Call::Authenticate);
            may_be_repeated && (noted.is_throttled || noted.is_down)
        }
        Heard::Served | Heard::Nothing => false,
    }
}
