//! What stands in for age in a build without it.

use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::manifest::Source;
use crate::settings::DecryptionFlags;

/// Nobody is asked for a passphrase.
pub(in crate::cli) const fn put_terminal_right() {}

/// Refuses to open an age file.
#[expect(clippy::needless_pass_by_value, reason = "as in a build with age, which keeps the source")]
pub(super) fn open_age(source: Source, _: &DecryptionFlags) -> Result<Source, Failure> {
    let error = anyhow::anyhow!(
        "the manifest {} is encrypted with age, and this program was built without it",
        source.name()
    );
    Err(Failure::new(
        ExitCode::Usage,
        error,
        "nothing was sent; build it with age (cargo install --path . --features age), or say --decrypt-command \
         'age --decrypt --identity KEY {}'",
    ))
}
