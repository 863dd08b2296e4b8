//! What helps where the system won't open or make a file: what is the matter with which folder, and who may do what there.

use std::io;
use std::path::Path;

use crate::settings::closest;

/// What to do about a manifest that the system won't open.
pub(super) fn manifest_hint(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => match sibling(path) {
            Some(near) => {
                format!("nothing was sent; did you mean {near}? It is looked for in {}", here(path))
            }
            None => format!("nothing was sent; check the name: it is looked for in {}", here(path)),
        },
        io::ErrorKind::IsADirectory => {
            "nothing was sent; it is a folder: name a file in it (several manifests are several calls)"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "nothing was sent; {}",
                denied(path, "read").unwrap_or_else(|| "mend its permissions".to_owned())
            )
        }
        _ => "nothing was sent; check the path and its permissions".to_owned(),
    }
}

/// What is the matter with a place that can't be written, where the system's word for it tells more than nothing.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::PermissionDenied => denied(path, "write"),
        io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "the disk of {} is mounted read-only: mount it for writing",
            nearest(path).display()
        )),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some(format!("there is no room left on the disk of {}: make room", nearest(path).display()))
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            let file = path.ancestors().find(|ancestor| ancestor.is_file())?;
            Some(format!("{} is a file, where a folder is needed: move it away", file.display()))
        }
        _ => None,
    }
}

/// Who this process is, and whose the nearest thing is that exists.
#[cfg(unix)]
fn denied(path: &Path, what: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let place = nearest(path);
    let metadata = place.metadata().ok()?;
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    let user = rustix::process::geteuid().as_raw();
    Some(format!(
        "user {user} may not {what} {}, which belongs to user {owner} (mode {mode:04o}): change its owner or mode, or run as \
         its owner",
        place.display()
    ))
}

#[cfg(not(unix))]
fn denied(_path: &Path, _what: &str) -> Option<String> {
    None
}

/// The path itself, or else the nearest folder above it that is there.
fn nearest(path: &Path) -> &Path {
    let found = path.ancestors().find(|ancestor| ancestor.exists());
    found.filter(|found| !found.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folder in which a path is looked for.
fn here(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string()
}

/// A file in the same folder that is called nearly the same.
fn sibling(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).filter(|entry| entry.path().is_file());
    let names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = closest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_called_nearly_the_same_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("growers.csv"), "").unwrap();
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let hint = manifest_hint(&folder.path().join("grower.csv"), &missing);
        assert!(hint.contains("did you mean ") && hint.contains("growers.csv?"), "{hint}");
        assert!(!manifest_hint(&folder.path().join("leavers.csv"), &missing).contains("did you mean"));
    }
}
