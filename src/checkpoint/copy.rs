//! A copy of the ledger for whoever only wants to see: beside the ledger nothing is made, changed or locked.
//!
//! SQLite can't read a ledger in WAL mode without files of its own beside it. So the files are copied, and the copy is read.
//! Whether a run wrote meanwhile is told from the log's header, by this argument: the log is only ever appended to until it
//! begins anew, which changes its header. As long as that stays the same, a log copied after the database holds every page
//! that was moved from it into the database while that was being copied, so that the two together are the ledger as it was
//! when the log was copied. Source: SQLite's description of its write-ahead log, sections "the WAL file format" and
//! "checkpoint algorithm".

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::LedgerError;
use super::file::create_private;
use super::fingerprint::FingerprintKey;
use super::ledger::{Ledger, LedgerAccess, connect, of_sqlite};
use super::schema;

/// How often the ledger is copied anew because it was written meanwhile. A run begins its log anew every few thousand
/// rows, and the next copy is at hand at once.
const MOST_COPIES: u32 = 100;

/// How many bytes are copied at a time.
const PIECE: u64 = 256 * 1024;

/// The length of a log's header in bytes. Source: SQLite's file format, section 4.1.
const LOG_HEADER: u64 = 32;

impl Ledger {
    /// A copy of the ledger at `path`, in a file without a name that is gone with the process; an empty one where there is
    /// none. It may be written like a ledger, and nobody will ever see what was.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read or copied, isn't one, comes from a newer program, or belongs to other hosts.
    pub fn copy_of(path: &Path, access: LedgerAccess<'_>) -> Result<Self, LedgerError> {
        Self::check_file(path)?;
        let folder = tempfile::Builder::new().prefix("stara-onboard-").tempdir();
        let folder = folder.map_err(|source| LedgerError::File { path: std::env::temp_dir(), source })?;
        let copy = folder.path().join("ledger.db");
        let (is_there, key) = (path.symlink_metadata().is_ok(), FingerprintKey::load(path)?);
        if is_there {
            copy_whole(path, &copy, &mut || {})?;
        } else {
            create_private(&copy).map_err(|source| LedgerError::File { path: copy.clone(), source })?;
        }
        // A run makes a key together with a ledger.
        let key = if is_there || key.is_some() { key } else { Some(FingerprintKey::temporary()?) };
        // Whatever is wrong is wrong with the ledger: nobody knows of the copy.
        let connection = connect(&copy).map_err(|error| of_sqlite(path, error))?;
        schema::recognise(&connection, path)?;
        let forget_durability = || {
            // Nothing here outlives the process, so nothing is journalled; and so no file is needed by its name.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")
        };
        forget_durability().map_err(|error| of_sqlite(path, error))?;
        let ledger = Self::of(connection, path, access, key)?;
        remove(folder)?;
        Ok(ledger)
    }
}

/// Takes the names away. The open database keeps its file until it is closed.
fn remove(folder: TempDir) -> Result<(), LedgerError> {
    let path = folder.path().to_owned();
    folder.close().map_err(|source| LedgerError::File { path, source })
}

/// Copies a ledger with what SQLite keeps beside it, as it was at one moment. Between any two steps of that `meanwhile`
/// happens.
fn copy_whole(path: &Path, copy: &Path, meanwhile: &mut dyn FnMut()) -> Result<(), LedgerError> {
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    for _ in 0..MOST_COPIES {
        let before = Stamp::of(path).map_err(failed)?;
        // The log after the database.
        for ending in ["", "-journal", "-wal"] {
            meanwhile();
            copy_file(&beside(path, ending), &beside(copy, ending), meanwhile).map_err(failed)?;
        }
        meanwhile();
        if Stamp::of(path).map_err(failed)? == before {
            return Ok(());
        }
    }
    Err(failed(io::Error::new(io::ErrorKind::ResourceBusy, "it is being written too fast to be copied")))
}

