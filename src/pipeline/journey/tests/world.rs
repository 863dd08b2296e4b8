//! A Leaf with one user and a Stara, in which a seed decides what goes wrong. It counts what really happened.

use std::collections::BTreeMap;
use std::time::Duration;

use super::story::{absent, credential, failed, found, kept, lost, server_error, throttled, unreachable};
use crate::api::{CallErrorKind, UserLook};
use crate::model::simulated::Dice;
use crate::pipeline::journey::{Answer, Call, Event};

/// The longest time in which a request reaches its host, and an answer us.
const TRAVEL: Duration = Duration::from_millis(400);

/// The longest time after which a missing answer is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How bad the world can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Climate {
    /// The longest time by which an effect comes after its request was sent.
    pub(super) lateness: Duration,
    /// The longest time by which a look lags behind.
    pub(super) lag: Duration,
    /// Whether Leaf refuses an attach where a credential is already; else it takes its place.
    pub(super) refuses_a_second: bool,
    /// Of a hundred requests so many go wrong…
    pub(super) trouble: u64,
    /// …but at most so many in all.
    pub(super) most_troubles: u32,
}

/// A credential at Leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) id: u32,
    /// Whether we attached it.
    pub(super) ours: bool,
    /// From when on its status is good.
    pub(super) healthy_from: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Attach,
    Remove { asked: u32 },
}

/// An attach that may have taken effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posted {
    pub(super) at: Duration,
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) climate: Climate,
    /// Effects under way, in the order in which they will come.
    pending: BTreeMap<(Duration, u32), Change>,
    /// What the user held from when on.
    history: Vec<(Duration, Option<Held>)>,
    next_id: u32,
    requests: u32,
    /// The moment that the last look showed.
    sampled: Duration,
    /// Attaches that may have taken effect and haven't been refused.
    pub(super) posted: Vec<Posted>,
    /// When looks were sent that showed nothing.
    pub(super) absences: Vec<Duration>,
    /// When deletions were sent.
    pub(super) removals: Vec<Duration>,
    /// How often an attach of ours took effect while another one of ours was there.
    pub(super) doubles: u32,
    /// How often a deletion took away another credential than it was meant for.
    pub(super) wrong_removals: u32,
    /// How often a deletion took away a credential that isn't ours.
    pub(super) foreign_removals: u32,
}

impl World {
    pub(super) fn new(dice: Dice, climate: Climate, held: Option<Held>) -> Self {
        Self {
            dice,
            climate,
            pending: BTreeMap::new(),
            history: vec![(Duration::ZERO, held)],
            next_id: 1,
            requests: 0,
            sampled: Duration::ZERO,
            posted: Vec::new(),
            absences: Vec::new(),
            removals: Vec::new(),
            doubles: 0,
            wrong_removals: 0,
            foreign_removals: 0,
        }
    }

    /// What the user holds once everything up to `now` has come into effect.
    pub(super) fn held(&mut self, now: Duration) -> Option<Held> {
        self.advance(now);
        self.history.last().and_then(|(_, held)| *held)
    }

    /// Whether an attach is still on its way.
    pub(super) fn has_attach_under_way(&mut self, now: Duration) -> bool {
        self.advance(now);
        self.pending.values().any(|change| matches!(change, Change::Attach))
    }

    /// Lets nothing go wrong from here on.
    pub(super) fn calm_down(&mut self) {
        self.climate.most_troubles = 0;
    }

    /// Sends a request, and tells when its answer comes and what it is. `removing` is the credential that a deletion is
    /// meant for.
    pub(super) fn send(&mut self, call: Call, now: Duration, removing: Option<u32>) -> (Duration, Event) {
        self.requests += 1;
        let arrival = now + self.dice.time(TRAVEL);
        self.advance(arrival);
        let is_troubled = self.climate.most_troubles > 0 && self.dice.chance(self.climate.trouble);
        if is_troubled {
            self.climate.most_troubles -= 1;
        }
        let (answered, event) = match call {
            Call::Attach => self.attach(now, arrival, is_troubled),
            Call::Remove => self.remove(now, arrival, is_troubled, removing.unwrap()),
            _ if is_troubled => (arrival, self.failure_of(call)),
            Call::Authenticate | Call::Token | Call::SaveEvents => (arrival, kept()),
            Call::LookUser | Call::LookCredential => (arrival, self.look(call, now, arrival)),
        };
        (answered + self.dice.time(TRAVEL), event)
    }

