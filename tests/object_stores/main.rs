//! Object stores, against a real server that speaks S3: moto's. Without it, or without the cargo feature `object-store`, they
//! are left out aloud.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]
#![allow(clippy::print_stdout, reason = "what was left out is said aloud")]

mod access;
mod changed;
mod manifests;
mod reports;
mod server;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod support;
