//! What a fault does to the call that it befalls.

use std::time::Duration;

use crate::model::Service;

use super::super::call::{CallKind, Calls};
use super::super::turn::Turn;
use super::{PageFlaw, Quota, UserFlaw};

/// What a fault does to a call. Where it says *before*, the call has no effect; where it says *after*, it has.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// Answers like this before any effect.
    Answer(Answer),
    /// Answers like this after the effect.
    AnswerAfterEffect(Answer),
    /// Closes the connection after the effect and before the status.
    ReplyLost,
    /// Closes the connection before the effect and before the status.
    CutBeforeEffect,
    /// Resets the connection (TCP RST) before the effect and before the status.
    ResetBeforeEffect,
    /// Answers nothing until the client gives up; no effect.
    Hang,
    /// Has its effect, then answers nothing until the client gives up.
    HangAfterEffect,
    /// Answers nothing until the client gives up, and has its effect so long after that.
    LateEffect(Duration),
    /// Closes the connection before the status, and has its effect so long after that: the request was still under way.
    CutThenLateEffect(Duration),
    /// Has its effect, and answers only so long after that.
    LateAnswer(Duration),
    /// Has its effect, and answers with a spoiled body.
    Altered(Alteration),
    /// Answers 307 with this `Location`; no effect.
    Redirect(String),
    /// Answers 401 and refuses the request's bearer token from now on; the token's own call is spared.
    TokenRevoked,
    /// Lets through as many calls as the quota allows and refuses the others before any effect.
    Quota(Quota),
    /// Refuses a login, 403, before any effect, once it was refused so often.
    Lockout {
        /// How many refusals lock a login; refusals of a locked one count as well.
        refusals: u32,
    },
    /// Hides the credential that an attach creates from so many looks, and for so long.
    Lag {
        /// How many GETs don't see it.
        looks: u32,
        /// For how long no GET sees it; these looks don't count.
        hidden_for: Duration,
    },
    /// Flaws a page of the list of users.
    Page(PageFlaw),
    /// Flaws the showing of a user, in the list or alone.
    User(UserFlaw),
    /// Lets this happen to the user just before the call is carried out; in the list, to each user that it shows.
    Turned(Turn),
}

impl Trouble {
    /// What it is, in a word: `hang`, `reply-lost`, `answer`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::AnswerAfterEffect(_) => "answer-after-effect",
            Self::ReplyLost => "reply-lost",
            Self::CutBeforeEffect => "cut-before-effect",
            Self::ResetBeforeEffect => "reset-before-effect",
            Self::Hang => "hang",
            Self::HangAfterEffect => "hang-after-effect",
            Self::LateEffect(_) => "late-effect",
            Self::CutThenLateEffect(_) => "cut-then-late-effect",
            Self::LateAnswer(_) => "late-answer",
            Self::Altered(_) => "altered",
            Self::Redirect(_) => "redirect",
            Self::TokenRevoked => "token-revoked",
            Self::Quota(_) => "quota",
            Self::Lockout { .. } => "lockout",
            Self::Lag { .. } => "lag",
            Self::Page(flaw) => flaw.as_str(),
            Self::User(flaw) => flaw.as_str(),
            Self::Turned(turn) => turn.as_str(),
        }
    }
}

impl Trouble {
    /// Whether it only goes along with a call, which is carried out and may meet another trouble besides.
    pub(in crate::sandbox) const fn goes_along(&self) -> bool {
        matches!(self, Self::Lag { .. } | Self::Page(_) | Self::User(_) | Self::Turned(_))
    }

    /// Whether it befalls a login that was refused so often.
    pub(in crate::sandbox) const fn is_due_after(&self, refused: u32) -> bool {
        match self {
            Self::Lockout { refusals } => refused >= *refusals,
            _ => true,
        }
    }

