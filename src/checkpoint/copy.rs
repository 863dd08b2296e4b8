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
use super::fingerprint::FingerprintKey;
use super::ledger::{Ledger, LedgerAccess, connect, create_private, of_sqlite};
use super::schema;
use super::target::Target;

/// How often the ledger is copied anew because it was written meanwhile. A run begins its log anew every few thousand
/// rows, and the next copy is at hand at once.
const MOST_COPIES: u32 = 100;

/// The length of a log's header in bytes. Source: SQLite's file format, section 4.1.
const LOG_HEADER: u64 = 32;

impl Ledger {
    /// A copy of the ledger at `path`, in a file without a name that is gone with the process; an empty one where there is
    /// none. It may be written like a ledger, and nobody will ever see what was.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read or copied, isn't one, comes from a newer program, or belongs to other hosts.
    pub fn copy_of(path: &Path, target: &Target) -> Result<Self, LedgerError> {
        Self::check_file(path)?;
        let folder = tempfile::Builder::new().prefix("stara-onboard-").tempdir();
        let folder = folder.map_err(|source| LedgerError::File { path: std::env::temp_dir(), source })?;
        let copy = folder.path().join("ledger.db");
        let (is_there, key) = (path.symlink_metadata().is_ok(), FingerprintKey::load(path)?);
        if is_there {
            copy_whole(path, &copy)?;
        } else {
            create_private(&copy).map_err(|source| LedgerError::File { path: copy.clone(), source })?;
        }
        // A run makes a key together with a ledger.
        let key = if is_there || key.is_some() { key } else { Some(FingerprintKey::temporary()?) };
        let connection = connect(&copy)?;
        schema::recognise(&connection, path)?;
        let forget_durability = || {
            // Nothing here outlives the process, so nothing is journalled; and so no file is needed by its name.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")
        };
        forget_durability().map_err(|error| of_sqlite(&copy, error))?;
        let ledger = Self::of(connection, path, LedgerAccess::Run(target), key)?;
        remove(folder)?;
        Ok(ledger)
    }
}

/// Takes the names away. The open database keeps its file until it is closed.
fn remove(folder: TempDir) -> Result<(), LedgerError> {
    let path = folder.path().to_owned();
    folder.close().map_err(|source| LedgerError::File { path, source })
}

/// Copies a ledger with what SQLite keeps beside it, as it was at one moment.
fn copy_whole(path: &Path, copy: &Path) -> Result<(), LedgerError> {
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    for _ in 0..MOST_COPIES {
        let before = Stamp::of(path).map_err(failed)?;
        for ending in ["", "-journal", "-wal"] {
            copy_file(&beside(path, ending), &beside(copy, ending)).map_err(failed)?;
        }
        if Stamp::of(path).map_err(failed)? == before {
            return Ok(());
        }
    }
    Err(failed(io::Error::new(io::ErrorKind::ResourceBusy, "it is being written too fast to be copied")))
}

/// Copies a file if it is there. What stood in the place of the copy goes.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let Some(mut source) = open(from)? else { return Ok(()) };
    io::copy(&mut source, &mut create_private(to)?).map(drop)
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
