//! Some runs of the real program, one after the other on one ledger, as strace saw them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::disk::{Disk, Loss};
use super::happening::{Happening, Historian};
use super::trace;
use crate::support::{Dice, Grower, PATIENCE, Program, Seen, Served, csv_of, is_killed, user};

/// Three runs: the first is killed in its middle, the second ends what it began, and the third gets a manifest in which
/// a password was mended, logins have changed and growers were added.
pub(super) struct Recording {
    pub(super) happenings: Vec<Happening>,
    /// With how many happenings each run began.
    pub(super) starts: Vec<usize>,
    /// For each user, whether the first request that was to change something had an effect, the second, and so on.
    pub(super) effects: HashMap<String, Vec<bool>>,
    /// Each report that was put in place: after how many happenings, and what it says.
    pub(super) reports: Vec<(usize, Vec<u8>)>,
    pub(super) manifests: Manifests,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

/// The growers of the first two runs and of the third.
pub(super) struct Manifests {
    pub(super) known: Vec<Grower>,
    pub(super) first: Vec<Grower>,
    pub(super) second: Vec<Grower>,
}

const GROWERS: usize = 44;
const ADDED: usize = 6;
/// Rows whose password is wrong; the second manifest has the right one for the first of them.
const REJECTED: [usize; 2] = [7, 21];
/// Rows whose login is another one in the second manifest, so that their credentials are deleted and attached anew.
const REPLACED: [usize; 4] = [3, 11, 12, 30];
/// A row whose user Leaf doesn't know.
const UNKNOWN: usize = 13;

impl Manifests {
    fn new() -> Self {
        let grower = |number| Grower {
            id: user(number),
            login: format!("grower{number}@agro.example"),
            password: format!("Senha&{number}"),
        };
        let all: Vec<Grower> = (0..GROWERS + ADDED).map(grower).collect();
        let changed = REPLACED.map(|row| all[row].with_login(&format!("new-{}", all[row].login)));
        let mut second = all.clone();
        second[REJECTED[1]].password.push_str("-wrong");
        let mut first = second[..GROWERS].to_vec();
        first[REJECTED[0]].password.push_str("-wrong");
        for (row, grower) in REPLACED.into_iter().zip(&changed) {
            second[row] = grower.clone();
        }
        let known = all.into_iter().enumerate().filter(|(number, _)| *number != UNKNOWN);
        Self { known: known.map(|(_, grower)| grower).chain(changed).collect(), first, second }
    }

    /// The growers of the manifest that the nth run gets.
    pub(super) fn of_run(&self, run: usize) -> &[Grower] {
        if run < 2 { &self.first } else { &self.second }
    }

    /// Whether the nth of them has another login in the second manifest.
    pub(super) fn is_replaced(number: usize) -> bool {
        REPLACED.contains(&number)
    }

    /// How each of them must end.
    pub(super) fn outcomes(&self, run: usize) -> Vec<&'static str> {
        let outcome = |number: usize| match number {
            UNKNOWN => "leaf-user-unknown",
            _ if self.of_run(run)[number].password.ends_with("-wrong") => "stara-login-rejected",
            _ => "attached",
        };
        (0..self.of_run(run).len()).map(outcome).collect()
    }
}

