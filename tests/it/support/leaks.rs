//! Searches files for secrets in every disguise in which they might leave the program.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// How many bytes of a needle it is looked up by. No needle is shorter.
const PREFIX: usize = 8;

/// A secret that was found where it may not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leak {
    pub(crate) place: String,
    pub(crate) secret: String,
    pub(crate) disguise: &'static str,
}

/// Secrets in all their disguises, by the first bytes of each.
pub(crate) struct Needles(HashMap<[u8; PREFIX], Vec<Needle>>);

struct Needle {
    secret: String,
    disguise: &'static str,
    bytes: Vec<u8>,
}

impl Needles {
    /// Those of under eight characters would be found by chance, so they may not be looked for.
    pub(crate) fn new<S: Into<String>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let mut needles: HashMap<_, Vec<_>> = HashMap::new();
        for secret in secrets {
            let secret = secret.into();
            for (disguise, bytes) in disguises(&secret) {
                let prefix = *bytes.first_chunk().expect("too short to be looked for");
                needles.entry(prefix).or_default().push(Needle { secret: secret.clone(), disguise, bytes });
            }
        }
        Self(needles)
    }

    /// Every secret in `bytes`.
    pub(crate) fn find(&self, place: &str, bytes: &[u8]) -> BTreeSet<Leak> {
        let mut leaks = BTreeSet::new();
        for at in 0..bytes.len() {
            let rest = &bytes[at..];
            let Some(needles) = rest.first_chunk().and_then(|prefix| self.0.get(prefix)) else { continue };
            for needle in needles.iter().filter(|needle| rest.starts_with(&needle.bytes)) {
                let (place, secret) = (place.to_owned(), needle.secret.clone());
                leaks.insert(Leak { place, secret, disguise: needle.disguise });
            }
        }
        leaks
    }

    /// Every secret in any file below `folder` but those with these names, and the names of the files searched.
    pub(crate) fn find_below(&self, folder: &Path, except: &[&str]) -> (BTreeSet<Leak>, BTreeSet<String>) {
        let (mut leaks, mut searched) = (BTreeSet::new(), BTreeSet::new());
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                if !except.contains(&name.as_str()) {
                    leaks.extend(self.find(&name, &std::fs::read(&path).unwrap()));
                    searched.insert(name);
                }
            }
        }
        (leaks, searched)
    }
}

/// The disguises of one secret.
pub(crate) fn disguises(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let json = serde_json::to_string(secret).unwrap();
    let utf16 = |bytes: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut disguises = vec![
        ("raw", secret.as_bytes().to_vec()),
        ("form-encoded", form.into_bytes()),
        ("percent-encoded", percent_encoded(secret).to_ascii_lowercase().into()),
        ("percent-encoded", percent_encoded(secret).into()),
        ("JSON-escaped", json[1..json.len() - 1].into()),
        ("JSON-escaped", ascii_json(secret).into()),
        ("Debug-escaped", secret.escape_debug().to_string().into()),
        ("CSV-quoted", secret.replace('"', "\"\"").into()),
        ("UTF-16LE", utf16(u16::to_le_bytes)),
        ("UTF-16BE", utf16(u16::to_be_bytes)),
    ];
    for before in 0..3 {
        disguises.push(("base64", base64_behind(before, secret.as_bytes(), *b"+/")));
        disguises.push(("base64url", base64_behind(before, secret.as_bytes(), *b"-_")));
    }
    disguises
}

fn percent_encoded(secret: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    secret.bytes().map(encoded).collect()
}

/// JSON in which everything but ASCII is escaped, too.
fn ascii_json(secret: &str) -> String {
    let escape = |unit: &u16| format!("\\u{unit:04x}");
    let escaped = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        _ => character.encode_utf16(&mut [0; 2]).iter().map(escape).collect::<Vec<_>>().concat(),
    };
    secret.chars().map(escaped).collect()
}

/// The characters of base64 that depend on nothing but `bytes`, when so many other bytes (0 to 2) stand before them.
fn base64_behind(before: usize, bytes: &[u8], last_two: [u8; 2]) -> Vec<u8> {
    let letters = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(last_two);
    let letters: Vec<u8> = letters.collect();
    // The first sextet that begins within `bytes`, in bits from their beginning.
    let first = (6 - (before * 8) % 6) % 6;
    let bit = |at: usize| (bytes[at / 8] >> (7 - at % 8)) & 1;
    let sextet = |at: usize| (at..at + 6).fold(0, |value, at| value << 1 | usize::from(bit(at)));
    (first..).step_by(6).take_while(|at| at + 6 <= bytes.len() * 8).map(|at| letters[sextet(at)]).collect()
}
