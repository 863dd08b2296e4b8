//! Which version of a crate the lock file pins.

/// The crate's version; of several the one that stands last, which is the highest.
pub(crate) fn version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let name = format!("name = \"{name}\"");
    let mut lines = lock.lines();
    let mut found = None;
    while let Some(line) = lines.next() {
        if line == name {
            found = lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        }
    }
    found
}
