//! The files of one call: nothing that it writes may take the place of something that is needed, or of each other.

use std::path::{Path, PathBuf};

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::stores::{object_name, refuse_object};
use crate::settings::{DecryptionFlags, TargetFlags};

/// What a manifest is called among the files of a call.
const MANIFEST: &str = "the manifest";

/// The files of one call.
#[derive(Debug, Clone)]
pub(super) struct CallFiles {
    /// Those that are read or kept, and what each of them is.
    needed: Vec<(&'static str, PathBuf)>,
    /// Those that are written, and by which flag each of them is named.
    written: Vec<(&'static str, PathBuf)>,
}

impl CallFiles {
    /// Those of a call about several ledgers.
    pub(super) fn beside_all(ledgers: &[PathBuf]) -> Self {
        let needed = ledgers.iter().flat_map(|ledger| Self::beside(ledger).needed).collect();
        Self { needed, written: Vec::new() }
    }

    /// Those of a call about the ledger at `ledger`.
    pub(super) fn beside(ledger: &Path) -> Self {
        // SQLite adds its endings to the whole name.
        let of_sqlite = |ending: &str| {
            let mut name = ledger.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let needed = vec![
            ("the ledger", ledger.to_owned()),
            ("the ledger's key", ledger.with_extension("key")),
            ("the ledger's lock", ledger.with_extension("lock")),
            ("the ledger's log", of_sqlite("-wal")),
            ("the ledger's index", of_sqlite("-shm")),
            ("the ledger's journal", of_sqlite("-journal")),
        ];
        Self { needed, written: Vec::new() }
    }

    /// And a file that is needed, where there is one; `-` is none.
    pub(super) fn needing(mut self, what: &'static str, path: Option<&Path>) -> Self {
        self.needed.extend(path.filter(|path| path.as_os_str() != "-").map(|path| (what, path.to_owned())));
        self
    }

    /// And the files that the flags of the two services name.
    pub(super) fn needing_for(self, target: &TargetFlags) -> Self {
        self.needing("the file of Leaf's token", target.leaf_token_file.as_deref())
            .needing("the file of certificates", target.ca_cert.as_deref())
    }

    /// And the files that open an encrypted manifest.
    pub(super) fn needing_to_decrypt(mut self, flags: &DecryptionFlags) -> Self {
        for path in &flags.age_identity {
            self = self.needing("an age identity", Some(path));
        }
        self.needing("the file of a passphrase", flags.age_passphrase_file.as_deref())
    }

    /// And files that are written, which `flag` names.
    pub(super) fn writing<'a>(
        mut self,
        flag: &'static str,
        paths: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Self {
        self.written.extend(paths.into_iter().map(|path| (flag, path.clone())));
        self
    }

    /// Makes sure that each file has one purpose.
    ///
    /// # Errors
    ///
    /// When one that is written is needed for something else, or written twice.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (what, path) in self.needed.iter().filter(|(what, _)| *what != MANIFEST) {
            refuse_object(what, path)?;
        }
        for (flag, path) in self.written.iter().filter(|(flag, _)| *flag != "--report") {
            refuse_object(&format!("what {flag} writes"), path)?;
        }
        for (place, (flag, path)) in self.written.iter().enumerate() {
            let needed = self.needed.iter().find(|(_, other)| is_same_file(path, other));
            let twice = self.written[..place].iter().find(|(_, other)| is_same_file(path, other));
            let what = match (needed, twice) {
                (Some((what, _)), _) => (*what).to_owned(),
                (None, Some((other, _))) => format!("what {other} writes"),
                (None, None) => continue,
            };
            let error = anyhow::anyhow!("{} is {what}, and would be written over by {flag}", path.display());
            let hint = format!("nothing was sent; name another file with {flag}");
            return Err(Failure::new(ExitCode::Usage, error, hint));
        }
        Ok(())
    }
}

/// Whether two paths name one file or one object of a store, be it there or not.
fn is_same_file(one: &Path, other: &Path) -> bool {
    if let (Some(one), Some(other)) = (object_name(one), object_name(other)) {
        return one == other;
    }
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
    };
    one == other || place(one).is_some_and(|one| place(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(files: &CallFiles) -> Option<String> {
        files.check().err().map(|failure| failure.error.to_string())
    }

    #[test]
    fn each_file_has_one_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = CallFiles::beside(&path("ledger.db")).needing("the manifest", Some(&path("g.csv")));
        assert_eq!(refused(&files.clone().writing("--report", &[path("r.csv"), path("r.jsonl")])), None);
        for (name, what) in [
            ("g.csv", "the manifest"),
            ("ledger.db", "the ledger"),
            ("ledger.key", "the ledger's key"),
            ("ledger.db-wal", "the ledger's log"),
            ("./ledger.lock", "the ledger's lock"),
        ] {
            let said = refused(&files.clone().writing("--log-file", &[path(name)])).unwrap();
            assert!(
                said.ends_with(&format!(" is {what}, and would be written over by --log-file")),
                "{said}"
            );
        }
        let twice = files.writing("--report", &[path("r.csv")]).writing("--magic-links", &[path("r.csv")]);
        assert!(refused(&twice).unwrap().contains("is what --report writes"));
    }

    #[test]
    fn an_object_by_its_scheme_in_other_letters_is_the_same_object() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = CallFiles::beside(&folder.path().join("ledger.db"));
        let path = |text: &str| PathBuf::from(text);
        let reading = ledger.clone().needing("the manifest", Some(Path::new("s3://abc/night/m.csv")));
        for same in ["s3://abc/night/m.csv", "S3://abc/night/m.csv"] {
            let said = refused(&reading.clone().writing("--report", &[path(same)])).unwrap();
            assert!(said.contains("is the manifest"), "{said}");
        }
        for other in ["s3://abc/night/M.csv", "S3://abd/night/m.csv", "s3://abc/m.csv", "abc/night/m.csv"] {
            assert_eq!(refused(&reading.clone().writing("--report", &[path(other)])), None, "{other}");
        }
        let twice = ledger.writing("--report", &[path("s3://abc/r.csv"), path("S3://abc/r.csv")]);
        assert!(refused(&twice).unwrap().contains("is what --report writes"));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_by_another_name_is_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let (manifest, link) = (folder.path().join("g.csv"), folder.path().join("link.csv"));
        std::fs::write(&manifest, "x").unwrap();
        std::os::unix::fs::symlink(&manifest, &link).unwrap();
        let files =
            CallFiles::beside(&folder.path().join("ledger.db")).needing("the manifest", Some(&manifest));
        assert!(refused(&files.clone().writing("--log-file", &[link])).is_some());
        let stdin =
            CallFiles::beside(&folder.path().join("ledger.db")).needing("the manifest", Some(Path::new("-")));
        assert_eq!(refused(&stdin.writing("--log-file", &[PathBuf::from("-")])), None);
    }
}