    /// Whether it can do anything to these calls.
    pub(in crate::sandbox) fn can_befall(&self, calls: Calls) -> bool {
        let leaf = |call| calls.include(Service::Leaf, call);
        match self {
            Self::Lag { .. } => leaf(CallKind::CreateCredential),
            Self::Page(_) | Self::User(UserFlaw::Twice) => leaf(CallKind::ListUsers),
            Self::User(flaw) => {
                let is_of_credential = matches!(flaw, UserFlaw::WithoutStatus | UserFlaw::WithoutId);
                leaf(CallKind::ListUsers)
                    || leaf(CallKind::GetUser)
                    || (is_of_credential && leaf(CallKind::GetCredential))
            }
            Self::Lockout { .. } => calls.include(Service::Stara, CallKind::Authenticate),
            Self::Turned(_) => CallKind::known().any(|call| leaf(call) && call.is_about_users()),
            _ => true,
        }
    }
}

/// An answer of a service in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header, if there is one.
    pub retry_after: Option<RetryAfter>,
    /// What the body is.
    pub body: Body,
}

impl Answer {
    /// An answer with this status, without `Retry-After`, and with a JSON body that says what the status says.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, retry_after: None, body: Body::Problem }
    }

    /// The same with a `Retry-After`.
    #[must_use]
    pub const fn retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The same with another body.
    #[must_use]
    pub const fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

/// The two forms of `Retry-After` (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u64),
    /// An HTTP date this far from now. Such a date has no fractions of a second; it is rounded up.
    DateIn(Duration),
}

/// The body of an answer of a service in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// JSON with `title`, `status` and `detail`.
    Problem,
    /// A page of HTML, as a load balancer shows it.
    Html,
    /// A short text in Portuguese.
    Text,
    /// Nothing.
    Empty,
}

/// How the body of a good answer is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alteration {
    /// The JSON ends in the middle, though the HTTP message is whole.
    Truncated,
    /// A page of HTML stands in its place, with the same status.
    Html,
    /// 200 and no body at all.
    Empty,
    /// Every string becomes a number, every number a string, and every object within the outer one a list.
    WrongTypes,
    /// The connection is closed in the middle of the body, short of its `Content-Length`.
    CutInBody,
    /// The body is an endless-looking string of this many bytes, in chunks, with no `Content-Length`.
    Huge(u64),
    /// The body comes one byte at a time, with this pause before each.
    Slow(Duration),
    /// The whole body is so many lists within each other, and nothing else.
    Deep(usize),
    /// The last field of the outer object holds so many lists within each other.
    DeepField(usize),
    /// Every string begins with a byte that no UTF-8 holds.
    InvalidUtf8,
    /// The body is the JSON value `null`.
    Null,
    /// The body is a list of nothing: a log that is past its 30 days, a page of nobody.
    EmptyList,
    /// Every field of the outer object is `null`.
    NullFields,
    /// Every field of the outer object stands there twice.
    DuplicateKeys,
    /// The body is as it should be, and is called a page of HTML.
    Mislabelled,
    /// The answer goes over the wire as no well-behaved server would send it, and the connection is closed after it.
    Wire(Wire),
}

/// An answer in bytes that no HTTP library would write. The body is that of the good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.0 without a length: the body ends with the connection.
    Http10,
    /// A good answer that promises to keep the connection, which is closed right after it.
    ClosedUnannounced,
    /// So many informational answers (103) before the good one.
    Informational(usize),
    /// Informational answers (103) without an end.
    InformationalForever,
    /// 101: the protocol is switched, though nobody asked for it.
    Switching,
    /// So many header lines of a hundred bytes before the body.
    HeaderLines(usize),
    /// One header line of so many bytes before the body.
    HeaderLine(usize),
    /// A chunked body whose first chunk has a size that is no number.
    ChunkedGarbage,
    /// Two lengths of the body that contradict each other.
    TwoLengths,
    /// A length of the body beyond every memory, after which only the good body comes.
    HugeLength,
    /// A status line whose status is no number.
    BadStatus,
    /// Bytes that are no HTTP.
    Garbage,
}
