//! What a seed decides beforehand: what is at Leaf, and how the tool is used. The manifests have a file of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::time::Duration;

use super::manifest::Line;
use crate::http::Rate;
use crate::model::simulated::Dice;
use crate::model::{Dialect, LeafUserId};
use crate::pipeline::{ListUse, OnExisting};

/// The settle time of every run, as by default.
pub(super) const SETTLE: Duration = Duration::from_secs(120);

/// What Leaf does with an attach where a credential is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondAttach {
    /// It answers with this status.
    Refused(u16),
    /// The new credential takes the old one's place.
    Replaces,
}

/// How bad the world can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Climate {
    /// Of a hundred requests so many go wrong…
    pub(super) trouble: u64,
    /// …but at most so many in all.
    pub(super) most_troubles: u32,
    /// The longest way of a request to its host, and of an answer back.
    pub(super) travel: Duration,
    /// The longest time by which an effect comes after its request left.
    pub(super) lateness: Duration,
    /// The longest time by which a look lags behind.
    pub(super) lag: Duration,
    /// A second attach.
    pub(super) second: SecondAttach,
    /// Whether a gateway may send an attach twice and pass on the second answer. No rule can help where the second takes
    /// the first one's place, where a look lags behind, or where nobody looked before.
    pub(super) may_double: bool,
    /// How many users a page of Leaf's list has, and whether it says how many there are in all.
    pub(super) page_size: usize,
    pub(super) tells_total: bool,
    /// How Stara refuses a login.
    pub(super) refusal: u16,
    /// After how many requests Leaf's token dies; never without.
    pub(super) token_uses: Option<u64>,
}

/// What stands behind a user at Leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds nothing yet.
    Bare,
    /// Somebody else attached a credential before us, healthy or not.
    Held { healthy: bool },
    /// Leaf doesn't know it.
    Unknown,
    /// Leaf knows it, and it is none of ours.
    Forbidden,
}

/// How a seed makes magic links.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkHabits {
    /// How long one works.
    pub(super) lifetime: Duration,
    /// Of a hundred nights so many ask for them.
    pub(super) asked: u64,
    /// Of a hundred growers with a link so many sign in until the next night.
    pub(super) signs_in: u64,
    /// With which status Leaf refuses to make any.
    pub(super) refusal: Option<u16>,
    /// The night in which the ledger's key isn't there.
    pub(super) night_without_key: Option<usize>,
}

impl LinkHabits {
    fn draw(may_lose_key: bool, dice: &mut Dice) -> Option<Self> {
        let lifetime = Duration::from_secs(dice.pick(&[900, 86_400, 30 * 86_400]));
        let (asked, signs_in) = (dice.pick(&[100, 60]), dice.pick(&[0, 30, 70]));
        let refusal = dice.chance(8).then(|| dice.pick(&[403, 404, 422]));
        let night_without_key =
            (may_lose_key && dice.chance(25)).then(|| 1 + usize::try_from(dice.roll(2)).unwrap());
        dice.chance(30).then_some(Self { lifetime, asked, signs_in, refusal, night_without_key })
    }
}

/// One seed's setting.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and their combinations are all possible"
)]
pub(super) struct Setting {
    /// The manifest of the first night, and as it is later on.
    pub(super) manifests: Vec<Vec<Line>>,
    /// Whether rows change often.
    pub(super) is_changing: bool,
    /// Whether nothing goes wrong in the first night, so that later ones find credentials to replace.
    pub(super) begins_well: bool,
    pub(super) users: BTreeMap<LeafUserId, Standing>,
    /// The logins that Stara knows.
    pub(super) logins: BTreeSet<String>,
    pub(super) climate: Climate,
    /// Whether effects come within the settle time, so that nobody may be attached twice.
    pub(super) is_timely: bool,
    pub(super) precheck: bool,
    pub(super) list_use: ListUse,
    pub(super) on_existing: OnExisting,
    pub(super) dialect: Dialect,
    pub(super) stara_rate: Rate,
    pub(super) leaf_rate: Rate,
    pub(super) concurrency: usize,
    pub(super) most_changes: u32,
    /// Whether the first token is given and not got with the account.
    pub(super) has_given_token: bool,
    /// The longest commit.
    pub(super) slowest_commit: Duration,
    /// How magic links are made; `None` where none are.
    pub(super) links: Option<LinkHabits>,
}

