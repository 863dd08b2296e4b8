//! Opens the manifest's bytes: a file, stdin kept in memory, or an object of a store.

use std::fs::{File, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::encrypted::{MEMORY_CAP, decrypted};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::readers::mode_to_be;
use super::stores::{Stores, is_object, open_manifest};
use super::{signals, unopened};
use crate::manifest::{Source, inner_name};
use crate::settings::DecryptionFlags;

/// A manifest whose bytes can be read.
pub(super) struct OpenedManifest {
    /// Its plain bytes.
    pub(super) source: Source,
    /// Whether they had to be decrypted.
    pub(super) was_encrypted: bool,
    /// What should be done about it, where others may read the passwords in it.
    pub(super) warning: Option<String>,
}

/// Opens `path`; `-` reads stdin to its end, and `s3://bucket/key` is read from there as `stores` says. What is encrypted is decrypted
/// as `flags` say.
pub(super) fn open(path: &Path, stores: &Stores, flags: &DecryptionFlags) -> Result<OpenedManifest, Failure> {
    if flags.decrypt_command.is_some() {
        // It may take minutes, and whoever supervises us wants to be told by an exit code how they end.
        signals::end_until_watched()?;
    }
    let (source, file) = open_bytes(path, stores)?;
    let (source, was_encrypted) = decrypted(source, path, file.is_some(), flags)?;
    let plain = file.filter(|_| !was_encrypted);
    let others_read = plain.and_then(|file| Some((file.permissions().mode() & 0o777, mode_to_be(&file)?)));
    let warning = others_read.map(|(mode, instead)| {
        let shown = path.display();
        format!(
            "others on this machine may read the passwords in {shown} (mode {mode:04o}): chmod {instead} {shown}, or encrypt it \
             (docs/MANIFESTS.md)"
        )
    });
    Ok(OpenedManifest { source, was_encrypted, warning })
}

/// The bytes at `path` as they are; of a file what the system knows of it, too.
fn open_bytes(path: &Path, stores: &Stores) -> Result<(Source, Option<Metadata>), Failure> {
    if is_object(path) {
        return Ok((open_manifest(path, stores)?, None));
    }
    if path.as_os_str() == "-" {
        return Source::read_to_memory(std::io::stdin().lock(), MEMORY_CAP)
            .map(|bytes| (Source::memory(bytes, "stdin"), None))
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
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                Err(std::io::ErrorKind::IsADirectory.into())
            } else if metadata.is_file() {
                Ok((Source::file(file, name.clone())?, Some(metadata)))
            } else {
                // A pipe, as a shell's <(…) gives one, can be read only once.
                let bytes = Source::read_to_memory(file, MEMORY_CAP)?;
                Ok((Source::memory(bytes, name.clone()), None))
            }
        })
        .map_err(|source| {
            let hint = unopened::manifest_hint(path, &source);
            let error = anyhow::Error::new(source).context(format!("the manifest {name} can't be opened"));
            Failure::new(ExitCode::Usage, error, hint)
        })
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
    without(&without(inner_name(&name), &[".gz", ".zst"]), &[".csv", ".tsv", ".txt", ".parquet"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_has_neither_folder_nor_endings() {
        assert_eq!(stem("in/growers.csv.gz"), "growers");
        assert_eq!(stem("growers.2026-11.parquet"), "growers.2026-11");
        assert_eq!(stem("in/growers.csv.gz.age"), "growers");
        assert_eq!(stem("growers.parquet.GPG"), "growers");
        assert_eq!(stem(".age"), ".age");
        assert_eq!(stem("-"), "stdin");
        assert_eq!(stem("growers"), "growers");
    }
}
