//! Compares passwords with those of earlier runs without storing them.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::LedgerError;
use super::file::refuse_irregular;
use crate::model::{Login, Secret};

/// The environment variable that holds the key instead of the file beside the ledger, in 64 hexadecimal digits.
const KEY_VARIABLE: &str = "STARA_ONBOARD_FINGERPRINT_KEY";

/// The most of a key's file that is read, in bytes: a key and a line's end.
const LONGEST_KEY: usize = 128;

/// 64 bits of an HMAC-SHA-256: enough to compare a row with itself and a login with the refused ones, and, without the
/// key, no help in guessing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub i64);

/// The two fingerprints of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowFingerprints {
    /// Of login, password and accessTokenClient: tells whether the row changed.
    pub row: Fingerprint,
    /// Of login and password: tells whether Stara has refused them.
    pub login: Fingerprint,
}

/// The random key of the fingerprints. It lives in a file of its own beside the ledger and is never part of a backup.
#[derive(Clone)]
pub struct FingerprintKey {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FingerprintKey(…)")
    }
}

impl FingerprintKey {
    fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Hmac::new_from_slice(bytes).ok().map(|keyed| Self { keyed })
    }

    /// A key for this run only, where the ledger's own is missing.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn temporary() -> Result<Self, LedgerError> {
        Self::from_bytes(&*random_bytes()?).ok_or(LedgerError::NoRandomness)
    }

    /// The file in which the key of the ledger at `ledger` lies, or would; `None` where the environment holds the key.
    #[must_use]
    pub fn file(ledger: &Path) -> Option<PathBuf> {
        std::env::var_os(KEY_VARIABLE).is_none().then(|| key_path(ledger))
    }

    /// The key of the ledger at `ledger`: from the environment, or from the file beside it; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the key can't be read or isn't one.
    pub fn load(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        let path = key_path(ledger);
        let (origin, text) = if let Ok(text) = std::env::var(KEY_VARIABLE) {
            (KEY_VARIABLE.to_owned(), text)
        } else {
            refuse_irregular(&path)?;
            let origin = path.display().to_string();
            match read_start(&path) {
                Ok(text) => (origin, text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return Err(LedgerError::BadKey { origin });
                }
                Err(source) => return Err(LedgerError::File { path, source }),
            }
        };
        let text = Zeroizing::new(text);
        match from_hex(text.trim()).as_deref().and_then(Self::from_bytes) {
            Some(key) => Ok(Some(key)),
            None => Err(LedgerError::BadKey { origin }),
        }
    }

    /// Makes a key and writes it beside the ledger, readable by its owner only, before the ledger itself is written.
    ///
    /// It is whole under its name or not there at all, and stays so when the power fails as soon as this returns: half a
    /// key would lock everybody out of the ledger, and a ledger without its key could never tell what changed.
    ///
    /// # Errors
    ///
    /// When there is no randomness or the file can't be written.
    pub fn create(ledger: &Path) -> Result<Self, LedgerError> {
        let path = key_path(ledger);
        let bytes = random_bytes()?;
        let text = Zeroizing::new(to_hex(&bytes));
        write_whole(&path, text.as_bytes()).map_err(|source| LedgerError::File { path, source })?;
        Self::from_bytes(&bytes).ok_or(LedgerError::NoRandomness)
    }

    /// Names the key without telling anything of it, so that the ledger notices another one.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:016x}", self.digest(&[b"key id"]).0)
    }

    /// The fingerprints of a row.
    #[must_use]
    pub fn of_row(&self, login: &Login, password: &Secret, client: Option<&Secret>) -> RowFingerprints {
        let (login, password) = (login.as_str().as_bytes(), password.expose_secret().as_bytes());
        let client = client.map(|client| client.expose_secret().as_bytes());
        let login_print = self.digest(&[b"login", login, password]);
        let row = match client {
            Some(client) => self.digest(&[b"row", login, password, client]),
            // Without a client the row is its login: one digest less for each row.
            None => login_print,
        };
        RowFingerprints { row, login: login_print }
    }

    /// A key for another purpose. Fingerprints are digests of lists that begin with another word, so that none of them
    /// tells anything of it.
    pub(super) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.whole_digest(&[b"derived key", purpose]))
    }

    fn whole_digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut keyed = self.keyed.clone();
        for part in parts {
            // The length first, so that no two lists of parts run together into the same bytes.
            keyed.update(&(part.len() as u64).to_le_bytes());
            keyed.update(part);
        }
        keyed.finalize().into_bytes().into()
    }

    fn digest(&self, parts: &[&[u8]]) -> Fingerprint {
        let digest = self.whole_digest(parts);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Fingerprint(i64::from_le_bytes(first))
    }
}

