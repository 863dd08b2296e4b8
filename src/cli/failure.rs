//! Errors as people see them: what happened, why, and what to do next.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use super::exit_code::ExitCode;
use crate::checkpoint::LedgerError;
use crate::http::ClientError;
use crate::manifest::{Field, ManifestError, ManifestProblem};
use crate::model::Shard;
use crate::pipeline::{AuditError, RunError, StagingError, StopCause};
use crate::settings::SettingsError;

/// An error on its way to the person at the keyboard.
#[derive(Debug)]
pub struct Failure {
    /// The exit code it leads to.
    pub code: ExitCode,
    /// What happened, with its causes.
    pub error: anyhow::Error,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a hint.
    pub fn new(code: ExitCode, error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self { code, error: error.into(), hint: Some(hint.into()) }
    }

    /// The text for stderr: `error:`, `caused by:` and `hint:` lines.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("error: {}\n", self.error);
        let mut said = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            // Some errors show their cause in their own text already.
            if !said.contains(&cause) {
                // Writing into a string can't fail.
                let _ = writeln!(text, "caused by: {cause}");
                said.push_str(&cause);
            }
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {hint}");
        }
        // A file's name is somebody's choice, and a terminal carries out what it is told.
        let shown = |letter: char| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter };
        text.chars().map(shown).collect()
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        if error.is_of_changed_source() {
            return Self::new(ExitCode::Incomplete, error, "nothing was sent; run the same command again");
        }
        let hint = match error.problem {
            ManifestProblem::MissingColumn { field: Field::AccessTokenClient, .. } => {
                "nothing was sent; in the dialect form every row needs one: name its column, or set \
                 STARA_ACCESS_TOKEN_CLIENT for all"
            }
            _ => "nothing was sent; correct the manifest and run again",
        };
        Self::new(ExitCode::Usage, error, hint)
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let hint = match &error {
            SettingsError::NoLeafToken => {
                "set LEAF_TOKEN, or LEAF_USERNAME and LEAF_PASSWORD, or name a file with --leaf-token-file; \
                 to rehearse without any, add --sandbox"
            }
            SettingsError::BadLeafToken { .. } => "copy the token again, in one line and whole",
            SettingsError::BadUrl { .. } => "write https://host",
            SettingsError::Client { source: ClientError::Setup(_), .. } => {
                "install the system's CA certificates (a package mostly called ca-certificates), or name a file of \
                 them with --ca-cert"
            }
            SettingsError::Client { source: ClientError::Insecure { .. }, .. } => {
                "write https://; to send passwords in clear on purpose, add --allow-insecure-http"
            }
            SettingsError::Client { .. } => "write https://host, perhaps with a port and a path",
            SettingsError::ReplaceWithoutLook => "leave out --precheck off",
            SettingsError::TooFewToDivide { .. } => {
                "nothing was sent; it is the limit of all shards together, and each needs one of it"
            }
        };
        Self::new(ExitCode::Usage, error, hint)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let (code, hint) = match &error {
            LedgerError::Held { .. } => (
                ExitCode::Held,
                "wait until it ends; a ledger of its own (--state FILE) is for other growers only, or both would act on the same",
            ),
            LedgerError::OtherTarget { .. } => (
                ExitCode::Usage,
                "one ledger serves one target; give this one its own with --state FILE, so that a row done there \
                 never counts as done here",
            ),
            LedgerError::OtherShard { .. } => (
                ExitCode::Usage,
                "nothing was sent; go on with the same --shard I/N as before, or without it, and name with --state FILE what \
                 you named before: the shard's ledger is found by itself",
            ),
            LedgerError::OtherDivision { other, .. } => {
                let hint = format!(
                    "nothing was sent; go on {}; a new ledger (--state FOLDER/ledger.db) forgets all: every user gets a look, \
                     refused passwords are sent once more, and whatever was attached so far counts as not ours: changed \
                     logins aren't replaced, and nothing is rolled back or repaired",
                    as_before(other)
                );
                return Self::new(ExitCode::Usage, error, hint);
            }
            LedgerError::MissingBesideShards { shards, .. } => {
                let hint = format!("say --shard I/{shards}, or name a ledger with --state FILE");
                return Self::new(ExitCode::Usage, error, hint);
            }
            LedgerError::Missing { .. } => {
                (ExitCode::Usage, "run a manifest first, or name the ledger with --state FILE")
            }
            LedgerError::NotALedger { .. } | LedgerError::SymbolicLink { .. } => {
                (ExitCode::Usage, "name another file with --state FILE")
            }
            LedgerError::OnNetwork { .. } => (
                ExitCode::Usage,
                "nothing was sent; name a place on a disk of this machine with --state FILE (in Kubernetes: a volume of \
                 block storage)",
            ),
            LedgerError::TooNew { .. } => (ExitCode::Usage, "use the newer stara-onboard, or another ledger"),
            LedgerError::BadKey { .. } => (
                ExitCode::Usage,
                "put the right key back; without any key the run goes on, but notices no changed rows",
            ),
            error if error.is_damage() => (
                ExitCode::StateUnwritable,
                "the file is damaged: put ledger and key back from a backup; without one move them away, and a new ledger \
                 learns from Leaf what is attached",
            ),
            LedgerError::Database { .. }
            | LedgerError::File { .. }
            | LedgerError::NoRandomness
            | LedgerError::WriterGone { .. } => (
                ExitCode::StateUnwritable,
                "check free space, permissions and that it is a local disk; then run the same command again",
            ),
        };
        Self::new(code, error, hint)
    }
}

