//! One run of the real pipeline in the world, on a runtime of its own that a crash takes away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{Instant, sleep, timeout};
use zeroize::Zeroizing;

use super::links::LinkNight;
use super::measured::{self, Done, TIMEOUT};
use super::network::{SharedWorld, Wire, lock, origin};
use super::setting::{SETTLE, Setting};
use super::watcher::Watcher;
use super::world::CrashPoint;
use crate::api::LeafAccount;
use crate::checkpoint::{Ledger, LedgerAccess, RunKind, RunStart, StagingTotals, Target};
use crate::http::{ClientOptions, HttpClient, RetryPolicy};
use crate::manifest::{Manifest, ReadOptions, Source};
use crate::model::simulated::{Dice, Machine, OnMachine};
use crate::model::{OutcomeCode, Secret, Service};
use crate::pipeline::{
    FailureLimit, Host, JourneyRules, RunOptions, Selection, Services, Signal, StagingOptions, Stop,
    StopCause, TokenSource, run, stage,
};

/// No run takes longer.
const LONGEST_RUN: Duration = Duration::from_secs(4 * 86_400);

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    /// Nothing but what the world does.
    None,
    /// The process dies at this request of the run.
    CrashAtRequest(u32, CrashPoint),
    /// The process dies at this attach or deletion of the run.
    CrashAtWrite(u32, CrashPoint),
    /// The process dies at this moment.
    CrashAtTime(Duration),
    /// The process dies just after this commit.
    CrashAtCommit(u32),
    /// This commit fails, as on a full disk.
    CommitFails(u32),
    /// A signal comes, and after the grace another one.
    Signal { after: Duration, grace: Duration },
}

impl Blow {
    /// Draws what happens to a run.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let commit = 1 + u32::try_from(dice.roll(25)).unwrap();
        let point = dice.pick(&[CrashPoint::Leaving, CrashPoint::Processed, CrashPoint::Answered]);
        match dice.roll(13) {
            0..=2 => Self::CrashAtRequest(1 + u32::try_from(dice.roll(60)).unwrap(), point),
            10..=12 => Self::CrashAtWrite(1 + u32::try_from(dice.roll(6)).unwrap(), point),
            3 => Self::CrashAtTime(dice.time(Duration::from_secs(200))),
            4 => Self::CrashAtCommit(commit),
            5 => Self::CommitFails(commit),
            6 | 7 => {
                let grace = Duration::from_secs(dice.pick(&[0, 1, 20]));
                Self::Signal { after: dice.time(Duration::from_secs(60)), grace }
            }
            _ => Self::None,
        }
    }
}

/// One run: which manifest it has, what happens to it, and how it makes links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Night {
    pub(super) version: usize,
    pub(super) blow: Blow,
    pub(super) links: LinkNight,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It ran to its end or was stopped.
    Orderly(Option<StopCause>),
    Crashed,
    Never,
}

/// Where the ledger lies, and what it is for.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        // In memory where that can be had: a simulated disk doesn't wait for a real one.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.unwrap() }
    }

    /// Puts the ledger's key where it belongs, or somewhere else.
    fn put_key(&self, where_it_belongs: bool) {
        let places = ["ledger.key", "elsewhere.key"].map(|name| self.folder.path().join(name));
        let [there, elsewhere] = &places;
        let (from, to) = if where_it_belongs { (elsewhere, there) } else { (there, elsewhere) };
        if from.is_file() {
            std::fs::rename(from, to).unwrap();
        }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn open(&self) -> Ledger {
        let target = Target::new(origin(Service::Stara), origin(Service::Leaf));
        Ledger::open(&self.ledger(), LedgerAccess::Run(&target)).unwrap()
    }
}

