//! Growers who leave, through thousands of fates: runs that attach, then a `detach` again and again until it is done, with
//! lost replies, late deletions, crashes at any effect, and now and then a run in between.

use std::time::Duration;

use super::simulation::{Endings, Fate};
use super::story::rules;
use crate::model::simulated::Seeds;
use crate::model::{NextRun, OutcomeCode};
use crate::pipeline::journey::{Goal, OnExisting};

/// Runs of `detach` in which things go wrong, and then those in which nothing does any more.
const TROUBLED: u32 = 6;
const CALM: u32 = 6;

/// How many seeds are run when nobody says otherwise.
const SEEDS: u64 = 20_000;

impl Fate {
    /// Lets the user be onboarded for some runs, and then leave.
    fn leave(&mut self) -> Endings {
        let mut endings = Endings::new();
        for _ in 0..self.world.dice.roll(4) {
            self.onboard(&mut endings);
        }
        let include_foreign = self.world.dice.chance(20);
        let goal = Goal::Detached { include_foreign };
        for round in 0..TROUBLED + CALM {
            if round == TROUBLED {
                self.is_calm = true;
                self.rules.row_deadline = rules().row_deadline;
                self.world.calm_down();
            }
            let is_detachment_open = self
                .kept
                .intent
                .as_ref()
                .is_some_and(|(_, kept)| kept.intending.attaches == 0 && !kept.intending.replacing);
            if is_detachment_open && self.world.dice.chance(30) {
                let attaches = self.world.posted.len();
                let removals = self.world.removals.len();
                self.onboard(&mut endings);
                let has_replaced = self.world.removals.len() > removals;
                assert!(
                    has_replaced || self.world.posted.len() == attaches,
                    "attached because of a detachment"
                );
                if self.kept.code == Some(OutcomeCode::Detached) {
                    return endings;
                }
            }
            self.goal = goal;
            self.night(&mut endings);
            self.goal = Goal::Attached;
            let is_open = self.kept.intent.is_some();
            match self.kept.code.filter(|_| !is_open) {
                Some(OutcomeCode::Detached) => return endings,
                Some(OutcomeCode::LeafCredentialsExist) if !include_foreign && self.is_calm => {
                    return endings;
                }
                code => assert!(round + 1 < TROUBLED + CALM, "it never ends well: {code:?}"),
            }
        }
        endings
    }

    /// A run, unless the row is one that it leaves as it is.
    fn onboard(&mut self, endings: &mut Endings) {
        let next_run = self.kept.code.map(OutcomeCode::next_run);
        if self.kept.intent.is_some()
            || matches!(next_run, None | Some(NextRun::TriesAgain | NextRun::LooksAgain))
        {
            self.goal = Goal::Attached;
            self.night(endings);
        }
    }

    /// One run, and the time until the next one.
    fn night(&mut self, endings: &mut Endings) {
        self.told.push(format!("{:?} at {:?}, from {:?}", self.goal, self.now, self.kept));
        let finish = self.carry();
        let ending = finish
            .as_ref()
            .map_or_else(|| "crash".to_owned(), |finish| format!("{:?} {}", self.goal, finish.outcome.code));
        *endings.entry(ending).or_default() += 1;
        if let Some(finish) = finish {
            // What was attached was attached with the login of now.
            self.login_changed &= !finish.outcome.code.is_done();
            self.record(finish);
        }
        self.pause();
    }
}

#[test]
fn whoever_leaves_is_left_without_our_credential_and_with_anybody_elses() {
    let mut all = Endings::new();
    let seeds = Seeds::from_environment(SEEDS);
    for seed in seeds.range() {
        let seconds = Duration::from_secs;
        let mut fate = Fate::new(seed, seconds(120), seconds(80), seconds(35));
        if fate.rules.on_existing == OnExisting::Replace {
            // Whatever is deleted then was somebody else's on request.
            fate.rules.on_existing = OnExisting::Keep;
        }
        // Without a look before it, nobody can tell whose an attach is that nobody heard of.
        fate.is_blind |= !fate.rules.precheck;
        let endings = fate.leave();
        let held = fate.world.held(Duration::MAX);
        if fate.is_blind {
            continue;
        }
        assert_eq!(fate.world.doubles, 0, "attached twice");
        assert_eq!(fate.world.wrong_removals, 0, "deleted another credential than was meant");
        let is_detached = fate.kept.code == Some(OutcomeCode::Detached);
        assert!(!is_detached || held.is_none(), "{held:?} came back");
        assert!(is_detached || held.is_some_and(|held| !held.ours), "ours was left: {held:?}");
        for (ending, count) in endings {
            *all.entry(ending).or_default() += count;
        }
    }
    if seeds.count < SEEDS {
        return;
    }
    // The simulation reaches what it is about.
    for goal in ["Detached { include_foreign: false }", "Detached { include_foreign: true }", "Attached"] {
        for code in ["detached", "detach-unconfirmed", "leaf-unavailable"] {
            let ending = format!("{goal} {code}");
            assert!(all.contains_key(&ending), "{ending:?} never occurred: {all:#?}");
        }
    }
    for ending in [
        "Detached { include_foreign: false } leaf-credentials-exist",
        "Detached { include_foreign: false } leaf-user-forbidden",
        "Detached { include_foreign: false } attach-unconfirmed",
        "Detached { include_foreign: false } timed-out",
        "Detached { include_foreign: false } throttled",
        "crash",
    ] {
        assert!(all.contains_key(ending), "{ending:?} never occurred: {all:#?}");
    }
}

#[test]
fn without_being_asked_for_it_nothing_of_anybody_else_is_deleted() {
    for seed in Seeds::from_environment(SEEDS / 2).range() {
        let seconds = Duration::from_secs;
        // However late effects come.
        let mut fate = Fate::new(seed, seconds(120), seconds(900), seconds(300));
        fate.rules.on_existing = OnExisting::Keep;
        fate.is_blind |= !fate.rules.precheck;
        let mut endings = Endings::new();
        fate.onboard(&mut endings);
        fate.goal = Goal::Detached { include_foreign: false };
        for _ in 0..4 {
            fate.night(&mut endings);
        }
        fate.world.held(Duration::MAX);
        assert_eq!(fate.world.foreign_removals, 0, "deleted somebody else's credential");
    }
}