impl Setting {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let is_timely = dice.chance(90);
        let seconds = Duration::from_secs;
        let (latest, longest_lag) = if is_timely { (60, 30) } else { (900, 300) };
        let is_changing = dice.chance(40);
        // Without a look before nobody can tell whose a credential is, so that none is ever replaced.
        let precheck = is_changing || dice.chance(70);
        let mut climate = Climate {
            trouble: dice.pick(&[2, 10, 30]),
            most_troubles: 40,
            travel: Duration::from_millis(dice.pick(&[5, 400, 2_000])),
            lateness: dice.time(seconds(latest)),
            lag: if dice.chance(60) { Duration::ZERO } else { dice.time(seconds(longest_lag)) },
            second: dice.pick(&[
                SecondAttach::Refused(409),
                SecondAttach::Refused(400),
                SecondAttach::Replaces,
            ]),
            may_double: false,
            page_size: dice.pick(&[1, 3, 100]),
            tells_total: dice.chance(70),
            // Whether another answer is a refusal depends on which rows were there when it came.
            refusal: if is_changing { 401 } else { dice.pick(&[401, 401, 422, 400]) },
            token_uses: dice.chance(40).then(|| 5 + dice.roll(60)),
        };
        climate.may_double = precheck && climate.lag.is_zero() && climate.second != SecondAttach::Replaces;
        let mut setting = Self {
            manifests: Vec::new(),
            is_changing,
            begins_well: is_changing && dice.chance(60),
            users: BTreeMap::new(),
            logins: BTreeSet::new(),
            climate,
            is_timely,
            precheck,
            list_use: match dice.roll(4) {
                0 | 1 if precheck => ListUse::Always,
                2 if precheck => ListUse::WhereCheaper,
                _ => ListUse::Never,
            },
            // A replacement without a look is refused by the command line.
            on_existing: if precheck {
                dice.pick(&[OnExisting::Keep, OnExisting::Keep, OnExisting::Replace, OnExisting::Fail])
            } else {
                OnExisting::Keep
            },
            dialect: dice.pick(&[Dialect::Json, Dialect::Form]),
            stara_rate: rate(dice),
            leaf_rate: rate(dice),
            concurrency: usize::try_from(dice.pick(&[1, 2, 3, 8, 64])).unwrap(),
            most_changes: dice.pick(&[50, 50, 2, 1, 0]),
            has_given_token: dice.chance(30),
            slowest_commit: Duration::from_millis(dice.pick(&[0, 5, 40])),
            links: None,
        };
        setting.fill(dice);
        setting.draw_links(dice);
        setting
    }

    /// By dice of their own, so that the seeds without links are what they were before there were any.
    fn draw_links(&mut self, dice: &Dice) {
        let mut dice = Dice::new(dice.clone().roll(u64::MAX) ^ 0x11_4b5);
        self.links = LinkHabits::draw(self.on_existing == OnExisting::Keep, &mut dice);
        if self.links.is_some_and(|habits| habits.night_without_key.is_some())
            && let Some(first) = self.manifests.first().cloned()
        {
            // Without its key nobody can tell that a row changed, not even later.
            self.manifests.iter_mut().for_each(|manifest| manifest.clone_from(&first));
        }
    }

    /// The manifest of the last nights.
    pub(super) fn last_manifest(&self) -> &[Line] {
        self.manifests.last().map_or(&[], Vec::as_slice)
    }

    /// A manifest as a CSV. Its first line is the header, so that the n-th of its lines is line n + 2.
    pub(super) fn csv(&self, version: usize) -> String {
        let mut csv = "leafUserId,login,password\n".to_owned();
        for line in &self.manifests[version] {
            let user = line.user.map_or_else(|| "nobody".to_owned(), |user| user.to_string());
            writeln!(csv, "{user},{},{}", line.login, line.password).unwrap();
        }
        csv
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { precheck, on_existing, dialect, concurrency, most_changes, has_given_token, .. } = self;
        writeln!(formatter, "{:?}, timely {}", self.climate, self.is_timely)?;
        writeln!(
            formatter,
            "precheck {precheck}, list {:?}, on existing {on_existing:?}, dialect {dialect}",
            self.list_use
        )?;
        writeln!(formatter, "Stara {}, Leaf {}, {concurrency} rows", self.stara_rate, self.leaf_rate)?;
        writeln!(formatter, "{most_changes} changes, given token {has_given_token}, {:?}", self.links)?;
        for (version, lines) in self.manifests.iter().enumerate() {
            writeln!(formatter, "manifest {version}")?;
            for (number, line) in lines.iter().enumerate() {
                let standing = line.user.map(|user| self.users[&user]);
                let Line { user, login, password } = line;
                writeln!(formatter, "line {}: {user:?} {standing:?} {login} {password}", number + 2)?;
            }
        }
        Ok(())
    }
}

fn rate(dice: &mut Dice) -> Rate {
    let rates = [
        "none", "none", "auto", "auto:8/s", "auto:3/s", "20/min", "60/min", "300/min", "1/s", "3/s", "10/s",
        "50/s", "260/s", "1000/s",
    ];
    dice.pick(&rates).parse().unwrap()
}
