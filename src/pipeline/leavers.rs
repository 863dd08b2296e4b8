//! Hands on the users that are to lose what they hold, from the staged lines alone: there is no password to be read.

use std::path::{Path, PathBuf};

use tokio::task::JoinHandle;

use super::handover::RowSender;
use super::reading::{ReadingError, start_reading};
use super::task::RowTask;
use crate::checkpoint::{Approach, LineCursor};

/// What it takes to find them.
pub(super) struct Leavers {
    /// The run that it is for.
    pub(super) run: i64,
    /// How its lines were staged.
    pub(super) approach: Approach,
}

impl Leavers {
    /// Begins to read.
    pub(super) fn start(self, ledger: PathBuf, rows: RowSender) -> JoinHandle<Result<(), ReadingError>> {
        start_reading(async move { self.read(&ledger, rows).await })
    }

    /// Sends every line with work left to `rows`, in their order. Ends quietly when nobody takes rows any more.
    async fn read(&self, ledger: &Path, mut rows: RowSender) -> Result<(), ReadingError> {
        let mut cursor = LineCursor::open(ledger, self.approach, self.run)?;
        while let Some(entry) = cursor.next_line()? {
            if rows.is_closed() {
                return Ok(());
            }
            let Some(((user, record), leaf_user_id)) = entry.user.zip(entry.leaf_user_id) else { continue };
            let (line, grower, resumes_replacement) = (entry.line, None, false);
            let task = RowTask { line, user, leaf_user_id, record, grower, resumes_replacement };
            if rows.send(task).await.is_err() {
                return Ok(());
            }
        }
        // Where nobody takes them there is nothing more to be done.
        let _ = rows.end().await;
        Ok(())
    }
}
