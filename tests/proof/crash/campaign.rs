//! Kills the program, looks into what it left behind, runs it again until it is done, and checks what came of it.

use std::collections::{HashMap, HashSet};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::kill::Kill;
use super::scenario::{Fate, Scenario};
use crate::support::{LedgerImage, Needles, PATIENCE, Program, Served, is_killed};

/// How many runs without a kill may be needed in the end: an attach whose reply is lost twice needs another run.
const LAST_RUNS: usize = 8;

/// One scenario on its way, against services in another process.
pub(crate) struct Campaign {
    scenario: Scenario,
    needles: Needles,
    // Dropped in this order: the services before their folder.
    served: Served,
    folder: TempDir,
    /// What the ledger held after the last run.
    image: LedgerImage,
    runs: usize,
    /// How many runs had ended when the ledger first knew a login to be refused, and how many calls there were by then.
    refused: HashMap<String, (usize, usize)>,
    pub(crate) kills: usize,
}

impl Campaign {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = scenario.opening.as_ref().unwrap_or(&scenario.manifest);
        std::fs::write(folder.path().join("growers.csv"), manifest).unwrap();
        std::fs::write(folder.path().join("known.csv"), &scenario.known).unwrap();
        let served = Served::start(folder.path(), "known.csv", &scenario.sandbox);
        let mut campaign = Self {
            needles: Needles::new(scenario.secrets.clone()),
            scenario,
            served,
            folder,
            image: LedgerImage::default(),
            runs: 0,
            refused: HashMap::new(),
            kills: 0,
        };
        if campaign.scenario.opening.is_some() {
            campaign.settle();
            std::fs::write(campaign.path("growers.csv"), &campaign.scenario.manifest).unwrap();
        }
        campaign
    }

    pub(crate) fn rows(&self) -> usize {
        self.scenario.rows.len()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The last system call that strace saw before it killed the program. It writes that down a moment later.
    pub(crate) fn last_system_call(&self) -> String {
        let began = Instant::now();
        let folder = self.folder.path().display().to_string();
        loop {
            let text = std::fs::read_to_string(self.path("strace.txt")).unwrap_or_default();
            if text.contains("+++ killed by SIGKILL +++") || began.elapsed() > PATIENCE {
                return text
                    .lines()
                    .rfind(|line| line.contains('('))
                    .unwrap_or_default()
                    .replace(&folder, "");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The first system call that strace let fail; `None` when there was none.
    pub(crate) fn first_failed_call(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.path("strace.txt")).unwrap();
        let failed = text.lines().find(|line| line.contains("(INJECTED)"))?;
        Some(failed.replace(&self.folder.path().display().to_string(), ""))
    }

    /// Runs the program once, kills it when that is due, and checks what it left behind. Tells how it ended.
    pub(crate) fn run(&mut self, kill: &Kill) -> ExitStatus {
        let (lines, held) = (self.served.seen.lines, self.served.seen.held);
        let calls = self.served.seen.calls.len();
        let mut environment = self.served.environment.clone();
        environment.extend(Scenario::environment());
        let mut program =
            Program::start(self.folder.path(), &environment, &self.scenario.run, &kill.strace());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = program.ended() {
                break status;
            }
            let seen = &mut self.served.seen;
            seen.follow();
            let answered = |kind: &str| {
                seen.calls[calls..].iter().any(|call| call.kind == kind && call.status.is_some())
            };
            let is_due = match kill {
                Kill::AfterLines(more) => seen.lines >= lines + more,
                Kill::Answered(kind) => answered(kind),
                Kill::After(time) => began.elapsed() >= *time,
                Kill::Never | Kill::BeforeSystemCall(..) | Kill::Failing { .. } => false,
            };
            if is_due || seen.held > held {
                break program.kill();
            }
            if began.elapsed() > PATIENCE {
                program.kill();
                panic!("the program hung\n{}", program.stderr());
            }
            std::thread::sleep(Duration::from_micros(300));
        };
        self.runs += 1;
        self.kills += usize::from(is_killed(status));
        self.look_into(&program.stderr());
        status
    }

    /// What must hold at every moment: checked on what the program left behind.
    fn look_into(&mut self, stderr: &str) {
        let image = LedgerImage::read(&self.path("state")).unwrap_or_else(|error| panic!("{error}"));
        self.served.seen.follow();
        let seen = &self.served.seen;
        self.expect_intents(&image);
        let is_replaced = |user: &str| {
            self.scenario.rows.iter().any(|row| row.fate == Fate::Replaced && row.user() == user)
        };
        for (user, before) in self.image.users.iter().filter(|(user, _)| !is_replaced(user)) {
            let final_before =
                before.outcome.as_deref().filter(|code| *code == "attached" || *code == "already-attached");
            if let Some(code) = final_before {
                assert_eq!(image.outcome(user), Some(code), "{user} was {code} before this run");
            }
        }
        for (user, outcome) in claimed(stderr) {
            assert_eq!(image.outcome(user), Some(outcome), "{user} was claimed and isn't in the ledger");
        }
        for row in self.scenario.rows.iter().filter(|row| row.fate == Fate::Rejected) {
            if image.outcome(&row.user()) == Some("stara-login-rejected") {
                let login = row.grower.login.clone();
                self.refused.entry(login).or_insert((self.runs, seen.calls.len()));
            }
        }
        self.image = image;
        self.expect_silence();
    }

    /// No attach and no removal was sent whose intent, or whose outcome, isn't in the ledger. The last of each user is
    /// looked for; those before it had their turn after earlier runs.
    fn expect_intents(&self, image: &LedgerImage) {
        let mut last = HashMap::new();
        for call in &self.served.seen.calls {
            if call.kind == "attach" || call.kind == "remove" {
                last.insert(call.user.as_deref().unwrap(), call);
            }
        }
        for (user, call) in last {
            let row = self.scenario.rows.iter().find(|row| row.user() == user).unwrap();
            // A removal makes way for the login that the manifest has now.
            let login = call.login.as_ref().unwrap_or(&row.grower.login);
            let known = image.users.get(user);
            let is_decided =
                known.is_some_and(|known| known.outcome.is_some() && known.login.as_ref() == Some(login));
            let is_announced = known.is_some_and(|known| match call.kind.as_str() {
                "attach" => known.announced > Some(0),
                _ => known.announced.is_some(),
            });
            assert!(is_decided || is_announced, "{call:?} without a durable intent: {known:?}");
        }
    }

    /// No secret in any file but the two manifests, and strace's, which shows what is sent.
    fn expect_silence(&self) {
        let (leaks, searched) =
            self.needles.find_below(self.folder.path(), &["growers.csv", "known.csv", "strace.txt"]);
        assert!(leaks.is_empty(), "{leaks:#?}");
        assert!(searched.contains("stderr.txt"), "{searched:?}");
    }

    /// Runs it without killing it until nothing is left to be done; answers the last exit code.
    fn settle(&mut self) -> i32 {
        for run in 0.. {
            let status = self.run(&Kill::Never);
            if is_killed(status) {
                // A call was held once more. Each is held once.
                continue;
            }
            let code = status.code().unwrap();
            assert!([0, 3].contains(&code), "exit code {code}\n{}", self.stderr());
            let left = self.unsettled();
            if left.is_empty() {
                return code;
            }
            assert!(run < LAST_RUNS, "{left:?} don't come to an end\n{}", self.stderr());
            self.let_time_pass();
        }
        unreachable!("the loop has no other end")
    }

    /// Lets it come to its end, and checks what came of it.
    pub(crate) fn finish(mut self) {
        assert_eq!(self.settle(), self.scenario.last_code(), "{}", self.stderr());
        self.check_report();
        self.check_effects();
        self.check_refusals();
        self.check_that_nothing_is_left();
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.path("stderr.txt")).unwrap()
    }

    fn results(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("results.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rows that a later run tries again: those whose attach isn't judged yet, and those that met an outage.
    fn unsettled(&self) -> Vec<String> {
        let again = [
            "needs-review",
            "attach-unconfirmed",
            "credential-removed",
            "leaf-unavailable",
            "stara-unavailable",
        ];
        let codes = self.results().into_iter().map(|result| result["outcome"].as_str().unwrap().to_owned());
        codes.filter(|code| again.contains(&code.as_str())).collect()
    }

    /// Dates every open intent back by a quarter of an hour, as if the next run came later: a row whose attach got lost
    /// twice without a trace is tried again only then. No attach may have had an effect that the last run didn't find.
    fn let_time_pass(&self) {
        for (user, known) in &self.image.users {
            if known.outcome.as_deref() == Some("needs-review") {
                assert!(known.announced >= Some(2), "{user} needs a review after {:?}", known.announced);
                assert!(!self.served.seen.holds(user), "{user} is attached, and wasn't found");
            }
        }
        let connection = Connection::open(self.path("state/ledger.db")).unwrap();
        let earlier = "UPDATE users SET intent_at = intent_at - 960000 WHERE intent_at IS NOT NULL";
        connection.execute(earlier, []).unwrap();
    }

    /// One outcome a line, in the manifest's order, and the right one.
    fn check_report(&self) {
        let results = self.results();
        let found: Vec<(u64, &str)> = results
            .iter()
            .map(|result| (result["line"].as_u64().unwrap(), result["outcome"].as_str().unwrap()))
            .collect();
        let expected: Vec<(u64, &str)> = (2..).zip(self.scenario.lines.iter().copied()).collect();
        assert_eq!(found, expected);
    }

    /// One effect a user, none for those who weren't to be attached, and one of each kind where one was replaced.
    fn check_effects(&self) {
        for row in &self.scenario.rows {
            assert_eq!(self.served.seen.effects(&row.user()), row.effects(), "effects for {}", row.user());
        }
    }

    /// A refused login is sent at most once a run, and never once the ledger knows of it: so once in all, and once more
    /// for each kill between Stara's answer and the commit.
    fn check_refusals(&self) {
        let is_rejected = |login: &str| {
            self.scenario.rows.iter().any(|row| row.fate == Fate::Rejected && row.grower.login == login)
        };
        let mut refusals: HashMap<&str, usize> = HashMap::new();
        for (index, call) in self.served.seen.calls.iter().enumerate() {
            let Some(login) = call.login.as_deref().filter(|login| is_rejected(login)) else { continue };
            if call.kind != "authenticate" {
                continue;
            }
            let (_, known_at) = self.refused[login];
            assert!(index < known_at, "{login} was sent again after its refusal was in the ledger");
            *refusals.entry(login).or_default() += usize::from(call.status == Some(401));
        }
        for (login, count) in refusals {
            let (runs, _) = self.refused[login];
            assert!((1..=runs).contains(&count), "{login} was refused {count} times in {runs} runs");
        }
    }

    /// One more run costs nothing but a look at each user that Leaf doesn't know.
    fn check_that_nothing_is_left(&mut self) {
        let before = self.served.seen.calls.len();
        let status = self.run(&Kill::Never);
        assert_eq!(status.code(), Some(self.scenario.last_code()));
        let unknown: HashSet<String> = self
            .scenario
            .rows
            .iter()
            .filter(|row| row.fate == Fate::Unknown)
            .map(super::scenario::Row::user)
            .collect();
        for call in &self.served.seen.calls[before..] {
            let is_look = call.kind == "user" && unknown.contains(call.user.as_deref().unwrap_or_default());
            assert!(is_look, "a run with nothing to do made the call {call:?}");
        }
        self.check_report();
    }
}

/// The outcomes that a run's log claims: user and code.
fn claimed(stderr: &str) -> impl Iterator<Item = (&str, &str)> {
    stderr.lines().filter(|line| line.contains("row ended")).filter_map(|line| {
        let value = |name: &str| {
            let (_, rest) = line.split_once(name)?;
            rest.split_whitespace().next()
        };
        // A log that was killed in the middle of a line claims nothing with it.
        value(" stage=")?;
        Some((value(" user=")?, value(" outcome=")?))
    })
}
