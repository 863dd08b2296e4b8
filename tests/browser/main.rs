//! The page of a report, made by real runs and opened in headless Chromium. Without Chromium, its driver, Python's selenium or
//! axe-core these tests are left out aloud, unless `STARA_ONBOARD_NEEDS_BROWSER` says that they may not be.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]
#![allow(clippy::print_stdout, reason = "what was left out is said aloud")]

mod browser;
mod contents;
mod hostile;
mod paper;
mod rows;
mod safety;
mod size;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod support;
mod world;
