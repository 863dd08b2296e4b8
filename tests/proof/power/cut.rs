//! One loss of power, what must have survived it, and the run that goes on afterwards.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;
use stara_onboard::model::Login;
use stara_onboard::sandbox::{Sandbox, SandboxOptions, World};
use tokio::runtime::Runtime;

use super::disk::{Disk, Loss};
use super::happening::Happening;
use super::recording::{Recording, arguments};
use crate::support::{Dice, Grower, LedgerImage, Program, csv_of};

/// The power fails after so many happenings.
pub(super) struct Cut<'a> {
    recording: &'a Recording,
    /// Those of the recording, or of a control.
    happenings: &'a [Happening],
    end: usize,
    loss: Loss,
    dice: Dice,
}

/// What had been promised to others before the power failed.
#[derive(Default)]
struct Promised<'a> {
    /// How many attaches of each user were sent.
    attaches: HashMap<&'a str, usize>,
    /// The outcome that was told last of each user.
    claims: HashMap<&'a str, &'a str>,
    /// The one that was told next, and may already be there.
    next_claims: HashMap<&'a str, &'a str>,
    /// How many runs had ended by themselves.
    exits: usize,
}

impl<'a> Cut<'a> {
    /// The cut of a seed.
    pub(super) fn by_chance(recording: &'a Recording, happenings: &'a [Happening], seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let end = dice.below(happenings.len() + 1);
        let loss = Loss::by_chance(&mut dice);
        Self { recording, happenings, end, loss, dice }
    }

    /// A cut after so many happenings, in which the seed decides what comes through.
    pub(super) fn after(
        recording: &'a Recording,
        happenings: &'a [Happening],
        end: usize,
        seed: u64,
    ) -> Self {
        let mut dice = Dice::new(seed);
        let loss = Loss::by_chance(&mut dice);
        Self { recording, happenings, end, loss, dice }
    }

