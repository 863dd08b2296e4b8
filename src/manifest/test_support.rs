//! What the tests of several parts share.

use std::fs::File;
use std::path::Path;

use zeroize::Zeroizing;

use super::{InvalidLine, Manifest, ManifestError, ReadOptions, Record, Row, Source};

/// A leafUserId.
pub(super) const ID: &str = "0a1b2c3d-0000-4000-8000-00000000abcd";

/// Opens bytes as the manifest called `name`.
pub(super) fn open(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Manifest, ManifestError> {
    Manifest::open(Source::memory(Zeroizing::new(bytes.to_vec()), name), options)
}

/// Opens a CSV with nothing said about it.
pub(super) fn open_csv(bytes: impl AsRef<[u8]>) -> Result<Manifest, ManifestError> {
    open("growers.csv", bytes.as_ref(), &ReadOptions::default())
}

/// Opens one of the samples in `manifests/`, with these columns kept.
pub(super) fn open_sample(name: &str, keep_columns: &[&str]) -> Manifest {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(name);
    let source = Source::file(File::open(path).unwrap(), name).unwrap();
    let options = ReadOptions {
        keep_columns: keep_columns.iter().map(|&column| column.to_owned()).collect(),
        ..ReadOptions::default()
    };
    Manifest::open(source, &options).unwrap()
}

/// Everything in a manifest, up to its first error.
pub(super) fn read(manifest: &Manifest) -> Result<Vec<Record>, ManifestError> {
    manifest.records()?.collect()
}

/// The one-line form of a record in which tests compare.
pub(super) fn tell(record: &Record) -> String {
    match record {
        Record::Row(row) => format!("{} {} {}", row.line, row.login.as_str(), row.password.expose_secret()),
        Record::User(user) => format!("{} {}", user.line, user.leaf_user_id),
        Record::Invalid(invalid) => {
            format!("{} {:?} {}", invalid.line, invalid.column.unwrap_or(0), invalid.message)
        }
    }
}

/// Every record of a CSV in its one-line form.
pub(super) fn tell_csv(bytes: impl AsRef<[u8]>) -> Vec<String> {
    let manifest = open_csv(bytes).unwrap();
    read(&manifest).unwrap().iter().map(tell).collect()
}

/// The rows of a manifest all of whose records are rows.
pub(super) fn rows(manifest: &Manifest) -> Vec<Row> {
    read(manifest)
        .unwrap()
        .into_iter()
        .map(|record| match record {
            Record::Row(row) => row,
            Record::User(user) => panic!("{user:?}"),
            Record::Invalid(invalid) => panic!("{invalid:?}"),
        })
        .collect()
}

/// The invalid lines of a manifest.
pub(super) fn invalid_lines(manifest: &Manifest) -> Vec<InvalidLine> {
    read(manifest)
        .unwrap()
        .into_iter()
        .filter_map(|record| match record {
            Record::Row(_) | Record::User(_) => None,
            Record::Invalid(invalid) => Some(invalid),
        })
        .collect()
}

/// What is told when a CSV can't be read to its end.
pub(super) fn csv_error(bytes: impl AsRef<[u8]>) -> String {
    open_csv(bytes).and_then(|manifest| read(&manifest).map(|_| ())).unwrap_err().to_string()
}
