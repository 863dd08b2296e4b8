//! What is to be onboarded.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::error::{Error, ErrorKind};
use crate::manifest::{Field, ReadOptions, Source};

/// The most bytes of a manifest that are kept in memory.
const MEMORY_CAP: usize = 256 * 1024 * 1024;

/// A manifest: growers with `leafUserId`, `login` and `password`, in CSV (also compressed by gzip or zstd) or Parquet.
///
/// Format, encoding and columns are found by themselves, as `docs/MANIFESTS.md` tells; it is read when the onboarding runs, twice,
/// and never held as a whole unless it came from memory. Passwords in memory are wiped.
///
/// ```
/// use stara_onboard::Manifest;
///
/// let file = "leafUserId;conta;senha;fazenda\n\
///             2e416788-f5ec-42ed-8108-847512e1bc76;elaine@produtor.example;trator;Boa Vista\n";
/// let manifest = Manifest::from_bytes("growers.csv", file.as_bytes().to_vec())
///     .login_column("conta")
///     .password_column("senha")
///     .keep_column("fazenda");
/// ```
#[derive(Debug, Clone)]
pub struct Manifest {
    pub(super) source: Source,
    pub(super) options: ReadOptions,
}

impl Manifest {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When it can't be opened, or is no regular file.
    ///
    /// ```no_run
    /// let manifest = stara_onboard::Manifest::open("growers.csv")?;
    /// # Ok::<(), stara_onboard::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let source = File::open(path).and_then(|file| Source::file(file, name.clone()));
        source.map(Self::of).map_err(|source| {
            Error::new(ErrorKind::Manifest, format!("the manifest {name} can't be opened")).caused_by(source)
        })
    }

    /// Takes bytes that are in memory already, and wipes them in the end. `name` is what results and messages call them.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self::of(Source::memory(Zeroizing::new(bytes), name))
    }

    /// Reads all of `reader` into memory, at most 256 MiB: a pipe, a decrypted stream, the body of a download.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is larger.
    ///
    /// ```
    /// let piped = std::io::Cursor::new("leafUserId,login,password\n");
    /// let manifest = stara_onboard::Manifest::from_reader("stdin", piped)?;
    /// # Ok::<(), stara_onboard::Error>(())
    /// ```
    pub fn from_reader(name: impl Into<String>, reader: impl Read) -> Result<Self, Error> {
        let name = name.into();
        match Source::read_to_memory(reader, MEMORY_CAP) {
            Ok(bytes) => Ok(Self::of(Source::memory(bytes, name))),
            Err(source) => {
                let what = format!("the manifest {name} can't be read into memory, of which it gets 256 MiB");
                Err(Error::new(ErrorKind::Manifest, what).caused_by(source))
            }
        }
    }

    /// Names the column of Leaf's user ids, where its header isn't recognised.
    #[must_use]
    pub fn leaf_user_id_column(self, header: impl Into<String>) -> Self {
        self.column(Field::LeafUserId, header)
    }

    /// Names the column of logins, where its header isn't recognised.
    #[must_use]
    pub fn login_column(self, header: impl Into<String>) -> Self {
        self.column(Field::Login, header)
    }

    /// Names the column of passwords, where its header isn't recognised.
    #[must_use]
    pub fn password_column(self, header: impl Into<String>) -> Self {
        self.column(Field::Password, header)
    }

    /// Carries a further column into the results: [`RowResult::kept`](crate::RowResult::kept), in the order of these calls. It is kept
    /// in the ledger, in clear.
    #[must_use]
    pub fn keep_column(mut self, header: impl Into<String>) -> Self {
        self.options.keep_columns.push(header.into());
        self
    }

    fn column(mut self, field: Field, header: impl Into<String>) -> Self {
        self.options.columns.push((field, header.into()));
        self
    }

    fn of(source: Source) -> Self {
        Self { source, options: ReadOptions::default() }
    }

    /// Whether both columns are named, so that they are taken as they are, whatever stands in them.
    pub(super) fn names_login_and_password(&self) -> bool {
        let is_named = |wanted: Field| self.options.columns.iter().any(|(field, _)| *field == wanted);
        is_named(Field::Login) && is_named(Field::Password)
    }
}
