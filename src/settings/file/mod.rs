//! The settings file: what stands in it, and whether each of its keys may.
//!
//! Main types: [`SettingsFile`], the entries of a file with their lines; [`Vocabulary`], the keys that there are, from
//! which it is judged; [`Complaint`], what is wrong with one line; [`Distrust`], what speaks against a file that nobody named;
//! and [`FileError`], a file that can't be used.
//!
//! It reads the one file that it is told to, knows no flag by its name, and never repeats a value, for somebody may have
//! written a password there.

mod complaint;
mod entry;
mod error;
mod found;
mod read;
mod suggestion;
mod vocabulary;

pub use complaint::Complaint;
pub use entry::{FileEntry, FileValue, SettingsFile};
pub use error::{FileError, Refused};
pub use found::Distrust;
pub use suggestion::closest;
pub use vocabulary::{Declaration, Standing, Vocabulary};
