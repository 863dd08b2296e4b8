//! One loss of power, what must have survived it, and the run that goes on afterwards.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;
use stara_onboard::model::LeafUserId;
use stara_onboard::sandbox::{Sandbox, SandboxOptions, SeenCall, World};
use tokio::runtime::Runtime;

use super::disk::{Disk, Loss};
use super::happening::{Happening, Request};
use super::recording::{Manifests, Recording, arguments};
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

/// What Leaf holds for a user.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    attaches: u32,
    removals: u32,
}

impl Standing {
    fn holds(self) -> bool {
        self.attaches > self.removals
    }
}

/// What had been promised to others before the power failed.
#[derive(Default)]
struct Promised<'a> {
    /// The requests that were sent for each user, and after how many happenings.
    requests: HashMap<&'a str, Vec<(Request, usize)>>,
    /// The outcome that was told last of each user, and after how many happenings.
    claims: HashMap<&'a str, (&'a str, usize)>,
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
        for (index, happening) in self.happenings[..self.end].iter().enumerate() {
            match happening {
                Happening::Requested { kind, user } => {
                    promised.requests.entry(user).or_default().push((*kind, index));
                }
                Happening::Claimed { user, outcome } => drop(promised.claims.insert(user, (outcome, index))),
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

    /// The growers of the manifest that the run got in which the power failed.
    fn growers(&self) -> &'a [Grower] {
        self.recording.manifests.of_run(self.recording.run_at(self.end))
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
        for (user, requests) in &promised.requests {
            let (kind, sent) = *requests.last().unwrap();
            let is_judged = promised.claims.get(user).is_some_and(|(_, told)| *told > sent);
            if !is_judged && !self.knows_of(&image, user, kind, promised.next_claims.get(user).copied()) {
                return Err(format!("the intent of the {kind:?} that was sent for {user}"));
            }
        }
        for (user, (claim, _)) in &promised.claims {
            let found = image.outcome(user);
            if found != Some(claim) && (found.is_none() || found != promised.next_claims.get(user).copied()) {
                return Err(format!("the outcome {claim} of {user}: there is {found:?}"));
            }
        }
        self.look_at_report(folder, promised.exits)
    }

    /// Whether the ledger holds the intent of a request, or has its outcome already, though nobody was told of it.
    fn knows_of(&self, image: &LedgerImage, user: &str, kind: Request, next_claim: Option<&str>) -> bool {
        let Some(known) = image.users.get(user) else { return false };
        let is_announced = match kind {
            Request::Attach => known.announced > Some(0),
            Request::Remove => known.announced.is_some(),
        };
        let row = self.growers().iter().find(|grower| grower.id.to_string() == user);
        // A run that is killed between the commit and the log never tells of it.
        let is_decided = known.outcome.is_some()
            && next_claim.is_none_or(|next| known.outcome.as_deref() == Some(next))
            && known.login.as_ref() == row.map(|row| &row.login);
        is_announced || is_decided
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
        let (growers, expected) = (self.growers(), self.recording.manifests.outcomes(run));
        let promised = self.promised();
        let image = LedgerImage::read(&folder.join("state"))?;
        let world = World::closed();
        for grower in &self.recording.manifests.known {
            grower.join(&world);
        }
        let before = self.changes_before(&promised, &image, &world);
        let standing = |grower: &Grower| before.get(&grower.id).copied().unwrap_or_default();
        let options = SandboxOptions { record: true, ..SandboxOptions::default() };
        let sandbox =
            runtime.block_on(Sandbox::start(options, Arc::new(world))).map_err(|error| error.to_string())?;
        std::fs::write(folder.join("growers.csv"), csv_of(growers)).unwrap();
        let mut outcomes = go_on(folder, &sandbox)?;
        if outcomes.iter().any(|outcome| outcome == "needs-review") {
            let_time_pass(folder, growers, &before)?;
            outcomes = go_on(folder, &sandbox)?;
        }
        let wrong = outcomes.iter().zip(&expected).enumerate().find(|(_, (found, wanted))| found != wanted);
        if let Some((number, (found, wanted))) = wrong {
            let known = image.users.get(&growers[number].id.to_string());
            let user = growers[number].id.to_string();
            let requests = promised.requests.get(user.as_str());
            let report = std::fs::read_to_string(folder.join("results.jsonl")).unwrap();
            let told = report.lines().find(|line| line.contains(&user));
            return Err(format!(
                "row {number} ended as {found}, not as {wanted}: {told:?}; after the cut the ledger had {known:?}, and \
                 {requests:?} had been sent"
            ));
        }
        for (number, (grower, outcome)) in growers.iter().zip(&expected).enumerate() {
            let effects = standing(grower).attaches + sandbox.world().attach_effects(grower.id);
            let is_replaced = run == 2 && Manifests::is_replaced(number);
            let wanted = if *outcome == "attached" { 1 + u32::from(is_replaced) } else { 0 };
            let held = sandbox.world().credentials_of(grower.id).len();
            if effects != wanted || held != usize::from(wanted > 0) {
                return Err(format!("{effects} effects for {}, which holds {held}", grower.id));
            }
        }
        let judged = self.judge_calls(&sandbox.seen(), &expected, &promised);
        runtime.block_on(sandbox.stop());
        judged
    }

    /// Brings the services to where they were. Where nobody had heard yet of a user's last request, not even the ledger,
    /// chance decides whether it ever arrived.
    fn changes_before(
        &mut self,
        promised: &Promised<'_>,
        image: &LedgerImage,
        world: &World,
    ) -> HashMap<LeafUserId, Standing> {
        let mut users: Vec<_> = promised.requests.iter().collect();
        users.sort_unstable_by_key(|(user, _)| **user);
        let mut changes = HashMap::new();
        for (user, requests) in users {
            let (id, known) = (user.parse().unwrap(), image.users.get(*user));
            let announced = known.and_then(|known| known.announced);
            let standing: &mut Standing = changes.entry(id).or_default();
            let effects = self.recording.effects[*user].iter().zip(requests).enumerate();
            for (index, (effect, (kind, _))) in effects {
                let is_heard_of = match kind {
                    // What was seen, and only that, closes an intent or announces what comes next.
                    Request::Attach => {
                        announced == Some(0)
                            || (image.outcome(user) == Some("attached") && announced.is_none())
                    }
                    Request::Remove => announced != Some(0),
                };
                let is_sure = index + 1 < requests.len() || is_heard_of;
                if !effect || !(is_sure || self.dice.percent(50)) {
                    continue;
                }
                match kind {
                    Request::Attach => {
                        world.seed_credential(id, "OK");
                        standing.attaches += 1;
                    }
                    Request::Remove => {
                        world.remove_credential(id);
                        standing.removals += 1;
                    }
                }
            }
        }
        changes
    }

    /// Nothing was asked about a row that had been done, and no login was sent that was known to be refused.
    fn judge_calls(
        &self,
        calls: &[SeenCall],
        expected: &[&str],
        promised: &Promised<'_>,
    ) -> Result<(), String> {
        for (number, (grower, outcome)) in self.growers().iter().zip(expected).enumerate() {
            let user = grower.id.to_string();
            let is_of_this_login =
                |told: usize| !Manifests::is_replaced(number) || told >= self.recording.starts[2];
            let is_settled = promised
                .claims
                .get(user.as_str())
                .is_some_and(|(claim, told)| claim == outcome && is_of_this_login(*told));
            if !is_settled || *outcome == "leaf-user-unknown" {
                continue;
            }
            let login = grower.login();
            let about = |call: &&SeenCall| {
                call.leaf_user_id == Some(grower.id) || call.login.as_ref() == Some(&login)
            };
            if let Some(call) = calls.iter().find(about) {
                return Err(format!("{user} was {outcome} before, and there was the call {call:?}"));
            }
        }
        Ok(())
    }
}

/// Dates open intents back by a quarter of an hour: an attach that was lost twice is tried again only then.
fn let_time_pass(
    folder: &Path,
    growers: &[Grower],
    before: &HashMap<LeafUserId, Standing>,
) -> Result<(), String> {
    let image = LedgerImage::read(&folder.join("state"))?;
    for grower in growers {
        let Some(known) = image.users.get(&grower.id.to_string()) else { continue };
        let is_held = before.get(&grower.id).is_some_and(|standing| standing.holds());
        if known.outcome.as_deref() == Some("needs-review") && (is_held || known.announced < Some(2)) {
            return Err(format!("{} needs no review", grower.id));
        }
    }
    let connection = Connection::open(folder.join("state/ledger.db")).unwrap();
    let earlier = "UPDATE users SET intent_at = intent_at - 960000 WHERE intent_at IS NOT NULL";
    connection.execute(earlier, []).map(drop).map_err(|error| error.to_string())
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
