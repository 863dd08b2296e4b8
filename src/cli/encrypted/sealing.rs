//! How a manifest is encrypted, told by its first bytes.

use std::path::Path;

/// How bytes are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealing {
    /// With age, binary or armored.
    Age,
    /// With `OpenPGP`.
    OpenPgp,
}

/// How many bytes tell it.
pub(super) const TELLING_BYTES: usize = 256;

impl Sealing {
    /// Recognises what is encrypted by how it begins; a name may lie.
    pub(super) fn of(beginning: &[u8]) -> Option<Self> {
        // https://age-encryption.org/v1: the version line; armor may stand behind white space.
        if beginning.starts_with(b"age-encryption.org/") {
            return Some(Self::Age);
        }
        let armor = beginning.trim_ascii_start();
        if armor.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
            return Some(Self::Age);
        }
        if armor.starts_with(b"-----BEGIN PGP MESSAGE-----") || begins_with_session_key(beginning) {
            return Some(Self::OpenPgp);
        }
        None
    }

    /// What its name says that it is.
    pub(super) fn named(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "age" => Some(Self::Age),
            "gpg" | "pgp" => Some(Self::OpenPgp),
            _ => None,
        }
    }

    /// What messages call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::OpenPgp => "OpenPGP",
        }
    }
}

/// Whether the first packet of `OpenPGP` is a session key, with which every encrypted message begins (RFC 9580, 4.2, 5.1 and 5.3).
fn begins_with_session_key(beginning: &[u8]) -> bool {
    let (Some(&tag), Some(version)) = (beginning.first(), version_of_first_packet(beginning)) else {
        return false;
    };
    // Text begins with no byte like these in any encoding but Windows-1252, and never goes on like this there.
    match tag {
        // A public-key encrypted session key, in the old form and in the new one.
        0x84..=0x86 | 0xc1 => matches!(version, 2 | 3 | 6),
        // A symmetric-key encrypted session key.
        0x8c..=0x8e | 0xc3 => matches!(version, 4..=6),
        _ => false,
    }
}

fn version_of_first_packet(bytes: &[u8]) -> Option<u8> {
    let &[tag, first, ..] = bytes else { return None };
    let length_bytes = if tag & 0x40 == 0 {
        1 << (tag & 3)
    } else {
        match first {
            0..=191 => 1,
            192..=223 => 2,
            255 => 5,
            // Parts of a packet, which a session key never comes in.
            224..=254 => return None,
        }
    };
    bytes.get(1 + length_bytes).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_is_known_by_its_first_bytes() {
        for (beginning, expected) in [
            (&b"age-encryption.org/v1\n-> X25519 x"[..], Some(Sealing::Age)),
            (b"\r\n -----BEGIN AGE ENCRYPTED FILE-----\n", Some(Sealing::Age)),
            (b"-----BEGIN PGP MESSAGE-----\n", Some(Sealing::OpenPgp)),
            // As gpg 2.2 writes them: to a key, and with a passphrase.
            (&[0x85, 0x01, 0x0c, 0x03, 0x11, 0x22], Some(Sealing::OpenPgp)),
            (&[0x8c, 0x0d, 0x04, 0x09, 0x03, 0x08], Some(Sealing::OpenPgp)),
            (&[0x84, 0x5e, 0x03, 0xaa], Some(Sealing::OpenPgp)),
            (&[0xc3, 0x2e, 0x06], Some(Sealing::OpenPgp)),
            (b"leafUserId,login,password\n", None),
            (&[0x1f, 0x8b, 8, 0], None),
            (&[0xc3, 0xa9, b'l'], None),
            (&[0xc1, b'r', b'e', b'a'], None),
            (&[0xff, 0xfe, b'l', 0], None),
            (b"", None),
            (&[0x85], None),
        ] {
            assert_eq!(Sealing::of(beginning), expected, "{beginning:x?}");
        }
    }
}
