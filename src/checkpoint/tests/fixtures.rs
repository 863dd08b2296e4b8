//! Ledgers in a directory that goes away, and what is put into them.

use std::borrow::Cow;

use tempfile::TempDir;

use crate::checkpoint::{
    Approach, DecidedRow, Fingerprint, HeldChange, Ledger, LedgerAccess, LineContent, LineDecision,
    OutcomeChange, OutcomeRecord, RefusalChange, RowFingerprints, RunKind, RunStart, StageError, StagedLine,
    StagedRow, StagedUser, StagingTotals, Target, UserKey,
};
use crate::model::{Dialect, LeafUserId, Login, Outcome, OutcomeCode, Stage, UnixMillis};

/// A ledger and the directory it lies in.
pub(super) struct Place {
    pub(super) directory: TempDir,
    pub(super) ledger: Ledger,
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ledger = open(&directory);
        Self { directory, ledger }
    }

    /// Stages these lines, every row to be carried out.
    pub(super) fn stage(&mut self, lines: Vec<StagedLine>) -> StagingTotals {
        self.stage_deciding(lines, |_, _| LineDecision::ToDo)
    }

    pub(super) fn stage_deciding(
        &mut self,
        lines: Vec<StagedLine>,
        decide: impl FnMut(Option<&StagedRow>, &StagedUser) -> LineDecision,
    ) -> StagingTotals {
        let lines = lines.into_iter().map(Ok::<_, std::convert::Infallible>);
        match self.ledger.stage(&start(), lines, decide) {
            Ok(totals) => totals,
            Err(StageError::Ledger(error)) => panic!("{error}"),
        }
    }

    /// Every line's number, decision and message, as the ledger has them.
    pub(super) fn lines(&self) -> Vec<(u64, String, Option<String>)> {
        let mut statement = self
            .ledger
            .connection
            .prepare("SELECT line, decision, message FROM lines ORDER BY line")
            .unwrap();
        let lines = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        lines.map(Result::unwrap).collect()
    }

    /// Every line's number and decision.
    pub(super) fn decisions(&self) -> Vec<(u64, String)> {
        self.lines().into_iter().map(|(line, decision, _)| (line, decision)).collect()
    }

    pub(super) fn key_of(&self, user: u8) -> UserKey {
        let sql = "SELECT key FROM users WHERE leaf_user_id = ?1";
        let key = self.ledger.connection.query_row(sql, [id(user).as_bytes()], |row| row.get(0));
        UserKey(key.unwrap())
    }
}

pub(super) fn open(directory: &TempDir) -> Ledger {
    let target = Target::new("https://stara.example", "https://leaf.example");
    Ledger::open(&directory.path().join("ledger.db"), LedgerAccess::Run(&target)).unwrap()
}

pub(super) fn start() -> RunStart {
    RunStart {
        kind: RunKind::Run,
        manifest: "growers.csv".to_owned(),
        kept_columns: vec!["farm".to_owned()],
        limit: None,
        approach: approach("password"),
        is_of_manifest: true,
    }
}

/// How Stara is asked with this column for the password.
pub(super) fn approach(password: &str) -> Approach {
    Approach::new(Dialect::Json, "https://stara.example", "/", ["login", password])
}

pub(super) fn id(user: u8) -> LeafUserId {
    LeafUserId::from_bytes([user; 16])
}

/// The fingerprints that stand for a user's login with this password.
pub(super) fn prints(user: u8, password: i64) -> RowFingerprints {
    let print = Fingerprint(i64::from(user) * 1_000 + password);
    RowFingerprints { row: print, login: print }
}

/// A row of a user whose login is named after it.
pub(super) fn row(line: u64, user: u8, password: i64) -> StagedLine {
    let login = Login::new(format!("grower{user}"));
    let row = StagedRow { leaf_user_id: id(user), login, fingerprints: prints(user, password) };
    StagedLine { line, content: LineContent::Row(row), kept: Vec::new() }
}

/// One row a line from `first` on, each of another user.
pub(super) fn rows(first: u64, count: u8) -> Vec<StagedLine> {
    (0..count).map(|user| row(first + u64::from(user), user, 0)).collect()
}

pub(super) fn invalid(line: u64, user: Option<u8>) -> StagedLine {
    let message = "column 2 (password) is empty".to_owned();
    StagedLine {
        line,
        content: LineContent::Invalid { leaf_user_id: user.map(id), message },
        kept: Vec::new(),
    }
}

pub(super) fn outcome(code: OutcomeCode) -> Outcome {
    Outcome {
        code,
        origin: None,
        stage: Stage::Attach,
        http_status: Some(409),
        attempts: 2,
        credential: None,
        message: Cow::Borrowed("what happened"),
    }
}

/// An outcome of a user and nothing else.
pub(super) fn change(key: UserKey, run: i64, code: OutcomeCode) -> OutcomeChange {
    OutcomeChange {
        user: key,
        row: Some(DecidedRow { login: Login::new("grower"), fingerprints: Some(prints(1, 0)) }),
        record: OutcomeRecord { outcome: outcome(code), finished_at: UnixMillis(1_795_269_800_125), run },
        open_intent: None,
        held: HeldChange::Leave,
        refusal: RefusalChange::Leave,
    }
}
