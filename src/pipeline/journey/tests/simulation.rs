//! Journeys through thousands of fates, under virtual time, with crashes at any effect and clocks that go back.
//!
//! A failing fate prints its seed and what happened in it. `docs/PROOFS.md` says how to run other seeds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::story::rules;
use super::world::{Climate, Held, World};
use crate::model::simulated::{Dice, Seeds};
use crate::model::{CredentialId, NextRun, Origin, OutcomeCode, Stage};
use crate::pipeline::journey::types::{Finish, KeptIntent};
use crate::pipeline::journey::{
    Call, Effect, Event, Goal, Intending, Journey, JourneyRules, JourneyStart, KnownCredential, OnExisting,
    PriorIntent, RowChange,
};
use crate::pipeline::known::was_looked_at;

/// Runs in which things go wrong, and then those in which nothing does any more.
const TROUBLED_RUNS: u32 = 8;
const CALM_RUNS: u32 = 8;

/// How many seeds are run when nobody says otherwise.
const SEEDS: u64 = 20_000;

/// No journey has more effects.
const MOST_EFFECTS: u32 = 400;

/// Of a hundred effects so many end in a crash, in a run in which things go wrong.
const CRASHES: u64 = 3;

/// What a row's ledger keeps, as the pipeline writes it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The open intent, and when it was written by the wall clock, in milliseconds.
    pub(super) intent: Option<(i64, KeptIntent)>,
    known: Option<KnownCredential>,
    pub(super) code: Option<OutcomeCode>,
    stage: Option<Stage>,
}

/// One seed's story. When a check in it fails, it tells itself.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and their combinations are all possible"
)]
pub(super) struct Fate {
    seed: u64,
    pub(super) told: Vec<String>,
    pub(super) goal: Goal,
    pub(super) rules: JourneyRules,
    pub(super) login_changed: bool,
    pub(super) world: World,
    pub(super) kept: Kept,
    pub(super) now: Duration,
    /// How long the last request took, which its journey hasn't heard of yet.
    answered_after: Duration,
    /// How far the wall clock is behind, in milliseconds.
    clock_behind: i64,
    /// The last deletion whose result nobody heard of.
    unknown_removal: Option<Duration>,
    pub(super) is_calm: bool,
    /// Without a look before, nobody can tell whose the credential is that a look after the attach finds.
    pub(super) is_blind: bool,
    /// Whether its user was left as it stands.
    is_left: bool,
}

impl Drop for Fate {
    fn drop(&mut self) {
        if std::thread::panicking() || Seeds::from_environment(0).only.is_some() {
            let seed = self.seed;
            eprintln!("{:?} {:?}", self.rules, self.world.climate);
            eprintln!("{}", self.told.join("\n"));
            eprintln!(
                "seed {seed}; again: SIMULATION_SEED={seed} cargo test --lib pipeline::journey -- --nocapture"
            );
        }
    }
}

/// How often each ending occurred.
pub(super) type Endings = BTreeMap<String, u32>;

impl Fate {
    pub(super) fn new(seed: u64, settle: Duration, latest: Duration, longest_lag: Duration) -> Self {
        let mut dice = Dice::new(seed);
        let climate = Climate {
            lateness: dice.time(latest),
            lag: if dice.chance(50) { Duration::ZERO } else { dice.time(longest_lag) },
            refuses_a_second: dice.chance(25),
            trouble: dice.pick(&[2, 20, 50]),
            most_troubles: 12,
        };
        let rules = JourneyRules {
            precheck: dice.chance(75),
            on_existing: dice.pick(&[
                OnExisting::Keep,
                OnExisting::Keep,
                OnExisting::Replace,
                OnExisting::Replace,
                OnExisting::Fail,
            ]),
            settle,
            row_deadline: Duration::from_secs(dice.pick(&[900, 900, 900, 20, 3])),
            ..rules()
        };
        let held = dice.chance(40).then(|| Held {
            id: 1,
            ours: dice.chance(60),
            healthy_from: if dice.chance(80) { Duration::ZERO } else { Duration::MAX },
        });
        let ours = held.filter(|held| held.ours);
        let known = ours.map(|_| known("c1"));
        Self {
            seed,
            told: Vec::new(),
            goal: Goal::default(),
            rules,
            login_changed: ours.is_some() && dice.chance(50),
            world: World::new(dice, climate, held),
            kept: Kept { known, ..Kept::default() },
            now: Duration::ZERO,
            answered_after: Duration::ZERO,
            clock_behind: 0,
            unknown_removal: None,
            is_calm: false,
            is_blind: !rules.precheck && held.is_some_and(|held| !held.ours),
            is_left: false,
        }
    }

