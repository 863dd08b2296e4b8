//! Encrypted manifests: decrypted while they are read, in memory or by a command through a pipe, and never on a disk.
//!
//! The main function is [`decrypted`], which makes of a manifest's bytes those that they stand for, and tells whether anything had to
//! be decrypted. [`stand_in`] is the process that keeps such a command, or becomes it.
//!
//! A command is only ever one that the user named. Without the cargo feature `age` an age file is refused with a hint.

#[cfg(not(feature = "age"))]
mod absent;
#[cfg(feature = "age")]
mod age;
mod command;
#[cfg(target_os = "linux")]
mod keeper;
mod open;
#[cfg(feature = "age")]
mod passphrase;
mod patience;
mod sealing;
mod spawner;
mod told;

#[cfg(not(feature = "age"))]
pub(super) use absent::put_terminal_right;
pub(super) use open::{MEMORY_CAP, decrypted};
#[cfg(feature = "age")]
pub(super) use passphrase::put_terminal_right;
pub(super) use patience::want_no_more;
pub(super) use spawner::stand_in;