/// Copies a file if it is there. What stood in the place of the copy goes.
fn copy_file(from: &Path, to: &Path, meanwhile: &mut dyn FnMut()) -> io::Result<()> {
    match std::fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let Some(mut source) = open(from)? else { return Ok(()) };
    let mut target = create_private(to)?;
    while io::copy(&mut (&mut source).take(PIECE), &mut target)? > 0 {
        meanwhile();
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// What stays the same as long as a copy is whole.
#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    /// The log's header, where there is a log: everything else may change.
    Log(Vec<u8>),
    /// Which files there are otherwise, and when they were written.
    Files([Option<Written>; 2]),
}

/// Which file it is, its length, and when it was written last and its record changed.
type Written = (u64, u64, [i64; 4]);

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let mut header = Vec::new();
        if let Some(log) = open(&beside(path, "-wal"))? {
            log.take(LOG_HEADER).read_to_end(&mut header)?;
        }
        if header.is_empty() {
            return Ok(Self::Files([written(path)?, written(&beside(path, "-journal"))?]));
        }
        Ok(Self::Log(header))
    }
}

fn written(path: &Path) -> io::Result<Option<Written>> {
    match path.symlink_metadata() {
        Ok(metadata) => Ok(Some(written_of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn written_of(metadata: &Metadata) -> Written {
    use std::os::unix::fs::MetadataExt as _;
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
    (metadata.ino(), metadata.len(), times)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::checkpoint::{KeyStanding, LedgerError, Target};

    fn target() -> Target {
        Target::new("https://stara.example", "https://leaf.example")
    }

    fn facts(ledger: &Ledger) -> i64 {
        ledger.connection.query_row("SELECT count(*) FROM facts", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_copy_may_be_written_and_the_ledger_never_hears_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        drop(Ledger::open(&path, LedgerAccess::Run(&target())).unwrap());
        let before = std::fs::read(&path).unwrap();
        let copy = Ledger::copy_of(&path, LedgerAccess::Run(&target())).unwrap();
        assert_eq!(copy.key_standing(), KeyStanding::Own);
        copy.connection.execute("INSERT INTO facts VALUES ('a', 'b')", []).unwrap();
        assert_eq!(facts(&copy), 1);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(facts(&Ledger::copy_of(&path, LedgerAccess::Run(&target())).unwrap()), 0);
        let other = Target::new("https://stara.example", "https://other.example");
        let sql =
            "INSERT INTO facts VALUES ('stara', 'https://stara.example'), ('leaf', 'https://leaf.example')";
        Connection::open(&path).unwrap().execute(sql, []).unwrap();
        let error = Ledger::copy_of(&path, LedgerAccess::Run(&other)).unwrap_err();
        assert!(matches!(error, LedgerError::OtherTarget { .. }), "{error:?}");
    }

    #[test]
    fn a_copy_of_an_old_ledger_is_brought_up_and_the_ledger_stays_old() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(include_str!("schema/1.sql")).unwrap();
        old.pragma_update(None, "application_id", 0x534f_6e62).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        let before = std::fs::read(&path).unwrap();
        let copy = Ledger::copy_of(&path, LedgerAccess::Run(&target())).unwrap();
        assert!(copy.latest_run().unwrap().is_none());
        assert_eq!(copy.key_standing(), KeyStanding::Lost, "it has none beside it");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_an_interrupted_first_write_left_is_copied_with_its_journal_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (path, journal) =
            (directory.path().join("ledger.db"), directory.path().join("ledger.db-journal"));
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "cache_size", 1).unwrap();
        connection.execute_batch("BEGIN; CREATE TABLE t (x); CREATE TABLE u (x);").unwrap();
        let many = "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 9)
                    INSERT INTO t SELECT randomblob(3000) FROM n";
        connection.execute_batch(many).unwrap();
        let hot = std::fs::read(&journal).unwrap();
        drop(connection);
        std::fs::write(&journal, &hot).unwrap();
        std::fs::write(&path, [0; 4_096]).unwrap();
        let copy = Ledger::copy_of(&path, LedgerAccess::Run(&target())).unwrap();
        assert!(copy.latest_run().unwrap().is_none());
        assert_eq!((std::fs::read(&path).unwrap(), std::fs::read(&journal).unwrap()), (vec![0; 4_096], hot));
    }

    #[test]
    fn what_is_no_ledger_is_refused_and_left_untouched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        std::fs::write(&path, "shopping list").unwrap();
        let error = Ledger::copy_of(&path, LedgerAccess::Run(&target())).unwrap_err();
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_ledger_is_named_and_not_its_copy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        drop(Ledger::open(&path, LedgerAccess::Run(&target())).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[16..200].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let error = Ledger::copy_of(&path, LedgerAccess::Run(&target())).unwrap_err().to_string();
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
    }

    /// A ledger of many pages, which is written without changing the sum of its numbers.
    struct Written {
        ledger: Ledger,
        commits: i64,
    }

    impl Written {
        fn new(path: &Path) -> Self {
            let ledger = Ledger::open(path, LedgerAccess::Run(&target())).unwrap();
            // The log is moved into the database, and begun anew, as often as can be.
            ledger.connection.pragma_update(None, "wal_autocheckpoint", 4).unwrap();
            ledger.connection.pragma_update(None, "synchronous", "OFF").unwrap();
            let fill = "WITH RECURSIVE n (x) AS (VALUES (0) UNION ALL SELECT x + 1 FROM n LIMIT 480)
                        INSERT INTO users (key, leaf_user_id, run, message)
                        SELECT x, randomblob(16), 0, hex(randomblob(1500)) FROM n";
            ledger.connection.execute(fill, []).unwrap();
            Self { ledger, commits: 0 }
        }

        /// Moves one from a number at one end of the file to one at the other, always others.
        fn commit(&mut self) {
            let (from, to) = (self.commits * 7 % 240, 479 - self.commits * 11 % 240);
            self.commits += 1;
            let sql = "UPDATE users SET run = run + iif(key = ?1, -1, 1) WHERE key IN (?1, ?2)";
            self.ledger.connection.execute(sql, [from, to]).unwrap();
        }
    }

    /// Copies the ledger while it is written so often at each step of the copying; gives the sum of the copy's numbers.
    fn copied_while_written(written: &mut Written, path: &Path, at: &dyn Fn(u64) -> u64) -> i64 {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        let mut step = 0;
        let mut write = || {
            (0..at(step)).for_each(|_| written.commit());
            step += 1;
        };
        copy_whole(path, &copy, &mut write).unwrap();
        let copy = Connection::open(copy).unwrap();
        let sound: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        copy.query_row("SELECT sum(run) FROM users", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn every_copy_of_a_ledger_that_is_being_written_is_the_ledger_at_one_moment() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let mut written = Written::new(&path);
        for first in 0..20 {
            // Twice one, for every second commit moves the log into the database, and the next begins it anew.
            for commits in [1, 1, 2, 3] {
                let at = |step| if step == first { commits } else { 0 };
                assert_eq!(copied_while_written(&mut written, &path, &at), 0, "{commits} at {first}");
            }
            let at = |step| u64::from(step >= first && step < first + 9);
            assert_eq!(copied_while_written(&mut written, &path, &at), 0, "from {first} on");
        }
    }

    #[test]
    fn a_ledger_that_is_written_all_the_time_is_not_copied_by_halves() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let ledger = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap();
        ledger.connection.pragma_update(None, "wal_autocheckpoint", 1).unwrap();
        let mut write = || {
            let sql = "INSERT OR REPLACE INTO facts VALUES ('a', hex(randomblob(3000)))";
            ledger.connection.execute(sql, []).unwrap();
        };
        let error = copy_whole(&path, &directory.path().join("copy.db"), &mut write).unwrap_err();
        assert!(matches!(error, LedgerError::File { .. }), "{error:?}");
    }
}
