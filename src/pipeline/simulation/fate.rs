//! One seed's fate: run after run in which things go wrong, then runs in which nothing does, and the same once more from
//! the beginning with nothing going wrong at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::network::{SharedWorld, lock};
use super::run::{Blow, Ended, Place, carry_out, codes};
use super::setting::Setting;
use super::world::World;
use crate::model::OutcomeCode;
use crate::model::simulated::Dice;

/// Runs in which nothing goes wrong: after so many the outcomes may be taken for settled, where rows are looked at again by
/// every run; and so many at most.
const CALM_RUNS: (u32, u32) = (4, 30);

/// What every secret of the simulation has in it.
const SECRET: &str = "hush-";

/// What became of a seed.
#[derive(Debug)]
pub(super) struct Fate {
    /// What was violated, the first first.
    pub(super) objections: Vec<String>,
    /// What happened, where it was to be told.
    pub(super) told: Vec<String>,
    /// How often each ending of a run and of a row occurred.
    pub(super) endings: BTreeMap<String, u32>,
}

/// Lets a seed's fate pass.
pub(super) fn live(seed: u64, is_told: bool) -> Fate {
    let mut dice = Dice::new(seed);
    let setting = Setting::new(&mut dice);
    let troubled = 1 + u32::try_from(dice.roll(3)).unwrap();
    let change = u32::try_from(dice.roll(u64::from(troubled) + 1)).unwrap();
    let life = |runs| Life::new(&setting, seed, runs, change, is_told);
    let mut disturbed = life(troubled);
    disturbed.tell(&setting.to_string());
    let became = disturbed.live();
    let mut undisturbed = life(0);
    let expected = undisturbed.live();
    let exchanged = lock(&disturbed.world).exchanged();
    let (disturbed, mut fate) = (disturbed.end(), undisturbed.end());
    fate.objections.splice(..0, disturbed.objections);
    // Where effects come later than anybody waits, a row may well end otherwise.
    if setting.is_timely {
        let is_comparable = |line: u64| {
            let user = usize::try_from(line - 2).ok().and_then(|line| setting.manifests[1].get(line)?.user);
            user.is_none_or(|user| !exchanged.contains(&user))
        };
        // Without a look before, nobody can tell whose a credential is that Leaf took without naming it.
        let is_same = |one: OutcomeCode, other: OutcomeCode| {
            one == other || (!setting.precheck && one.is_done() && other.is_done())
        };
        let differing = expected
            .iter()
            .filter(|(line, code)| !became.get(line).is_some_and(|became| is_same(**code, *became)));
        for (line, code) in differing.filter(|(line, _)| is_comparable(**line)) {
            let what = format!("line {line} is {:?}, undisturbed it is {code}", became.get(line));
            fate.objections.push(format!("a disturbed run ends like an undisturbed one: {what}"));
        }
        if became.len() != expected.len() {
            fate.objections.push(format!("no line vanishes: {} of {}", became.len(), expected.len()));
        }
    }
    fate.told.splice(..0, disturbed.told);
    for (ending, count) in disturbed.endings {
        *fate.endings.entry(ending).or_default() += count;
    }
    fate
}

/// One ledger's life, from its first run to its last.
struct Life<'a> {
    setting: &'a Setting,
    dice: Dice,
    world: SharedWorld,
    place: Place,
    troubled_runs: u32,
    /// From which run on the manifest is the later one.
    change: u32,
    endings: BTreeMap<String, u32>,
}

impl<'a> Life<'a> {
    fn new(setting: &'a Setting, seed: u64, troubled_runs: u32, change: u32, is_told: bool) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let world = World::new(setting, Dice::new(dice.roll(u64::MAX)), is_told);
        Self {
            setting,
            dice,
            world: Arc::new(Mutex::new(world)),
            place: Place::new(),
            troubled_runs,
            change,
            endings: BTreeMap::new(),
        }
    }

    fn tell(&self, what: &str) {
        lock(&self.world).tell(|| what.to_owned());
    }

    /// Carries the manifest through run after run, until nothing changes any more; tells how every line stands then.
    fn live(&mut self) -> BTreeMap<u64, OutcomeCode> {
        for run in 0..self.troubled_runs {
            let blow = Blow::draw(&mut self.dice);
            self.carry_out(usize::from(run >= self.change), blow);
            let minutes = self.dice.pick(&[0, 0, 1, 3, 20, 1_440]);
            // Back only: a clock that jumped ahead makes an intent look old, and nobody can tell.
            let back = if self.dice.chance(15) { self.dice.roll(3_600_000) } else { 0 };
            self.pause(minutes, back);
        }
        lock(&self.world).calm_down();
        if self.troubled_runs == 0 && self.change > 0 {
            self.carry_out(0, Blow::None);
            self.pause(20, 0);
        }
        let mut last = BTreeMap::new();
        for run in 1..=CALM_RUNS.1 {
            let to_do = self.carry_out(1, Blow::None);
            let now = codes(&self.world);
            if to_do == 0 || (run >= CALM_RUNS.0 && now == last) {
                return now;
            }
            last = now;
            self.pause(20, 0);
        }
        lock(&self.world).oracle.object("it settles", "the outcomes still change after so many calm runs");
        last
    }

    fn pause(&mut self, minutes: u64, back: u64) {
        let time = Duration::from_secs(1 + 60 * minutes);
        lock(&self.world).pass(time, i64::try_from(back).unwrap());
    }

    /// Carries out one run, and tells how many rows were to do.
    fn carry_out(&mut self, version: usize, blow: Blow) -> u64 {
        let seed = self.dice.roll(u64::MAX);
        let (ended, to_do) = carry_out(&self.place, &self.world, self.setting, version, blow, seed);
        let ending = match ended {
            Ended::Orderly(None) => "ended".to_owned(),
            Ended::Orderly(Some(cause)) => {
                let text = format!("{cause:?}");
                text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
            }
            Ended::Crashed => "crashed".to_owned(),
            Ended::Never => "never".to_owned(),
        };
        *self.endings.entry(ending).or_default() += 1;
        for code in codes(&self.world).values() {
            *self.endings.entry(code.to_string()).or_default() += 1;
        }
        to_do
    }

    fn end(self) -> Fate {
        let mut world = lock(&self.world);
        world.oracle.reader = None;
        for entry in std::fs::read_dir(self.place.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            if String::from_utf8_lossy(&bytes).contains(SECRET) {
                world.oracle.object("no secret on disk", &format!("there is one in {}", path.display()));
            }
        }
        // Its name is another one each time.
        let folder = self.place.folder.path().display().to_string();
        let told = world.told.take().unwrap_or_default();
        Fate {
            objections: std::mem::take(&mut world.oracle.objections),
            told: told.into_iter().map(|line| line.replace(&folder, "STATE")).collect(),
            endings: self.endings,
        }
    }
}
