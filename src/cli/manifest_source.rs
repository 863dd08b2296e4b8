//! Opens the manifest's bytes: a file, stdin kept in memory, or an object of a store.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::stores::{Stores, is_object, open_manifest};
use crate::manifest::Source;

/// The most of stdin that is kept in memory, in bytes.
const STDIN_CAP: usize = 256 * 1024 * 1024;

/// Opens `path`; `-` reads stdin to its end, and `s3://bucket/key` is read from there as `stores` says.
pub(super) fn open(path: &Path, stores: &Stores) -> Result<Source, Failure> {
    if is_object(path) {
        return open_manifest(path, stores);
    }
    if path.as_os_str() == "-" {
        return Source::read_to_memory(std::io::stdin().lock(), STDIN_CAP)
            .map(|bytes| Source::memory(bytes, "stdin"))
            .context("the manifest can't be read from stdin")
            .map_err(|error| {
                Failure::new(
                    ExitCode::Usage,
                    error,
                    "stdin may hold at most 256 MiB; name a file instead of -",
                )
            });
    }
    let name = path.display().to_string();
    File::open(path)
        .and_then(|file| {
            if file.metadata()?.is_file() {
                Source::file(file, name.clone())
            } else {
                // A pipe, as a shell's <(…) gives one, can be read only once.
                Source::read_to_memory(file, STDIN_CAP).map(|bytes| Source::memory(bytes, name.clone()))
            }
        })
        .with_context(|| format!("the manifest {name} can't be opened"))
        .map_err(|error| Failure::new(ExitCode::Usage, error, "check the path and its permissions"))
}

/// The manifest's name without its folder and endings: `growers` for `in/growers.csv.gz`.
pub(super) fn stem(path: &str) -> String {
    if path == "-" || path == "stdin" {
        return "stdin".to_owned();
    }
    let name = Path::new(path).file_name().map_or_else(|| "manifest".into(), |name| name.to_string_lossy());
    let without = |name: &str, endings: &[&str]| {
        let found = endings.iter().find_map(|ending| name.strip_suffix(ending));
        found.filter(|rest| !rest.is_empty()).unwrap_or(name).to_owned()
    };
    without(&without(&name, &[".gz", ".zst"]), &[".csv", ".tsv", ".txt", ".parquet"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_has_neither_folder_nor_endings() {
        assert_eq!(stem("in/growers.csv.gz"), "growers");
        assert_eq!(stem("growers.2026-11.parquet"), "growers.2026-11");
        assert_eq!(stem("-"), "stdin");
        assert_eq!(stem("growers"), "growers");
    }
}
