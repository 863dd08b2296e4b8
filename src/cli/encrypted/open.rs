//! Makes of a manifest's bytes the plain ones that they stand for.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

#[cfg(not(feature = "age"))]
use super::absent::open_age;
#[cfg(feature = "age")]
use super::age::open_age;
use super::command::CommandSource;
use super::sealing::{Sealing, TELLING_BYTES};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::manifest::{DiscreetError, Source};
use crate::settings::DecryptionFlags;

/// The most of a manifest that is kept in memory, in bytes.
pub(in crate::cli) const MEMORY_CAP: usize = 256 * 1024 * 1024;

/// A manifest's plain bytes, and whether they had to be decrypted. `path` is where the bytes are; `is_file`, whether another program finds
/// them there.
///
/// # Errors
///
/// When it can't be decrypted with what the flags name.
pub(in crate::cli) fn decrypted(
    source: Source,
    path: &Path,
    is_file: bool,
    flags: &DecryptionFlags,
) -> Result<(Source, bool), Failure> {
    let name = source.name().to_owned();
    let plain = if let Some(command) = &flags.decrypt_command {
        if command.names_file() && !is_file {
            let error = anyhow::anyhow!("--decrypt-command '{command}' names the file, and {name} is none");
            return Err(Failure::new(
                ExitCode::Usage,
                error,
                "nothing was sent; leave {} out, and the command gets the manifest's bytes on its stdin",
            ));
        }
        let commands = CommandSource::new(command, path, source, flags.decrypt_timeout);
        Source::streamed(Arc::new(commands), MEMORY_CAP, name.clone()).map_err(|error| {
            let whole = DiscreetError::whole_of(&error).map(|whole| whole.expose_secret().to_owned());
            let cause = whole.map_or_else(|| anyhow::Error::new(error), anyhow::Error::msg);
            Failure::new(
                ExitCode::Usage,
                cause.context(format!("the manifest {name} can't be decrypted")),
                "nothing was sent; correct --decrypt-command, and try it by itself in a shell",
            )
        })?
    } else {
        match sealing_of(&source)? {
            Some(Sealing::Age) => open_age(source, flags)?,
            Some(Sealing::OpenPgp) => return Err(by_command_only(&name)),
            None => {
                return match Sealing::named(path) {
                    Some(named) if !source.is_empty() => Err(is_not_as_named(&name, named)),
                    _ => Ok((source, false)),
                };
            }
        }
    };
    match sealing_of(&plain)? {
        Some(sealing) => Err(still_encrypted(&name, sealing)),
        None => Ok((plain, true)),
    }
}

fn sealing_of(source: &Source) -> Result<Option<Sealing>, Failure> {
    let beginning = source.beginning(TELLING_BYTES);
    let beginning = beginning.with_context(|| format!("the manifest {} can't be read", source.name()));
    let beginning = beginning.map_err(|error| {
        Failure::new(ExitCode::Usage, error, "nothing was sent; run the same command again")
    })?;
    Ok(Sealing::of(&beginning))
}

fn by_command_only(name: &str) -> Failure {
    Failure::new(
        ExitCode::Usage,
        anyhow::anyhow!("the manifest {name} is encrypted with OpenPGP"),
        "nothing was sent; say which command decrypts it: --decrypt-command 'gpg --decrypt {}'",
    )
}

fn is_not_as_named(name: &str, named: Sealing) -> Failure {
    let error = anyhow::anyhow!("{name} is named like a file encrypted with {}, and isn't one", named.name());
    Failure::new(
        ExitCode::Usage,
        error,
        "nothing was sent; give it the name of what it is, or encrypt it again if it was damaged",
    )
}

fn still_encrypted(name: &str, sealing: Sealing) -> Failure {
    let error = anyhow::anyhow!(
        "the manifest {name} is encrypted with {} once more inside, or the command only passes it on",
        sealing.name()
    );
    Failure::new(
        ExitCode::Usage,
        error,
        "nothing was sent; decrypt all of it with one --decrypt-command, such as 'age -d -i KEY {} | gpg -d'",
    )
}
