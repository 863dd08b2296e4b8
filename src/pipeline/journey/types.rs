//! What goes into a journey and what comes out.

use std::borrow::Cow;
use std::time::Duration;

use crate::api::{CallError, UserLook};
use crate::http::{Attempted, RetryPolicy, Unreached};
use crate::model::{Credential, CredentialId, Origin, Outcome, Service, Stage};

/// What happens to a credential that is there already (`--on-existing`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExisting {
    /// It stays; a healthy one counts as attached.
    #[default]
    Keep,
    /// It is deleted and attached anew.
    Replace,
    /// It stays, and the row fails.
    Fail,
    /// It is replaced where it is ours and unhealthy, and left alone in every other case (`audit --repair`).
    Repair,
}

/// What the run allows every row.
#[derive(Debug, Clone, Copy)]
pub struct JourneyRules {
    /// Whether Leaf is looked at before Stara is asked.
    pub precheck: bool,
    /// What happens to a credential that is there already.
    pub on_existing: OnExisting,
    /// How long an attached credential may take to be seen.
    pub verify_wait: Duration,
    /// How old an attach with an unknown result must be before its absence proves anything.
    pub settle: Duration,
    /// How old the last attach must be before a later run may attach again what it needs to review.
    pub review_after: Duration,
    /// How long the row's own requests, backoff and waits may take in all (see [`Journey::spend`]). It never closes an
    /// intent.
    ///
    /// [`Journey::spend`]: super::Journey::spend
    pub row_deadline: Duration,
    /// How often Stara is asked.
    pub stara: RetryPolicy,
    /// How often Leaf is asked.
    pub leaf: RetryPolicy,
}

/// What a journey is to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Goal {
    /// The user holds a credential with the row's login.
    #[default]
    Attached,
    /// The user holds no credential of ours any more (`detach`).
    Detached {
        /// Whether a credential that isn't ours is taken away, too (`--include-foreign`).
        include_foreign: bool,
    },
}

/// What changed of a row that was done, and is only noted where its credential is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowChange {
    /// Nothing.
    #[default]
    Nothing,
    /// The password or the accessTokenClient.
    Password,
    /// The login, beside a credential that isn't ours.
    Login,
}

impl RowChange {
    /// What is noted of it in the outcome's message.
    #[must_use]
    pub const fn note(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Password => "password or accessTokenClient changed; the credential is healthy and was kept",
            Self::Login => {
                "the login changed, but the credential isn't ours: it was kept, and --on-existing replace --only ID replaces it"
            }
        }
    }
}

/// What the ledger knows of the row when it begins.
#[derive(Debug, Clone, Default)]
pub struct JourneyStart {
    /// What it is to come to.
    pub goal: Goal,
    /// The intent that an earlier run left open.
    pub intent: Option<PriorIntent>,
    /// The credential that the ledger knows.
    pub known: Option<KnownCredential>,
    /// Whether the login of a credential of ours changed, so that it is to be replaced.
    pub login_changed: bool,
    /// What changed of a row that was done, where that doesn't replace its credential.
    pub changed: RowChange,
    /// Whether the last outcome asks for a look at Leaf before anything else, whatever `--precheck` says: the user may
    /// hold a credential, or may be unknown to Leaf.
    pub look_first: bool,
}

/// An intent that an earlier run left open.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and their combinations are all possible"
)]
pub struct PriorIntent {
    /// Its age; `None` when the clock went back, so that nothing can be said.
    pub age: Option<Duration>,
    /// How many attaches were sent that may yet take effect; none when a deletion is what was announced.
    pub attaches: u32,
    /// Whether Leaf confirmed one of them.
    pub acknowledged: bool,
    /// Whether a look before the first had shown no credential.
    pub over_nothing: bool,
    /// Whether an old credential was deleted to be replaced, or was about to be. A deletion without it was asked for by
    /// `detach`: nothing is to take its place.
    pub replacing: bool,
    /// The credential that was deleted, or was about to be.
    pub removing: Option<CredentialId>,
    /// Whether the row had another login when it was announced.
    pub other_login: bool,
}

/// A credential that the ledger knows of an earlier run.
#[derive(Debug, Clone)]
pub struct KnownCredential {
    /// Its id.
    pub id: CredentialId,
    /// Where it came from.
    pub origin: Option<Origin>,
    /// Whether it is ours.
    pub ours: bool,
}

/// A request of the journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `GET /users/{id}` at Leaf.
    LookUser,
    /// `GET …/stara-credentials` at Leaf.
    LookCredential,
    /// `POST /autenticacao` at Stara.
    Authenticate,
    /// `POST /token` at Stara.
    Token,
    /// `GET …/stara-credentials/events` at Leaf, saved in the ledger.
    SaveEvents,
    /// `DELETE …/stara-credentials` at Leaf.
    Remove,
    /// `POST …/stara-credentials` at Leaf.
    Attach,
}

impl Call {
    /// The service it goes to.
    #[must_use]
    pub const fn service(self) -> Service {
        match self {
            Self::Authenticate | Self::Token => Service::Stara,
            Self::LookUser | Self::LookCredential | Self::SaveEvents | Self::Remove | Self::Attach => {
                Service::Leaf
            }
        }
    }

    /// Whether it may be sent again whatever came of it.
    #[must_use]
    pub const fn attempted(self) -> Attempted {
        match self {
            Self::Remove | Self::Attach => Attempted::Once,
            _ => Attempted::Repeatable,
        }
    }
}

