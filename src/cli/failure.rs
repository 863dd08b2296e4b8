//! Errors as people see them: what happened, why, and what to do next.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use super::exit_code::ExitCode;
use super::run::internal;
use super::unopened::unwritable;
use crate::checkpoint::LedgerError;
use crate::http::ClientError;
use crate::manifest::{Field, ManifestError, ManifestProblem};
use crate::model::Shard;
use crate::onboarding::CarryError;
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
    pub hint: String,
}

impl Failure {
    /// A failure with a hint.
    pub fn new(code: ExitCode, error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self { code, error: error.into(), hint: hint.into() }
    }

    /// The same failure; where Leaf's token is missing, the hint goes on.
    #[must_use]
    pub(super) fn hinting_without_token(self, further: &str) -> Self {
        let is_about_token =
            matches!(self.error.downcast_ref::<SettingsError>(), Some(SettingsError::NoLeafToken));
        if is_about_token { self.hinting_further(further) } else { self }
    }

    /// The same failure, whose hint goes on.
    #[must_use]
    pub(super) fn hinting_further(mut self, further: &str) -> Self {
        self.hint.push_str("; ");
        self.hint.push_str(further);
        self
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
        let _ = writeln!(text, "hint: {}", self.hint);
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
        let hint = manifest_hint(&error.problem);
        // Only the chain has it: what is logged of a failure is its first line.
        let error = match error.whole().map(|whole| whole.expose_secret().to_owned()) {
            Some(whole) => anyhow::Error::msg(whole).context(error),
            None => error.into(),
        };
        Self::new(ExitCode::Usage, error, hint)
    }
}

/// What to do about a manifest that can't be read. Nothing was sent.
fn manifest_hint(problem: &ManifestProblem) -> String {
    let advice = match problem {
        ManifestProblem::Read(_) => "check the file, its permissions and its disk, then run again",
        ManifestProblem::Empty | ManifestProblem::NoRows => {
            "look at what wrote it: a manifest has a line of column names (leafUserId, login, password) and one line for each \
             grower below it"
        }
        ManifestProblem::Corrupt { .. } => "copy or compress it anew, then run again",
        ManifestProblem::WrongFormat { .. } => {
            "a manifest is CSV (also .gz or .zst) or Parquet, with leafUserId, login and password"
        }
        ManifestProblem::Malformed { .. } => "save it as CSV UTF-8, or name the encoding that it has",
        ManifestProblem::Runaway { .. } => {
            "close that quote, or write a quote within a cell twice (\"\"), then run again"
        }
        ManifestProblem::MissingColumn { export: Some(export), .. } => export.advice(),
        ManifestProblem::MissingColumn { field: Field::AccessTokenClient, .. } => {
            "in the dialect form every row needs one: name its column, or set STARA_ACCESS_TOKEN_CLIENT for all"
        }
        ManifestProblem::MissingColumn { .. } => {
            "it may be a manifest of another tool: name its columns (HEADER as the file has it), or rename them"
        }
        ManifestProblem::NoHeader => {
            "the line needs the names leafUserId,login,password at least, in the order of the columns"
        }
        ManifestProblem::NulInHeader => "or save it as CSV UTF-8",
        ManifestProblem::TwoColumns { .. } => "of two columns for one field only you know the right one",
        ManifestProblem::NoSuchColumn { .. } | ManifestProblem::SeveralColumns { .. } => {
            "name the column as the file's first line has it"
        }
        ManifestProblem::OneColumnTwice { .. } => "name another column for one of them",
        ManifestProblem::SecretKept { .. } => "keep another column",
        ManifestProblem::ColumnType { .. } => {
            "cast the column to a string where the file is written, then run again"
        }
        ManifestProblem::Parquet(_) => "write or copy it anew, or give a CSV, then run again",
    };
    format!("nothing was sent; {advice}")
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let hint = match &error {
            SettingsError::NoLeafToken => {
                "nothing was sent; set LEAF_TOKEN, or LEAF_USERNAME and LEAF_PASSWORD, or name a file with --leaf-token-file"
            }
            SettingsError::BadLeafToken { .. } => {
                "nothing was sent; copy the token again, in one line and whole"
            }
            SettingsError::BadUrl { .. } => "nothing was sent; write https:// and the host",
            SettingsError::Client { source: ClientError::Setup(_), .. } => {
                "nothing was sent; install the system's CA certificates (a package mostly called ca-certificates), or name a file of \
                 them with --ca-cert"
            }
            SettingsError::Client { source: ClientError::Insecure { .. }, .. } => {
                "nothing was sent; write https://; to send passwords in clear on purpose, add --allow-insecure-http"
            }
            SettingsError::Client { .. } => {
                "nothing was sent; write https:// and the host, perhaps with a port and a path"
            }
            SettingsError::ReplaceWithoutLook => "nothing was sent; leave out --precheck off",
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
            LedgerError::File { path, source } if unwritable(path, source).is_some() => {
                let why = unwritable(path, source).unwrap_or_default();
                let hint = format!(
                    "{why}; or name another place with --state FILE; then run the same command again"
                );
                return Self::new(ExitCode::StateUnwritable, error, hint);
            }
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

impl From<CarryError> for Failure {
    fn from(error: CarryError) -> Self {
        match error {
            CarryError::Staging(error) => error.into(),
            CarryError::Run(error) => error.into(),
            CarryError::StagingGone => internal("staging ended unexpectedly"),
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
