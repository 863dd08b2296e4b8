//! An object in the making.

use std::io::{self, Write};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use object_store::multipart::{MultipartStore as _, PartId};
use object_store::{MultipartId, ObjectStoreExt as _, PutPayload};

use super::store::received;
use super::{Address, Bucket, BucketError};

/// The size of a part in bytes. S3 wants 5 MiB at least and 10,000 parts at most, some stores want them all alike.
const PART: usize = 8 * 1024 * 1024;

/// How long the giving up of an upload may take. What isn't given up by then stays behind unseen.
const GIVING_UP: Duration = Duration::from_secs(2);

/// An object in the making: nobody sees it, and what stood under its address still does, until it is finished. One that
/// is dropped is given up.
///
/// It is sent in parts while it is written, of which two are held; a small one is sent at once when it is finished.
#[derive(Debug)]
pub struct Upload {
    bucket: Bucket,
    address: Address,
    part: Vec<u8>,
    under_way: Option<Receiver<Result<PartId, BucketError>>>,
    parts: Vec<PartId>,
    /// Known from the first part on, until the upload is finished.
    id: Option<MultipartId>,
}

impl Upload {
    /// Begins an object, of which nothing is sent yet.
    #[must_use]
    pub fn new(bucket: Bucket, address: Address) -> Self {
        Self { bucket, address, part: Vec::new(), under_way: None, parts: Vec::new(), id: None }
    }

    /// Makes sure that the object may be written: an upload is begun and given up.
    ///
    /// # Errors
    ///
    /// When it may not be, or the store isn't reached.
    pub fn check(bucket: &Bucket, address: &Address) -> Result<(), BucketError> {
        let mut upload = Self::new(bucket.clone(), address.clone());
        let id = upload.begun()?;
        upload.id = None;
        let (store, key) = (bucket.store.clone(), address.key.clone());
        if let Err(error) = bucket.wait(async move { store.abort_multipart(&key, &id).await }) {
            tracing::warn!(%error, object = %address, "an upload that was begun to try it couldn't be given up");
        }
        Ok(())
    }

    /// Sends what is left, and puts the object in its place.
    ///
    /// # Errors
    ///
    /// When it can't be sent. Then it is given up, and what stood there still does; unless it was only the answer to the very
    /// last request that was lost.
    pub fn finish(mut self) -> Result<(), BucketError> {
        let (store, key) = (self.bucket.store.clone(), self.address.key.clone());
        let rest = PutPayload::from(std::mem::take(&mut self.part));
        if self.id.is_none() {
            return self.bucket.wait(async move { store.put(&key, rest).await }).map(|_| ());
        }
        if rest.content_length() > 0 {
            self.send(rest)?;
        }
        self.take_in_sent()?;
        let Some(id) = self.id.clone() else { return Ok(()) };
        let parts = std::mem::take(&mut self.parts);
        self.bucket.wait(async move { store.complete_multipart(&key, &id, parts).await })?;
        self.id = None;
        Ok(())
    }

    /// The upload, which is begun with its first part.
    fn begun(&mut self) -> Result<MultipartId, BucketError> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let (store, key) = (self.bucket.store.clone(), self.address.key.clone());
        let id = self.bucket.wait(async move { store.create_multipart(&key).await })?;
        Ok(self.id.insert(id).clone())
    }

    /// Sends a part once the one before is there.
    fn send(&mut self, part: PutPayload) -> Result<(), BucketError> {
        let id = self.begun()?;
        self.take_in_sent()?;
        let (store, key, place) = (self.bucket.store.clone(), self.address.key.clone(), self.parts.len());
        let sending = async move { store.put_part(&key, &id, place, part).await };
        self.under_way = Some(self.bucket.begin(sending, |answer| answer));
        Ok(())
    }

    fn take_in_sent(&mut self) -> Result<(), BucketError> {
        if let Some(under_way) = self.under_way.take() {
            self.parts.push(received(under_way.recv())?);
        }
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.part.capacity() == 0 {
            self.part.reserve_exact(PART);
        }
        let taken = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() == PART {
            let part = std::mem::take(&mut self.part);
            self.send(part.into())?;
        }
        Ok(taken)
    }

    /// Does nothing: what is written is seen by nobody until the object is finished.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let (store, key) = (self.bucket.store.clone(), self.address.key.clone());
        let under_way = self.under_way.take();
        // A part that arrives after the end of its upload would stay behind.
        let _ = under_way.map(|under_way| under_way.recv_timeout(GIVING_UP));
        let given_up =
            self.bucket.begin(async move { store.abort_multipart(&key, &id).await }, |answer| answer);
        match given_up.recv_timeout(GIVING_UP) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, object = %self.address, "parts of it stay behind unseen");
            }
            Err(_) => tracing::warn!(object = %self.address, "parts of it may stay behind unseen"),
        }
    }
}
