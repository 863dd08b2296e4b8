//! Object stores: manifests and reports at `s3://bucket/key`.
//!
//! Main types: [`Stores`], how stores are spoken to; [`ObjectReport`], a report that goes to one. [`is_object`] says whether a
//! path names an object, and [`open_manifest`] opens one.
//!
//! Without the cargo feature `object-store` each of them refuses with a hint. With it this is where a
//! `bucket` becomes what `manifest` reads from and `report` writes to, which know of no sockets.

#[cfg(not(feature = "object-store"))]
mod absent;
mod address;
#[cfg(feature = "object-store")]
mod manifest;
mod reach;
#[cfg(feature = "object-store")]
mod report;

#[cfg(not(feature = "object-store"))]
pub(super) use absent::{ObjectReport, open_manifest};
pub(super) use address::{is_object, object_name, refuse_object};
#[cfg(feature = "object-store")]
pub(super) use manifest::open_manifest;
pub(super) use reach::Stores;
#[cfg(feature = "object-store")]
pub(super) use report::ObjectReport;
