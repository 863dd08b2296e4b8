//! A manifest with everything in it, and what must become of each line whatever happens on the way.

use stara_onboard::model::{Dialect, Secret};
use stara_onboard::sandbox::World;

use crate::support::{Dice, Grower, csv_of, user};

pub(crate) const LEAF_TOKEN: &str = "leaf-token-of-the-crash-proof";
pub(crate) const CLIENT: &str = "partner-client-of-the-crash-proof";

/// A manifest, the services' faults, the program's flags, and what must become of each row.
pub(crate) struct Scenario {
    pub(crate) rows: Vec<Row>,
    /// The manifest of runs before the first kill, in which some growers have other logins.
    pub(crate) opening: Option<String>,
    /// The manifest as the program gets it.
    pub(crate) manifest: String,
    /// The outcome that each line of the manifest must have in the end.
    pub(crate) lines: Vec<&'static str>,
    /// The growers as the services know them.
    pub(crate) known: String,
    pub(crate) sandbox: Vec<String>,
    pub(crate) run: Vec<String>,
    /// Everything that may be found nowhere.
    pub(crate) secrets: Vec<String>,
}

/// A row of the manifest.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) grower: Grower,
    pub(crate) fate: Fate,
}

/// What must become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Attached,
    Rejected,
    Unknown,
    /// It held a credential before.
    Healthy,
    /// It was attached with another login before, and that credential makes way for one of the new login.
    Replaced,
}

impl Fate {
    pub(crate) fn outcome(self) -> &'static str {
        match self {
            Self::Attached | Self::Replaced => "attached",
            Self::Rejected => "stara-login-rejected",
            Self::Unknown => "leaf-user-unknown",
            Self::Healthy => "already-attached",
        }
    }
}

impl Scenario {
    /// The scenario of a seed: 16 to 40 rows and everything that may go wrong.
    pub(crate) fn by_chance(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let replaces = dice.percent(35);
        // What was attached without a look and never acknowledged isn't surely ours, and isn't replaced.
        let precheck = replaces || dice.percent(50);
        let rows = rows(&mut dice, seed, precheck, replaces);
        let mut scenario = Self::of(seed, rows, precheck, *dice.pick(&[Dialect::Json, Dialect::Form]));
        scenario.repeat_lines(&mut dice);
        // The runs before the first kill make calls, too.
        let before = if replaces { scenario.rows.len() } else { 0 };
        scenario.sandbox.extend(faults(&mut dice, before));
        let concurrency = 1 + dice.below(12);
        // Longer than any effect is late, so that an absence may be believed.
        scenario.flags(&["--settle", "1500ms", "--concurrency", &concurrency.to_string()]);
        scenario
    }

    /// A few rows without faults, the last of them refused: what a run does one step after the other.
    pub(crate) fn plain(seed: u64, count: usize) -> Self {
        let row = |number| Row { grower: grower(seed, number), fate: Fate::Attached };
        let mut rows: Vec<_> = (0..count).map(row).collect();
        rows[count - 1].fate = Fate::Rejected;
        let mut scenario = Self::of(seed, rows, true, Dialect::Json);
        scenario.flags(&["--settle", "300ms", "--concurrency", "2"]);
        scenario
    }

    fn of(seed: u64, rows: Vec<Row>, precheck: bool, dialect: Dialect) -> Self {
        let growers: Vec<_> = rows.iter().map(|row| row.grower.clone()).collect();
        let known: Vec<_> =
            rows.iter().filter_map(Row::as_known).chain(rows.iter().filter_map(Row::earlier)).collect();
        let opening = rows.iter().any(|row| row.fate == Fate::Replaced).then(|| {
            let earlier = |row: &Row| row.earlier().unwrap_or_else(|| row.grower.clone());
            csv_of(&rows.iter().map(earlier).collect::<Vec<_>>())
        });
        let world = World::closed().seeded(seed);
        let mut secrets: Vec<_> = growers.iter().map(|grower| grower.password.clone()).collect();
        secrets.extend(known.iter().map(|grower| world.api_key(&grower.login()).expose_secret().to_owned()));
        let issued = ["sandbox-access-", "sandbox-refresh-", "sandbox-client-", "sandbox-api-key-"];
        secrets.extend(issued.into_iter().chain([LEAF_TOKEN, CLIENT]).map(str::to_owned));
        secrets.sort();
        secrets.dedup();
        let run = ["run", "growers.csv", "--report", "results.jsonl", "--progress", "none", "-vv"];
        let mut scenario = Self {
            lines: rows.iter().map(|row| row.fate.outcome()).collect(),
            rows,
            opening,
            manifest: csv_of(&growers),
            known: csv_of(&known),
            sandbox: vec!["--seed".to_owned(), seed.to_string()],
            run: run.map(str::to_owned).into(),
            secrets,
        };
        scenario.flags(&["--stara-rate", "none", "--leaf-rate", "none", "--max-failures", "100%"]);
        scenario.flags(&["--max-changes", "1000"]);
        scenario.flags(&["--verify-wait", "20s", "--precheck", if precheck { "row" } else { "off" }]);
        scenario.flags(&["--stara-dialect", dialect.as_str()]);
        scenario
    }