    fn promised(&self) -> Promised<'a> {
        let mut promised = Promised::default();
        for happening in &self.happenings[..self.end] {
            match happening {
                Happening::Attached { user } => *promised.attaches.entry(user).or_default() += 1,
                Happening::Claimed { user, outcome } => drop(promised.claims.insert(user, outcome)),
                Happening::Exited => promised.exits += 1,
                _ => {}
            }
        }
        for happening in &self.happenings[self.end..] {
            if let Happening::Claimed { user, outcome } = happening {
                promised.next_claims.entry(user).or_insert(outcome);
            }
        }
        promised
    }

    /// Cuts the power, and looks for what was promised in what is left.
    ///
    /// # Errors
    ///
    /// What was lost.
    pub(super) fn look(&mut self, folder: &Path) -> Result<(), String> {
        Disk::after(self.happenings, self.end).lose_power(self.loss, &mut self.dice, folder);
        let image = LedgerImage::read(&folder.join("state"))?;
        let promised = self.promised();
        for user in promised.attaches.keys() {
            if !image.knows_of_attach(user) {
                return Err(format!("the intent of the attach that was sent for {user}"));
            }
        }
        for (user, claim) in &promised.claims {
            let found = image.outcome(user);
            if found != Some(claim) && (found.is_none() || found != promised.next_claims.get(user).copied()) {
                return Err(format!("the outcome {claim} of {user}: there is {found:?}"));
            }
        }
        self.look_at_report(folder, promised.exits)
    }

    /// The report is whole, whichever it is, and the one of a run that has ended is there.
    fn look_at_report(&self, folder: &Path, exits: usize) -> Result<(), String> {
        let found = std::fs::read(folder.join("results.jsonl")).ok();
        let reports = &self.recording.reports;
        let which = found.as_ref().map(|found| reports.iter().position(|(_, report)| report == found));
        match which {
            Some(None) => Err("a part of the report".to_owned()),
            Some(Some(which)) if which + 1 < exits => Err("the newer report".to_owned()),
            None if exits > 0 => Err("the report".to_owned()),
            _ => Ok(()),
        }
    }

    /// Goes on in the folder where the power failed, and checks how it ends.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub(super) fn resume(&mut self, folder: &Path, runtime: &Runtime) -> Result<(), String> {
        let run = self.recording.run_at(self.end);
        let manifests = &self.recording.manifests;
        let (growers, expected) = (manifests.of_run(run), manifests.outcomes(run));
        let promised = self.promised();
        let image = LedgerImage::read(&folder.join("state"))?;
        let attached = self.attached_before(&promised, &image);
        let world = World::closed();
        for grower in &manifests.known {
            grower.join(&world);
            if attached.contains(&grower.id.to_string()) {
                world.seed_credential(grower.id, "OK");
            }
        }
        let options = SandboxOptions { record: true, ..SandboxOptions::default() };
        let sandbox =
            runtime.block_on(Sandbox::start(options, Arc::new(world))).map_err(|error| error.to_string())?;
        std::fs::write(folder.join("growers.csv"), csv_of(growers)).unwrap();
        let mut outcomes = go_on(folder, &sandbox)?;
        if outcomes.iter().any(|outcome| outcome == "needs-review") {
            self.let_time_pass(folder, growers, &attached)?;
            outcomes = go_on(folder, &sandbox)?;
        }
        if outcomes != expected {
            return Err(format!("the outcomes are {outcomes:?}"));
        }
        for (grower, outcome) in growers.iter().zip(&expected) {
            let before = u32::from(attached.contains(&grower.id.to_string()));
            let effects = before + sandbox.world().attach_effects(grower.id);
            if effects != u32::from(*outcome == "attached") {
                return Err(format!("{} effects for {}", effects, grower.id));
            }
        }
        let judged = judged_calls(&sandbox, growers, &expected, &promised);
        runtime.block_on(sandbox.stop());
        judged
    }

    /// Whose attach had taken effect. Where nobody had heard of it yet, not even the ledger, chance decides whether it ever
    /// arrived.
    fn attached_before(&mut self, promised: &Promised<'_>, image: &LedgerImage) -> HashSet<String> {
        let mut users: Vec<_> = promised.attaches.iter().collect();
        users.sort_unstable();
        let mut attached = HashSet::new();
        for (user, count) in users {
            let effects = &self.recording.effects[*user];
            let is_heard_of = image.outcome(user) == Some("attached");
            let last = count - 1;
            let arrived = effects
                .iter()
                .take(*count)
                .enumerate()
                .any(|(index, effect)| *effect && (is_heard_of || index < last || self.dice.percent(50)));
            if arrived {
                attached.insert((*user).to_owned());
            }
        }
        attached
    }

    /// Dates open intents back by a quarter of an hour: an attach that was lost twice is tried again only then.
    #[expect(clippy::unused_self, reason = "it belongs to the cut")]
    fn let_time_pass(
        &self,
        folder: &Path,
        growers: &[Grower],
        attached: &HashSet<String>,
    ) -> Result<(), String> {
        let image = LedgerImage::read(&folder.join("state"))?;
        for user in growers.iter().map(|grower| grower.id.to_string()) {
            let known = image.users.get(&user);
            let in_review = known.is_some_and(|known| known.outcome.as_deref() == Some("needs-review"));
            if in_review && (attached.contains(&user) || known.unwrap().announced < Some(2)) {
                return Err(format!("{user} needs no review"));
            }
        }
        let connection = Connection::open(folder.join("state/ledger.db")).unwrap();
        let earlier = "UPDATE users SET intent_at = intent_at - 960000 WHERE intent_at IS NOT NULL";
        connection.execute(earlier, []).map(drop).map_err(|error| error.to_string())
    }
}

/// Runs the program to its end and reads the outcomes from its report.
fn go_on(folder: &Path, sandbox: &Sandbox) -> Result<Vec<String>, String> {
    let environment =
        [("STARA_URL", sandbox.stara_url()), ("LEAF_URL", sandbox.leaf_url()), ("LEAF_TOKEN", "any-token")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut program = Program::start(folder, &environment, &arguments("200ms"), &[]);
    let status = program.wait();
    let stderr = program.stderr();
    if status.code() != Some(3) || stderr.contains("warning: the fingerprint key") {
        return Err(format!("{status}\n{stderr}"));
    }
    let text = std::fs::read_to_string(folder.join("results.jsonl")).unwrap();
    let results = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Ok(results.map(|result| result["outcome"].as_str().unwrap().to_owned()).collect())
}

/// Nothing was asked about a row that had been done, and no login was sent that was known to be refused.
fn judged_calls(
    sandbox: &Sandbox,
    growers: &[Grower],
    expected: &[&str],
    promised: &Promised<'_>,
) -> Result<(), String> {
    let calls = sandbox.seen();
    for (grower, outcome) in growers.iter().zip(expected) {
        let user = grower.id.to_string();
        let is_settled = promised.claims.get(user.as_str()) == Some(outcome);
        if !is_settled || *outcome == "leaf-user-unknown" {
            continue;
        }
        let login = Login::new(&grower.login);
        let about = |call: &&stara_onboard::sandbox::SeenCall| {
            call.leaf_user_id == Some(grower.id) || call.login.as_ref() == Some(&login)
        };
        if let Some(call) = calls.iter().find(about) {
            return Err(format!("{user} was {outcome} before, and there was the call {call:?}"));
        }
    }
    Ok(())
}
