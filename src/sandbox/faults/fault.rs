//! A fault: which calls it befalls, how often, and what it does; the useful ones by name.

use std::str::FromStr;
use std::time::Duration;

use crate::model::{LeafUserId, Login, Service};

use super::super::call::{CallKind, Calls};
use super::super::turn::Turn;
use super::{Advice, Alteration, Answer, Body, PageFlaw, Quota, RetryAfter, Trouble, UserFlaw, Wire};

/// Something that goes wrong: which calls it befalls, how often, and what it does to them.
///
/// Made by a named constructor or with [`Fault::new`], and narrowed with [`Fault::on`], [`Fault::when`],
/// [`Fault::for_user`], [`Fault::for_login`] and [`Fault::for_page`]; put into force by [`World::inject`](crate::sandbox::World::inject).
#[derive(Debug, Clone)]
pub struct Fault {
    pub(in crate::sandbox) name: &'static str,
    pub(in crate::sandbox) calls: Calls,
    pub(in crate::sandbox) user: Option<LeafUserId>,
    pub(in crate::sandbox) login: Option<Login>,
    pub(in crate::sandbox) page: Option<u64>,
    pub(in crate::sandbox) when: When,
    pub(in crate::sandbox) trouble: Trouble,
}

/// How often a fault befalls the calls that it fits. Calls are counted from 1, those of its own kind and row only.
///
/// A *row* is a Leaf user in calls to Leaf, and a login in calls to Stara. Where a fault is about the users that a page of
/// the list shows, each of them counts as a call of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// Every call.
    Always,
    /// The nth call, whichever row it is of.
    Nth(u64),
    /// Every nth call.
    EveryNth(u64),
    /// The first n calls.
    First(u64),
    /// Every call after the first n.
    After(u64),
    /// The first n calls of each row.
    FirstPerRow(u32),
    /// Each call with this probability, 0 to 1. Seed, row and the row's count of calls decide, not the order of arrival,
    /// so that the same rows are hit however many are under way at once.
    Chance(f64),
    /// The first call of each row, with this probability, 0 to 1. Seed and row decide.
    FirstChance(f64),
    /// Every call of each row that is chosen with this probability, 0 to 1. Seed and row decide.
    RowChance(f64),
}

/// A text that names no fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such fault")]
pub struct UnknownFaultError;

impl Fault {
    /// A fault of your own, named `custom`.
    #[must_use]
    pub const fn new(calls: Calls, when: When, trouble: Trouble) -> Self {
        Self::named("custom", calls, when, trouble)
    }

    /// The fault's name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.name
    }

    /// The same fault on other calls.
    #[must_use]
    pub const fn on(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// The same fault on calls of one kind.
    #[must_use]
    pub const fn on_call(self, call: CallKind) -> Self {
        self.on(Calls::One(call))
    }

    /// The same fault more or less often.
    #[must_use]
    pub const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// The same fault for calls to Leaf about this user only.
    #[must_use]
    pub const fn for_user(mut self, id: LeafUserId) -> Self {
        self.user = Some(id);
        self
    }

    /// The same fault for calls about this login only.
    #[must_use]
    pub fn for_login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    /// The same fault for calls for this page of the list of users only; the first page is 0.
    #[must_use]
    pub const fn for_page(mut self, number: u64) -> Self {
        self.page = Some(number);
        self
    }

    const fn named(name: &'static str, calls: Calls, when: When, trouble: Trouble) -> Self {
        Self { name, calls, user: None, login: None, page: None, when, trouble }
    }
}

/// Declares the named faults once, so that constructors, names and parser can't disagree.
macro_rules! named_faults {
    ($($(#[$doc:meta])* $constructor:ident = $name:literal: $calls:expr, $when:expr, $trouble:expr;)+) => {
        impl Fault {
            /// The names of all faults that have one.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            $(
                $(#[$doc])*
                #[must_use]
                pub fn $constructor() -> Self {
                    Self::named($name, $calls, $when, $trouble)
                }
            )+
        }

        impl FromStr for Fault {
            type Err = UnknownFaultError;

            /// The fault of this name, as its constructor makes it.
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $($name => Ok(Self::$constructor()),)+
                    _ => Err(UnknownFaultError),
                }
            }
        }
    };
}

