//! The ledgers beside a new one that divide the same manifests otherwise: what they remember, it would not know.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::ledger::Ledger;
use crate::model::Shard;

/// A ledger that lies beside the one at `path`, that is of the same name but for the shard, that divides manifests otherwise,
/// and that remembers users or refusals; `shard` is whose ledger the one at `path` is to be.
///
/// # Errors
///
/// When the folder can't be read.
pub(super) fn of_other_division(path: &Path, shard: Option<Shard>) -> Result<Option<PathBuf>, LedgerError> {
    let (stem, ending) = (path.file_stem().unwrap_or_default(), path.extension().unwrap_or_default());
    let base = shard.map_or(stem, |_| Path::new(stem).file_stem().unwrap_or_default());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| LedgerError::File { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let own = shard.map_or(Division::Whole, |shard| Division::Parts(shard.count()));
    let mut others = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        if path.file_name() == Some(&name) {
            continue;
        }
        if division(&name, base, ending).is_some_and(|division| division != own) {
            others.push(folder.join(name));
        }
    }
    others.sort();
    Ok(others.into_iter().find(|other| is_in_use(other)))
}

/// Into how many shards the ledgers beside a missing one at `path` divide manifests; `None` where there are none, or where they
/// divide them as its name does.
pub(super) fn shards_beside(path: &Path) -> Option<u32> {
    let (stem, ending) = (Path::new(path.file_stem()?), path.extension().unwrap_or_default());
    let own = stem.extension().and_then(OsStr::to_str).and_then(Shard::from_infix);
    let base = if own.is_some() { stem.file_stem()? } else { stem.as_os_str() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.file_name()));
    let counts = names.filter_map(|name| match division(&name, base, ending)? {
        Division::Parts(count) => Some(count),
        Division::Whole => None,
    });
    let counts: Vec<_> = counts.collect();
    let own_count = own.map(Shard::count);
    if counts.iter().any(|count| Some(*count) == own_count) { None } else { counts.into_iter().max() }
}

/// How the users of manifests are divided among ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Division {
    /// One ledger holds all.
    Whole,
    /// So many shards have one each.
    Parts(u32),
}

/// How manifests are divided where there is a ledger of this name; `None` for a name that is no such ledger's.
fn division(name: &OsStr, base: &OsStr, ending: &OsStr) -> Option<Division> {
    let path = Path::new(name);
    let stem = Path::new(path.file_stem()?);
    // A ledger of whole manifests may be called without an ending; those of its shards have `.db` then.
    let is_alike = path.extension() == Some(ending);
    if is_alike && stem == base || name == base {
        return Some(Division::Whole);
    }
    let shard = Shard::from_infix(stem.extension()?.to_str()?)?;
    let is_alike = is_alike || ending.is_empty() && path.extension()? == "db";
    (is_alike && stem.file_stem()? == base).then(|| Division::Parts(shard.count()))
}

/// Whether a ledger remembers any user or refusal. Nothing is written beside it. One of which nothing can be told counts as one that does.
fn is_in_use(path: &Path) -> bool {
    match Ledger::check_file(path) {
        Ok(()) => {}
        Err(LedgerError::NotALedger { .. }) => return false,
        Err(_) => return true,
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // A log is left by whoever is at work or was killed, and what stands in it isn't in the database yet.
    let has_log = Path::new(&log).metadata().is_ok_and(|log| log.len() > 0);
    has_log || remembers(path).unwrap_or(true)
}

fn remembers(path: &Path) -> rusqlite::Result<bool> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(unchanging(path), flags)?;
    let is = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    let is_new = !is("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'refusals')")?;
    // A canary's refusal may stand there without any user.
    Ok(!is_new && is("SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM refusals)")?)
}

/// The address under which SQLite opens a file as one that nobody writes, so that it makes no files of its own beside it.
/// Source: SQLite's description of URI file names.
fn unchanging(path: &Path) -> OsString {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            // Writing into a string can't fail.
            byte => _ = write!(address, "%{byte:02X}"),
        }
    }
    address.push_str("?immutable=1");
    address.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_beside_a_missing_ledger_are_found_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let beside = |name: &str| shards_beside(&folder.path().join(name));
        assert_eq!(beside("ledger.db"), None);
        std::fs::write(folder.path().join("ledger.2-of-4.db"), "").unwrap();
        std::fs::write(folder.path().join("ledger.2-of-4.key"), "").unwrap();
        for (name, shards) in [
            ("ledger.db", Some(4)),
            ("ledger.0-of-8.db", Some(4)),
            ("ledger.0-of-4.db", None),
            ("sandbox.db", None),
            ("nowhere/ledger.db", None),
        ] {
            assert_eq!(beside(name), shards, "{name}");
        }
    }

    #[test]
    fn a_ledger_of_the_same_name_is_told_from_others_and_by_its_division() {
        let division = |name: &str, ending: &str| division(name.as_ref(), "ledger".as_ref(), ending.as_ref());
        for (name, expected) in [
            ("ledger.db", Some(Division::Whole)),
            ("ledger.3-of-8.db", Some(Division::Parts(8))),
            ("ledger.8-of-8.db", None),
            ("ledger.key", None),
            ("ledger.3-of-8.key", None),
            ("ledger.old.db", None),
            ("sandbox.3-of-8.db", None),
            ("sandbox.db", None),
            ("ledger.db-wal", None),
        ] {
            assert_eq!(division(name, "db"), expected, "{name}");
        }
        assert_eq!(division("ledger", ""), Some(Division::Whole));
        assert_eq!(division("ledger.3-of-8.db", ""), Some(Division::Parts(8)));
    }
}