    fn advance(&mut self, now: Duration) {
        while let Some(entry) = self.pending.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), change) = entry.remove_entry();
            self.apply(change, at);
        }
    }

    /// Applies a change, and tells whether it took effect.
    fn apply(&mut self, change: Change, at: Duration) -> bool {
        let held = self.history.last().and_then(|(_, held)| *held);
        let held = match (change, held) {
            (Change::Attach, Some(_)) if self.climate.refuses_a_second => return false,
            (Change::Attach, held) => {
                self.doubles += u32::from(held.is_some_and(|held| held.ours));
                let recovers = if self.dice.chance(10) { Duration::from_secs(10) } else { Duration::ZERO };
                self.next_id += 1;
                Some(Held { id: self.next_id, ours: true, healthy_from: at + recovers })
            }
            (Change::Remove { .. }, None) => return false,
            (Change::Remove { asked }, Some(held)) => {
                self.wrong_removals += u32::from(held.id != asked);
                self.foreign_removals += u32::from(!held.ours);
                None
            }
        };
        self.history.push((at, held));
        true
    }

    fn apply_later(&mut self, change: Change, now: Duration) {
        let at = now + self.dice.time(self.climate.lateness);
        self.pending.insert((at, self.requests), change);
    }

    fn attach(&mut self, now: Duration, arrival: Duration, is_troubled: bool) -> (Duration, Event) {
        let posted = Posted { at: now };
        if !is_troubled {
            if !self.apply(Change::Attach, arrival) {
                return (arrival, failed(CallErrorKind::Refused, 409));
            }
            self.posted.push(posted);
            let id = format!("c{}", self.next_id);
            let created = self.dice.chance(90).then(|| credential(&id, "OK"));
            return (arrival, Event::Answered(Answer::Attached(201, created)));
        }
        match self.dice.roll(12) {
            0 => return (arrival, unreachable()),
            1 => return (arrival, throttled()),
            2 => return (arrival, failed(CallErrorKind::Refused, 422)),
            3 => {
                let (kind, status) = self.dice.pick(&[
                    (CallErrorKind::NotFound, 404),
                    (CallErrorKind::Forbidden, 403),
                    (CallErrorKind::Unexpected, 418),
                ]);
                return (arrival, failed(kind, status));
            }
            // A gateway that sends it twice and passes on the second answer. A look that lags behind would take that for
            // a refusal, and no rule can help it.
            4 if self.climate.lag.is_zero() => {
                self.apply(Change::Attach, arrival);
                return (arrival, failed(CallErrorKind::Refused, 409));
            }
            5..=7 => {
                self.apply(Change::Attach, arrival);
            }
            8 | 9 => self.apply_later(Change::Attach, now),
            _ => {}
        }
        self.posted.push(posted);
        self.no_answer(now, arrival)
    }

    fn remove(
        &mut self,
        now: Duration,
        arrival: Duration,
        is_troubled: bool,
        asked: u32,
    ) -> (Duration, Event) {
        self.removals.push(now);
        let change = Change::Remove { asked };
        if !is_troubled {
            let status = if self.apply(change, arrival) { 204 } else { 404 };
            return (arrival, Event::Answered(Answer::Removed(status)));
        }
        match self.dice.roll(8) {
            0 => return (arrival, unreachable()),
            1 => return (arrival, throttled()),
            2 => return (arrival, failed(CallErrorKind::Forbidden, 403)),
            3 | 4 => {
                self.apply(change, arrival);
            }
            5 | 6 => self.apply_later(change, now),
            _ => {}
        }
        self.no_answer(now, arrival)
    }

    /// A time-out, a cut connection or a server error.
    fn no_answer(&mut self, now: Duration, arrival: Duration) -> (Duration, Event) {
        match self.dice.roll(3) {
            0 => (now + PATIENCE, lost()),
            1 => (arrival, lost()),
            _ => (arrival, server_error()),
        }
    }

    fn failure_of(&mut self, call: Call) -> Event {
        match (call, self.dice.roll(12)) {
            (_, 0..=2) => lost(),
            (_, 3..=5) => server_error(),
            (_, 6 | 7) => unreachable(),
            (_, 8 | 9) => throttled(),
            (Call::Token, 10) => failed(CallErrorKind::Unauthorized, 401),
            (Call::Authenticate, 10) => failed(CallErrorKind::LoginRejected, 401),
            _ => failed(CallErrorKind::Unexpected, 200),
        }
    }

    fn look(&mut self, call: Call, now: Duration, arrival: Duration) -> Event {
        // What was seen once is not unseen: a look lags behind the world, but not behind the look before it.
        let sampled = arrival.saturating_sub(self.dice.time(self.climate.lag)).max(self.sampled);
        self.sampled = sampled;
        let entry = self.history.iter().rev().find(|(from, _)| *from <= sampled);
        let seen = entry.and_then(|(_, held)| *held);
        if seen.is_none() {
            self.absences.push(now);
        }
        let shown = seen.map(|held| {
            let status = if held.healthy_from <= sampled { "OK" } else { "invalid" };
            (format!("c{}", held.id), status)
        });
        match (call, shown) {
            (Call::LookUser, None) => Event::Answered(Answer::User(UserLook::NoCredential)),
            (Call::LookUser, Some(_)) if self.dice.chance(20) => {
                Event::Answered(Answer::User(UserLook::Incomplete))
            }
            (Call::LookUser, Some((id, status))) => {
                Event::Answered(Answer::User(UserLook::Credential(credential(&id, status))))
            }
            (_, None) => absent(),
            (_, Some((id, status))) => found(&id, status),
        }
    }
}
