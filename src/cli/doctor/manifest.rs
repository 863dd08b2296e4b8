//! The manifest: who may read it, whether it can be read, how many rows it has, and the canary's row.

use std::path::Path;

use super::arguments::DoctorArguments;
use super::check::Check;
use super::doubt::doubt;
use super::permissions;
use crate::cli::failure::Failure;
use crate::cli::manifest_source;
use crate::cli::stores::Stores;
use crate::manifest::{ClientColumn, Linter, Manifest, ManifestError, Record, Row, inner_name};
use crate::model::Secret;

const NAME: &str = "manifest";

/// What was seen of the manifest.
pub(super) struct ManifestSeen {
    pub(super) checks: Vec<Check>,
    /// How many rows it has; `None` when it couldn't be read to its end.
    pub(super) rows: Option<u64>,
    /// The canary's row.
    pub(super) canary: Option<CanaryRow>,
}

/// The row that is to be tried, and under which headers login and password stand.
pub(super) struct CanaryRow {
    pub(super) row: Row,
    pub(super) headers: [String; 2],
    /// Why it isn't to be sent, where the manifest itself tells.
    pub(super) doubt: Option<Check>,
}

/// Looks at the manifest, in which `default_client` is the accessTokenClient of rows without one.
pub(super) fn look(
    arguments: &DoctorArguments,
    path: &Path,
    default_client: Option<&Secret>,
) -> ManifestSeen {
    let mut seen = ManifestSeen { checks: Vec::new(), rows: None, canary: None };
    let decryption = &arguments.reading.decryption;
    let is_encrypted = match read(arguments, path, default_client) {
        Ok(read) => {
            seen.checks.push(read.check(path));
            (seen.rows, seen.canary) = (Some(read.rows), read.canary);
            read.was_encrypted
        }
        Err(failure) => {
            seen.checks.push(Check::failed(NAME, failure));
            let name = path.to_string_lossy();
            decryption.decrypt_command.is_some() || inner_name(&name) != name
        }
    };
    if is_encrypted {
        let keys = decryption.age_identity.iter().map(|path| ("age-identity-mode", path));
        let passphrase = decryption.age_passphrase_file.iter().map(|path| ("age-passphrase-mode", path));
        let what = "what opens the manifest";
        seen.checks.extend(
            keys.chain(passphrase).filter_map(|(name, path)| permissions::of_secret(name, path, what)),
        );
    } else if path.as_os_str() != "-" {
        seen.checks.extend(permissions::of_secret("manifest-mode", path, "the growers' passwords"));
    }
    seen
}

#[derive(Default)]
struct Reading {
    rows: u64,
    invalid: u64,
    canary: Option<CanaryRow>,
    was_encrypted: bool,
}

impl Reading {
    fn check(&self, path: &Path) -> Check {
        let (shown, rows) = (path.display(), self.rows);
        match (rows, self.invalid) {
            (_, 0) => Check::ok(NAME, format!("{shown} has {rows} rows")),
            (0, invalid) => Check::problem(
                NAME,
                format!("{shown} has no row: {invalid} lines can't be read as one"),
                "check the columns (--column FIELD=HEADER)",
            ),
            (_, invalid) => Check::warning(
                NAME,
                format!("{shown} has {rows} rows, and {invalid} lines that can't be read as one"),
                "check names them; a run refuses more than --max-invalid of them",
            ),
        }
    }
}

fn read(
    arguments: &DoctorArguments,
    path: &Path,
    default_client: Option<&Secret>,
) -> Result<Reading, Failure> {
    let stores = Stores::from(&arguments.target);
    let opened = manifest_source::open(path, &stores, &arguments.reading.decryption)?;
    let options = arguments.reading.read_options(ClientColumn::Optional, &[]);
    let manifest = Manifest::open(opened.source, &options)?;
    let mut reading = Reading { was_encrypted: opened.was_encrypted, ..Reading::default() };
    // Its memory is only for a canary.
    let mut linter = arguments.canary.map(|line| Linter::of_line(&manifest, line));
    for record in manifest.records()? {
        let record = record.map_err(|error: ManifestError| Failure::from(error))?;
        if let Some(linter) = &mut linter {
            linter.read(&record);
        }
        match record {
            Record::Row(row) => {
                reading.rows += 1;
                if arguments.canary == Some(row.line) {
                    let headers = manifest.login_headers().map(ToOwned::to_owned);
                    reading.canary = Some(CanaryRow { row, headers, doubt: None });
                }
            }
            Record::Invalid(_) => reading.invalid += 1,
            Record::User(_) => {}
        }
    }
    if let Some((canary, linter)) = reading.canary.as_mut().zip(linter) {
        canary.doubt = doubt(&manifest, path, &canary.row, &linter.finish(), default_client)?;
    }
    Ok(reading)
}