    /// A row that audits found unhealthy, and that is to be repaired. What is there by then may be healthy again, or
    /// somebody else's.
    fn of_repair(seed: u64, settle: Duration, latest: Duration, longest_lag: Duration) -> Self {
        let mut fate = Self::new(seed, settle, latest, longest_lag);
        let dice = &mut fate.world.dice;
        let ours = dice.chance(85);
        let healthy_from = if dice.chance(85) { Duration::MAX } else { Duration::ZERO };
        let login_changed = dice.chance(20);
        let (climate, dice) = (fate.world.climate, Dice::new(dice.roll(u64::MAX)));
        fate.world = World::new(dice, climate, Some(Held { id: 1, ours, healthy_from }));
        fate.rules.precheck = true;
        fate.rules.on_existing = OnExisting::Repair;
        fate.login_changed = login_changed;
        fate.is_blind = false;
        // What the ledger knows was ours; if it is somebody else's that is there, it has another id.
        let known = known(if ours { "c1" } else { "c99" });
        fate.kept = Kept { known: Some(known), code: Some(OutcomeCode::Attached), ..Kept::default() };
        fate
    }

    /// Carries the row through run after run, until nothing is left to do. Tells how each run ended.
    fn live(&mut self) -> Endings {
        let mut endings = Endings::new();
        for run in 0..TROUBLED_RUNS + CALM_RUNS {
            if run == TROUBLED_RUNS {
                self.is_calm = true;
                self.rules.row_deadline = rules().row_deadline;
                self.world.calm_down();
            }
            self.told.push(format!("run {run} at {:?}, from {:?}", self.now, self.kept));
            let finish = self.carry();
            if self.is_left {
                // Its record stands, and the next audit says what is there now.
                return endings;
            }
            let ending = match &finish {
                Some(finish) => {
                    let origin = finish.outcome.origin.map_or("", Origin::as_str);
                    format!("{} {origin}", finish.outcome.code)
                }
                None => "crash".to_owned(),
            };
            *endings.entry(ending).or_default() += 1;
            if let Some(finish) = finish {
                let code = finish.outcome.code;
                self.record(finish);
                if code.is_done()
                    || matches!(
                        code.next_run(),
                        NextRun::WaitsForLogin | NextRun::WaitsForRow | NextRun::WaitsForName
                    )
                {
                    return endings;
                }
                assert!(
                    run + 1 < TROUBLED_RUNS + CALM_RUNS || self.may_stay(code),
                    "it never ends well: {code}"
                );
            }
            self.pause();
        }
        endings
    }

    /// Whether a row may stay so although nothing goes wrong any more.
    fn may_stay(&self, code: OutcomeCode) -> bool {
        // Nobody asked for a broken credential to be replaced.
        code == OutcomeCode::CredentialUnhealthy && !self.login_changed
    }

    pub(super) fn pause(&mut self) {
        let dice = &mut self.world.dice;
        let minutes = if self.is_calm { 20 } else { dice.pick(&[0, 0, 1, 3, 20, 1_440]) };
        self.now += Duration::from_secs(1 + 60 * minutes);
        if !self.is_calm && dice.chance(15) {
            // Back only: a clock that jumped ahead makes an intent look old, and nobody can tell.
            self.clock_behind += i64::try_from(dice.roll(3_600_000)).unwrap();
        }
    }

