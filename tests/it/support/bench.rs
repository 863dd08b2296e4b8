//! A folder with one simulated Stara and Leaf, on which the real program is run.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stara_onboard::sandbox::{CallKind, Fault, Sandbox, SandboxOptions, SeenCall, World};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::growers::{Grower, csv_of};
use super::invocation::{Ended, Invocation};
use super::results::{ResultLine, read_results};

/// How long an event is waited for before its test fails. It is there for hangs only: no test comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder, and the services that the program is pointed at.
pub(crate) struct Bench {
    // Dropped in this order: the servers before the runtime they run on.
    sandbox: Sandbox,
    runtime: Runtime,
    folder: TempDir,
}

impl Bench {
    /// Services that know these growers and nobody else, and a manifest of them called `growers.csv`.
    pub(crate) fn new(growers: &[Grower]) -> Self {
        Self::with_options(SandboxOptions::default(), growers)
    }

    /// The same with services that are set up in another way. They always record.
    pub(crate) fn with_options(options: SandboxOptions, growers: &[Grower]) -> Self {
        let world = World::closed();
        for grower in growers {
            grower.join(&world);
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = SandboxOptions { record: true, ..options };
        let sandbox = runtime.block_on(Sandbox::start(options, Arc::new(world))).unwrap();
        let bench = Self { sandbox, runtime, folder: tempfile::tempdir().unwrap() };
        bench.write_manifest(growers);
        bench
    }

    /// Answers so slowly that a run over dozens of rows can be interrupted in its middle.
    pub(crate) fn slow(growers: &[Grower]) -> Self {
        let latency = Duration::from_millis(20);
        Self::with_options(SandboxOptions { latency, ..SandboxOptions::default() }, growers)
    }

    /// Lets this go on beside the services until the bench is dropped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// What is set up while this is held may listen on the services' runtime.
    pub(crate) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// The plain URLs of Stara and Leaf.
    pub(crate) fn urls(&self) -> [&str; 2] {
        [self.sandbox.stara_url(), self.sandbox.leaf_url()]
    }

    pub(crate) fn world(&self) -> &World {
        self.sandbox.world()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        // As whoever cares for a manifest keeps it; else each run would warn.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Puts these growers into `growers.csv`.
    pub(crate) fn write_manifest(&self, growers: &[Grower]) {
        self.write("growers.csv", csv_of(growers));
    }

    /// The program in the folder, pointed at the services, with a token and without quotas.
    pub(crate) fn program(&self) -> Invocation {
        let invocation = Invocation::new(self.folder());
        self.environment().into_iter().fold(invocation, |all, (name, value)| all.env(name, value))
    }

    /// What points the program at the services.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 6] {
        [
            ("STARA_URL", self.sandbox.stara_url()),
            ("LEAF_URL", self.sandbox.leaf_url()),
            ("LEAF_TOKEN", "leaf-token-of-the-bench"),
            ("STARA_ONBOARD_STARA_RATE", "none"),
            ("STARA_ONBOARD_LEAF_RATE", "none"),
            // So that calls can be counted row by row; `tests/it/listed.rs` is about the list.
            ("STARA_ONBOARD_PRECHECK", "row"),
        ]
    }

    /// `run` of a manifest, with a report for [`Bench::results`] and whatever else is given.
    pub(crate) fn run_of(&self, manifest: &str, arguments: &[&str]) -> Invocation {
        self.program().args(["run", manifest, "--report", "results.jsonl"]).args(arguments)
    }

    /// `run` of `growers.csv`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_of("growers.csv", arguments).end()
    }

    /// The report of the last run.
    pub(crate) fn results(&self) -> Vec<ResultLine> {
        read_results(&self.path("results.jsonl"))
    }

    /// The outcome of each line, in the manifest's order.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        self.results().into_iter().map(|result| result.outcome).collect()
    }

    /// `status --json`, with further arguments.
    pub(crate) fn status(&self, arguments: &[&str]) -> serde_json::Value {
        let ended = self.program().args(["status", "--json"]).args(arguments).end().with_code(0);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.world().inject(fault);
    }

    /// Waits until the simulated services have come to this.
    pub(crate) fn until(&self, condition: impl Fn(&World) -> bool) {
        let waiting = async { tokio::time::timeout(PATIENCE, self.sandbox.world().until(condition)).await };
        self.runtime.block_on(waiting).expect("what the test waited for never came");
    }

    /// Every call so far.
    pub(crate) fn seen(&self) -> Vec<SeenCall> {
        self.sandbox.seen()
    }

    /// How many calls there were so far.
    pub(crate) fn calls(&self) -> usize {
        self.seen().len()
    }

    /// How many calls of this kind there were so far.
    pub(crate) fn calls_of(&self, kind: CallKind) -> usize {
        self.seen().iter().filter(|call| call.call == kind).count()
    }

    /// The calls about one grower, in the order of their receipt.
    pub(crate) fn calls_about(&self, grower: &Grower) -> Vec<CallKind> {
        let is_about = |call: &SeenCall| {
            call.leaf_user_id == Some(grower.id) || call.login.as_ref() == Some(&grower.login())
        };
        self.seen().iter().filter(|call| is_about(call)).map(|call| call.call).collect()
    }

    /// How often a credential was attached to each of these growers.
    pub(crate) fn effects(&self, growers: &[Grower]) -> BTreeMap<u32, usize> {
        let mut effects = BTreeMap::new();
        for grower in growers {
            *effects.entry(self.world().attach_effects(grower.id)).or_default() += 1;
        }
        effects
    }

    /// Expects one effective attach for each of these growers, and no other.
    #[track_caller]
    pub(crate) fn expect_one_effect_each(&self, growers: &[Grower]) {
        assert_eq!(self.effects(growers), BTreeMap::from([(1, growers.len())]));
        assert_eq!(self.world().attach_effects_in_all(), growers.len() as u64);
    }
}

/// Does the same with each of these at the same time, because most of it is waiting.
pub(crate) fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || test(case));
        }
    });
}
