//! The runs: when each began, what it was given, and how it ended.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::approach::Approach;
use super::error::LedgerError;
use super::ledger::Ledger;
use super::results::OutcomeCounts;
use crate::model::{OutcomeCode, UnixMillis};

/// What kind of run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunKind {
    /// It onboards a manifest.
    #[default]
    Run,
    /// It replaces what an audit found to be unhealthy (`audit --repair`).
    Repair,
    /// It takes credentials away (`detach`).
    Detach,
}

impl RunKind {
    const ALL: [Self; 3] = [Self::Run, Self::Repair, Self::Detach];

    /// Its name in the ledger and in `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Repair => "repair",
            Self::Detach => "detach",
        }
    }

    /// Whether a line that ended so counts as failed in a run of this kind, apart from those that it didn't come to.
    #[must_use]
    pub fn is_failure(self, code: OutcomeCode) -> bool {
        match self {
            Self::Run | Self::Repair => code.is_failure(),
            Self::Detach => !matches!(
                code,
                OutcomeCode::Detached | OutcomeCode::ManifestDuplicate | OutcomeCode::NotReached
            ),
        }
    }

    /// What to do about an outcome of such a run, in one sentence: whoever offboards somebody wants nothing attached.
    #[must_use]
    pub fn advice(self, code: OutcomeCode) -> &'static str {
        match (self, code) {
            (Self::Detach, OutcomeCode::LeafCredentialsExist) => {
                "This tool didn't attach it: find out who did; detach --include-foreign takes it away, too."
            }
            (Self::Detach, OutcomeCode::LeafUserUnknown) => {
                "Leaf has nothing to take away there; check the leafUserId, or take it off the list."
            }
            _ => code.advice(),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a run is about to do.
#[derive(Debug, Clone)]
pub struct RunStart {
    /// What kind of run it is.
    pub kind: RunKind,
    /// The manifest's name, as the user gave it.
    pub manifest: String,
    /// The columns of `--keep-column`, in order.
    pub kept_columns: Vec<String>,
    /// The most rows it carries out.
    pub limit: Option<u64>,
    /// How logins are put to Stara.
    pub approach: Approach,
    /// Whether its lines are those of a manifest, which other shards have read, too.
    pub is_of_manifest: bool,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The exit code.
    pub exit_code: u8,
    /// Why it ended, in a clause: `finished`, `stopped by SIGINT`.
    pub ending: String,
    /// Lines by outcome.
    pub outcomes: OutcomeCounts,
    /// Requests by host.
    pub hosts: BTreeMap<String, HostTotals>,
}

/// What one host was asked in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostTotals {
    /// Requests sent.
    pub requests: u64,
    /// Requests that ended without an answer.
    pub unanswered: u64,
    /// Answers that asked us to slow down.
    pub throttled: u64,
}

/// A run as the ledger keeps it.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number, from 1.
    pub run: i64,
    /// What kind of run it was.
    pub kind: RunKind,
    /// When it began.
    pub started_at: UnixMillis,
    /// The manifest's name.
    pub manifest: String,
    /// The columns of `--keep-column`.
    pub kept_columns: Vec<String>,
    /// Lines in the manifest; in a shard's ledger those that are the shard's.
    pub lines: u64,
    /// Lines in the whole manifest, whichever shard they belong to; `None` in runs of older programs.
    pub manifest_lines: Option<u64>,
    /// In a shard's ledger, SHA-256 in hexadecimal over the number, the leafUserId and the login, if any, and the kept cells of
    /// every line of the whole manifest, in order. `None` where the lines are users and no manifest's.
    pub manifest_print: Option<String>,
    /// Rows it set out to carry out.
    pub to_do: u64,
    /// When it ended; `None` while it is at work, or when its process was killed.
    pub ended_at: Option<UnixMillis>,
    /// Its exit code, once it has ended.
    pub exit_code: Option<u8>,
    /// Why it ended, once it has.
    pub ending: Option<String>,
    /// Lines by outcome code, once it has ended.
    pub outcomes: BTreeMap<String, u64>,
    /// Requests by host, once it has ended.
    pub hosts: BTreeMap<String, HostTotals>,
}

impl Ledger {
    /// Records how the run `run` ended.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn end_run(&self, run: i64, end: &RunEnd) -> Result<(), LedgerError> {
        let sql = "UPDATE runs SET ended_at = ?2, exit_code = ?3, ending = ?4, outcomes = ?5, hosts = ?6 WHERE run = ?1";
        let values = params![
            run,
            UnixMillis::now().0,
            end.exit_code,
            end.ending,
            to_json(&end.outcomes.by_name()),
            to_json(&end.hosts),
        ];
        self.connection.execute(sql, values).map_err(|source| self.failed(source))?;
        Ok(())
    }

    /// The latest run whose manifest was staged; `None` when there was none.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn latest_run(&self) -> Result<Option<RunRecord>, LedgerError> {
        self.connection
            .query_row("SELECT * FROM runs ORDER BY run DESC LIMIT 1", [], read_run)
            .optional()
            .map_err(|source| self.failed(source))
    }

    /// The latest `limit` runs, the latest first.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunRecord>, LedgerError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare("SELECT * FROM runs ORDER BY run DESC LIMIT ?1")?;
            statement.query_map([limit], read_run)?.collect()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// Writes the beginning of a run and gives its number.
pub(super) fn insert_run(connection: &rusqlite::Connection, start: &RunStart) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO runs (started_at, manifest, kept_columns, kind) VALUES (?1, ?2, ?3, ?4)",
        params![UnixMillis::now().0, start.manifest, to_json(&start.kept_columns), start.kind.as_str()],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Plain maps and lists of texts and numbers can always be written as JSON.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn from_json<T: for<'de> Deserialize<'de> + Default>(text: Option<String>) -> T {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

pub(super) fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        run: row.get("run")?,
        kind: RunKind::from_name(&row.get::<_, String>("kind")?).unwrap_or_default(),
        started_at: UnixMillis(row.get("started_at")?),
        manifest: row.get("manifest")?,
        kept_columns: from_json(row.get("kept_columns")?),
        lines: row.get("lines")?,
        manifest_lines: row.get("manifest_lines")?,
        manifest_print: row.get("manifest_print")?,
        to_do: row.get("to_do")?,
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(UnixMillis),
        exit_code: row.get("exit_code")?,
        ending: row.get("ending")?,
        outcomes: from_json(row.get("outcomes")?),
        hosts: from_json(row.get("hosts")?),
    })
}