    fn flags(&mut self, flags: &[&str]) {
        self.run.extend(flags.iter().map(|flag| (*flag).to_owned()));
    }

    /// Adds lines that are no rows: repeated ones, and one that can't be read.
    fn repeat_lines(&mut self, dice: &mut Dice) {
        let written: Vec<String> = self.manifest.lines().skip(1).map(str::to_owned).collect();
        for _ in 0..dice.below(4) {
            self.manifest.push_str(&written[dice.below(written.len())]);
            self.manifest.push('\n');
            self.lines.push("manifest-duplicate");
        }
        if dice.percent(50) {
            self.manifest += "no-uuid,login,secret-of-a-bad-line\n";
            self.lines.push("manifest-invalid");
            self.secrets.push("secret-of-a-bad-line".to_owned());
        }
    }

    /// The exit code of a run that leaves nothing to be done.
    pub(crate) fn last_code(&self) -> i32 {
        let is_good = |line: &str| ["attached", "already-attached", "manifest-duplicate"].contains(&line);
        if self.lines.iter().all(|line| is_good(line)) { 0 } else { 3 }
    }

    pub(crate) fn environment() -> [(String, String); 2] {
        [("LEAF_TOKEN", LEAF_TOKEN), ("STARA_ACCESS_TOKEN_CLIENT", CLIENT)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }
}

impl Row {
    pub(crate) fn user(&self) -> String {
        self.grower.id.to_string()
    }

    /// The same grower with the login of before.
    fn earlier(&self) -> Option<Grower> {
        let earlier = || self.grower.with_login(&earlier_login(&self.grower.login));
        (self.fate == Fate::Replaced).then(earlier)
    }

    /// The effects that calls must have had on its user in the end, in their order, with the logins they are about.
    pub(crate) fn effects(&self) -> Vec<(&'static str, Option<String>)> {
        let attached = |login: &str| ("attach", Some(login.to_owned()));
        let login = &self.grower.login;
        match self.fate {
            Fate::Attached => vec![attached(login)],
            Fate::Replaced => vec![attached(&earlier_login(login)), ("remove", None), attached(login)],
            Fate::Rejected | Fate::Unknown | Fate::Healthy => Vec::new(),
        }
    }

    fn as_known(&self) -> Option<Grower> {
        match self.fate {
            Fate::Attached | Fate::Replaced => Some(self.grower.clone()),
            Fate::Rejected => Some(self.grower.with_password("the-password-that-is-right")),
            Fate::Unknown => None,
            Fate::Healthy => Some(self.grower.with_password("sandbox:healthy")),
        }
    }
}

fn earlier_login(login: &str) -> String {
    format!("earlier-{login}")
}

fn grower(seed: u64, number: usize) -> Grower {
    let password = Secret::new(format!("Senha&{seed}-{number};\"ã"));
    let login = format!("grower{number}@agro.example");
    Grower { id: user(number), login, password: password.expose_secret().to_owned() }
}

fn rows(dice: &mut Dice, seed: u64, precheck: bool, replaces: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for number in 0..16 + dice.below(25) {
        let mut grower = grower(seed, number);
        let fate = match dice.below(20) {
            0 => Fate::Rejected,
            // Without a look nobody knows before Stara is asked, and Stara doesn't know these logins.
            1 if precheck => Fate::Unknown,
            2 if precheck => Fate::Healthy,
            3..9 if replaces => Fate::Replaced,
            _ => Fate::Attached,
        };
        // Users of one login have one fate.
        if let Some(last) = rows.last().filter(|last| last.fate == fate && dice.percent(12)) {
            grower = Grower { id: grower.id, ..last.grower.clone() };
        }
        rows.push(Row { grower, fate });
    }
    rows
}

/// What goes wrong at the services, and which calls they hold open.
fn faults(dice: &mut Dice, before: usize) -> Vec<String> {
    let mut faults = Vec::new();
    let mut add = |fault: String| faults.extend(["--fault".to_owned(), fault]);
    for held in ["authenticate:hang", "token:hang", "attach:hang", "attach:hang-after-effect", "look:hang"] {
        if dice.percent(35) {
            add(format!("{held}:nth={}", 1 + before + dice.below(25)));
        }
    }
    for held in ["remove:hang", "remove:hang-after-effect", "events:hang"] {
        if before > 0 && dice.percent(50) {
            add(format!("{held}:nth={}", 1 + dice.below(4)));
        }
    }
    for (fault, most) in [
        ("attach:reply-lost", 15),
        ("attach:500:after-effect", 8),
        ("attach:cut-before-effect", 8),
        ("attach:cut-in-body", 8),
        ("look:503", 8),
        ("remove:reply-lost", 25),
        ("remove:500", 15),
        ("stara:503", 5),
    ] {
        if dice.percent(50) {
            add(format!("{fault}:{}%", 1 + dice.below(most)));
        }
    }
    if dice.percent(40) {
        add(format!("attach:cut-then-late-effect:{}%:time=400ms", 1 + dice.below(10)));
    }
    let second = dice.pick(&["409", "400", "replace", "second-object"]);
    faults.extend(["--second-attach".to_owned(), (*second).to_owned()]);
    faults
}
