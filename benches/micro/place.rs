//! A folder with manifests and a ledger, gone when dropped.

use std::fs::File;
use std::path::PathBuf;

use stara_onboard::checkpoint::{
    Approach, KeyStanding, Ledger, LedgerAccess, LineCursor, OutcomeChange, RunKind, RunStart, StagingTotals,
    Target, UserKey,
};
use stara_onboard::checkpoint::{DecidedRow, HeldChange, OutcomeRecord, RefusalChange};
use stara_onboard::manifest::{Format, Manifest, ReadOptions, Source};
use stara_onboard::model::{Dialect, LeafUserId, Login, Origin, Outcome, OutcomeCode, Stage, UnixMillis};
use stara_onboard::pipeline::{Event, InvalidLimit, Observe, Selection, StagingOptions, Stop, stage};
use tempfile::TempDir;

use crate::growers;

/// How many rows the benches of whole manifests take.
pub(crate) const ROWS: u32 = 10_000;

/// Where the services of the ledger are; nobody is asked.
const HOSTS: [&str; 2] = ["https://stara.example", "https://leaf.example"];

/// The folder.
pub(crate) struct Place {
    directory: TempDir,
}

/// Hears of everything, and keeps nothing.
struct Deaf;

impl Observe for Deaf {
    fn observe(&self, _: &Event) {}
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A manifest of so many growers, opened.
    pub(crate) fn manifest(&self, format: Format, rows: u32) -> Manifest {
        let (path, write): (_, fn(&std::path::Path, u32)) = match format {
            Format::Csv => (self.path("growers.csv"), growers::write_csv),
            Format::Parquet => (self.path("growers.parquet"), growers::write_parquet),
        };
        if !path.exists() {
            write(&path, rows);
        }
        let file = File::open(&path).expect("the manifest opens");
        let source = Source::file(file, path.display().to_string()).expect("it is a file");
        Manifest::open(source, &ReadOptions::default()).expect("it is a manifest")
    }

    /// The ledger, made where there is none.
    pub(crate) fn ledger(&self) -> Ledger {
        let target = Target::new(HOSTS[0], HOSTS[1]);
        let ledger = Ledger::open(&self.path("ledger.db"), LedgerAccess::Run(&target)).expect("a ledger");
        assert_eq!(ledger.key_standing(), KeyStanding::Own);
        ledger
    }

    /// The ledger's users in the order of their lines, with their logins.
    pub(crate) fn users(&self, run: i64) -> Vec<(UserKey, Login)> {
        let mut cursor =
            LineCursor::open(&self.path("ledger.db"), approach(), run).expect("the staged lines");
        let mut users = Vec::new();
        while let Some(entry) = cursor.next_line().expect("a line") {
            let (key, _) = entry.user.expect("a line that is carried out");
            users.push((key, Login::new(format!("grower{}@fazenda.example", users.len()))));
        }
        users
    }
}

/// Stages a manifest by the pipeline, as a run does.
pub(crate) fn stage_as_run(ledger: &mut Ledger, manifest: &Manifest, is_linted: bool) -> StagingTotals {
    let options = StagingOptions {
        selection: Selection::default(),
        invalid_limit: InvalidLimit::default(),
        default_client: None,
        repair: None,
        is_linted,
        takes_swapped: !is_linted,
    };
    stage(ledger, manifest, &run_start(), &options, &Stop::default(), &Deaf).expect("it is staged")
}

/// What a run says of itself.
pub(crate) fn run_start() -> RunStart {
    RunStart {
        kind: RunKind::Run,
        manifest: "growers.csv".to_owned(),
        kept_columns: Vec::new(),
        limit: None,
        approach: approach(),
        is_of_manifest: true,
    }
}

/// That a user is attached.
pub(crate) fn attached(user: UserKey, login: Login, run: i64) -> OutcomeChange {
    let outcome = Outcome {
        code: OutcomeCode::Attached,
        origin: Some(Origin::Created),
        stage: Stage::Verify,
        http_status: Some(200),
        attempts: 1,
        credential: None,
        message: "".into(),
    };
    OutcomeChange {
        user,
        row: Some(DecidedRow { login, fingerprints: None }),
        record: OutcomeRecord { outcome, finished_at: UnixMillis(1_795_269_800_125), run },
        open_intent: None,
        held: HeldChange::Leave,
        refusal: RefusalChange::Leave,
    }
}

/// The user of a row.
pub(crate) fn user(row: u32) -> LeafUserId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&row.wrapping_mul(0x9e37_79b9).to_be_bytes());
    id[12..].copy_from_slice(&row.to_be_bytes());
    LeafUserId::from_bytes(id)
}

fn approach() -> Approach {
    Approach::new(Dialect::Json, HOSTS[0], "/", ["login", "password"])
}
