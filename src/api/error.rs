//! Why a call didn't give what it should, without a word of what the service said.

use std::time::Duration;

use crate::http::{Reply, SendError, StatusClass, Trouble, Unreached};

/// Why a call didn't give what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallError {
    /// What it means for the row.
    pub kind: CallErrorKind,
    /// The answer's status, where one came.
    pub status: Option<u16>,
    /// How long the host asked us to wait, where it did.
    pub retry_after: Option<Duration>,
}

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallErrorKind {
    /// The host couldn't be reached, so it processed nothing.
    Unreachable(Unreached),
    /// No answer, or one that leaves open whether the request was processed (408, 1xx, 600 and above).
    NoAnswer,
    /// A success whose body was cut off on the way, or didn't come to its end in time.
    CutOff,
    /// 429: the host wants us to slow down, and processed nothing.
    Throttled,
    /// 5xx.
    ServerError,
    /// 3xx, which is never followed.
    Redirected,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 400, 409 or 422.
    Refused,
    /// `/autenticacao` said clearly that login and password are wrong.
    LoginRejected,
    /// `/autenticacao` said something that means wrong login and password, if it speaks our dialect at all.
    LoginDoubtful,
    /// An answer that doesn't fit what is known of the service.
    Unexpected,
}

impl CallErrorKind {
    /// What it means for sending the same request again.
    #[must_use]
    pub const fn trouble(self) -> Trouble {
        match self {
            Self::Unreachable(_) => Trouble::NotProcessed,
            Self::Throttled => Trouble::Throttled,
            Self::NoAnswer | Self::CutOff | Self::ServerError => Trouble::Ambiguous,
            Self::Redirected
            | Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::Refused
            | Self::LoginRejected
            | Self::LoginDoubtful
            | Self::Unexpected => Trouble::Final,
        }
    }
}

impl CallErrorKind {
    /// Whether the service surely didn't do what the call asked for.
    #[must_use]
    pub const fn is_not_processed(self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Throttled | Self::Unauthorized | Self::Redirected)
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        let kind = match error {
            SendError::NotSent(why) => CallErrorKind::Unreachable(why),
            SendError::TimedOut | SendError::Broken => CallErrorKind::NoAnswer,
        };
        Self { kind, status: None, retry_after: None }
    }
}

impl CallError {
    /// The error of an answer whose status is no success, by the status alone.
    pub(super) fn of_status(reply: &Reply) -> Self {
        let kind = match StatusClass::of(reply.status) {
            StatusClass::Redirect => CallErrorKind::Redirected,
            StatusClass::Unauthorized => CallErrorKind::Unauthorized,
            StatusClass::Forbidden => CallErrorKind::Forbidden,
            StatusClass::NotFound => CallErrorKind::NotFound,
            StatusClass::Refused => CallErrorKind::Refused,
            StatusClass::RequestTimedOut => CallErrorKind::NoAnswer,
            StatusClass::Throttled => CallErrorKind::Throttled,
            StatusClass::ServerError => CallErrorKind::ServerError,
            // No verdict: an interim answer where the final one belongs, or a status that HTTP doesn't have.
            StatusClass::Other if !(200..600).contains(&reply.status) => CallErrorKind::NoAnswer,
            StatusClass::Success | StatusClass::Other => CallErrorKind::Unexpected,
        };
        Self::of_reply(kind, reply)
    }

    /// An error of this kind that came with this answer.
    pub(super) fn of_reply(kind: CallErrorKind, reply: &Reply) -> Self {
        Self { kind, status: Some(reply.status), retry_after: reply.retry_after }
    }
}
