//! `init`: writes a commented settings file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::locate::DEFAULT_FILE;
use super::template::template;
use crate::cli::arguments::Cli;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::status::print;

/// The arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The new file; - writes to stdout
    #[arg(default_value = DEFAULT_FILE)]
    pub file: PathBuf,
}

/// Writes a file in which every setting stands switched off, with its default and what it is for.
pub(in crate::cli) fn init(arguments: &InitArguments) -> Result<ExitCode, Failure> {
    let text = template(&Cli::command());
    if arguments.file == Path::new("-") {
        print(&text);
        return Ok(ExitCode::Done);
    }
    // Somebody's settings are never overwritten.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&arguments.file)
        .with_context(|| format!("the settings file {} can't be made", arguments.file.display()))
        .map_err(|error| {
            Failure::new(ExitCode::Usage, error, "name a file that isn't there yet, or - for stdout")
        })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("the settings file {} can't be written", arguments.file.display()))
        .map_err(|error| {
            Failure::new(ExitCode::StateUnwritable, error, "make room, remove the file, and try again")
        })?;
    print(&format!("{}\n", arguments.file.display()));
    Ok(ExitCode::Done)
}