    fn wall_clock(&self) -> i64 {
        i64::try_from(self.now.as_millis()).unwrap() - self.clock_behind
    }

    fn start(&self) -> JourneyStart {
        let Kept { intent, known, code, stage } = &self.kept;
        let intent = intent.as_ref().map(|(at, KeptIntent { intending, acknowledged })| PriorIntent {
            age: u64::try_from(self.wall_clock() - at).ok().map(Duration::from_millis),
            attaches: intending.attaches,
            acknowledged: *acknowledged,
            over_nothing: intending.over_nothing,
            replacing: intending.replacing,
            removing: intending.removing.clone(),
            other_login: false,
        });
        JourneyStart {
            goal: self.goal,
            changed: RowChange::Nothing,
            intent,
            login_changed: self.login_changed && known.as_ref().is_some_and(|known| known.ours),
            known: known.clone(),
            look_first: code.is_some_and(OutcomeCode::asks_for_look) || stage.is_some_and(was_looked_at),
        }
    }

    /// One run of the row; `None` when it crashed, or left everything as it stood.
    pub(super) fn carry(&mut self) -> Option<Finish> {
        let mut journey = Journey::new(self.rules, self.start());
        let (began, mut event) = (self.now, Event::Begun);
        // What a crash left of the run before is no matter of this one.
        self.answered_after = Duration::ZERO;
        for _ in 0..MOST_EFFECTS {
            journey.spend(std::mem::take(&mut self.answered_after));
            let effect = journey.on(event, self.now.saturating_sub(began));
            self.told.push(format!("{:?} {effect:?}", self.now));
            let crash = (!self.is_calm && self.world.dice.chance(CRASHES)).then(|| self.world.dice.roll(3));
            if crash == Some(0) && !matches!(effect, Effect::Finish(_)) {
                return None;
            }
            event = match effect {
                Effect::Send(call) => {
                    assert_ne!(call.attempted(), crate::http::Attempted::Once, "{call:?} without an intent");
                    self.send(call, None)
                }
                Effect::SendIntended(call, intending) => {
                    self.intend(call, &intending);
                    let sent = self.now;
                    if crash == Some(1) {
                        return None;
                    }
                    let event = self.send(call, number(intending.removing.as_ref()));
                    if crash == Some(2) {
                        self.unknown_removal =
                            (call == Call::Remove).then_some(sent).or(self.unknown_removal);
                        return None;
                    }
                    if call == Call::Remove && is_unknown(&event) {
                        self.unknown_removal = Some(sent);
                    }
                    event
                }
                Effect::ClaimChange => Event::ChangeClaimed(self.is_calm || self.world.dice.chance(90)),
                Effect::Backoff(longest) => {
                    let time = self.world.dice.time(longest);
                    journey.spend(time);
                    self.now += time;
                    Event::Woken
                }
                Effect::Wait(time) => {
                    journey.spend(time);
                    self.now += time;
                    Event::Woken
                }
                Effect::Park(time) => {
                    self.now += time;
                    Event::Woken
                }
                Effect::Finish(finish) => return Some(*finish),
                Effect::Leave(why) => {
                    let is_repair = self.rules.on_existing == OnExisting::Repair;
                    let is_run = self.goal == Goal::Attached;
                    assert!(is_repair || !is_run, "a run leaves none as it stands: {why}");
                    assert!(self.kept.intent.is_none() || !is_run, "something is open: {why}");
                    self.is_left = true;
                    return None;
                }
            };
        }
        panic!("the journey doesn't end");
    }

    fn send(&mut self, call: Call, removing: Option<u32>) -> Event {
        if !self.is_calm && self.world.dice.roll(500) == 0 {
            return Event::HeldTooLong;
        }
        let (answered, event) = self.world.send(call, self.now, removing);
        self.told.push(format!("  {event:?}"));
        self.answered_after = answered.saturating_sub(self.now);
        self.now = answered;
        event
    }

