//! Tells a journey as lines of text: what it did, given what came back.

use std::collections::VecDeque;
use std::time::Duration;

use crate::api::{CallError, CallErrorKind, UserLook};
use crate::http::{RetryPolicy, Unreached};
use crate::model::{Credential, CredentialId, Origin};
use crate::pipeline::journey::types::{Finish, KeptIntent};
use crate::pipeline::journey::{
    Answer, Call, Effect, Event, Intending, Journey, JourneyRules, JourneyStart, KnownCredential, OnExisting,
    PriorIntent,
};

/// More effects than any journey has.
const MOST_EFFECTS: usize = 200;

/// The defaults of the house plan.
pub(super) const fn rules() -> JourneyRules {
    JourneyRules {
        precheck: true,
        on_existing: OnExisting::Keep,
        verify_wait: Duration::from_secs(30),
        settle: Duration::from_mins(2),
        review_after: Duration::from_mins(15),
        row_deadline: Duration::from_mins(15),
        stara: RetryPolicy::with_attempts(3),
        leaf: RetryPolicy::with_attempts(4),
    }
}

/// The rules with `--precheck off`.
pub(super) fn without_precheck() -> JourneyRules {
    JourneyRules { precheck: false, ..rules() }
}

/// The rules with `--on-existing` set.
pub(super) fn with_existing(on_existing: OnExisting) -> JourneyRules {
    JourneyRules { on_existing, ..rules() }
}

/// What a journey did, line by line, and how it ended.
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    pub(super) finish: Finish,
}

impl Told {
    /// The line that says how it ended.
    pub(super) fn end(&self) -> &str {
        self.lines.iter().rev().find(|line| line.starts_with("end: ")).unwrap()
    }

    /// How often a call was made.
    pub(super) fn count(&self, line: &str) -> usize {
        self.lines.iter().filter(|told| *told == line).count()
    }
}

/// Tells the journey of a row of which nothing is known, under the default rules.
pub(super) fn fresh(replies: impl IntoIterator<Item = Event>) -> Told {
    tell(rules(), JourneyStart::default(), replies)
}

/// Tells a journey in which every request and every claim gets the next of `replies` at once, and every rest lasts as
/// long as it may. All replies must be used up.
pub(super) fn tell(
    rules: JourneyRules,
    start: JourneyStart,
    replies: impl IntoIterator<Item = Event>,
) -> Told {
    tell_slowly(rules, start, Duration::ZERO, replies)
}

/// The same, with every request taking `travel` from sending to the end of its answer.
pub(super) fn tell_slowly(
    rules: JourneyRules,
    start: JourneyStart,
    travel: Duration,
    replies: impl IntoIterator<Item = Event>,
) -> Told {
    let mut replies: VecDeque<Event> = replies.into_iter().collect();
    let mut journey = Journey::new(rules, start);
    let (mut lines, mut now, mut event) = (Vec::new(), Duration::ZERO, Event::Begun);
    for _ in 0..MOST_EFFECTS {
        let effect = journey.on(event, now);
        let mut reply = || replies.pop_front().unwrap_or_else(|| panic!("no reply is left after {lines:#?}"));
        let own = match &effect {
            Effect::Send(_) | Effect::SendIntended(..) => {
                now += travel;
                travel
            }
            Effect::Backoff(time) | Effect::Wait(time) => *time,
            Effect::ClaimChange | Effect::Park(_) | Effect::Finish(_) | Effect::Leave(_) => Duration::ZERO,
        };
        journey.spend(own);
        event = match effect {
            Effect::Send(call) => {
                let event = reply();
                lines.push(name(call).to_owned());
                event
            }
            Effect::SendIntended(call, intending) => {
                let event = reply();
                lines.push(format!("intent: {}", announced(&intending)));
                lines.push(name(call).to_owned());
                event
            }
            Effect::ClaimChange => {
                let event = reply();
                lines.push("claim a change".to_owned());
                event
            }
            Effect::Backoff(within) => rest(&mut lines, &mut now, "back off within", within),
            Effect::Wait(time) => rest(&mut lines, &mut now, "wait", time),
            Effect::Park(time) => rest(&mut lines, &mut now, "park", time),
            Effect::Finish(finish) => {
                lines.push(format!("end: {}", ending(&finish)));
                if let Some(kept) = &finish.keep_intent {
                    lines.push(format!("stays open: {}", stays_open(kept)));
                }
                assert!(replies.is_empty(), "{} replies are left after {lines:#?}", replies.len());
                return Told { lines, finish: *finish };
            }
            Effect::Leave(why) => panic!("the row is left as it stands ({why}) after {lines:#?}"),
        };
    }
    panic!("the journey doesn't end: {lines:#?}");
}

fn rest(lines: &mut Vec<String>, now: &mut Duration, how: &str, time: Duration) -> Event {
    *now += time;
    lines.push(format!("{how} {time:?}"));
    Event::Woken
}

const fn name(call: Call) -> &'static str {
    match call {
        Call::LookUser => "GET user",
        Call::LookCredential => "GET credential",
        Call::Authenticate => "POST autenticacao",
        Call::Token => "POST token",
        Call::SaveEvents => "GET events",
        Call::Remove => "DELETE credential",
        Call::Attach => "POST credential",
    }
}

