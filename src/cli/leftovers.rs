//! What beside the ledger still names users that are to be forgotten.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::model::LeafUserId;

/// How much of a file is searched at a time, in bytes.
const PIECE: usize = 256 * 1024;

/// How long a leafUserId is as text, and as it stands in a ledger.
const TEXT: usize = 36;
const BYTES: usize = 16;

/// The files of the ledger's folder that aren't the ledger's own.
///
/// # Errors
///
/// When the folder can't be read.
pub(super) fn beside(ledger: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_own = entry.path().file_stem() == ledger.file_stem()
            && entry.path().extension().is_some_and(|ending| ending == "key" || ending == "lock");
        let is_ledger = Path::new(&entry.file_name()) == Path::new(ledger.file_name().unwrap_or_default());
        if entry.file_type()?.is_file() && !is_own && !is_ledger {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file names any of these users, as text or as a ledger does.
///
/// # Errors
///
/// When it can't be read.
pub(super) fn names_any(path: &Path, users: &HashSet<LeafUserId>) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut piece = Vec::with_capacity(PIECE + TEXT);
    loop {
        let overlap = piece.len().saturating_sub(TEXT - 1);
        piece.drain(..overlap);
        if (&mut file).take(PIECE as u64).read_to_end(&mut piece)? == 0 {
            return Ok(piece.windows(BYTES).any(|window| is_id(window, users)));
        }
        let found = |window: &[u8]| is_text(window, users) || is_id(&window[..BYTES], users);
        if piece.windows(TEXT).any(found) {
            return Ok(true);
        }
    }
}

fn is_text(window: &[u8], users: &HashSet<LeafUserId>) -> bool {
    let has_hyphens = [8, 13, 18, 23].iter().all(|place| window[*place] == b'-');
    let text = || std::str::from_utf8(window).ok()?.parse().ok();
    has_hyphens && text().is_some_and(|id: LeafUserId| users.contains(&id))
}

fn is_id(window: &[u8], users: &HashSet<LeafUserId>) -> bool {
    let Ok(bytes) = <[u8; BYTES]>::try_from(window) else { return false };
    users.contains(&LeafUserId::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_wherever_it_stands_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let id: LeafUserId = "0a1b2c3d-0000-4000-8000-00000000abcd".parse().unwrap();
        let users = HashSet::from([id]);
        let upper = id.to_string().to_uppercase();
        for needle in [id.to_string().as_bytes(), upper.as_bytes(), id.as_bytes().as_slice()] {
            for before in [0, 1, PIECE - 40, PIECE - 20, PIECE - 16, PIECE - 1, PIECE, 2 * PIECE + 7] {
                for behind in [0, 1, 50] {
                    let mut bytes = vec![b'x'; before];
                    bytes.extend_from_slice(needle);
                    bytes.extend(vec![b'x'; behind]);
                    std::fs::write(&path, bytes).unwrap();
                    assert!(names_any(&path, &users).unwrap(), "{before} {behind}");
                }
            }
        }
        std::fs::write(&path, "0a1b2c3d-0000-4000-8000-00000000abce").unwrap();
        assert!(!names_any(&path, &users).unwrap());
    }
}