const STARA: Calls = Calls::Of(Service::Stara);
const LEAF: Calls = Calls::Of(Service::Leaf);
const ATTACH: Calls = Calls::One(CallKind::CreateCredential);
const LOOK: Calls = Calls::One(CallKind::GetCredential);
const REMOVE: Calls = Calls::One(CallKind::DeleteCredential);
const EVENTS: Calls = Calls::One(CallKind::GetEvents);
const LIST: Calls = Calls::One(CallKind::ListUsers);
const ONCE_A_ROW: When = When::FirstPerRow(1);

/// Two seconds: longer than a client's first look after a lost reply is patient, shorter than any test's patience.
const LATE: Duration = Duration::from_secs(2);

const fn quota(status: u16, advice: Advice) -> Trouble {
    Trouble::Quota(Quota { per_second: 10.0, burst: 5, status, advice })
}

named_faults! {
    /// Each user's first attach takes effect, and the connection is closed before the status.
    reply_lost = "reply-lost": ATTACH, ONCE_A_ROW, Trouble::ReplyLost;
    /// Each user's first attach meets a closed connection and has no effect.
    cut_before_effect = "cut-before-effect": ATTACH, ONCE_A_ROW, Trouble::CutBeforeEffect;
    /// Each user's first attach meets a connection that is reset (TCP RST) and has no effect.
    reset_before_effect = "reset-before-effect": ATTACH, ONCE_A_ROW, Trouble::ResetBeforeEffect;
    /// Each user's first attach is answered 500 and has no effect.
    error_before_effect = "error-before-effect": ATTACH, ONCE_A_ROW, Trouble::Answer(Answer::new(500));
    /// Each user's first attach takes effect and is answered 500.
    error_after_effect = "error-after-effect": ATTACH, ONCE_A_ROW, Trouble::AnswerAfterEffect(Answer::new(500));
    /// Each user's first attach is never answered and has no effect.
    hang = "hang": ATTACH, ONCE_A_ROW, Trouble::Hang;
    /// Each user's first attach takes effect and is never answered.
    hang_after_effect = "hang-after-effect": ATTACH, ONCE_A_ROW, Trouble::HangAfterEffect;
    /// Each user's first attach is never answered and takes effect two seconds after the client gave up.
    late_effect = "late-effect": ATTACH, ONCE_A_ROW, Trouble::LateEffect(LATE);
    /// Each user's first attach meets a closed connection and takes effect two seconds after that.
    cut_then_late_effect = "cut-then-late-effect": ATTACH, ONCE_A_ROW, Trouble::CutThenLateEffect(LATE);
    /// Each user's first attach takes effect and is answered two seconds later.
    late_answer = "late-answer": ATTACH, ONCE_A_ROW, Trouble::LateAnswer(LATE);
    /// Each attach takes effect, and the JSON of its answer ends in the middle.
    truncated_body = "truncated-body": ATTACH, When::Always, Trouble::Altered(Alteration::Truncated);
    /// Each attach takes effect and is answered 201 with a page of HTML.
    html_body = "html-body": ATTACH, When::Always, Trouble::Altered(Alteration::Html);
    /// Each attach takes effect and is answered 200 with nothing.
    empty_body = "empty-body": ATTACH, When::Always, Trouble::Altered(Alteration::Empty);
    /// Each attach takes effect and is answered with fields of the wrong types.
    wrong_types = "wrong-types": ATTACH, When::Always, Trouble::Altered(Alteration::WrongTypes);
    /// Each attach takes effect, and the connection is closed in the middle of the body.
    cut_in_body = "cut-in-body": ATTACH, When::Always, Trouble::Altered(Alteration::CutInBody);
    /// Each attach takes effect and is answered with a body of 64 MiB.
    huge_body = "huge-body": ATTACH, When::Always, Trouble::Altered(Alteration::Huge(64 << 20));
    /// Each user's first attach takes effect, and its body comes one byte every 100 ms.
    slow_body = "slow-body": ATTACH, ONCE_A_ROW, Trouble::Altered(Alteration::Slow(Duration::from_millis(100)));
    /// Each look at a credential is answered with fields of the wrong types.
    look_wrong_types = "look-wrong-types": LOOK, When::Always, Trouble::Altered(Alteration::WrongTypes);
    /// Each row's first look at a credential is answered 503.
    look_unavailable = "look-unavailable": LOOK, ONCE_A_ROW, Trouble::Answer(Answer::new(503));
    /// The credential is there after the attach, but the first two looks don't see it.
    lagging_looks = "lagging-looks": ATTACH, When::Always, Trouble::Lag { looks: 2, hidden_for: Duration::ZERO };
    /// The credential is there after the attach, but for two seconds no look sees it.
    lagging_time = "lagging-time": ATTACH, When::Always, Trouble::Lag { looks: 0, hidden_for: LATE };
    /// Each attach is answered 307 to another path of the same host.
    redirect = "redirect": ATTACH, When::Always, Trouble::Redirect("/elsewhere".to_owned());
    /// Each authentication is answered 307 to another host.
    redirect_to_other_host = "redirect-to-other-host":
        Calls::One(CallKind::Authenticate), When::Always, Trouble::Redirect("https://elsewhere.invalid/autenticacao".to_owned());
    /// The tenth call to Leaf is answered 401, and so is every later one with the same bearer token.
    token_revoked = "token-revoked": LEAF, When::Nth(10), Trouble::TokenRevoked;
    /// Stara lets 10 calls a second through (5 at once) and answers the others 429 with `Retry-After` in seconds.
    stara_quota = "stara-quota": STARA, When::Always, quota(429, Advice::Seconds);
    /// The same, without `Retry-After`.
    stara_quota_silent = "stara-quota-silent": STARA, When::Always, quota(429, Advice::None);
    /// Leaf lets 10 calls a second through (5 at once) and answers the others 429 with `Retry-After` as a date.
    leaf_quota = "leaf-quota": LEAF, When::Always, quota(429, Advice::Date);
    /// Leaf lets 10 calls a second through (5 at once) and answers the others 503 with `Retry-After` in seconds.
    leaf_quota_503 = "leaf-quota-503": LEAF, When::Always, quota(503, Advice::Seconds);
    /// Each login's first two calls to Stara are answered 503 with `Retry-After: 1` and a page of HTML.
    stara_unavailable = "stara-unavailable": STARA, When::FirstPerRow(2),
        Trouble::Answer(Answer::new(503).retry_after(RetryAfter::Seconds(1)).body(Body::Html));
    /// Every call to Stara is answered 503.
    stara_down = "stara-down": STARA, When::Always, Trouble::Answer(Answer::new(503).body(Body::Html));
    /// Every call to Leaf is answered 503.
    leaf_down = "leaf-down": LEAF, When::Always, Trouble::Answer(Answer::new(503).body(Body::Html));
    /// A login that was refused three times is locked: each later authentication is answered 403, whatever the password.
    stara_lockout = "stara-lockout": Calls::One(CallKind::Authenticate), When::Always, Trouble::Lockout { refusals: 3 };
    /// One call to Stara in twenty is answered 500.
    stara_errors = "stara-errors": STARA, When::Chance(0.05), Trouble::Answer(Answer::new(500).body(Body::Text));
    /// One call to Leaf in twenty is answered 500 and has no effect.
    leaf_errors = "leaf-errors": LEAF, When::Chance(0.05), Trouble::Answer(Answer::new(500));
    /// One attach in twenty takes effect and is never answered: the connection is closed.
    replies_lost = "replies-lost": ATTACH, When::Chance(0.05), Trouble::ReplyLost;
    /// Each token call is answered 401.
    token_refused = "token-refused": Calls::One(CallKind::Token), When::Always, Trouble::Answer(Answer::new(401));
    /// Each attach takes effect and is answered with 100,000 lists within each other.
    deep_json = "deep-json": ATTACH, When::Always, Trouble::Altered(Alteration::Deep(100_000));
    /// Each attach takes effect and is answered with strings that are no UTF-8.
    invalid_utf8 = "invalid-utf8": ATTACH, When::Always, Trouble::Altered(Alteration::InvalidUtf8);
    /// Each attach takes effect and is answered `null`.
    null_body = "null-body": ATTACH, When::Always, Trouble::Altered(Alteration::Null);
    /// Each attach takes effect and is answered with every field twice.
    duplicate_keys = "duplicate-keys": ATTACH, When::Always, Trouble::Altered(Alteration::DuplicateKeys);
    /// Every call to Leaf is answered in HTTP/1.0, without a length.
    http_1_0 = "http-1.0": LEAF, When::Always, Trouble::Altered(Alteration::Wire(Wire::Http10));
    /// Every call to Leaf is answered well, and its connection closed right after that without a word.
    closed_unannounced = "closed-unannounced":
        LEAF, When::Always, Trouble::Altered(Alteration::Wire(Wire::ClosedUnannounced));
    /// Each attach takes effect and is answered with a thousand header lines of a hundred bytes.
    header_lines = "header-lines": ATTACH, When::Always, Trouble::Altered(Alteration::Wire(Wire::HeaderLines(1_000)));
    /// Each attach takes effect and is answered with interim answers (103) without an end.
    interim_answers = "interim-answers":
        ATTACH, When::Always, Trouble::Altered(Alteration::Wire(Wire::InformationalForever));
    /// Each attach takes effect, and the chunks of its answer have sizes that are no numbers.
    chunked_garbage = "chunked-garbage": ATTACH, When::Always, Trouble::Altered(Alteration::Wire(Wire::ChunkedGarbage));
    /// Every call to Leaf is answered 403.
    leaf_forbidden = "leaf-forbidden": LEAF, When::Always, Trouble::Answer(Answer::new(403));
    /// Each page of the list of users comes without `X-Total-Count`.
    list_without_total = "list-without-total": LIST, When::Always, Trouble::Page(PageFlaw::WithoutTotal);
    /// Each page of the list says that there is one user in all.
    list_false_total = "list-false-total": LIST, When::Always, Trouble::Page(PageFlaw::FalseTotal(1));
    /// In every second page call one more user stands in front of the list, so that others slip over the pages' edges:
    /// some are shown twice, and some never.
    list_shifts = "list-shifts": LIST, When::EveryNth(2), Trouble::Page(PageFlaw::UsersInFront(1));
    /// Each page call is answered with the first page.
    list_same_page = "list-same-page": LIST, When::Always, Trouble::Page(PageFlaw::AlwaysFirst);
    /// No page of the list holds more than 20 users, whatever `size` says.
    list_small_pages = "list-small-pages": LIST, When::Always, Trouble::Page(PageFlaw::SmallPages(20));
    /// Each user stands on its page of the list twice.
    list_user_twice = "list-user-twice": LIST, When::Always, Trouble::User(UserFlaw::Twice);
    /// In the list, each credential lacks its `status`.
    embedded_without_status = "embedded-without-status": LIST, When::Always, Trouble::User(UserFlaw::WithoutStatus);
    /// In the list, each credential lacks its `id`.
    embedded_without_id = "embedded-without-id": LIST, When::Always, Trouble::User(UserFlaw::WithoutId);
    /// In the list, `null` stands in the place of each credential.
    embedded_null = "embedded-null": LIST, When::Always, Trouble::User(UserFlaw::NullCredential);
    /// In the list, `{}` stands in the place of each credential, and where there is none.
    embedded_empty = "embedded-empty": LIST, When::Always, Trouble::User(UserFlaw::EmptyCredential);
    /// In the list, no user has a field for its credential.
    embedded_missing = "embedded-missing": LIST, When::Always, Trouble::User(UserFlaw::MissingCredential);
    /// Each look at a credential's log is answered with an empty list.
    empty_list = "empty-list": EVENTS, When::Always, Trouble::Altered(Alteration::EmptyList);
    /// Just before each user's first look at a credential, that credential becomes `invalid`.
    turned_unhealthy = "turned-unhealthy": LOOK, ONCE_A_ROW, Trouble::Turned(Turn::Unhealthy);
    /// Just before each user's first removal, somebody else removes the credential.
    turned_missing = "turned-missing": REMOVE, ONCE_A_ROW, Trouble::Turned(Turn::Missing);
    /// Just before each user's first attach, somebody else attaches a credential in the place of any that is there.
    turned_foreign = "turned-foreign": ATTACH, ONCE_A_ROW, Trouble::Turned(Turn::Foreign);
    /// Just before each user's first attach, the user is deleted at Leaf.
    turned_unknown = "turned-unknown": ATTACH, ONCE_A_ROW, Trouble::Turned(Turn::UnknownUser);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_fault_is_found_again_by_its_name() {
        for name in Fault::NAMES {
            assert_eq!(name.parse::<Fault>().unwrap().as_str(), *name);
        }
        assert_eq!("mishap".parse::<Fault>().unwrap_err(), UnknownFaultError);
    }

    #[test]
    fn every_named_fault_is_documented() {
        let manual = include_str!("../../../docs/SANDBOX.md");
        for name in Fault::NAMES {
            assert!(manual.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
