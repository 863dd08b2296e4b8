//! The two services and the time they live in. It counts what really happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::arrived::{Arrived, Asked};
use super::leaf::Leaf;
use super::oracle::{Heard, Oracle};
use super::setting::{Climate, SETTLE, Setting, Standing};
use super::stara::Stara;
use super::trouble::Trouble;
use super::user::{Change, name};
use crate::model::simulated::Dice;
use crate::model::{LeafUserId, OutcomeCode, Service, UnixMillis};

/// Where virtual time begins, by the wall clock.
const EPOCH: i64 = 1_795_000_000_000;

/// From here on the credentials of growers who signed in are numbered, out of the way of those of requests.
const SIGNED_IN: u32 = 2_000_000;

/// Leaf's clock, which nobody sets back.
pub(super) fn leaf_clock(now: Duration) -> UnixMillis {
    UnixMillis(EPOCH + i64::try_from(now.as_millis()).unwrap())
}

/// An answer on its way back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<u64>,
    /// How many users a list says that it has.
    pub(super) total: Option<usize>,
    /// The body; `Null` for none.
    pub(super) body: Value,
    /// Whether it says that the user holds no credential.
    pub(super) shows_nothing: bool,
}

impl Answer {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, retry_after: None, total: None, body, shows_nothing: false }
    }

    pub(super) fn status(status: u16, retry_after: Option<u64>) -> Self {
        Self { retry_after, ..Self::json(status, Value::Null) }
    }
}

/// At which moment of a request the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrashPoint {
    /// When it leaves.
    Leaving,
    /// When it has taken effect.
    Processed,
    /// When its answer is there.
    Answered,
}

/// A request that left, and what will become of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) number: u32,
    pub(super) left: Duration,
    pub(super) trouble: Trouble,
    pub(super) there: Duration,
    pub(super) back: Duration,
    pub(super) crash: Option<CrashPoint>,
}

/// A host that is down for a while, in one way.
#[derive(Debug, Clone, Copy)]
struct Outage {
    host: Service,
    from: Duration,
    to: Duration,
    trouble: Trouble,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) climate: Climate,
    pub(super) stara: Stara,
    pub(super) leaf: Leaf,
    pub(super) oracle: Oracle,
    is_timely: bool,
    /// At which request the process dies, and when in it.
    pub(super) crash_at: Option<(u32, CrashPoint)>,
    /// At which attach or deletion from here on the process dies, and when in it.
    pub(super) crash_at_write: Option<(u32, CrashPoint)>,
    pub(super) crashed: Arc<Notify>,
    requests: u32,
    /// How many growers have signed in by themselves.
    pub(super) signed_in: usize,
    outage: Option<Outage>,
    /// The time of the world when the current run began, and that moment by the run's clock.
    base: Duration,
    began: Option<Instant>,
    /// How far the wall clock is behind, in milliseconds.
    clock_behind: i64,
    /// What happened, where it is to be told.
    pub(super) told: Option<Vec<String>>,
    objections_told: usize,
}

impl World {
    pub(super) fn new(setting: &Setting, dice: Dice, is_told: bool) -> Self {
        let climate = setting.climate;
        Self {
            dice,
            climate,
            stara: Stara {
                dialect: setting.dialect,
                logins: setting.logins.clone(),
                refusal: climate.refusal,
                given: std::collections::BTreeMap::new(),
                refused: BTreeSet::new(),
            },
            leaf: Leaf::new(setting),
            oracle: Oracle::new(setting),
            is_timely: setting.is_timely,
            crash_at: None,
            crash_at_write: None,
            crashed: Arc::default(),
            requests: 0,
            signed_in: 0,
            outage: None,
            base: Duration::ZERO,
            began: None,
            clock_behind: 0,
            told: is_told.then(Vec::new),
            objections_told: 0,
        }
    }

    /// Lets nothing go wrong until the troubles that it gives are put into force again.
    pub(super) fn put_off_troubles(&mut self) -> u32 {
        std::mem::take(&mut self.climate.most_troubles)
    }