/// Where the key of a ledger lies.
fn key_path(ledger: &Path) -> PathBuf {
    ledger.with_extension("key")
}

/// The beginning of a text file, longer than any key.
fn read_start(path: &Path) -> std::io::Result<String> {
    let mut text = String::with_capacity(LONGEST_KEY);
    File::open(path)?.take(LONGEST_KEY as u64).read_to_string(&mut text)?;
    Ok(text)
}

/// Makes a file that only its owner can read, which must not exist yet: whole and durable, or not at all. Half a key
/// would be refused by every later run.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The crate creates its files with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".key.").suffix(".part").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

fn random_bytes() -> Result<Zeroizing<[u8; 32]>, LedgerError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_| LedgerError::NoRandomness)?;
    Ok(bytes)
}

fn to_hex(bytes: &[u8; 32]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(key: &FingerprintKey, login: &str, password: &str, client: Option<&str>) -> RowFingerprints {
        let client = client.map(|client| Secret::new(client.to_owned()));
        key.of_row(&Login::new(login), &Secret::new(password.to_owned()), client.as_ref())
    }

    #[test]
    fn a_key_is_found_again_and_gives_the_same_fingerprints() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = directory.path().join("ledger.db");
        assert!(FingerprintKey::load(&ledger).unwrap().is_none());
        let made = FingerprintKey::create(&ledger).unwrap();
        let loaded = FingerprintKey::load(&ledger).unwrap().unwrap();
        assert_eq!(made.id(), loaded.id());
        assert_eq!(prints(&made, "ana", "pw", None), prints(&loaded, "ana", "pw", None));
    }

    #[test]
    fn every_part_counts_and_parts_do_not_run_together() {
        let key = FingerprintKey::temporary().unwrap();
        let one = prints(&key, "ana", "pw", None);
        assert_ne!(one.login, prints(&key, "an", "apw", None).login);
        assert_ne!(one.login, prints(&key, "ana", "pW", None).login);
        let with_client = prints(&key, "ana", "pw", Some("c"));
        assert_eq!(with_client.login, one.login);
        assert_ne!(with_client.row, one.row);
        assert_ne!(one.row, prints(&FingerprintKey::temporary().unwrap(), "ana", "pw", None).row);
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = directory.path().join("ledger.db");
        std::fs::write(directory.path().join("ledger.key"), "abc").unwrap();
        assert!(matches!(FingerprintKey::load(&ledger), Err(LedgerError::BadKey { .. })));
        std::fs::write(directory.path().join("ledger.key"), [0xff; 64]).unwrap();
        assert!(matches!(FingerprintKey::load(&ledger), Err(LedgerError::BadKey { .. })));
    }

    #[test]
    fn a_key_that_is_there_is_never_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = directory.path().join("ledger.db");
        let made = FingerprintKey::create(&ledger).unwrap();
        FingerprintKey::create(&ledger).unwrap_err();
        assert_eq!(FingerprintKey::load(&ledger).unwrap().unwrap().id(), made.id());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_a_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        FingerprintKey::create(&directory.path().join("ledger.db")).unwrap();
        let mode = std::fs::metadata(directory.path().join("ledger.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
