//! Who else on this machine may read or write a file.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::check::Check;
use crate::cli::readers::mode_to_be;

/// What others may do with something that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Openness {
    /// Nothing that matters.
    Private,
    /// Read it.
    Readable,
    /// Write it, and so put something else in its place.
    Writable,
}

/// The bits of a file's mode that say who may do what.
pub(super) fn mode_of(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o777
}

/// What the group and everybody may do.
pub(super) const fn openness(mode: u32) -> Openness {
    match (mode & 0o022, mode & 0o044) {
        (0, 0) => Openness::Private,
        (0, _) => Openness::Readable,
        _ => Openness::Writable,
    }
}

/// Whether a file that holds secrets is its owner's alone; `None` when it can't be looked at. `what` are its secrets.
pub(super) fn of_secret(name: &'static str, path: &Path, what: &str) -> Option<Check> {
    let metadata = path.metadata().ok()?;
    let (mode, instead) = (mode_of(&metadata), mode_to_be(&metadata));
    let shown = path.display();
    let others = match openness(mode) {
        Openness::Private => {
            return Some(Check::ok(name, format!("{shown} is its owner's alone (mode {mode:04o})")));
        }
        Openness::Readable if instead.is_none() => {
            let found = format!("{shown} is its owner's and its group's alone (mode {mode:04o})");
            return Some(Check::ok(name, found));
        }
        Openness::Readable => "read",
        Openness::Writable => "change",
    };
    let found = format!("others on this machine may {others} {shown} (mode {mode:04o}), which holds {what}");
    Some(Check::warning(name, found, format!("chmod {} {shown}", instead.unwrap_or("600"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_do_stands_in_the_last_six_bits() {
        for (mode, expected) in [
            (0o600, Openness::Private),
            (0o711, Openness::Private),
            (0o640, Openness::Readable),
            (0o604, Openness::Readable),
            (0o620, Openness::Writable),
            (0o666, Openness::Writable),
        ] {
            assert_eq!(openness(mode), expected, "{mode:o}");
        }
    }
}
