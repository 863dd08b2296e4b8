//! Who else on this machine may read a file of secrets.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

/// The mode that a file should have instead, as `chmod` takes it, where somebody reads it for whom it isn't meant; `None` where
/// nobody does.
///
/// A file of another owner that its group may read is meant so: it is how an administrator gives a service's user a file
/// that this one can't change. Its own mode must then leave the group in.
pub(super) fn mode_to_be(metadata: &Metadata) -> Option<&'static str> {
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    mode_instead_of(metadata.permissions().mode(), is_ours)
}

const fn mode_instead_of(mode: u32, is_ours: bool) -> Option<&'static str> {
    match (mode & 0o040 != 0, mode & 0o004 != 0, is_ours) {
        (false, false, _) | (true, false, false) => None,
        (_, _, true) => Some("600"),
        (_, true, false) => Some("640"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_an_administrator_gave_to_our_group_is_as_it_should_be() {
        for (mode, ours, others) in [
            (0o600, None, None),
            (0o640, Some("600"), None),
            (0o604, Some("600"), Some("640")),
            (0o644, Some("600"), Some("640")),
            (0o622, None, None),
        ] {
            assert_eq!(
                (mode_instead_of(mode, true), mode_instead_of(mode, false)),
                (ours, others),
                "{mode:o}"
            );
        }
    }
}
