//! What Stara's answer to a canary says of the dialect.

use crate::api::{CallError, CallErrorKind};

/// What an answer to `/autenticacao` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It gave an apiKey: the dialect is live.
    Accepted,
    /// It refused the login, or may have. It is sent no more, in whatever dialect.
    Refused {
        /// The answer's status.
        status: u16,
        /// Whether it is clear that login and password are what was refused.
        is_clear: bool,
    },
    /// It didn't understand the request, so that nothing was held against the login: the other dialect may be tried.
    NotUnderstood {
        /// The answer's status.
        status: u16,
    },
    /// It says nothing of the dialect, and may have counted the login: nothing more is sent.
    Unanswered {
        /// The answer's status, where one came.
        status: Option<u16>,
        /// Whether it only wants to be asked more slowly.
        is_throttled: bool,
    },
}

impl Verdict {
    /// Judges an answer, where `has_succeeded` tells whether Stara is known to have accepted a login in this dialect: then
    /// what is refused is the login and not the request.
    pub(super) fn of(answer: Result<(), CallError>, has_succeeded: bool) -> Self {
        let error = match answer {
            Ok(()) => return Self::Accepted,
            Err(error) => error,
        };
        let unanswered =
            Self::Unanswered { status: error.status, is_throttled: error.kind == CallErrorKind::Throttled };
        let Some(status) = error.status else { return unanswered };
        match (status, error.kind) {
            // 403 may be a firewall's, but whoever sends again to find out locks a grower out.
            (401 | 403, _) => Self::Refused { status, is_clear: status == 401 || has_succeeded },
            (400 | 422, CallErrorKind::LoginDoubtful) if has_succeeded => {
                Self::Refused { status, is_clear: true }
            }
            (400 | 404 | 405 | 415 | 422, _) | (200..300, CallErrorKind::Unexpected) => {
                Self::NotUnderstood { status }
            }
            _ => unanswered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: CallErrorKind, status: Option<u16>) -> Result<(), CallError> {
        Err(CallError { kind, status, retry_after: None })
    }

    #[test]
    fn only_a_request_that_was_not_understood_lets_the_other_dialect_be_tried() {
        use crate::http::Unreached;
        use CallErrorKind::*;
        let not_understood = |status| Verdict::NotUnderstood { status };
        let unanswered = |status| Verdict::Unanswered { status, is_throttled: false };
        for (answer, expected) in [
            (Ok(()), Verdict::Accepted),
            (error(LoginRejected, Some(401)), Verdict::Refused { status: 401, is_clear: true }),
            (error(LoginDoubtful, Some(403)), Verdict::Refused { status: 403, is_clear: false }),
            (error(Unexpected, Some(403)), Verdict::Refused { status: 403, is_clear: false }),
            (error(LoginDoubtful, Some(400)), not_understood(400)),
            (error(Unexpected, Some(400)), not_understood(400)),
            (error(Unexpected, Some(404)), not_understood(404)),
            (error(Unexpected, Some(405)), not_understood(405)),
            (error(Unexpected, Some(415)), not_understood(415)),
            (error(LoginDoubtful, Some(422)), not_understood(422)),
            (error(Unexpected, Some(200)), not_understood(200)),
            (error(CutOff, Some(200)), unanswered(Some(200))),
            (error(Unexpected, Some(307)), unanswered(Some(307))),
            (error(Unexpected, Some(409)), unanswered(Some(409))),
            (error(ServerError, Some(500)), unanswered(Some(500))),
            (error(NoAnswer, None), unanswered(None)),
            (error(Unreachable(Unreached::Refused), None), unanswered(None)),
            (error(Throttled, Some(429)), Verdict::Unanswered { status: Some(429), is_throttled: true }),
        ] {
            assert_eq!(Verdict::of(answer, false), expected, "{answer:?}");
        }
    }

    #[test]
    fn where_a_login_has_succeeded_in_the_dialect_what_is_refused_is_the_login() {
        for (kind, status) in [
            (CallErrorKind::LoginDoubtful, 400),
            (CallErrorKind::LoginDoubtful, 422),
            (CallErrorKind::LoginDoubtful, 403),
        ] {
            let verdict = Verdict::of(error(kind, Some(status)), true);
            assert_eq!(verdict, Verdict::Refused { status, is_clear: true });
        }
        // A page of HTML is no refusal of Stara's.
        let page = Verdict::of(error(CallErrorKind::Unexpected, Some(400)), true);
        assert_eq!(page, Verdict::NotUnderstood { status: 400 });
    }
    #[test]
    fn no_status_but_those_few_lets_a_login_be_sent_twice() {
        use CallErrorKind::*;
        let kinds = [
            LoginRejected,
            LoginDoubtful,
            Unexpected,
            CutOff,
            NoAnswer,
            Throttled,
            ServerError,
            Redirected,
            Forbidden,
            NotFound,
            Refused,
            Unauthorized,
        ];
        for (status, kind) in (100..1_000).flat_map(|status| kinds.map(|kind| (status, kind))) {
            for has_succeeded in [false, true] {
                let verdict = Verdict::of(error(kind, Some(status)), has_succeeded);
                let may_be_sent_again = matches!(verdict, Verdict::NotUnderstood { .. });
                let is_listed = matches!(status, 200..300 | 400 | 404 | 405 | 415 | 422);
                assert!(is_listed || !may_be_sent_again, "{status} {kind:?}");
                assert!(
                    !matches!(status, 401 | 403) || matches!(verdict, Verdict::Refused { .. }),
                    "{status}"
                );
            }
        }
    }
}
