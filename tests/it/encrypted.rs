//! Encrypted manifests: opened with age or by a command, and plain nowhere but in memory.

mod age_files;
mod commands;
mod files;
mod permissions;
mod watched;
