//! One seed's fate: run after run in which things go wrong, then runs in which nothing does, and the same once more from
//! the beginning with nothing going wrong at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ending::check_ending;
use super::links::LinkNight;
use super::manifest::Line;
use super::network::{SharedWorld, lock};
use super::run::{Blow, Ended, Night, Place, carry_out, codes};
use super::setting::Setting;
use super::world::World;
use crate::model::simulated::Dice;
use crate::model::{LeafUserId, OutcomeCode};
use crate::pipeline::{LinkRules, OnExisting};

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
    let troubled = 1 + dice.roll(if setting.is_changing { 4 } else { 3 });
    let last = setting.manifests.len() - 1;
    let first = if setting.begins_well || dice.chance(50) { 0 } else { last / 2 };
    let mut step = |version: &mut usize| {
        let now = *version;
        *version = (now + usize::from(dice.chance(60))).min(last);
        now
    };
    let nights: Vec<usize> = (0..troubled).scan(first, |version, _| Some(step(version))).collect();
    let mut undisturbed_nights = nights.clone();
    undisturbed_nights.dedup();
    undisturbed_nights.retain(|version| *version != last);
    let mut disturbed = Life::new(&setting, seed, nights, true, is_told);
    disturbed.tell(&setting.to_string());
    let became = disturbed.live();
    let mut undisturbed = Life::new(&setting, seed, undisturbed_nights, false, is_told);
    let expected = undisturbed.live();
    let mut exchanged = lock(&disturbed.world).exchanged();
    exchanged.extend(lock(&undisturbed.world).exchanged());
    let (disturbed, mut fate) = (disturbed.end(), undisturbed.end());
    fate.objections.splice(..0, disturbed.objections);
    // Where effects come later than anybody waits, a row may well end otherwise.
    if setting.is_timely {
        let is_comparable = |line: u64| {
            let line = usize::try_from(line - 2).ok().and_then(|line| setting.last_manifest().get(line));
            line.and_then(|line| Some((line, line.user?)))
                .is_none_or(|(line, user)| !exchanged.contains(&user) && depends_on_nothing(&setting, line))
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

/// Whether how a row of the last manifest ends doesn't depend on how far earlier nights came. One that Stara refuses ends
/// otherwise where the user was attached before, and so does one that may not be changed.
fn depends_on_nothing(setting: &Setting, last: &Line) -> bool {
    let earlier = || setting.manifests.iter().flatten().filter(|line| line.user == last.user);
    let was_ever_right = earlier().any(Line::is_right);
    let may_change =
        earlier().any(|line| line.login != last.login) || setting.on_existing == OnExisting::Replace;
    (last.is_right() || !was_ever_right) && (setting.most_changes > 0 || !may_change)
}

/// One ledger's life, from its first run to its last.
struct Life<'a> {
    setting: &'a Setting,
    dice: Dice,
    world: SharedWorld,
    place: Place,
    /// Which manifest each of the first runs has.
    nights: Vec<usize>,
    /// Whether anything goes wrong in them.
    is_disturbed: bool,
    endings: BTreeMap<String, u32>,
    /// Decides which runs make links.
    link_dice: Dice,
    /// How many runs there were.
    carried_out: usize,
}

impl<'a> Life<'a> {
    fn new(setting: &'a Setting, seed: u64, nights: Vec<usize>, is_disturbed: bool, is_told: bool) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let world = World::new(setting, Dice::new(dice.roll(u64::MAX)), is_told);
        Self {
            setting,
            dice,
            world: Arc::new(Mutex::new(world)),
            place: Place::new(),
            nights,
            is_disturbed,
            endings: BTreeMap::new(),
            link_dice: Dice::new(seed ^ 0x11_4b5),
            carried_out: 0,
        }
    }

    fn tell(&self, what: &str) {
        lock(&self.world).tell(|| what.to_owned());
    }

    /// Carries the manifest through run after run, until nothing changes any more; tells how every line stands then.
    fn live(&mut self) -> BTreeMap<u64, OutcomeCode> {
        if !self.is_disturbed {
            lock(&self.world).calm_down();
        }
        for (night, version) in self.nights.clone().into_iter().enumerate() {
            if self.is_disturbed && night == 0 && self.setting.begins_well {
                let troubles = lock(&self.world).put_off_troubles();
                self.carry_out(version, Blow::None);
                lock(&self.world).climate.most_troubles = troubles;
                self.pause(20, 0);
            } else if self.is_disturbed {
                let blow = Blow::draw(&mut self.dice);
                self.carry_out(version, blow);
                let minutes = self.dice.pick(&[0, 0, 1, 3, 20, 1_440]);
                // Back only: a clock that jumped ahead makes an intent look old, and nobody can tell.
                let back = if self.dice.chance(15) { self.dice.roll(3_600_000) } else { 0 };
                self.pause(minutes, back);
            } else {
                self.carry_out(version, Blow::None);
                self.pause(20, 0);
            }
        }
        lock(&self.world).calm_down();
        let mut last = BTreeMap::new();
        for run in 1..=CALM_RUNS.1 {
            let to_do = self.carry_out(self.setting.manifests.len() - 1, Blow::None);
            let now = codes(&self.world);
            if to_do == 0 || (run >= CALM_RUNS.0 && now == last) {
                if self.setting.is_timely {
                    check_ending(&mut lock(&self.world), self.setting, &now);
                }
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
        let climate = self.setting.climate;
        // A look that lags behind doesn't show it in time.
        if let Some(habits) = self.setting.links.filter(|_| time > climate.lag) {
            lock(&self.world).let_growers_sign_in(habits.signs_in, |user| self.is_found(user));
        }
        lock(&self.world).pass(time, i64::try_from(back).unwrap());
    }

    /// Whether what this user's grower makes will be found: without `--precheck` only a row that stays refused is looked at.
    fn is_found(&self, user: LeafUserId) -> bool {
        let mut lines = self.setting.manifests.iter().flatten().filter(|line| line.user == Some(user));
        self.setting.precheck || lines.all(|line| !line.is_right())
    }

    /// How the next run makes links. When all is calm it always does, where any does.
    fn link_night(&mut self) -> LinkNight {
        let nothing = LinkNight { rules: None, may_look: false, has_key: true };
        let Some(habits) = self.setting.links else { return nothing };
        let is_calm = self.carried_out >= self.nights.len();
        let is_asked = is_calm || self.link_dice.chance(habits.asked);
        let anew = !is_calm && self.link_dice.chance(5);
        LinkNight {
            rules: is_asked.then_some(LinkRules { lifetime: habits.lifetime, anew }),
            // As on the command line.
            may_look: is_asked && self.setting.on_existing == OnExisting::Keep,
            has_key: is_calm || habits.night_without_key != Some(self.carried_out),
        }
    }

    /// Carries out one run, and tells how many rows were to do.
    fn carry_out(&mut self, version: usize, blow: Blow) -> u64 {
        let seed = self.dice.roll(u64::MAX);
        let night = Night { version, blow, links: self.link_night() };
        let (ended, to_do) = carry_out(&self.place, &self.world, self.setting, night, seed);
        self.carried_out += 1;
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

    fn end(mut self) -> Fate {
        let mut world = lock(&self.world);
        let (made, signed_in) = (world.oracle.links.made, u32::try_from(world.signed_in).unwrap());
        let counts = [("a link was made", made), ("a grower signed in", signed_in)];
        let told = counts.into_iter().filter(|(_, count)| *count > 0);
        self.endings.extend(told.map(|(what, count)| (what.to_owned(), count)));
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
