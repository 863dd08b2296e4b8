//! Objects of an S3 bucket: read by range for as long as they are what they were, and written whole or not at all.
//!
//! Main types: [`Address`], what `s3://bucket/key` names; [`Access`], how and as whom the store is spoken to; [`Bucket`], one
//! bucket with a thread of its own, so that whoever reads and writes may block wherever they are; [`PinnedObject`], an object
//! as it was when it was opened; and [`Upload`], an object in the making. [`BucketError`] says what happened, and never what
//! the store wrote.
//!
//! This floor knows neither manifests nor reports. Requests are signed, retried and understood by the crate `object_store`;
//! they are sent by our own client, which follows no redirect and speaks plain http to this machine only.

mod access;
mod address;
mod error;
mod heard;
mod object;
mod store;
mod transport;
mod upload;

pub use access::{Access, Credentials};
pub use address::{Address, ParseAddressError};
pub use error::BucketError;
pub use object::PinnedObject;
pub use store::Bucket;
pub use upload::Upload;
