//! The second reading of the manifest: carries passwords to the rows that need work, beside the staged lines.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::decide::is_refused_by_record;
use super::handover::RowSender;
use super::task::{Grower, RowTask};
use crate::checkpoint::{
    Approach, FingerprintKey, LedgerError, LineCursor, LineEntry, RowFingerprints, UserKey,
};
use crate::manifest::{Manifest, ManifestError, Record, Row};
use crate::model::{Secret, Shard};

/// Why the second reading ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadingError {
    /// The manifest isn't what it was.
    #[error("the manifest changed at line {line}")]
    Changed { line: u64 },
    /// The manifest can't be read any more.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What the second reading needs.
pub(super) struct Reading {
    pub(super) manifest: Arc<Manifest>,
    pub(super) key: FingerprintKey,
    pub(super) default_client: Option<Secret>,
    /// The run that it is for.
    pub(super) run: i64,
    /// How logins are put to Stara.
    pub(super) approach: Approach,
    /// Whose lines were staged, where not all of them were.
    pub(super) shard: Option<Shard>,
    /// Whether rows with an open deletion come first, which takes a reading of their own.
    pub(super) open_removals: bool,
}

/// Which rows one pass over the manifest hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// All that have work left.
    All,
    /// Only those whose credential is being replaced.
    OpenRemovals,
    /// Only the others.
    Others,
}

/// Begins a reading on a thread of its own, because files and SQLite block.
pub(super) fn start_reading(
    reading: impl Future<Output = Result<(), ReadingError>> + Send + 'static,
) -> JoinHandle<Result<(), ReadingError>> {
    #[cfg(test)]
    if crate::model::simulated::is_on() {
        return tokio::spawn(reading);
    }
    let runtime = Handle::current();
    spawn_blocking(move || runtime.block_on(reading))
}

impl Reading {
    /// Begins to read.
    pub(super) fn start(self, ledger: PathBuf, rows: RowSender) -> JoinHandle<Result<(), ReadingError>> {
        start_reading(async move { self.read(&ledger, rows).await })
    }

    /// Sends every row with work left to `rows`, in the manifest's order but for open deletions, which come first.
    /// Ends quietly when nobody takes rows any more.
    async fn read(&self, ledger: &Path, mut rows: RowSender) -> Result<(), ReadingError> {
        let passes: &[Pass] =
            if self.open_removals { &[Pass::OpenRemovals, Pass::Others] } else { &[Pass::All] };
        // By the time of the second pass the first one's rows may have ended, so what they were is remembered.
        let mut sent = HashSet::new();
        for pass in passes {
            if !self.read_once(*pass, ledger, &mut rows, &mut sent).await? {
                return Ok(());
            }
        }
        // Where nobody takes them there is nothing more to be done.
        let _ = rows.end().await;
        Ok(())
    }

    /// Tells whether rows are still wanted.
    async fn read_once(
        &self,
        pass: Pass,
        ledger: &Path,
        rows: &mut RowSender,
        sent: &mut HashSet<UserKey>,
    ) -> Result<bool, ReadingError> {
        let mut cursor = LineCursor::open(ledger, self.approach, self.run)?;
        let mut last = 0;
        for record in self.manifest.records()? {
            let record = record?;
            let (line, user) = match &record {
                Record::Row(row) => (row.line, Some(row.leaf_user_id)),
                Record::User(user) => (user.line, Some(user.leaf_user_id)),
                Record::Invalid(invalid) => (invalid.line, invalid.leaf_user_id),
            };
            last = line;
            if self.shard.is_some_and(|shard| !shard.takes_line(user)) {
                continue;
            }
            if rows.is_closed() {
                // Nobody takes rows any more, and there may be millions of lines before the next one with work left.
                return Ok(false);
            }
            let entry = cursor.next_line()?.filter(|entry| entry.line == line);
            let entry = entry.ok_or(ReadingError::Changed { line })?;
            let left_to_do = self.compare(record, entry)?.filter(|task| pass.includes(task, sent));
            let Some(task) = left_to_do else { continue };
            let resumes_replacement = pass == Pass::OpenRemovals;
            if rows.send(RowTask { resumes_replacement, ..task }).await.is_err() {
                return Ok(false);
            }
        }
        match cursor.next_line()? {
            Some(_) => Err(ReadingError::Changed { line: last + 1 }),
            None => Ok(true),
        }
    }

