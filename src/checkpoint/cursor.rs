//! Walks the staged lines in order beside the second reading of the manifest, on a connection of its own.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::approach::Approach;
use super::error::LedgerError;
use super::fingerprint::Fingerprint;
use super::record::{UserKey, UserRecord};
use super::user_row::{Cells, USER_COLUMNS, read_user};
use crate::model::LeafUserId;

/// How many lines are read at a time.
const PAGE: u64 = 512;

/// A page of lines, each with the user that is to be carried out, and whether nothing is known of that user: on a first night
/// it isn't of anybody, and all the columns needn't be read.
const PAGE_OF_LINES: &str = "
    SELECT lines.line, lines.row_print,
           refusals.at IS NOT NULL AND ifnull(refusals.asked = ?3, TRUE), ifnull(refusals.asked <> ?3, FALSE),
           users.key, users.leaf_user_id,
           coalesce(users.outcome, users.login, users.row_print, users.login_print, users.intent_at, users.held_id) IS NULL
    FROM lines
    LEFT JOIN refusals ON refusals.login_print = lines.login_print
    LEFT JOIN users ON users.key = lines.user AND lines.decision IN ('to-do', 'replace') AND users.run IS NOT ?4
    WHERE lines.line > ?1 ORDER BY lines.line LIMIT ?2";

/// A staged line as the second reading needs it.
#[derive(Debug)]
pub struct LineEntry {
    /// Its number.
    pub line: u64,
    /// Its user's id, for a line that is carried out.
    pub leaf_user_id: Option<LeafUserId>,
    /// The fingerprint of its row; `None` for an invalid line.
    pub row: Option<Fingerprint>,
    /// Whether Stara refused its login and password before, and that stands.
    pub is_refused: bool,
    /// Whether Stara refused them when it refused everybody, and is asked in another way now.
    pub is_reopened: bool,
    /// Its user with what is known of it, for a line that is carried out and hasn't ended in this run.
    pub user: Option<(UserKey, UserRecord)>,
}

/// Gives the staged lines one after another, holding a page of them at a time.
#[derive(Debug)]
pub struct LineCursor {
    connection: Connection,
    path: PathBuf,
    approach: Approach,
    run: i64,
    page: VecDeque<LineEntry>,
    last: u64,
}

impl LineCursor {
    /// A cursor before the first line of the ledger at `path`, for a run that puts logins to Stara in this way
    /// and has this number.
    ///
    /// # Errors
    ///
    /// When the ledger can't be opened.
    pub fn open(path: &Path, approach: Approach, run: i64) -> Result<Self, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(std::time::Duration::from_secs(10))?;
            connection.pragma_update(None, "query_only", true)?;
            // Lines and users are read in their order, and each page once.
            connection.pragma_update(None, "cache_size", -512)?;
            Ok(connection)
        };
        let connection = open().map_err(|source| LedgerError::Database { path: path.to_owned(), source })?;
        Ok(Self { connection, path: path.to_owned(), approach, run, page: VecDeque::new(), last: 0 })
    }

    /// The next line; `None` behind the last.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn next_line(&mut self) -> Result<Option<LineEntry>, LedgerError> {
        if self.page.is_empty() {
            self.read_page().map_err(|source| LedgerError::Database { path: self.path.clone(), source })?;
        }
        let entry = self.page.pop_front();
        if let Some(entry) = &entry {
            self.last = entry.line;
        }
        Ok(entry)
    }

    fn read_page(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(PAGE_OF_LINES)?;
        let mut find_user =
            self.connection.prepare_cached(&format!("SELECT {USER_COLUMNS} FROM users WHERE key = ?1"))?;
        let mut rows = statement.query(params![self.last, PAGE, self.approach.0, self.run])?;
        while let Some(row) = rows.next()? {
            let mut cells = Cells::of(row);
            let line = cells.next()?;
            let print = cells.next::<Option<i64>>()?.map(Fingerprint);
            let (is_refused, is_reopened) = (cells.next()?, cells.next()?);
            let (mut leaf_user_id, mut user) = (None, None);
            if let Some(key) = cells.next::<Option<i64>>()? {
                leaf_user_id = cells.next::<Option<[u8; 16]>>()?.map(LeafUserId::from_bytes);
                user = if cells.next()? {
                    Some((UserKey(key), UserRecord::default()))
                } else {
                    find_user.query_row([key], |row| read_user(&mut Cells::of(row)))?
                };
            }
            self.page.push_back(LineEntry { line, leaf_user_id, row: print, is_refused, is_reopened, user });
        }
        Ok(())
    }
}
