//! What a quiet run says: its line where somebody is needed, but not the same one night after night.

use std::time::Duration;

use super::exit_code::ExitCode;
use super::run::tell;
use crate::checkpoint::{Ledger, LedgerError, LineResult, RunKind, Trouble};
use crate::model::{OutcomeCode, UnixMillis};
use crate::ui::count;

/// After this time what was told is told once more: a line may have been overlooked.
const REMINDER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is asked where users vanished: nobody else notices a manifest that was cut off between two lines.
fn cut_off(gone: u64) -> String {
    format!("{} of them there when it was run last: was the manifest cut off?", count(gone))
}

/// What may be new about a run that has ended.
pub(super) struct News {
    /// What kind of run it was.
    pub(super) kind: RunKind,
    /// Its number.
    pub(super) run: i64,
    /// Its exit code.
    pub(super) code: ExitCode,
    /// Users of the ledger that the manifest doesn't name any more.
    pub(super) vanished: u64,
    /// Whether there are magic links that weren't there before.
    pub(super) has_new_links: bool,
}

impl News {
    /// Says the run's line, unless nobody is needed and nobody vanished from the manifest, or whoever is needed was told the same within a week.
    ///
    /// Only a run that came to its end with failed rows can say nothing new: a run that stopped is news each time.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read or written.
    pub(super) fn tell(&self, ledger: &Ledger, line: &str) -> Result<(), LedgerError> {
        if self.kind != RunKind::Run || !matches!(self.code, ExitCode::Done | ExitCode::RowsFailed) {
            if self.code != ExitCode::Done {
                tell(line);
            }
            return Ok(());
        }
        let told = ledger.told()?;
        let gone = self.take_note_of_vanished(ledger)?;
        let Some(trouble) = self.trouble(ledger)? else {
            if gone > 0 {
                tell(&format!("{}; {}\n", line.trim_end(), cut_off(gone)));
            }
            return if told.is_some() { ledger.remember_told(None) } else { Ok(()) };
        };
        let known = told.filter(|told| told.is(&trouble) && !self.has_new_links);
        let is_fresh = |at: UnixMillis| UnixMillis::now().elapsed_since(at).is_some_and(|age| age < REMINDER);
        match known {
            Some(known) if is_fresh(known.at()) => return Ok(()),
            Some(known) => {
                let since = known.at().to_rfc3339();
                tell(&format!("{}; nothing new since {}\n", line.trim_end(), &since[..since.len().min(10)]));
            }
            None if gone > 0 => tell(&format!("{}; {}\n", line.trim_end(), cut_off(gone))),
            None => tell(line),
        }
        ledger.remember_told(Some(&trouble))
    }

    /// How many users vanished from the manifest since it was run last. The next run counts from here.
    fn take_note_of_vanished(&self, ledger: &Ledger) -> Result<u64, LedgerError> {
        let gone = ledger.newly_vanished(self.run)?;
        if let Some(run) = ledger.latest_run()? {
            ledger.remember_vanished(&run.manifest, self.vanished)?;
        }
        Ok(gone)
    }

    /// Takes note that somebody was told all of it: what a quiet run says later is measured against this.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read or written.
    pub(super) fn was_told(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        if self.kind != RunKind::Run || !matches!(self.code, ExitCode::Done | ExitCode::RowsFailed) {
            return Ok(());
        }
        self.take_note_of_vanished(ledger)?;
        match self.trouble(ledger)? {
            None if ledger.told()?.is_none() => Ok(()),
            trouble => ledger.remember_told(trouble.as_ref()),
        }
    }

    /// Which rows wait for somebody; `None` where all is well.
    fn trouble(&self, ledger: &Ledger) -> Result<Option<Trouble>, LedgerError> {
        if self.code == ExitCode::Done {
            return Ok(None);
        }
        let needs_somebody = |result: &LineResult| {
            let code = result.outcome.code;
            !result.not_selected && (self.kind.is_failure(code) || code == OutcomeCode::NotReached)
        };
        ledger.trouble(self.run, needs_somebody, &format!("{} vanished", self.vanished)).map(Some)
    }
}
