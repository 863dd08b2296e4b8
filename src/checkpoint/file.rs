//! The files of a ledger as files: what they begin with, and that nobody but their owner reads them.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _};
use std::path::Path;

use super::error::LedgerError;

/// The first bytes of every SQLite database. Source: SQLite's file format, section 1.3.
const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Whether SQLite could open the file as a database.
pub(super) fn may_be_database(file: &mut File, path: &Path) -> bool {
    begins_with(file, SQLITE_HEADER) || is_torn_at_birth(file, path)
}

fn begins_with(file: &mut File, expected: &[u8]) -> bool {
    let mut found = vec![0; expected.len()];
    file.rewind().and_then(|()| file.read_exact(&mut found)).is_ok() && found == expected
}

/// Whether a power loss fell into the very first write: its first sector didn't come through, and SQLite's journal, which
/// was on the disk before, takes back what did. Opening the database does so.
fn is_torn_at_birth(file: &mut File, path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    begins_with(file, &[0; SECTOR]) && Path::new(&journal).is_file()
}

/// What a disk writes whole or not at all, in bytes, at the least.
const SECTOR: usize = 512;

/// Refuses whatever stands at `path` and is no file of its own: a link leads elsewhere, and opening a pipe waits forever.
pub(super) fn refuse_irregular(path: &Path) -> Result<(), LedgerError> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Err(LedgerError::SymbolicLink { path: path.to_owned() }),
        Ok(metadata) if !metadata.is_file() => Err(LedgerError::NotALedger { path: path.to_owned() }),
        // What can't be looked at, because it isn't there or for another reason, tells so itself when it is opened.
        _ => Ok(()),
    }
}

/// Makes a file that only its owner can read; it must not exist yet.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    private().create_new(true).open(path)
}

/// Opens a file that only its owner can read, making it if need be.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    private().create(true).truncate(false).open(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}
