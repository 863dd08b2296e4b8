//! Which file is read.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

/// The file that is read without being named, in the working folder.
pub(super) const DEFAULT_FILE: &str = "stara-onboard.toml";

/// A file to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Located {
    /// Somebody named it.
    Named(PathBuf),
    /// It lies in the working folder, whoever put it there.
    Found(PathBuf),
}

/// The file that `--config` or its variable names, else the default one where it is there.
pub(super) fn locate(matches: &ArgMatches) -> Option<Located> {
    match matches.get_one::<PathBuf>("config") {
        Some(path) if path == Path::new("none") => None,
        Some(path) => Some(Located::Named(path.clone())),
        None => {
            // A link that leads nowhere is there all the same, and is told of when it is read.
            let is_there = Path::new(DEFAULT_FILE).symlink_metadata().is_ok();
            is_there.then(|| Located::Found(DEFAULT_FILE.into()))
        }
    }
}