/// Carries out one run, and holds what it leaves against the oracle. Tells how many rows were to do, too.
pub(super) fn carry_out(
    place: &Place,
    world: &SharedWorld,
    setting: &Setting,
    night: Night,
    seed: u64,
) -> (Ended, u64) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let watching = Arc::clone(world);
    let machine = OnMachine::run(Machine {
        clock: Box::new(move || lock(&watching).wall_clock()),
        dice: Dice::new(seed),
        slowest_commit: setting.slowest_commit,
    });
    let requests_before = lock(world).requests();
    let ((ended, staged), took) = runtime.block_on(async {
        let began = Instant::now();
        lock(world).begin_run();
        let ended = one_run(place, world, setting, night).await;
        lock(world).end_run();
        (ended, began.elapsed())
    });
    drop(runtime);
    drop(machine);
    if matches!((&ended, night.blow), (Ended::Orderly(None), Blow::None)) {
        let mut world = lock(world);
        let requests = u64::from(world.requests() - requests_before);
        let rows = world.oracle.finished.len() as u64;
        measured::check(&mut world.oracle, staged.run, Done { requests, rows, took });
    }
    check_afterwards(world, &ended, staged);
    (ended, staged.to_do)
}

async fn one_run(
    place: &Place,
    world: &SharedWorld,
    setting: &Setting,
    night: Night,
) -> (Ended, StagingTotals) {
    let Night { version, blow, links } = night;
    place.put_key(links.has_key);
    // Finding the delimiter out would take as long as the run.
    let read_options = ReadOptions { delimiter: ",".parse().ok(), ..ReadOptions::default() };
    let csv = Zeroizing::new(setting.csv(version).into_bytes());
    let manifest = Manifest::open(Source::memory(csv, "growers.csv"), &read_options).unwrap();
    let mut ledger = place.open();
    let stop = Stop::default();
    let watcher = Arc::new(Watcher(Arc::clone(world)));
    let run_options = RunOptions { links: links.rules, ..run_options(setting, world) };
    let start = RunStart {
        kind: RunKind::Run,
        manifest: "growers.csv".to_owned(),
        kept_columns: Vec::new(),
        limit: None,
        approach: run_options.approach(&manifest),
        is_of_manifest: true,
    };
    let options = StagingOptions {
        selection: Selection { looks_after_links: links.may_look, ..Selection::default() },
        invalid_limit: crate::pipeline::InvalidLimit::default(),
        default_client: Some(default_client()),
        repair: None,
        is_linted: false,
        takes_swapped: true,
    };
    let staged = stage(&mut ledger, &manifest, &start, &options, &stop, &*watcher).unwrap();
    {
        let mut world = lock(world);
        if world.oracle.reader.is_none() {
            world.oracle.reader = Some(Ledger::open(&place.ledger(), LedgerAccess::Read).unwrap());
        }
        let given = setting.has_given_token.then(given_token);
        let wall = world.wall_clock();
        world.oracle.begin_run(&setting.manifests[version], given, links, wall);
        let requests = world.requests();
        world.crash_at = match blow {
            Blow::CrashAtRequest(request, point) => Some((requests + request, point)),
            _ => None,
        };
        world.crash_at_write = match blow {
            Blow::CrashAtWrite(write, point) => Some((write, point)),
            _ => None,
        };
        world.tell(|| format!("run {}: {blow:?}, {} rows to do, {links:?}", staged.run, staged.to_do));
    }
    watch_commits(&mut ledger, world, blow);
    let crashed = Arc::clone(&lock(world).crashed);
    let (stopping, telling) = (stop.clone(), Arc::clone(&watcher));
    if let Blow::Signal { after, grace } = blow {
        tokio::spawn(async move {
            sleep(after).await;
            stopping.drain(StopCause::Signal(Signal::Terminate), &*telling);
            sleep(grace).await;
            stopping.abort();
        });
    }
    let death = async {
        match blow {
            Blow::CrashAtTime(time) => sleep(time).await,
            _ => crashed.notified().await,
        }
    };
    let running = run(ledger, manifest, staged, run_options, stop, watcher);
    let ended = tokio::select! {
        biased;
        () = death => Ended::Crashed,
        ended = timeout(LONGEST_RUN, running) => match ended {
            Ok(Ok(result)) => Ended::Orderly(result.stopped),
            Ok(Err(error)) => Ended::Orderly(Some(StopCause::LedgerUnwritable { reason: error.to_string() })),
            Err(_) => Ended::Never,
        },
    };
    (ended, staged)
}

fn watch_commits(ledger: &mut Ledger, world: &SharedWorld, blow: Blow) {
    let crashed = Arc::clone(&lock(world).crashed);
    let mut commits = 0;
    ledger.fail_commits(move || {
        commits += 1;
        if blow == Blow::CrashAtCommit(commits) {
            crashed.notify_one();
        }
        blow == Blow::CommitFails(commits)
    });
}

