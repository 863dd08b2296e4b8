//! Replaces a file as a whole: what is read under its name is the old content or the new one, never a part of either.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// What the names of files in the making end with, so that nobody else's file is taken for one.
const ENDING: &str = ".stara-onboard.part";

/// How often a file is made anew that was taken for one that was left behind.
const MOST_TRIES: usize = 8;

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
        Ok(Self { target, directory, file: make_locked(parent, &prefix)? })
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

/// Makes an empty file that is locked for as long as somebody writes to it.
fn make_locked(folder: &Path, prefix: &OsStr) -> io::Result<NamedTempFile> {
    for _ in 0..MOST_TRIES {
        // The crate creates its files with mode 0600: a report names growers and their logins.
        let file = Builder::new().prefix(prefix).suffix(ENDING).tempfile_in(folder)?;
        match file.as_file().try_lock() {
            Ok(()) if file.path().exists() => return Ok(file),
            // Between its making and its lock it was taken for one that was left behind.
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // On a file system without locks nothing is removed either.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
    Err(io::Error::other("every file in the making was removed at once"))
}

/// Removes from a folder what processes left half written that were killed: growers, logins and magic links stand in it.
/// What somebody is writing now stays, in whatever process. It counts for nothing where it fails: what can't be removed isn't in the
/// way.
pub fn remove_left_behind(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.as_encoded_bytes().starts_with(b".")
            && name.as_encoded_bytes().ends_with(ENDING.as_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_ours {
            continue;
        }
        let path = entry.path();
        match remove_unlocked(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "removed what was left half written"),
            Err(error) => tracing::info!(%error, path = %path.display(), "a file in the making stays"),
        }
    }
}

/// Removes a file unless it is locked.
fn remove_unlocked(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Neither led astray nor made to wait by what took the file's place meanwhile.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    file.try_lock()?;
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.csv");
        let replacement = Replacement::new(&path).unwrap();
        replacement.file().write_all(b"half").unwrap();
        let [own] = &names(folder.path())[..] else { panic!("one file is in the making") };
        // A copy has the name and no writer, as after a kill; that of another night has another name.
        let left =
            ["1", "2"].map(|night| folder.path().join(own.replace("links", &format!("links-{night}"))));
        for left in &left {
            std::fs::copy(folder.path().join(own), left).unwrap();
        }
        assert_eq!(names(folder.path()).len(), 3);
        remove_left_behind(folder.path());
        assert_eq!(names(folder.path()), [own.as_str()]);
        replacement.commit().unwrap();
        assert_eq!(names(folder.path()), ["links.csv"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"half");
    }

    #[test]
    fn nothing_but_files_in_the_making_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let others =
            ["links.csv", ".links.csv.Ab12Cd.part", "mine.stara-onboard.part", ".stara-onboard.part.csv"];
        for name in others {
            std::fs::write(folder.path().join(name), "kept").unwrap();
        }
        std::fs::create_dir(folder.path().join(".folder.stara-onboard.part")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("links.csv", folder.path().join(".link.stara-onboard.part")).unwrap();
        let before = names(folder.path());
        remove_left_behind(folder.path());
        assert_eq!(names(folder.path()), before);
        remove_left_behind(&folder.path().join("missing"));
    }

    #[cfg(unix)]
    #[test]
    fn many_that_write_and_remove_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let path = folder.path().join(format!("{number}.csv"));
                scope.spawn(move || {
                    for round in 0..50 {
                        remove_left_behind(path.parent().unwrap());
                        let replacement = Replacement::new(&path).unwrap();
                        write!(replacement.file(), "{round}").unwrap();
                        replacement.commit().unwrap();
                        assert_eq!(std::fs::read_to_string(&path).unwrap(), round.to_string());
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["0.csv", "1.csv", "2.csv", "3.csv"]);
    }
}
