//! An object as it was when it was opened.

use std::ops::Range;
use std::sync::mpsc::Receiver;

use futures::TryStreamExt as _;
use object_store::{GetOptions, GetRange, ObjectStore as _};

use super::{Address, Bucket, BucketError};

/// An object, pinned to what it was when it was opened: every later read is conditional on its `ETag`.
#[derive(Debug, Clone)]
pub struct PinnedObject {
    bucket: Bucket,
    address: Address,
    etag: String,
    size: u64,
}

impl PinnedObject {
    /// Asks for the object's `ETag` and size.
    ///
    /// # Errors
    ///
    /// When it isn't there or can't be asked for, or when the store gives it no `ETag`, by which a change would be noticed.
    pub fn open(bucket: Bucket, address: Address) -> Result<Self, BucketError> {
        let (store, key) = (bucket.store.clone(), address.key.clone());
        let head = GetOptions { head: true, ..GetOptions::default() };
        let meta = bucket.wait(async move { Ok(store.get_opts(&key, head).await?.meta) })?;
        let etag = meta.e_tag.ok_or(BucketError::Unsound(
            "has no ETag, so that nobody could tell whether the object changes",
        ))?;
        Ok(Self { bucket, address, etag, size: meta.size })
    }

    /// The object's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Begins to read a range that lies within the object. Its bytes, all of them, come through the channel as `told` makes of
    /// them.
    pub fn fetch<T: Send + 'static>(
        &self,
        range: Range<u64>,
        told: impl FnOnce(Result<Vec<u8>, BucketError>) -> T + Send + 'static,
    ) -> Receiver<T> {
        let (store, key) = (self.bucket.store.clone(), self.address.key.clone());
        let (etag, size) = (self.etag.clone(), self.size);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let call = async move {
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                if_match: Some(etag.clone()),
                ..GetOptions::default()
            };
            let result = store.get_opts(&key, options).await?;
            // A store may not know the condition.
            if result.meta.e_tag.as_ref() != Some(&etag) || result.meta.size != size {
                return Ok(Err(BucketError::Changed));
            }
            let mut bytes = Vec::with_capacity(length);
            let mut stream = result.into_stream();
            while let Some(more) = stream.try_next().await? {
                if more.len() > length - bytes.len() {
                    return Ok(Err(BucketError::Unsound("is longer than it says")));
                }
                bytes.extend_from_slice(&more);
            }
            Ok(if bytes.len() == length { Ok(bytes) } else { Err(BucketError::Unsound("was cut off")) })
        };
        self.bucket.begin(call, |answer| told(answer.flatten()))
    }
}
