//! Carries `check` out.

use super::arguments::CheckArguments;
use super::checked::Checked;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::manifest_source;
use crate::cli::run::tell;
use crate::cli::status::print;
use crate::cli::stores::Stores;
use crate::manifest::{ClientColumn, LintOptions, LintSeverity, Linter, Manifest};

/// Lints a manifest, and says with which code to exit.
pub(in crate::cli) fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let stores = Stores::default();
    let source = manifest_source::open(&arguments.manifest, &stores, &arguments.reading.decryption)?.source;
    let options = arguments.reading.read_options(ClientColumn::Optional, &[]);
    let manifest = Manifest::open(source, &options)?;
    for warning in manifest.warnings() {
        tell(&format!("warning: {warning}\n"));
    }
    let most_listed = usize::try_from(arguments.max_findings).unwrap_or(usize::MAX);
    let takes_swapped = arguments.reading.names_login_and_password();
    let report = Linter::new(&manifest, LintOptions { most_listed, takes_swapped }).lint_whole(&manifest)?;
    let name = arguments.manifest.display().to_string();
    let checked =
        Checked { name: &name, format: manifest.format(), warnings: manifest.warnings(), report: &report };
    if arguments.json {
        checked.write_json(std::io::stdout().lock())?;
    } else {
        print(&checked.text());
    }
    let counts = |severity| report.count_of(severity) > 0;
    let is_refused = counts(LintSeverity::Error) || arguments.strict && counts(LintSeverity::Warning);
    Ok(if is_refused { ExitCode::Usage } else { ExitCode::Done })
}