impl Recording {
    /// Makes a new recording. What goes wrong in it follows from the seed; what its threads do side by side doesn't.
    pub(super) fn make(seed: u64) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().canonicalize().unwrap();
        let manifests = Manifests::new();
        std::fs::write(folder.join("known.csv"), csv_of(&manifests.known)).unwrap();
        let mut dice = Dice::new(seed);
        let mut nth = |from: usize| from + dice.below(8);
        let faults = [
            format!("attach:reply-lost:nth={}", nth(2)),
            format!("attach:500:after-effect:nth={}", nth(10)),
            format!("attach:hang-after-effect:nth={}", nth(18)),
            "remove:reply-lost:nth=2".to_owned(),
        ];
        let faults: Vec<_> = faults.into_iter().flat_map(|fault| ["--fault".to_owned(), fault]).collect();
        let mut served = Served::start(&folder, "known.csv", &faults);
        for run in 0..3 {
            std::fs::write(folder.join("growers.csv"), csv_of(manifests.of_run(run))).unwrap();
            record(&folder, run, &mut served);
        }
        drop(served);
        let recording = Self { _temporary: Some(temporary), ..Self::load(&folder) };
        recording.check(&folder);
        recording
    }

    /// Reads a recording that was made earlier.
    pub(super) fn load(folder: &Path) -> Self {
        let recorded_in = std::fs::read_to_string(folder.join("stood-in.txt"));
        let recorded_in = recorded_in.unwrap_or_else(|_| folder.display().to_string());
        let mut historian = Historian::new(&recorded_in);
        let mut starts = Vec::new();
        for run in 0..3 {
            starts.push(historian.happenings.len());
            let text = std::fs::read_to_string(folder.join(trace_name(run))).unwrap();
            historian.add_run(&trace::parse(&text));
        }
        let mut seen = Seen::open(&folder.join("seen.jsonl"));
        seen.follow();
        let mut effects: HashMap<String, Vec<bool>> = HashMap::new();
        for call in seen.calls.iter().filter(|call| ["attach", "remove"].contains(&call.kind.as_str())) {
            effects.entry(call.user.clone().unwrap()).or_default().push(call.effect);
        }
        let happenings = historian.happenings;
        Self {
            reports: reports(&happenings),
            happenings,
            starts,
            effects,
            manifests: Manifests::new(),
            folder: folder.to_owned(),
            _temporary: None,
        }
    }

    /// Which run was under way after so many happenings.
    pub(super) fn run_at(&self, end: usize) -> usize {
        self.starts.iter().rposition(|start| *start <= end).unwrap()
    }

    /// Keeps the recording, so that a failure can be looked into again, and tells where it is.
    pub(super) fn keep(&self) -> PathBuf {
        let kept = tempfile::tempdir().unwrap().keep();
        let traces = (0..3).map(trace_name).chain(["seen.jsonl".to_owned()]);
        for name in traces {
            std::fs::copy(self.folder.join(&name), kept.join(&name)).unwrap();
        }
        std::fs::write(kept.join("stood-in.txt"), self.folder.display().to_string()).unwrap();
        kept
    }

    /// A recording is whole if what it says was written is what stands on the disk.
    fn check(&self, folder: &Path) {
        let copy = tempfile::tempdir().unwrap();
        let disk = Disk::after(&self.happenings, self.happenings.len());
        disk.lose_power(Loss::Nothing, &mut Dice::new(0), copy.path());
        let (recorded, real) = (files(copy.path()), files(folder));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&recorded), names(&real));
        assert!(recorded == real, "the trace doesn't tell of every write");
        for needed in ["state/ledger.db", "state/ledger.key", "results.jsonl"] {
            assert!(real.contains_key(needed), "{needed} isn't in {:?}", names(&real));
        }
        assert!(self.happenings.iter().any(|happening| matches!(happening, Happening::Requested { .. })));
        assert!(self.happenings.iter().any(|happening| matches!(happening, Happening::Claimed { .. })));
    }
}

fn trace_name(run: usize) -> String {
    format!("trace-{run}.txt")
}

/// The command line of a recorded run, and of one that goes on after a cut.
pub(super) fn arguments(settle: &str) -> Vec<String> {
    let line = format!(
        "run growers.csv --report results.jsonl --progress none -vv --stara-rate none --leaf-rate none \
         --max-failures 100% --settle {settle} --concurrency 6"
    );
    line.split_whitespace().map(str::to_owned).collect()
}

/// Runs the program under strace, and kills it where a call is held open.
fn record(folder: &Path, run: usize, served: &mut Served) {
    let mut environment = served.environment.clone();
    environment.push(("LEAF_TOKEN".to_owned(), "leaf-token-of-the-power-proof".to_owned()));
    let name = trace_name(run);
    let mut program = Program::start(folder, &environment, &arguments("1s"), &trace::strace(&name));
    let (held, began) = (served.seen.held, Instant::now());
    let status = loop {
        if let Some(status) = program.ended() {
            break status;
        }
        served.seen.follow();
        if served.seen.held > held {
            break program.kill();
        }
        assert!(began.elapsed() < PATIENCE, "the recorded run hung");
        std::thread::sleep(Duration::from_millis(1));
    };
    if run == 0 {
        assert!(is_killed(status), "{}", program.stderr());
    } else {
        assert_eq!(status.code(), Some(3), "{}", program.stderr());
    }
    let is_whole = || {
        let trace = std::fs::read_to_string(folder.join(&name)).unwrap();
        let main = trace.split(' ').next().unwrap_or_default().to_owned();
        let is_end = |line: &str| {
            let (process, rest) = line.split_once(' ').unwrap_or_default();
            rest.contains("exit_group(") || (process == main && rest.contains("+++ killed by SIGKILL +++"))
        };
        trace.ends_with('\n') && trace.lines().any(is_end)
    };
    while !is_whole() {
        assert!(began.elapsed() < PATIENCE, "strace hung");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Everything that a loss of power is asked about, by its name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let below = |folder: &Path, before: &str| -> Vec<(String, PathBuf)> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let named =
            entries.map(|path| (format!("{before}{}", path.file_name().unwrap().to_string_lossy()), path));
        named.filter(|(_, path)| path.is_file()).collect()
    };
    let all = below(folder, "").into_iter().chain(below(&folder.join("state"), "state/"));
    let ours = all.filter(|(name, _)| name.starts_with("state/") || name.contains("results.jsonl"));
    ours.map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
}

/// What stood under the report's name, each time when it was put there.
fn reports(happenings: &[Happening]) -> Vec<(usize, Vec<u8>)> {
    let mut reports = Vec::new();
    for (index, happening) in happenings.iter().enumerate() {
        let Happening::Renamed { to, file, .. } = happening else { continue };
        if to != "results.jsonl" {
            continue;
        }
        let mut content = Vec::new();
        for written in &happenings[..index] {
            if let Happening::Written { file: of, at, bytes } = written
                && of == file
            {
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
        reports.push((index, content));
    }
    reports
}
