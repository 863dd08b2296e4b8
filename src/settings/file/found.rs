//! The settings file that nobody named: whoever put it there would decide to which hosts passwords are sent.

use std::fs::{File, Metadata, OpenOptions};
use std::path::Path;

use super::entry::SettingsFile;
use super::error::FileError;

/// Why a file is read only when it is named. A predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// A pipe, a folder or a device.
    #[error("is no regular file")]
    NotAFile,
    /// The file, or the link to it, belongs neither to whoever runs this nor to root.
    #[error("belongs to somebody else (user {user})")]
    OfSomebodyElse {
        /// The number of its owner.
        user: u32,
    },
    /// Every user of the machine may change it.
    #[error("can be written to by everybody")]
    WritableByAll,
}

impl SettingsFile {
    /// Reads a settings file that was found and not named.
    ///
    /// # Errors
    ///
    /// When somebody else may have written it, when it can't be read, or isn't TOML.
    pub fn read_found(path: &Path) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        let entry = path.symlink_metadata().map_err(unreadable)?;
        let file = open_at_once(path).map_err(unreadable)?;
        // Of the open file, which nobody can put another one in the place of.
        let metadata = file.metadata().map_err(unreadable)?;
        match distrust(&entry, &metadata) {
            Some(why) => Err(FileError::Distrusted { path: path.to_owned(), why }),
            None => Self::read_from(path, file),
        }
    }
}

/// Opens a file without waiting for anybody at the other end of a pipe.
fn open_at_once(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    options.open(path)
}

/// What speaks against a file, by its entry in the folder, which may be a link, and by itself.
fn distrust(entry: &Metadata, file: &Metadata) -> Option<Distrust> {
    if file.is_file() { distrust_of_access(entry, file) } else { Some(Distrust::NotAFile) }
}

#[cfg(unix)]
fn distrust_of_access(entry: &Metadata, file: &Metadata) -> Option<Distrust> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = rustix::process::geteuid().as_raw();
    distrust_of([entry.uid(), file.uid()], file.mode(), ours)
}

#[cfg(not(unix))]
fn distrust_of_access(_: &Metadata, _: &Metadata) -> Option<Distrust> {
    None
}

/// What speaks against a file with these owners and this mode, to a process of the user `ours`.
#[cfg(unix)]
fn distrust_of(owners: [u32; 2], mode: u32, ours: u32) -> Option<Distrust> {
    let stranger = owners.into_iter().find(|user| ![ours, ROOT].contains(user));
    let is_open_to_all = mode & WRITE_OF_OTHERS != 0;
    match stranger {
        Some(user) => Some(Distrust::OfSomebodyElse { user }),
        None => is_open_to_all.then_some(Distrust::WritableByAll),
    }
}

#[cfg(unix)]
const ROOT: u32 = 0;

/// The bit of a mode that lets others write.
#[cfg(unix)]
const WRITE_OF_OTHERS: u32 = 0o002;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_whoever_runs_it_are_trusted() {
        const US: u32 = 1000;
        for owners in [[US, US], [ROOT, ROOT], [US, ROOT], [ROOT, US]] {
            for mode in [0o644, 0o600, 0o664, 0o640] {
                assert_eq!(distrust_of(owners, mode, US), None, "{owners:?} {mode:o}");
            }
            for mode in [0o666, 0o602, 0o777] {
                assert_eq!(distrust_of(owners, mode, US), Some(Distrust::WritableByAll), "{mode:o}");
            }
        }
        for owners in [[1001, US], [US, 1001], [ROOT, 1001], [1001, 1001]] {
            assert_eq!(distrust_of(owners, 0o600, US), Some(Distrust::OfSomebodyElse { user: 1001 }));
        }
        // To root, a user's file is a stranger's, too.
        assert_eq!(distrust_of([US, US], 0o600, ROOT), Some(Distrust::OfSomebodyElse { user: US }));
    }
}
