//! Opens the certificates that are trusted beside the system's roots.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use super::exit_code::ExitCode;
use super::failure::Failure;
use crate::http::ExtraRoots;

/// The most of a file of certificates that is read, in bytes. The roots of a whole system are under 300 KiB.
const LARGEST_BUNDLE: u64 = 4 * 1024 * 1024;

/// Reads the certificates of `--ca-cert`.
pub(super) fn read(path: &Path) -> Result<ExtraRoots, Failure> {
    let named = || format!("--ca-cert {} can't be used", path.display());
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_BUNDLE).read_to_end(&mut pem))
        .map_err(anyhow::Error::new)
        .and_then(|_| ExtraRoots::from_pem(&pem).map_err(anyhow::Error::new))
        .with_context(named)
        .map_err(|error| {
            Failure::new(ExitCode::Usage, error, "nothing was sent; name a file of certificates in PEM")
        })
}
