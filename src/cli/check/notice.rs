//! What `run` and `plan` say of the lint of their manifest.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter as _;

use super::checked::{counted, totals};
use crate::cli::invocation;
use crate::manifest::LintReport;
use crate::pipeline::{Event, Observe};
use crate::ui::{LogWriter, count};

/// Passes a run's events on, and writes one line to stderr where the lint found something.
pub(in crate::cli) struct LintNotice {
    inner: Arc<dyn Observe>,
    logs: LogWriter,
    /// The command that names each place; `None` where nothing is said of the lint.
    command: Option<String>,
}

impl LintNotice {
    /// Around `inner`; of the lint nothing is said when it is to be quiet. Lines stand above the bars that `logs` knows of.
    pub(in crate::cli) fn around(
        inner: Arc<dyn Observe>,
        manifest: &Path,
        logs: &LogWriter,
        is_quiet: bool,
    ) -> Arc<dyn Observe> {
        let command = (!is_quiet).then(|| invocation::check_command(manifest));
        Arc::new(Self { inner, logs: logs.clone(), command })
    }
}

impl Observe for LintNotice {
    fn observe(&self, event: &Event) {
        self.inner.observe(event);
        let notice = match (event, &self.command) {
            (Event::Linted(report), Some(command)) => notice(report, command),
            (Event::LoginsDivided { logins, is_at_least }, _) => divided(*logins, *is_at_least),
            _ => return,
        };
        // Written in one piece when it is dropped; where stderr is gone, nobody is there to be told.
        let _ = self.logs.make_writer().write_all(notice.as_bytes());
    }
}

/// Said even where nothing else is, because growers may be locked out by it.
fn divided(logins: u64, is_at_least: bool) -> String {
    let logins = count(logins);
    let at_least = if is_at_least { "at least " } else { "" };
    format!(
        "warning: logins of this shard that stand in rows of other shards, too: {at_least}{logins}. Stara is asked for them side by \
         side, and a wrong password may be tried once a shard; rows of one login belong into one manifest that isn't sharded\n"
    )
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
