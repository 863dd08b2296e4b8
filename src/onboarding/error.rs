//! Why there is no result.

use std::fmt;

use super::carry::CarryError;
use crate::checkpoint::LedgerError;
use crate::manifest::ManifestError;
use crate::pipeline::{RunError, StagingError};
use crate::settings::SettingsError;

/// Why an onboarding has no result, or its results can't be read. No password, token or cell of the manifest is in it.
///
/// What becomes of a single row is no error but a [`RowResult`](crate::RowResult).
///
/// ```
/// use stara_onboard::{ErrorKind, Manifest};
///
/// let error = Manifest::open("no/such/file.csv").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Manifest);
/// assert_eq!(error.to_string(), "the manifest no/such/file.csv can't be opened");
/// assert!(std::error::Error::source(&error).is_some());
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    what: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What an [`Error`] is about, and so who can do something about it.
///
/// ```
/// # use stara_onboard::ErrorKind;
/// fn is_worth_another_try(kind: ErrorKind) -> bool {
///     matches!(kind, ErrorKind::Held | ErrorKind::Ledger)
/// }
/// # assert!(is_worth_another_try(ErrorKind::Held));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The services, the token or the options make no sense. Nothing was sent.
    Settings,
    /// The manifest can't be read, or isn't fit to be sent. Nothing was sent.
    Manifest,
    /// Another run holds the ledger. Nothing was sent.
    Held,
    /// The ledger can't be read or written, or belongs to other services. What it holds is true; the same onboarding resumes.
    Ledger,
    /// It was stopped before its first row. Nothing was sent.
    Stopped,
    /// A defect of this library, or of the function that it told events. The ledger is true; the same onboarding resumes.
    Internal,
}

impl Error {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(super) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    pub(super) fn caused_by(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }

    /// An error of a floor below. Its text names what a flag would have set, as the program's documentation does.
    fn of(kind: ErrorKind, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        let what = error.to_string();
        match error.source() {
            // Errors that show their cause in their own text end there.
            Some(source) if !what.contains(&source.to_string()) => Self::new(kind, what).caused_by(error),
            _ => Self::new(kind, what),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.source.as_deref()?;
        // What is the same error with more of its own type is passed over.
        if source.to_string() == self.what { source.source() } else { Some(source) }
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::of(ErrorKind::Settings, error)
    }
}

impl From<ManifestError> for Error {
    fn from(error: ManifestError) -> Self {
        Self::of(ErrorKind::Manifest, error)
    }
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        let is_held = matches!(error, LedgerError::Held { .. });
        Self::of(if is_held { ErrorKind::Held } else { ErrorKind::Ledger }, error)
    }
}

impl From<CarryError> for Error {
    fn from(error: CarryError) -> Self {
        match error {
            CarryError::Staging(StagingError::Manifest(error)) => error.into(),
            CarryError::Staging(StagingError::Ledger(error)) | CarryError::Run(RunError::Ledger(error)) => {
                error.into()
            }
            CarryError::Staging(StagingError::UnknownOnly { .. }) => Self::of(ErrorKind::Settings, error),
            CarryError::Staging(StagingError::Stopped(_)) => Self::of(ErrorKind::Stopped, error),
            CarryError::Staging(StagingError::SwappedColumns | StagingError::TooManyInvalid { .. }) => {
                Self::of(ErrorKind::Manifest, error)
            }
            CarryError::Run(RunError::ReaderGone) | CarryError::StagingGone => {
                Self::of(ErrorKind::Internal, error)
            }
        }
    }
}
