//! The manifests, each made once and in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::{ManifestFormat, WriteManifest};
use crate::growers;

/// Makes a manifest, where it isn't there already.
pub(crate) fn make(directory: &Path, format: ManifestFormat, rows: u32) -> PathBuf {
    let path = directory.join(format!("growers-{rows}.{format}"));
    if !path.exists() {
        let made = Command::new(std::env::current_exe().expect("this bench's path"))
            .args(["write-manifest", &format.to_string(), &rows.to_string()])
            .arg(&path)
            .status()
            .expect("the manifest's writer starts");
        assert!(made.success(), "the manifest can be written");
    }
    path
}

/// Writes one.
pub(crate) fn write(asked: &WriteManifest) {
    match asked.format {
        ManifestFormat::Csv => growers::write_csv(&asked.path, asked.rows),
        ManifestFormat::Parquet => growers::write_parquet(&asked.path, asked.rows),
    }
}
