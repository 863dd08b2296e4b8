//! How logins are put to Stara, as a number that can be compared.

use sha2::{Digest as _, Sha256};

use super::target::without_local_port;
use crate::model::Dialect;

/// A digest of everything that decides what reaches Stara as login and password but for the manifest's cells: where
/// everybody is refused, one of these is wrong rather than all passwords.
///
/// It covers no secret. So it needs no key, and can be compared even when the fingerprint key is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Approach(pub(super) i64);

impl Approach {
    /// The approach of a dialect, Stara's origin and the path its calls begin with, and the headers of the manifest's
    /// columns for login and password. On this machine ports come and go, so there they don't count.
    #[must_use]
    pub fn new(dialect: Dialect, origin: &str, path: &str, headers: [&str; 2]) -> Self {
        let origin = without_local_port(origin);
        let mut digest = Sha256::new();
        for part in [dialect.as_str(), &origin, path.trim_end_matches('/'), headers[0], headers[1]] {
            // The length first, so that no two lists of parts run together into the same bytes.
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(i64::from_le_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialect_host_path_and_columns_count_but_no_local_port() {
        let approach = |dialect, origin, path, headers| Approach::new(dialect, origin, path, headers);
        let usual = approach(Dialect::Json, "https://stara.example", "/", ["login", "senha"]);
        let same = approach(Dialect::Json, "https://stara.example", "", ["login", "senha"]);
        assert_eq!(usual, same);
        for other in [
            approach(Dialect::Form, "https://stara.example", "/", ["login", "senha"]),
            approach(Dialect::Json, "https://stara.example:8443", "/", ["login", "senha"]),
            approach(Dialect::Json, "https://stara.example", "/v2", ["login", "senha"]),
            approach(Dialect::Json, "https://stara.example", "/", ["senha", "login"]),
            approach(Dialect::Json, "https://stara.example", "/", ["login", "pin"]),
        ] {
            assert_ne!(usual, other);
        }
        let local = |port| approach(Dialect::Json, port, "/", ["login", "senha"]);
        assert_eq!(local("http://127.0.0.1:18081"), local("http://127.0.0.1:40000"));
    }
}
