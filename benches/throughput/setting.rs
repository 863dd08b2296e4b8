//! One setting, and what the two programs took in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::arguments::{ManifestFormat, Tls};
use crate::certificate;
use crate::manifest;
use crate::process::Process;
use crate::services::Services;
use crate::tool::Workplace;

/// What the manifest and the server are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) rows: u32,
    /// Of every answer, in milliseconds.
    pub(crate) latency: u64,
    pub(crate) manifest: ManifestFormat,
    pub(crate) tls: Tls,
    /// Rows in flight.
    pub(crate) concurrency: u32,
}

/// What a program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) process: Process,
    /// The server's processor time for the same rows.
    pub(crate) server: Duration,
    rows: u32,
}

impl Taken {
    pub(crate) fn rows_per_second(&self) -> f64 {
        f64::from(self.rows) / self.process.time.as_secs_f64()
    }

    /// In microseconds.
    pub(crate) fn processor_time_a_row(&self) -> f64 {
        self.process.processor_time.as_secs_f64() * 1e6 / f64::from(self.rows)
    }

    /// In microseconds.
    pub(crate) fn server_time_a_row(&self) -> f64 {
        self.server.as_secs_f64() * 1e6 / f64::from(self.rows)
    }
}

/// Where everything lies that a bench makes; deleted at its end.
#[derive(Debug)]
pub(crate) struct Bench {
    directory: TempDir,
}

impl Bench {
    /// In a folder below this one, or below the system's for temporary files.
    pub(crate) fn new(directory: Option<&Path>) -> Self {
        let made = directory.map_or_else(tempfile::tempdir, tempfile::tempdir_in);
        let directory = made.expect("a temporary folder");
        certificate::make(directory.path());
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The manifest of a setting.
    pub(crate) fn manifest(&self, setting: Setting) -> PathBuf {
        manifest::make(self.path(), setting.manifest, setting.rows)
    }

    /// The server's certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.path().join(certificate::CERTIFICATE)
    }

    /// A folder for a ledger, empty each time.
    pub(crate) fn workplace<'a>(&self, binary: &'a Path) -> Workplace<'a> {
        let directory = self.path().join("work");
        if directory.exists() {
            fs::remove_dir_all(&directory).expect("what was there can be removed");
        }
        fs::create_dir(&directory).expect("a folder");
        Workplace::new(binary, directory)
    }

    /// The bare program.
    pub(crate) fn take_bare(&self, setting: Setting) -> Taken {
        let manifest = self.manifest(setting);
        self.take(setting, |url| {
            let mut command = Command::new(std::env::current_exe().expect("this bench's path"));
            command.arg("bare").arg(&manifest).args([url, url, &setting.concurrency.to_string()]);
            if setting.tls == Tls::Yes {
                command.arg(self.certificate());
            }
            command
        })
    }

    /// The tool.
    pub(crate) fn take_tool(&self, setting: Setting, binary: &Path) -> Taken {
        let manifest = self.manifest(setting);
        let workplace = self.workplace(binary);
        self.take(setting, |url| {
            let mut command = workplace.run(&manifest, url, setting.concurrency, Some("results.csv"));
            if setting.tls == Tls::Yes {
                command.arg("--ca-cert").arg(self.certificate());
            }
            command
        })
    }

    /// Any program that onboards the rows of the setting against the server at a URL.
    ///
    /// # Panics
    ///
    /// When afterwards not every user holds a credential, attached once, with four calls a row.
    pub(crate) fn take(&self, setting: Setting, command: impl FnOnce(&str) -> Command) -> Taken {
        let services = Services::start(setting.latency, (setting.tls == Tls::Yes).then(|| self.path()));
        let process = Process::run(&mut command(&services.url));
        let (counts, server) = services.end();
        let rows = u64::from(setting.rows);
        assert!(
            counts.attached == rows
                && counts.calls == 4 * rows
                && counts.bad_calls == 0
                && counts.second_attaches == 0,
            "of {rows} rows the server saw {counts:?}"
        );
        Taken { process, server, rows: setting.rows }
    }
}
