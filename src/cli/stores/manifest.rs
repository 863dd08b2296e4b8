//! A manifest in an object store.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::Stores;
use crate::bucket::{BucketError, PinnedObject};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::manifest::{FetchRange, Source, SourceChanged};

/// A manifest's bytes in a store. They come by range and stay in memory: the passwords in them never reach a disk.
struct StoredManifest(PinnedObject);

impl FetchRange for StoredManifest {
    fn fetch(&self, range: Range<u64>) -> Receiver<io::Result<Vec<u8>>> {
        self.0.fetch(range, |answer| {
            answer.map_err(|error| match error {
                // It was there when it was opened.
                BucketError::Changed | BucketError::Missing { .. } => io::Error::other(SourceChanged),
                other => io::Error::other(other),
            })
        })
    }
}

/// Opens a manifest as it is now.
///
/// # Errors
///
/// When it isn't there, can't be asked for, or the store can't be spoken to.
pub(in crate::cli) fn open_manifest(path: &Path, stores: &Stores) -> Result<Source, Failure> {
    let (bucket, address) = stores.bucket_of(path)?;
    let name = address.to_string();
    let object = PinnedObject::open(bucket, address).map_err(|error| {
        let hint = error.hint();
        let error = anyhow::Error::new(error).context(format!("the manifest {name} can't be opened"));
        Failure::new(ExitCode::Usage, error, format!("nothing was sent; {hint}"))
    })?;
    let len = object.size();
    Ok(Source::ranges(Arc::new(StoredManifest(object)), len, name))
}
