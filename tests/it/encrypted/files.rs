//! Manifests as people encrypt them.

use std::io::Write as _;
use std::process::Command;

use age::secrecy::{ExposeSecret as _, SecretString};

use crate::support::Bench;

/// Somebody for whom files are encrypted.
pub(super) struct Recipient(age::x25519::Identity);

impl Recipient {
    pub(super) fn new() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Writes the identity into a file, as `age-keygen` does.
    pub(super) fn keep(&self, bench: &Bench, name: &str) {
        let identity = self.0.to_string();
        bench.write(name, format!("# public key: {}\n{}\n", self.0.to_public(), identity.expose_secret()));
    }

    /// What stands in that file and may be found nowhere else.
    pub(super) fn secret(&self) -> String {
        self.0.to_string().expose_secret().to_owned()
    }

    pub(super) fn encrypt(&self, bytes: &[u8]) -> Vec<u8> {
        age::encrypt(&self.0.to_public(), bytes).unwrap()
    }

    pub(super) fn encrypt_armored(&self, bytes: &[u8]) -> Vec<u8> {
        age::encrypt_and_armor(&self.0.to_public(), bytes).unwrap().into_bytes()
    }
}

/// Encrypted with a passphrase, so that opening it takes no second.
pub(super) fn encrypt_with_passphrase(passphrase: &str, bytes: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(2);
    age::encrypt(&recipient, bytes).unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Whether a program is on this machine. Where it isn't, that is said past the tests' capture.
pub(super) fn has(program: &str, what: &str) -> bool {
    if Command::new(program).arg("--version").output().is_ok() {
        return true;
    }
    let aloud = format!("SKIPPED: there is no {program}, so that {what} isn't checked\n");
    std::io::stderr().write_all(aloud.as_bytes()).unwrap();
    false
}