fn given_token() -> String {
    // It has been dead for days: the tokens of the world begin with another number.
    "hush-leaf-0".to_owned()
}

fn default_client() -> Secret {
    Secret::new("hush-client".to_owned())
}

fn run_options(setting: &Setting, world: &SharedWorld) -> RunOptions {
    let host = |service, rate| Host { http: client(service, world), rate };
    let account =
        LeafAccount { username: "ops".to_owned(), password: Secret::new("hush-account".to_owned()) };
    let token = if setting.has_given_token {
        TokenSource::Given(Secret::new(given_token()), Some(account))
    } else {
        TokenSource::Account(account)
    };
    RunOptions {
        services: Services {
            shard: None,
            stara: host(Service::Stara, setting.stara_rate),
            leaf: host(Service::Leaf, setting.leaf_rate),
            dialect: setting.dialect,
            token,
            account: "as ops".to_owned(),
            concurrency: setting.concurrency,
            longest_hold: Duration::from_secs(900),
            relearn: false,
        },
        default_client: Some(default_client()),
        rules: JourneyRules {
            precheck: setting.precheck,
            on_existing: setting.on_existing,
            verify_wait: Duration::from_secs(30),
            settle: SETTLE,
            row_deadline: Duration::from_secs(900),
            review_after: Duration::from_secs(900),
            stara: RetryPolicy::with_attempts(3),
            leaf: RetryPolicy::with_attempts(4),
        },
        list_use: setting.list_use,
        most_changes: setting.most_changes,
        failure_limit: FailureLimit::default(),
        retry_rejected: false,
        // Rows side by side would void each other's tokens here; the switch is for a Stara that keeps them.
        share_logins: false,
        links: None,
    }
}

/// A client on the simulated network. Setting up the library takes longer than a run, so that it is done once.
fn client(service: Service, world: &SharedWorld) -> HttpClient {
    static CLIENTS: OnceLock<[HttpClient; 2]> = OnceLock::new();
    let new = |service| {
        let base_url = origin(service).parse().unwrap();
        let timeout = TIMEOUT;
        HttpClient::new(&ClientOptions {
            base_url,
            timeout,
            idle_connections: 1,
            allow_insecure_http: false,
            extra_roots: crate::http::ExtraRoots::default(),
        })
        .unwrap()
    };
    let [stara, leaf] = CLIENTS.get_or_init(|| [new(Service::Stara), new(Service::Leaf)]);
    let client = if service == Service::Stara { stara } else { leaf };
    client.clone().on_network(Arc::new(Wire { world: Arc::clone(world), host: service }))
}

/// What must hold when a run is over, however it ended.
fn check_afterwards(world: &SharedWorld, ended: &Ended, staged: StagingTotals) {
    let mut world = lock(world);
    world.tell(|| format!("run {} is over: {ended:?}", staged.run));
    let ids: Vec<_> = world.leaf.users.keys().copied().collect();
    for id in ids {
        world.check_wrongs(Some(id));
    }
    let wall = world.wall_clock();
    let oracle = &mut world.oracle;
    oracle.end_links(matches!(ended, Ended::Orderly(None)), wall);
    if matches!(ended, Ended::Never) {
        oracle.object("every run ends", "a run took days");
    }
    let finished = std::mem::take(&mut oracle.finished);
    if matches!(ended, Ended::Orderly(None)) && finished.len() as u64 != staged.to_do {
        let what = format!("{} of {} rows ended, and the run ended in order", finished.len(), staged.to_do);
        oracle.object("no row is lost", &what);
    }
    for (line, (user, code)) in finished {
        let recorded = oracle.recorded(user).and_then(|record| record.outcome);
        if recorded.map(|record| record.outcome.code) != Some(code) {
            oracle.object("nothing acknowledged is lost", &format!("{code} of line {line} is gone"));
        }
    }
    let Some(reader) = &oracle.reader else { return };
    let total = reader.count_outcomes(staged.run).unwrap().total();
    if total != staged.lines {
        oracle.object("accounting", &format!("{} lines, {total} with an outcome", staged.lines));
    }
}

/// How every line stands by the ledger alone.
pub(super) fn codes(world: &SharedWorld) -> BTreeMap<u64, OutcomeCode> {
    lock(world).oracle.codes()
}
