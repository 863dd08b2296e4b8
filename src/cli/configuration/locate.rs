//! Which file is read.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

/// The file that is read without being named, in the working folder.
pub(super) const DEFAULT_FILE: &str = "stara-onboard.toml";

/// The file that `--config` or its variable names, else the default one where it is there.
pub(super) fn locate(matches: &ArgMatches) -> Option<PathBuf> {
    match matches.get_one::<PathBuf>("config") {
        Some(path) if path == Path::new("none") => None,
        Some(path) => Some(path.clone()),
        // A link that leads nowhere is there all the same, and is told of when it is read.
        None => Path::new(DEFAULT_FILE).symlink_metadata().is_ok().then(|| DEFAULT_FILE.into()),
    }
}