    /// Compares a line with what was staged, and makes a task of it if it has work left.
    fn compare(&self, record: Record, entry: LineEntry) -> Result<Option<RowTask>, ReadingError> {
        let changed = ReadingError::Changed { line: entry.line };
        let row = match (record, entry.row) {
            (Record::Row(row), Some(staged)) => {
                let fingerprints = self.fingerprints(&row);
                // The fingerprint is of what is sent to Stara; whom it is for is compared by itself.
                let is_for_another = entry.leaf_user_id.is_some_and(|staged| staged != row.leaf_user_id);
                if fingerprints.row != staged || is_for_another {
                    return Err(changed);
                }
                (row, fingerprints)
            }
            (Record::Invalid(_), None) => return Ok(None),
            _ => return Err(changed),
        };
        let (row, fingerprints) = row;
        // Where the key was missing when Stara refused it, nothing but the user's record tells.
        let is_refused = entry.is_refused
            || !entry.is_reopened
                && entry.user.as_ref().is_some_and(|(_, record)| {
                    record.intent.is_none() && is_refused_by_record(record, &row.login, fingerprints.login)
                });
        Ok(entry.user.map(|(user, record)| RowTask {
            line: entry.line,
            user,
            leaf_user_id: row.leaf_user_id,
            record,
            grower: Some(Grower {
                login: row.login,
                password: row.password,
                access_token_client: row.access_token_client.or_else(|| self.default_client.clone()),
                fingerprints,
                is_refused,
                is_reopened: entry.is_reopened,
            }),
            resumes_replacement: false,
        }))
    }

    fn fingerprints(&self, row: &Row) -> RowFingerprints {
        let client = row.access_token_client.as_ref().or(self.default_client.as_ref());
        self.key.of_row(&row.login, &row.password, client)
    }
}

impl Pass {
    fn includes(self, task: &RowTask, sent: &mut HashSet<UserKey>) -> bool {
        let is_open = || task.record.intent.as_ref().is_some_and(|intent| intent.replacing);
        match self {
            Self::All => true,
            Self::OpenRemovals => is_open() && sent.insert(task.user),
            Self::Others => !sent.contains(&task.user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Intent, UserRecord};
    use crate::model::{LeafUserId, UnixMillis};

    fn task(replacing: bool) -> RowTask {
        let intent = Intent {
            at: UnixMillis(0),
            attaches: 0,
            acknowledged: false,
            over_nothing: false,
            replacing,
            removing: None,
            login: None,
            run: None,
        };
        RowTask {
            line: 2,
            user: UserKey::first(),
            leaf_user_id: LeafUserId::from_bytes([1; 16]),
            record: UserRecord {
                login: None,
                row: None,
                login_print: None,
                outcome: None,
                intent: replacing.then_some(intent),
                held: None,
            },
            grower: None,
            resumes_replacement: false,
        }
    }

    #[test]
    fn a_row_that_was_carried_in_the_first_pass_is_not_carried_in_the_second_whatever_became_of_it() {
        let mut sent = HashSet::new();
        assert!(Pass::OpenRemovals.includes(&task(true), &mut sent));
        assert!(!Pass::Others.includes(&task(true), &mut sent));
        assert!(!Pass::Others.includes(&task(false), &mut sent), "its intent is closed by now");
    }

    #[test]
    fn a_row_without_an_open_deletion_waits_for_the_second_pass() {
        let mut sent = HashSet::new();
        assert!(!Pass::OpenRemovals.includes(&task(false), &mut sent));
        assert!(Pass::Others.includes(&task(false), &mut sent));
        assert!(Pass::All.includes(&task(false), &mut sent));
    }
}
