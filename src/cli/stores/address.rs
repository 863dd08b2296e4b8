//! Which paths name objects, and where none may stand.

use std::path::Path;

use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;

/// Whether a path names an object of a store.
pub(in crate::cli) fn is_object(path: &Path) -> bool {
    object_name(path).is_some()
}

/// The bucket and key that a path names, which are the same in whatever letters the scheme is written; `None` where it names
/// no object.
pub(in crate::cli) fn object_name(path: &Path) -> Option<&[u8]> {
    let (scheme, name) = path.as_os_str().as_encoded_bytes().split_at_checked(5)?;
    scheme.eq_ignore_ascii_case(b"s3://").then_some(name)
}

/// Refuses an object where only a file will do. `what` names it.
///
/// # Errors
///
/// When the path names an object.
pub(in crate::cli) fn refuse_object(what: &str, path: &Path) -> Result<(), Failure> {
    if !is_object(path) {
        return Ok(());
    }
    let error = anyhow::anyhow!("{what} can't be in an object store: {}", path.display());
    Err(Failure::new(
        ExitCode::Usage,
        error,
        "nothing was sent; name a file: only a manifest and --report may be s3://bucket/key",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_like_one_is_an_object() {
        for path in ["s3://growers/g.csv", "S3://x", "s3://"] {
            assert!(is_object(Path::new(path)), "{path}");
            assert!(refuse_object("the ledger", Path::new(path)).is_err());
        }
        for path in ["s3:/growers/g.csv", "./s3://growers/g.csv", "s3", "-", "", "https://growers/g.csv"] {
            assert!(!is_object(Path::new(path)), "{path}");
            assert!(refuse_object("the ledger", Path::new(path)).is_ok());
        }
    }
}
