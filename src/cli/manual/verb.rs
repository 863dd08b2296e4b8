//! Writes the manual into a folder, or to stdout.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::Page;
use crate::cli::arguments::Cli;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::status::print;

/// The arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Where each page gets a file of its own, replacing an older one; without it all pages go to stdout, to be read
    /// with `stara-onboard man | man -l -`
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Writes every page.
pub(in crate::cli) fn man(arguments: &ManArguments) -> Result<ExitCode, Failure> {
    let pages = Page::all(Cli::command())
        .context("the manual can't be made")
        .map_err(|error| Failure::new(ExitCode::Internal, error, "please report it; --help says the same"))?;
    let Some(folder) = &arguments.folder else {
        for page in pages {
            print(&page.text);
        }
        return Ok(ExitCode::Done);
    };
    let unwritable = |error: anyhow::Error| {
        Failure::new(ExitCode::Usage, error, "name a folder that you may write to, or none for stdout")
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} can't be made", folder.display()))
        .map_err(unwritable)?;
    for page in pages {
        let path = folder.join(&page.file);
        std::fs::write(&path, page.text)
            .with_context(|| format!("the page {} can't be written", path.display()))
            .map_err(unwritable)?;
    }
    Ok(ExitCode::Done)
}
