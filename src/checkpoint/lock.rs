//! One run at a time: a file lock that dies with its process.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::Ledger;
use super::error::LedgerError;
use super::file::{open_private, refuse_irregular};
use crate::model::UnixMillis;

/// The right to run with a ledger, held until it is dropped or the process dies.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Who holds a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder(String);

impl fmt::Display for LockHolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl RunLock {
    /// Takes the lock of the ledger at `ledger`, and writes into its file who holds it since when.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Held`] when another run has it; else when the lock's file can't be used, or is no file of its own.
    pub fn acquire(ledger: &Path) -> Result<Self, LedgerError> {
        let mut file = open(ledger)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Held { path: ledger.to_owned(), holder: read_holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(ledger, source)),
        }
        Self::held_from_now_on(ledger, file)
    }

    /// The same, but waits for as long as another run has it. It sleeps until the system wakes it.
    ///
    /// # Errors
    ///
    /// When the lock's file can't be used, or is no file of its own.
    pub fn acquire_when_free(ledger: &Path) -> Result<Self, LedgerError> {
        let file = open(ledger)?;
        file.lock().map_err(|source| unusable(ledger, source))?;
        Self::held_from_now_on(ledger, file)
    }

    fn held_from_now_on(ledger: &Path, mut file: File) -> Result<Self, LedgerError> {
        let holder = format!("process {} since {}", std::process::id(), UnixMillis::now().to_rfc3339());
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        written.map_err(|source| unusable(ledger, source))?;
        Ok(Self { _file: file })
    }

    /// Who holds the ledger at `ledger` at this moment; `None` when nobody does.
    #[must_use]
    pub fn holder(ledger: &Path) -> Option<LockHolder> {
        refuse_irregular(&lock_path(ledger)).ok()?;
        let mut file = File::open(lock_path(ledger)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_holder(&mut file)),
            _ => None,
        }
    }
}

fn open(ledger: &Path) -> Result<File, LedgerError> {
    // Whoever takes the lock means to write, and on a network neither holds.
    Ledger::check_place(ledger)?;
    // What a link leads to would be emptied.
    refuse_irregular(&lock_path(ledger))?;
    open_private(&lock_path(ledger)).map_err(|source| unusable(ledger, source))
}

fn unusable(ledger: &Path, source: io::Error) -> LedgerError {
    LedgerError::File { path: lock_path(ledger), source }
}

fn lock_path(ledger: &Path) -> PathBuf {
    ledger.with_extension("lock")
}

fn read_holder(file: &mut File) -> LockHolder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(200).read_to_string(&mut text));
    if read.is_err() || text.is_empty() {
        "a process that has just begun".clone_into(&mut text);
    }
    LockHolder(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_has_the_ledger_as_soon_as_it_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = directory.path().join("ledger.db");
        let first = RunLock::acquire(&ledger).unwrap();
        let waiting = std::thread::spawn({
            let ledger = ledger.clone();
            move || RunLock::acquire_when_free(&ledger).unwrap()
        });
        assert!(RunLock::acquire(&ledger).is_err());
        drop(first);
        let second = waiting.join().unwrap();
        let error = RunLock::acquire(&ledger).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(second);
        RunLock::acquire(&ledger).unwrap();
    }

    #[test]
    fn a_second_run_is_told_who_holds_the_ledger() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = directory.path().join("ledger.db");
        let first = RunLock::acquire(&ledger).unwrap();
        let error = RunLock::acquire(&ledger).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        assert!(RunLock::holder(&ledger).is_some());
        drop(first);
        assert!(RunLock::holder(&ledger).is_none());
        RunLock::acquire(&ledger).unwrap();
    }
}