fn announced(intending: &Intending) -> String {
    let mut words = vec![match intending.attaches {
        0 => "deletion".to_owned(),
        attaches => format!("attach {attaches}"),
    }];
    if intending.over_nothing {
        words.push("over nothing".to_owned());
    }
    if intending.replacing || intending.removing.is_some() {
        let id = intending.removing.as_ref().map_or("a credential without id", CredentialId::as_str);
        let how = if intending.replacing { "replacing" } else { "taking away" };
        words.push(format!("{how} {id}"));
    }
    words.join(", ")
}

fn stays_open(kept: &KeptIntent) -> String {
    let acknowledged = if kept.acknowledged { ", acknowledged" } else { "" };
    format!("{}{acknowledged}", announced(&kept.intending))
}

fn ending(finish: &Finish) -> String {
    let outcome = &finish.outcome;
    let mut words = vec![format!("{} at {}", outcome.code, outcome.stage)];
    words.extend(outcome.origin.map(|origin| origin.as_str().to_owned()));
    if finish.ours {
        words.push("ours".to_owned());
    }
    if finish.refused {
        words.push("login refused".to_owned());
    }
    let id = outcome.credential.as_ref().and_then(|credential| credential.id.as_ref());
    words.extend(id.map(|id| id.as_str().to_owned()));
    words.join(", ")
}

/// The user exists and holds nothing.
pub(super) fn no_credential() -> Event {
    Event::Answered(Answer::User(UserLook::NoCredential))
}

/// The user exists and holds this.
pub(super) fn user_holds(id: &str, status: &str) -> Event {
    Event::Answered(Answer::User(UserLook::Credential(credential(id, status))))
}

/// The user holds something, but the answer doesn't tell what.
pub(super) fn user_holds_something() -> Event {
    Event::Answered(Answer::User(UserLook::Incomplete))
}

/// Login, tokens or events came as they should.
pub(super) fn kept() -> Event {
    Event::Answered(Answer::Kept)
}

/// 201 with the credential.
pub(super) fn created(id: &str) -> Event {
    Event::Answered(Answer::Attached(201, Some(credential(id, "OK"))))
}

/// 201 with a body that can't be read.
pub(super) fn created_unreadably() -> Event {
    Event::Answered(Answer::Attached(201, None))
}

/// The look shows this credential.
pub(super) fn found(id: &str, status: &str) -> Event {
    Event::Answered(Answer::Credential(Some(credential(id, status))))
}

/// The look shows that there is no credential.
pub(super) fn absent() -> Event {
    Event::Answered(Answer::Credential(None))
}

/// The deletion was confirmed.
pub(super) fn removed() -> Event {
    Event::Answered(Answer::Removed(204))
}

/// No answer came, or none that says whether the request was processed.
pub(super) fn lost() -> Event {
    Event::Failed(CallError { kind: CallErrorKind::NoAnswer, status: None, retry_after: None })
}

/// The host couldn't be reached.
pub(super) fn unreachable() -> Event {
    Event::Failed(CallError {
        kind: CallErrorKind::Unreachable(Unreached::Refused),
        status: None,
        retry_after: None,
    })
}

/// A failure with a status.
pub(super) fn failed(kind: CallErrorKind, status: u16) -> Event {
    Event::Failed(CallError { kind, status: Some(status), retry_after: None })
}

/// 500.
pub(super) fn server_error() -> Event {
    failed(CallErrorKind::ServerError, 500)
}

/// 429.
pub(super) fn throttled() -> Event {
    failed(CallErrorKind::Throttled, 429)
}

/// 409.
pub(super) fn conflict() -> Event {
    failed(CallErrorKind::Refused, 409)
}

/// 404 as a failure: Leaf doesn't know the user.
pub(super) fn not_found() -> Event {
    failed(CallErrorKind::NotFound, 404)
}

/// A credential as Leaf shows it.
pub(super) fn credential(id: &str, status: &str) -> Credential {
    Credential::new(Some(id), Some(status))
}

/// A credential that the ledger knows.
pub(super) fn known(id: &str, ours: bool) -> KnownCredential {
    KnownCredential { id: CredentialId::new(id).unwrap(), origin: Some(Origin::Created), ours }
}

/// A start from an open intent of one attach, so and so many seconds old, after a look that showed nothing.
pub(super) fn one_attach(age_seconds: u64) -> PriorIntent {
    PriorIntent {
        age: Some(Duration::from_secs(age_seconds)),
        attaches: 1,
        acknowledged: false,
        over_nothing: true,
        replacing: false,
        removing: None,
        other_login: false,
    }
}

/// A start from this intent.
pub(super) fn resumed(intent: PriorIntent) -> JourneyStart {
    JourneyStart { intent: Some(intent), ..JourneyStart::default() }
}

/// The four answers up to the attach of a fresh row.
pub(super) fn up_to_attach() -> Vec<Event> {
    vec![no_credential(), kept(), kept()]
}

/// The answers up to the attach, and then these.
pub(super) fn then(replies: impl IntoIterator<Item = Event>) -> Vec<Event> {
    up_to_attach().into_iter().chain(replies).collect()
}
