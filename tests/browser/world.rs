//! Pages of real runs.

use std::path::{Path, PathBuf};

use crate::support::{Invocation, user};

/// The passwords that make rows of a rehearsal end in one way each, and their codes.
pub(crate) const ENDINGS: [(&str, &str); 8] = [
    ("sandbox:wrong-password", "stara-login-rejected"),
    ("sandbox:unknown-user", "leaf-user-unknown"),
    ("sandbox:forbidden-user", "leaf-user-forbidden"),
    ("sandbox:healthy", "already-attached"),
    ("sandbox:unhealthy", "credential-unhealthy"),
    ("sandbox:refused", "leaf-credentials-refused"),
    ("sandbox:stara-html", "stara-unexpected-answer"),
    ("right", "attached"),
];

/// A folder with a manifest, and the program in it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A place with a manifest of these lines.
    pub(crate) fn new(header: &[&str], lines: &[Vec<String>]) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let mut writer = csv::Writer::from_path(place.path("growers.csv")).unwrap();
        writer.write_record(header).unwrap();
        for line in lines {
            writer.write_record(line).unwrap();
        }
        writer.flush().unwrap();
        place
    }

    /// So many rows of which each ends in another way than the one before, with a kept column `fazenda`.
    pub(crate) fn mixed(rows: usize) -> Self {
        let line = |number: usize| {
            let (password, _) = ENDINGS[number % ENDINGS.len()];
            let login = format!("grower{number}@agro.example");
            vec![user(number).to_string(), login, password.to_owned(), format!("Fazenda São João {number}")]
        };
        Self::new(&["leafUserId", "login", "password", "fazenda"], &(0..rows).map(line).collect::<Vec<_>>())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Rehearses the manifest; the page goes to `page.html`.
    pub(crate) fn run(&self, arguments: &[&str]) -> PathBuf {
        let program = Invocation::new(self.folder()).args(["run", "growers.csv", "--sandbox"]);
        let ended = program.args(["--max-failures", "100%", "--report", "page.html"]).args(arguments).end();
        assert!([Some(0), Some(3), Some(5)].contains(&ended.code), "{ended:?}");
        self.path("page.html")
    }
}