    /// Writes the intent, after checking that it may be written.
    fn intend(&mut self, call: Call, intending: &Intending) {
        if call == Call::Attach {
            self.check_that_no_attach_can_be_under_way(intending);
        }
        if let Some(unknown) = self.unknown_removal {
            assert!(self.now >= unknown + self.rules.settle, "{call:?}, and a deletion may be under way");
        }
        let kept = KeptIntent { intending: intending.clone(), acknowledged: false };
        self.kept.intent = Some((self.wall_clock(), kept));
    }

    /// An attach after another one needs a look that showed nothing after the other had settled, or a deletion between.
    fn check_that_no_attach_can_be_under_way(&self, intending: &Intending) {
        let Some(last) = self.world.posted.last() else { return };
        let settled = last.at + self.rules.settle;
        let is_absent = self.world.absences.iter().any(|look| *look >= settled);
        let is_removed = self.world.removals.iter().any(|removal| *removal > last.at);
        assert!(is_absent || is_removed, "attached again before the first one was provably absent");
        assert!(is_removed || intending.attaches > 0);
    }

    /// Records an outcome as the pipeline does, after checking that it is true.
    pub(super) fn record(&mut self, finish: Finish) {
        self.check(&finish);
        // An intent from the future, where the clock went back, is from now at the latest.
        let now = self.wall_clock();
        let at = self.kept.intent.as_ref().map_or(now, |(at, _)| now.min(*at));
        let outcome = finish.outcome;
        self.kept.intent = finish.keep_intent.map(|kept| (at, kept));
        (self.kept.code, self.kept.stage) = (Some(outcome.code), Some(outcome.stage));
        let id = outcome.credential.and_then(|credential| credential.id);
        let is_held = outcome.code.is_done() || outcome.code == OutcomeCode::CredentialUnhealthy;
        if let Some(id) = id.filter(|_| is_held) {
            self.kept.known = Some(KnownCredential { id, origin: outcome.origin, ours: finish.ours });
        } else if outcome.code == OutcomeCode::Detached {
            self.kept.known = None;
        } else if let Some(id) = finish.earlier {
            self.kept.known = Some(KnownCredential { id, origin: Some(Origin::Recovered), ours: true });
        }
    }

    /// Whether an outcome agrees with the world, where effects come within the settle time.
    fn check(&mut self, finish: &Finish) {
        let code = finish.outcome.code;
        let is_open = finish.keep_intent.is_some();
        let must_be_open = matches!(
            code,
            OutcomeCode::AttachUnconfirmed
                | OutcomeCode::NeedsReview
                | OutcomeCode::CredentialRemoved
                | OutcomeCode::DetachUnconfirmed
        );
        assert_eq!(is_open, must_be_open, "{code}");
        let is_timely = self.world.climate.lateness + self.world.climate.lag < self.rules.settle;
        if self.is_blind || !is_timely {
            return;
        }
        assert!(is_open || !self.world.has_attach_under_way(self.now), "{code}, and an attach is under way");
        let held = self.world.held(self.now);
        assert!(code != OutcomeCode::Detached || held.is_none(), "{code}, and {held:?} is there");
        let shown = finish.outcome.credential.as_ref().and_then(|credential| credential.id.as_ref());
        if code.is_done() {
            let held = held.unwrap_or_else(|| panic!("{code}, and nothing is there"));
            assert!(held.ours || !finish.ours, "{code}, and called ours");
            assert_eq!(number(shown), Some(held.id), "{code} with another credential than is there");
            assert!(held.ours || code == OutcomeCode::AlreadyAttached, "{code} by somebody else");
            let is_provable = self.rules.precheck && code == OutcomeCode::Attached;
            assert!(finish.ours || !is_provable, "{code}, and not called ours");
        }
        let says_what_is_there = code.is_done()
            || is_open
            || matches!(code, OutcomeCode::CredentialUnhealthy | OutcomeCode::LeafCredentialsExist);
        if let Some(held) = held.filter(|held| !says_what_is_there && held.id != 1) {
            let known = self.kept.known.as_ref().map(|known| &known.id);
            let known = finish.earlier.as_ref().or(known);
            assert_eq!(number(known), Some(held.id), "{code}, and our attach took effect");
        }
    }
}