/// With which `--shard` whoever has this ledger goes on.
fn as_before(ledger: &Path) -> String {
    let infix = ledger.file_stem().map(Path::new).and_then(Path::extension);
    let shard = infix.and_then(OsStr::to_str).and_then(Shard::from_infix);
    shard.map_or_else(
        || "without --shard, as before".to_owned(),
        |shard| format!("with --shard I/{}, as before", shard.count()),
    )
}

impl From<StagingError> for Failure {
    fn from(error: StagingError) -> Self {
        match error {
            StagingError::Manifest(error) => error.into(),
            StagingError::Ledger(error) => error.into(),
            StagingError::TooManyInvalid { .. } => Self::new(
                ExitCode::Usage,
                error,
                "nothing was sent; if these lines are meant to be left out, raise --max-invalid (and leave out --strict)",
            ),
            StagingError::SwappedColumns => Self::new(
                ExitCode::Usage,
                error,
                "nothing was sent or kept; correct the header, or name both columns as they are: --column login=HEADER --column \
                 password=HEADER",
            ),
            StagingError::UnknownOnly { .. } => {
                Self::new(ExitCode::Usage, error, "nothing was sent; check the ids and the manifest")
            }
            StagingError::Stopped(ref cause) => {
                let code = match cause {
                    StopCause::Signal(signal) => (*signal).into(),
                    _ => ExitCode::Incomplete,
                };
                Self::new(code, error, "nothing was sent; run the same command again")
            }
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Manifest(error) => error.into(),
            AuditError::Ledger(error) => error.into(),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Ledger(error) => error.into(),
            RunError::ReaderGone => Self::new(
                ExitCode::Internal,
                error,
                "report it; the ledger is true, and the same command resumes",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_an_error_commands_no_terminal() {
        let error = LedgerError::Missing { path: "a\u{1b}[2J\u{9b}31m\u{7}.db".into() };
        let text = Failure::from(error).render();
        assert!(text.lines().all(|line| !line.contains(char::is_control)), "{text:?}");
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_what_to_do() {
        let cause = std::io::Error::other("disk on fire");
        let error = LedgerError::File { path: "state".into(), source: cause };
        let text = Failure::from(error).render();
        assert!(
            text.starts_with("error: state can't be used\ncaused by: disk on fire\nhint: check free space"),
            "{text}"
        );
    }
}
