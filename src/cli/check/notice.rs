//! What `run` and `plan` say of the lint of their manifest.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter as _;

use super::checked::{counted, totals};
use crate::cli::invocation;
use crate::manifest::LintReport;
use crate::pipeline::{Event, Observe};
use crate::ui::LogWriter;

/// Passes a run's events on, and writes one line to stderr where the lint found something.
pub(in crate::cli) struct LintNotice {
    inner: Arc<dyn Observe>,
    logs: LogWriter,
    command: String,
}

impl LintNotice {
    /// Around `inner`, unless nothing is to be said. Lines stand above the bars that `logs` knows of.
    pub(in crate::cli) fn around(
        inner: Arc<dyn Observe>,
        manifest: &Path,
        logs: &LogWriter,
        is_quiet: bool,
    ) -> Arc<dyn Observe> {
        if is_quiet {
            return inner;
        }
        let command = invocation::check_command(manifest);
        Arc::new(Self { inner, logs: logs.clone(), command })
    }
}

impl Observe for LintNotice {
    fn observe(&self, event: &Event) {
        self.inner.observe(event);
        if let Event::Linted(report) = event {
            // Written in one piece when it is dropped; where stderr is gone, nobody is there to be told.
            let _ = self.logs.make_writer().write_all(notice(report, &self.command).as_bytes());
        }
    }
}

fn notice(report: &LintReport, command: &str) -> String {
    let kinds: Vec<String> =
        report.counts.iter().map(|count| format!("{} {}", count.kind, counted(count))).collect();
    format!(
        "the manifest has {} ({}); `{command}` names each with its line\n",
        totals(report),
        kinds.join(", ")
    )
}
