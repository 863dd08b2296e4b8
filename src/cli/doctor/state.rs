//! The folder of the ledger, the ledger itself, and its key.

use std::io::Write as _;
use std::path::Path;

use super::check::Check;
use super::permissions::{self, Openness, mode_of, openness};
use crate::checkpoint::{
    FileSystemKind, FingerprintKey, KeyStanding, LearnedRate, Ledger, LedgerAccess, LedgerError, RunLock,
    Target,
};
use crate::model::Shard;

const FOLDER: &str = "state-folder";
const LEDGER: &str = "ledger";
const KEY: &str = "fingerprint-key";

/// What was seen of the state.
pub(super) struct StateSeen {
    pub(super) checks: Vec<Check>,
    /// What earlier runs learned of the hosts' quotas.
    pub(super) learned: Vec<LearnedRate>,
}

/// Looks at the state as a run against this target would find it; without a target, whose ledger it is isn't asked.
pub(super) fn look(path: &Path, target: Option<&Target>, shard: Option<Shard>) -> StateSeen {
    let mut checks = vec![folder(path)];
    let mut learned = Vec::new();
    if path.symlink_metadata().is_err() {
        let made =
            || Check::ok(LEDGER, format!("{} isn't there yet: the first run makes it", path.display()));
        let division = Ledger::check_division(path, shard);
        checks.push(division.map_or_else(|error| Check::failed(LEDGER, error), |()| made()));
        checks.push(Check::skipped(KEY, "the first run makes it with the ledger"));
        return StateSeen { checks, learned };
    }
    if matches!(FileSystemKind::of(path), FileSystemKind::Network(_)) {
        // SQLite would make files of its own beside it.
        checks.push(Check::skipped(LEDGER, "it isn't opened on a network's file system"));
        return StateSeen { checks, learned };
    }
    match open(path, target, shard) {
        Ok(ledger) => {
            checks.extend(permissions::of_secret(LEDGER, path, "the growers' logins"));
            checks.push(key(path, ledger.key_standing()));
            learned = ledger.learned_rates().unwrap_or_default();
        }
        Err(error) => checks.push(Check::failed(LEDGER, error)),
    }
    if let Some(holder) = RunLock::holder(path) {
        checks.push(Check::warning(
            "run-lock",
            format!("another run holds the ledger: {holder}"),
            "until it ends, a second one exits with 11",
        ));
    }
    StateSeen { checks, learned }
}

fn open(path: &Path, target: Option<&Target>, shard: Option<Shard>) -> Result<Ledger, LedgerError> {
    let ledger = Ledger::open(path, LedgerAccess::Read)?;
    target.map_or(Ok(()), |target| ledger.check_target(target))?;
    ledger.check_shard(shard)?;
    Ok(ledger)
}

/// Whether the ledger's folder, or the nearest one in which it would be made, can be written.
fn folder(ledger: &Path) -> Check {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let nearest =
        folder.ancestors().find(|folder| folder.exists()).filter(|folder| !folder.as_os_str().is_empty());
    let nearest = nearest.unwrap_or(Path::new("."));
    let (shown, is_made) = (nearest.display(), nearest == folder);
    // A file without a name, gone as soon as it is closed: what the mode promises, the disk may refuse.
    let written = tempfile::tempfile_in(nearest).and_then(|mut file| file.write_all(&[0; 4_096]));
    if let Err(error) = written {
        return Check::problem(
            FOLDER,
            format!("nothing can be written in {shown}: {error}"),
            "mend its permissions, make room, or name another place with --state FILE; a run would exit with 8",
        );
    }
    let mode = nearest.metadata().map(|metadata| mode_of(&metadata)).unwrap_or_default();
    match (is_made, openness(mode)) {
        (false, _) => Check::ok(FOLDER, format!("{} isn't there yet, and can be made", folder.display())),
        (true, Openness::Writable) => Check::warning(
            FOLDER,
            format!(
                "others on this machine may write in {shown} (mode {mode:04o}), and put files in place of the ledger's"
            ),
            format!("chmod go-w {shown}"),
        ),
        (true, _) => Check::ok(FOLDER, format!("{shown} can be written (mode {mode:04o})")),
    }
}

fn key(ledger: &Path, standing: KeyStanding) -> Check {
    if standing == KeyStanding::Lost {
        return Check::warning(
            KEY,
            "the ledger's key is missing or another one: no row counts as changed, and nothing is replaced",
            "put the right key back beside the ledger, or into STARA_ONBOARD_FINGERPRINT_KEY",
        );
    }
    let in_environment = || Check::ok(KEY, "it is the ledger's, from the environment");
    let file = FingerprintKey::file(ledger);
    file.and_then(|path| permissions::of_secret(KEY, &path, "what guessed passwords can be tested with"))
        .unwrap_or_else(in_environment)
}
