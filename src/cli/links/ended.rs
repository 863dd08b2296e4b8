//! What is told of magic links when a verb ends, and what they mean for its exit code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::file::LinkFile;
use crate::checkpoint::{Ledger, Rejected};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::pipeline::{LinksMade, StopCause};
use crate::ui::count;

/// The magic links of a verb that ends.
#[derive(Debug)]
pub(in crate::cli) struct LinksEnded {
    path: PathBuf,
    /// How many links are in the file; `None` where it wasn't written.
    written: Option<u64>,
    made: LinksMade,
}

impl LinksEnded {
    /// Writes the file, unless a signal stopped the verb: whoever sent it doesn't want to wait.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub(in crate::cli) fn new(
        file: &LinkFile,
        sources: &[(&Ledger, Rejected)],
        made: Option<&LinksMade>,
        stopped: Option<&StopCause>,
    ) -> Result<Self, Failure> {
        let is_signalled = matches!(stopped, Some(StopCause::Signal(_)));
        let written = if is_signalled { None } else { Some(file.write(sources)?) };
        Ok(Self { path: file.path.clone(), written, made: made.cloned().unwrap_or_default() })
    }

    /// Whether the file was written.
    pub(in crate::cli) const fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// Whether there was nobody who could have been given one.
    pub(super) fn concerns_nobody(&self) -> bool {
        self.made == LinksMade::default()
    }

    /// Whether some of them are to be handed out that weren't there before.
    pub(in crate::cli) const fn has_new(&self) -> bool {
        self.made.made > 0
    }

    /// Whether the same command may make more of them.
    pub(in crate::cli) fn is_incomplete(&self) -> bool {
        self.written.is_none() || self.made.is_incomplete()
    }

    /// The code with which the verb ends that would end with this one: a link that another try may bring makes a success
    /// incomplete. One that can't be made at all doesn't, or no night would be complete any more.
    pub(in crate::cli) fn code(&self, code: ExitCode) -> ExitCode {
        match code {
            ExitCode::Done | ExitCode::RowsFailed if self.is_incomplete() => ExitCode::Incomplete,
            code => code,
        }
    }

    /// What people are told: a line, one more where links are missing, and one where they can't be made.
    pub(in crate::cli) fn lines(&self) -> Vec<String> {
        let path = self.path.display();
        let mut lines = match self.written {
            None => vec![format!(
                "Magic links: not written, because of the signal; the same command, or report --magic-links, writes {path}"
            )],
            Some(written) if self.made.kept + self.made.made == 0 => {
                vec![format!("Magic links: {} in {path}", count(written))]
            }
            Some(written) => {
                let LinksMade { kept, made, .. } = self.made;
                let [written, made, kept] = [written, made, kept].map(count);
                vec![format!("Magic links: {written} in {path} ({made} new, {kept} from before)")]
            }
        };
        lines.extend(without_link("Magic links missing", &self.made.missing));
        lines.extend(without_link("Magic links that can't be made", &self.made.impossible));
        lines
    }

    /// The same as JSON.
    pub(in crate::cli) fn json(&self) -> Value {
        json!({
            "file": self.written.is_some().then(|| self.path.display().to_string()),
            "written": self.written,
            "new": self.made.made,
            "kept": self.made.kept,
            "missing": self.made.missing,
            "impossible": self.made.impossible,
        })
    }
}

/// How many users have no link, and why.
fn without_link(what: &str, reasons: &BTreeMap<&'static str, u64>) -> Option<String> {
    let users = reasons.values().sum();
    let reasons: Vec<String> =
        reasons.iter().map(|(why, users)| format!("{why} ({})", count(*users))).collect();
    (users > 0).then(|| format!("{what}: {}: {}", count(users), reasons.join("; ")))
}
