//! The folder of a new ledger.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes a folder with all above it, and waits until their names are on the disk: SQLite flushes the ledger's own folder,
/// but a power loss could still take that folder away, and every intent in it.
///
/// # Errors
///
/// When one of them can't be made or flushed.
pub fn make_durable_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .collect();
    fs::create_dir_all(folder)?;
    for made in missing {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}