/// What to do next.
#[derive(Debug)]
pub enum Effect {
    /// Take the host's permit and send.
    Send(Call),
    /// Take the host's permit, make the intent durable, and send at once.
    SendIntended(Call, Intending),
    /// Ask whether one more credential may be replaced in this run.
    ClaimChange,
    /// Wait a random time of at most this, holding the row's slot.
    Backoff(Duration),
    /// Wait this long, holding the row's slot.
    Wait(Duration),
    /// Wait this long, giving up the row's slot meanwhile.
    Park(Duration),
    /// Record the outcome; the journey is over.
    Finish(Box<Finish>),
    /// Leave the user's record as it stands, and say why at the line; the journey is over.
    Leave(Message),
}

/// The intent that is written before a request is sent. Whoever writes it adds the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intending {
    /// How many attaches may then take effect; none when a deletion is announced.
    pub attaches: u32,
    /// Whether the look before the first attach had shown no credential. When a deletion is announced: whether what it
    /// deletes was attached so, by an attach that the ledger knows nothing else of any more.
    pub over_nothing: bool,
    /// Whether an old credential is being replaced.
    pub replacing: bool,
    /// The credential that is to make way, or to be taken away.
    pub removing: Option<CredentialId>,
}

/// What came of an effect.
#[derive(Debug)]
pub enum Event {
    /// The row's turn has come.
    Begun,
    /// The wait is over.
    Woken,
    /// Whether one more credential may be replaced within `--max-changes`.
    ChangeClaimed(bool),
    /// No credential may be replaced: without its fingerprint key the ledger can't tell what is ours.
    KeyLost,
    /// The call gave what it should.
    Answered(Answer),
    /// It didn't.
    Failed(CallError),
    /// The host asked for a longer pause than this run makes, so nothing was sent.
    HeldTooLong,
    /// The host throttled this row again and again while it served others.
    ThrottledAlone,
    /// The host is down, where it is known for this reason, and isn't waited for any longer, so nothing was sent.
    HostDown(Option<Unreached>),
}

/// What a call gave.
#[derive(Debug)]
pub enum Answer {
    /// [`Call::LookUser`]: the user, and what it holds.
    User(UserLook),
    /// [`Call::LookCredential`]: the credential, or that there is none.
    Credential(Option<Credential>),
    /// [`Call::Authenticate`], [`Call::Token`] and [`Call::SaveEvents`]: it is kept by whoever sent it.
    Kept,
    /// [`Call::Remove`]: the credential is deleted.
    Removed(u16),
    /// [`Call::Attach`]: Leaf processed it, and perhaps showed what it made.
    Attached(u16, Option<Credential>),
}

/// How a journey ends.
#[derive(Debug)]
pub struct Finish {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether the credential is ours.
    pub ours: bool,
    /// What stays open for a later run.
    pub keep_intent: Option<KeptIntent>,
    /// The credential of ours that an attach with the row's earlier login left, if the row met one.
    pub earlier: Option<CredentialId>,
    /// Whether Stara refused login and password, so that they are remembered as refused.
    pub refused: bool,
}

/// An intent that stays open, for the next run to look at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptIntent {
    /// What is announced.
    pub intending: Intending,
    /// Whether Leaf confirmed an attach.
    pub acknowledged: bool,
}

/// A message in our own words.
pub type Message = Cow<'static, str>;

/// What the journey waits for, or is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The look at the user before anything else.
    Precheck,
    /// The look at a credential that the first look showed incompletely.
    PrecheckCredential,
    /// Whether a found credential may be replaced.
    Claim,
    /// Login and password.
    Authenticate,
    /// Tokens.
    Token,
    /// Leaf's log of the credential to be deleted.
    SaveEvents,
    /// Whether the credential to be deleted is still the one that was found.
    BeforeRemoval,
    /// The deletion.
    Remove,
    /// Whether a confirmed deletion is to be seen; given up at this time.
    AfterRemoval(Duration),
    /// Whether a deletion with an unknown result is to be seen, once it has settled.
    SettledRemoval,
    /// The attach.
    Attach,
    /// What is there after a refusal with this status.
    JudgeRefusal(u16),
    /// The first look after an attach with an unknown result.
    FirstLook,
    /// The look after it has settled.
    SettledLook,
    /// Whether the credential is to be seen and healthy; given up at this time.
    Verify(Duration),
}

impl Step {
    /// The call that the step makes.
    pub(super) const fn call(self) -> Call {
        match self {
            Self::Precheck => Call::LookUser,
            Self::Authenticate => Call::Authenticate,
            Self::Token => Call::Token,
            Self::SaveEvents => Call::SaveEvents,
            Self::Remove => Call::Remove,
            Self::Attach => Call::Attach,
            Self::PrecheckCredential
            | Self::Claim
            | Self::BeforeRemoval
            | Self::AfterRemoval(_)
            | Self::SettledRemoval
            | Self::JudgeRefusal(_)
            | Self::FirstLook
            | Self::SettledLook
            | Self::Verify(_) => Call::LookCredential,
        }
    }

    /// The stage that a report names.
    pub(super) const fn stage(self) -> Stage {
        match self {
            Self::Precheck | Self::PrecheckCredential | Self::Claim => Stage::Precheck,
            Self::Authenticate => Stage::Authenticate,
            Self::Token => Stage::Token,
            Self::SaveEvents
            | Self::BeforeRemoval
            | Self::Remove
            | Self::AfterRemoval(_)
            | Self::SettledRemoval => Stage::Remove,
            Self::Attach | Self::JudgeRefusal(_) | Self::FirstLook | Self::SettledLook => Stage::Attach,
            Self::Verify(_) => Stage::Verify,
        }
    }
}
