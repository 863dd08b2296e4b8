//! Replaces a file as a whole: what is read under its name is the old content or the new one, never a part of either.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// A file in the making, beside the one whose place it will take. Dropped, it is removed again.
pub(super) struct Replacement<'a> {
    target: &'a Path,
    directory: File,
    file: NamedTempFile,
}

impl<'a> Replacement<'a> {
    /// Makes an empty file, mode 0600, in the target's directory.
    pub(super) fn new(target: &'a Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        if target.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // Opened before anything is written, so that as little as possible is left to fail after the rename.
        let directory = File::open(parent)?;
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        // The crate creates its files with mode 0600: a report names growers and their logins.
        let file = Builder::new().prefix(&prefix).suffix(".part").tempfile_in(parent)?;
        Ok(Self { target, directory, file })
    }

    /// The file to write to.
    pub(super) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Puts the file in the target's place and waits until that would survive a power loss.
    ///
    /// After an error the target is what it was, unless all that failed was the directory's own flush.
    pub(super) fn commit(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(self.target).map_err(|error| error.error)?;
        self.directory.sync_all()
    }
}
