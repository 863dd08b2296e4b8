//! The proofs by force: the real program is killed, and the power is cut, wherever that may happen.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]
#![allow(clippy::print_stdout, reason = "what was left out is said aloud, and so is the seed")]

mod crash;
mod power;
mod support;