/// Whether nobody knows whether the request took effect.
fn is_unknown(event: &Event) -> bool {
    matches!(event, Event::Failed(error) if error.kind.trouble() == crate::http::Trouble::Ambiguous)
}

fn known(id: &str) -> KnownCredential {
    KnownCredential { id: CredentialId::new(id).unwrap(), origin: Some(Origin::Created), ours: true }
}

/// The world's number of a credential.
fn number(id: Option<&CredentialId>) -> Option<u32> {
    id.map(|id| id.as_str().trim_start_matches('c').parse().unwrap())
}

/// Lets a fate pass, and gives its world as it is when everything has come into effect.
fn fate(seed: u64, settle: u64, latest: u64, longest_lag: u64) -> (Fate, Endings) {
    let seconds = Duration::from_secs;
    let mut fate = Fate::new(seed, seconds(settle), seconds(latest), seconds(longest_lag));
    let endings = fate.live();
    fate.world.held(Duration::MAX);
    (fate, endings)
}

#[test]
fn where_effects_come_within_the_settle_time_no_user_is_attached_twice() {
    let mut all = Endings::new();
    let seeds = Seeds::from_environment(SEEDS);
    for seed in seeds.range() {
        let (fate, endings) = fate(seed, 120, 80, 35);
        assert_eq!(fate.world.doubles, 0, "attached twice");
        assert_eq!(fate.world.wrong_removals, 0, "deleted another credential than was meant");
        for (ending, count) in endings {
            *all.entry(ending).or_default() += count;
        }
    }
    if seeds.count < SEEDS {
        return;
    }
    // The simulation reaches what it is about.
    for ending in [
        "attached created",
        "attached recovered",
        "attached replaced",
        "already-attached found",
        "attach-unconfirmed ",
        "needs-review ",
        "credential-removed ",
        "credential-unhealthy ",
        "leaf-credentials-refused ",
        "leaf-credentials-exist ",
        "leaf-unavailable ",
        "stara-login-rejected ",
        "throttled ",
        "timed-out ",
        "not-reached ",
        "crash",
    ] {
        assert!(all.contains_key(ending), "{ending:?} never occurred: {all:#?}");
    }
    assert!(!all.contains_key("internal "), "{all:#?}");
}

#[test]
fn a_repair_ends_with_one_working_credential_of_ours_and_takes_away_nothing_else() {
    let mut replaced = 0;
    let seeds = Seeds::from_environment(SEEDS);
    for seed in seeds.range() {
        let seconds = Duration::from_secs;
        let mut fate = Fate::of_repair(seed, seconds(120), seconds(80), seconds(35));
        let before = fate.world.held(Duration::ZERO).unwrap();
        fate.live();
        let held = fate.world.held(Duration::MAX);
        assert_eq!((fate.world.doubles, fate.world.wrong_removals), (0, 0));
        if !before.ours || before.healthy_from.is_zero() {
            assert!(fate.world.removals.is_empty(), "neither healthy nor foreign makes way");
            assert_eq!(held, Some(before));
        }
        let is_done = !fate.is_left && fate.kept.code.is_some_and(OutcomeCode::is_done);
        assert!(!is_done || held.is_some_and(|held| held.ours && held.healthy_from < fate.now));
        replaced += u32::from(is_done && held.is_some_and(|held| held.id != 1));
    }
    assert!(seeds.count < SEEDS || replaced > 1_000, "{replaced}");
}

#[test]
fn however_late_effects_come_nothing_is_attached_again_before_a_settled_absence() {
    for seed in Seeds::from_environment(SEEDS / 2).range() {
        fate(seed, 120, 900, 300);
    }
}

#[test]
fn a_settle_time_below_the_lateness_is_caught_attaching_twice() {
    let doubles: u32 = (0..2_000).map(|seed| fate(seed, 3, 80, 0).0.world.doubles).sum();
    assert!(doubles > 0, "the simulation can't see what it is to prevent");
}