    /// Lets nothing go wrong from here on.
    pub(super) fn calm_down(&mut self) {
        self.climate.most_troubles = 0;
        self.leaf.token_uses = None;
        self.leaf.uses_left = u64::MAX;
    }

    pub(super) fn now(&self) -> Duration {
        self.base + self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    pub(super) fn wall_clock(&self) -> UnixMillis {
        UnixMillis(leaf_clock(self.now()).0 - self.clock_behind)
    }

    /// A run begins; to be called within its runtime.
    pub(super) fn begin_run(&mut self) {
        self.began = Some(Instant::now());
        self.outage = None;
        if self.climate.most_troubles > 0 && self.dice.chance(40) {
            let host = self.dice.pick(&[Service::Stara, Service::Leaf]);
            let from = self.now() + self.dice.time(Duration::from_secs(20));
            let long = Duration::from_secs(self.dice.pick(&[20, 100, 400, 2_000]));
            let trouble = match self.dice.roll(4) {
                0 => Trouble::Unreachable,
                1 => Trouble::Status { status: 502, processed: false },
                2 => Trouble::Status { status: 503, processed: false },
                _ => Trouble::Status { status: 500, processed: true },
            };
            self.outage = Some(Outage { host, from, to: from + long, trouble });
        }
    }

    /// The runtime of a run is about to go; to be called within it.
    pub(super) fn end_run(&mut self) {
        self.base = self.now();
        self.began = None;
    }

    /// Time passes between two runs, and the wall clock may go back.
    pub(super) fn pass(&mut self, time: Duration, clock_back: i64) {
        self.base += time;
        self.clock_behind += clock_back;
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(told) = &mut self.told {
            for objection in self.oracle.objections.iter().skip(self.objections_told) {
                told.push(format!("             VIOLATED {objection}"));
            }
            self.objections_told = self.oracle.objections.len();
            told.push(format!("{:>12.3} {}", now.as_secs_f64(), what()));
        }
    }

    /// A request leaves the client.
    pub(super) fn leave(&mut self, arrived: &Arrived) -> Sent {
        self.requests += 1;
        let (number, left) = (self.requests, self.now());
        // Deletions and links are few, and much can go wrong with them.
        let least = match arrived.asked {
            Asked::Remove => 25,
            Asked::MagicLink { .. } => 15,
            _ => 0,
        };
        let trouble = self.climate.trouble.max(least);
        let is_troubled = self.climate.most_troubles > 0 && self.dice.chance(trouble);
        let trouble = if is_troubled {
            self.climate.most_troubles -= 1;
            Trouble::draw(&arrived.asked, &self.climate, &mut self.dice)
        } else {
            Trouble::None
        };
        let down = self.outage.as_ref().filter(|outage| outage.host == arrived.host);
        let down = down.filter(|outage| (outage.from..outage.to).contains(&left));
        let trouble = down.map_or(trouble, |outage| outage.trouble);
        let crash = self.crash_at.filter(|(at, _)| *at == number).map(|(_, point)| point);
        let crash = crash.or_else(|| self.crash_at_this_write(&arrived.asked));
        let (there, back) = (self.dice.time(self.climate.travel), self.dice.time(self.climate.travel));
        let user = arrived.user.map(|user| user.to_string()).unwrap_or_default();
        self.tell(|| format!("#{number} {:?} {user} {trouble:?}", arrived.asked));
        let wall = self.wall_clock();
        self.oracle.on_leaving(arrived, number, left, wall, &self.stara);
        if arrived.asked == Asked::Remove {
            self.check_need(arrived);
        }
        if trouble != Trouble::None {
            self.oracle.on_trouble(arrived, &self.stara);
        }
        if let (Trouble::Late(_) | Trouble::Again, Some(change)) = (trouble, self.change(arrived)) {
            let is_good = self.leaf.is_good(arrived);
            let user = arrived.user.and_then(|id| self.leaf.users.get_mut(&id));
            if let Some(user) = user.filter(|user| user.is_open() && is_good) {
                // What comes a second time comes soon: later than that no rule could help a user who was attached anew.
                let soon = if trouble == Trouble::Again { SETTLE / 2 } else { Duration::MAX };
                let at = left + self.dice.time(self.climate.lateness.min(soon));
                user.apply_later(change, number, at);
            }
        }
        Sent { number, left, trouble, there, back, crash }
    }

    /// A deletion leaves: the credential that is there mustn't be the very one that the row is to have.
    fn check_need(&mut self, arrived: &Arrived) {
        let (now, second) = (self.now(), self.leaf.second);
        let user = arrived.user.and_then(|id| Some((id, self.leaf.users.get_mut(&id)?)));
        let Some((id, user)) = user.filter(|(_, user)| !user.may_make_way) else { return };
        let Some(held) = user.held(now, second, &mut self.dice) else { return };
        if held.login.is_some() && held.healthy_from <= now && held.login == self.oracle.row_login(id) {
            let what = format!("{id} holds {:?}'s credential, and that is its row's login", held.login);
            self.oracle.object("no needless DELETE", &what);
        }
    }

    /// At which moment of this request the process dies, if it is the attach or deletion at which it is to.
    fn crash_at_this_write(&mut self, asked: &Asked) -> Option<CrashPoint> {
        let (left, point) = self.crash_at_write.filter(|_| asked.is_write())?;
        self.crash_at_write = left.checked_sub(1).map(|left| (left, point));
        (left == 1).then_some(point)
    }

    /// With which login the credential that works for a user was got, in the end; and whether somebody else's is there.
    pub(super) fn holds(&mut self, user: LeafUserId) -> Option<(Option<String>, bool)> {
        let (now, second) = (self.now(), self.leaf.second);
        let held = self.leaf.users.get_mut(&user)?.held(now, second, &mut self.dice);
        let is_foreign = held.as_ref().is_some_and(|held| held.login.is_none());
        let working = held.filter(|held| held.healthy_from <= now);
        Some((working.and_then(|held| held.login), is_foreign))
    }

    /// The users whose credential somebody else has exchanged or made, so that their rows may end otherwise.
    pub(super) fn exchanged(&self) -> BTreeSet<LeafUserId> {
        let users = self.leaf.users.iter().filter(|(_, user)| user.is_exchanged || user.has_signed_in);
        users.map(|(id, _)| *id).collect()
    }

    /// Of a hundred growers who were given a link so many sign in. One whose attach may yet prove to have taken effect waits:
    /// what they made couldn't be told from ours.
    pub(super) fn let_growers_sign_in(&mut self, percent: u64, may: impl Fn(LeafUserId) -> bool) {
        let now = self.now();
        for id in self.oracle.links.holders() {
            let is_settled = self.oracle.recorded(id).is_some_and(|record| record.intent.is_none());
            if !is_settled || !may(id) || !self.dice.chance(percent) {
                continue;
            }
            let number = SIGNED_IN + u32::try_from(self.signed_in).unwrap();
            if self.leaf.users.get_mut(&id).is_some_and(|user| user.sign_in(number, now)) {
                self.signed_in += 1;
                self.tell(|| format!("{id} signs in"));
            }
        }
    }

    pub(super) fn has_signed_in(&self, user: LeafUserId) -> bool {
        self.leaf.users.get(&user).is_some_and(|user| user.has_signed_in)
    }

    /// The client has read a link that was made for this user.
    pub(super) fn on_link(&mut self, user: LeafUserId, seconds: u64, answer: &Value) {
        let wall = self.wall_clock();
        let told: Option<jiff::Timestamp> = answer["expiresAt"].as_str().map(|text| text.parse().unwrap());
        // Where Leaf doesn't tell, the client has only its own clock.
        let due = wall.0 + i64::try_from(seconds * 1_000).unwrap();
        let expires_at = UnixMillis(told.map_or(due, jiff::Timestamp::as_millisecond));
        self.oracle.links.on_link(user, wall, expires_at);
    }

    pub(super) fn requests(&self) -> u32 {
        self.requests
    }

    /// A request reaches its host and is processed.
    pub(super) fn process(&mut self, arrived: &Arrived, number: u32) -> Answer {
        let now = self.now();
        let answer = match arrived.host {
            Service::Stara => self.stara.answer(&arrived.asked),
            Service::Leaf => {
                let change = self.change(arrived);
                let (climate, dice) = (self.climate, &mut self.dice);
                self.leaf.answer(arrived, number, change.as_ref(), now, &climate, dice)
            }
        };
        self.tell(|| format!("#{number} processed: {}", answer.status));
        self.check_wrongs(arrived.user);
        answer
    }

    /// What a request changes.
    fn change(&self, arrived: &Arrived) -> Option<Change> {
        match &arrived.asked {
            Asked::Attach { api_key, .. } => {
                Some(Change::Attach { login: self.stara.login_of(api_key).unwrap_or_default() })
            }
            Asked::Remove => Some(Change::Remove { meant: self.oracle.meant_removal(arrived.user) }),
            _ => None,
        }
    }

    /// The client hears what came of a request.
    pub(super) fn heard(&mut self, arrived: &Arrived, sent: &Sent, heard: Heard) {
        let now = self.now();
        self.tell(|| format!("#{} {heard:?}", sent.number));
        self.oracle.on_heard(arrived, sent, heard, now);
    }

    /// The client gave a request up, or has heard of it.
    pub(super) fn is_over(&mut self, number: u32) {
        self.oracle.on_over(number);
    }

    /// Whether the user has come to harm. Where effects come later than anybody waits, it can't be prevented.
    pub(super) fn check_wrongs(&mut self, user: Option<LeafUserId>) {
        let now = self.now();
        let second = self.leaf.second;
        let Some((id, user)) = user.and_then(|id| Some((id, self.leaf.users.get_mut(&id)?))) else { return };
        user.held(now, second, &mut self.dice);
        let wrongs = std::mem::take(&mut user.wrongs);
        if self.is_timely {
            for wrong in wrongs {
                self.oracle.object("one attach a user", &format!("{id} was {wrong}"));
            }
        }
    }

    /// A row's outcome is observed: it must be durable, and true.
    pub(super) fn on_finished(&mut self, line: u64, user: LeafUserId, code: OutcomeCode) {
        self.tell(|| format!("line {line} ended as {code}"));
        self.oracle.on_finished(line, user, code);
        self.check_wrongs(Some(user));
        if self.is_timely {
            self.check_truth(line, user, code);
        }
    }

    fn check_truth(&mut self, line: u64, id: LeafUserId, code: OutcomeCode) {
        let Some(user) = self.leaf.users.get(&id) else { return };
        let held = self.oracle.recorded(id);
        let Some(record) = held else { return };
        let is_open = record.intent.is_some();
        if user.has_attach_under_way() && !is_open {
            self.oracle.object("true outcomes", &format!("line {line}: {code}, and an attach is under way"));
            return;
        }
        if !code.is_done() || user.standing == Standing::Unknown {
            return;
        }
        let (second, now) = (self.leaf.second, self.now());
        let Some(user) = self.leaf.users.get_mut(&id) else { return };
        let Some(held) = user.held(now, second, &mut self.dice) else {
            self.oracle.object("true outcomes", &format!("line {line}: {code}, and nothing is there"));
            return;
        };
        let outcome = record.outcome.map(|outcome| outcome.outcome);
        let shown = outcome.and_then(|outcome| outcome.credential).and_then(|credential| credential.id);
        if shown.as_ref().is_some_and(|shown| shown.as_str() != name(held.id)) {
            let what = format!("line {line}: {code} with {shown:?}, and {} is there", name(held.id));
            self.oracle.object("true outcomes", &what);
        }
        let login = self.oracle.login_of(line);
        let is_another = held.login.is_some() && held.login != login;
        if code == OutcomeCode::Attached && is_another {
            let what = format!("line {line}: attached for {login:?}, and {:?}'s is there", held.login);
            self.oracle.object("true outcomes", &what);
        }
    }
}
