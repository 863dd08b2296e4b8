//! Judges what only the whole manifest can judge, and counts.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::error::LedgerError;
use super::fingerprint::Fingerprint;
use super::ledger::Ledger;
use super::record::LineDecision;
use super::staging_tally::StagingTally;
use super::whole_manifest::WholeManifest;
use crate::model::OutcomeCode;

/// What staging came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagingTotals {
    /// The run's number.
    pub run: i64,
    /// Lines staged.
    pub lines: u64,
    /// Lines of the whole manifest, of which a shard stages its own.
    pub manifest_lines: u64,
    /// Rows to carry out.
    pub to_do: u64,
    /// Rows that were attached before and cost nothing.
    pub done: u64,
    /// Lines that are no rows.
    pub invalid: u64,
    /// Lines that repeat an earlier one.
    pub duplicate: u64,
    /// Lines that contradict another one.
    pub conflict: u64,
    /// Rows that were left out (`--limit`, `--only`).
    pub not_selected: u64,
    /// Users that are known to hold a credential, or in whose name something is open, and that no line names.
    pub vanished: u64,
    /// Whether the deletion of a credential was begun for a row and is to be completed before all else.
    pub open_removals: bool,
}

/// Lines that name the same user, as groups: the first, how many, the first three, and whether they agree.
const REPEATED: &str = "
    SELECT user, min(line), count(*), group_concat(line, ', ') FILTER (WHERE place <= 3), count(DISTINCT row_print)
    FROM (SELECT user, line, row_print, row_number() OVER (PARTITION BY user ORDER BY line) AS place FROM lines
          WHERE user IN (SELECT user FROM lines WHERE user IS NOT NULL GROUP BY user HAVING count(*) > 1))
    GROUP BY user";

/// Rows beyond the limit aren't selected. Lines that are no rows of their own don't use it up.
const LIMIT: &str = "
    UPDATE lines SET decision = ?1 WHERE decision IN ('to-do', 'replace') AND line >=
        (SELECT line FROM lines WHERE decision IN ('to-do', 'replace') ORDER BY line LIMIT 1 OFFSET ?2)";

/// Users that are known to hold a credential, or in whose name something is open, and that no line names. A line that is
/// no row may name a user all the same.
pub(super) const VANISHED: &str = "
    (held_id IS NOT NULL OR intent_at IS NOT NULL OR outcome IN ('attached', 'already-attached'))
        AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.user = users.key)
        AND leaf_user_id NOT IN (SELECT leaf_user_id FROM lines WHERE leaf_user_id IS NOT NULL)";

impl Ledger {
    /// How many rows that are to be carried out have each login and password, for those that several have.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn logins_of_several_rows(&self) -> Result<HashMap<Fingerprint, u64>, LedgerError> {
        let sql = "SELECT login_print, count(*) FROM lines WHERE decision IN ('to-do', 'replace')
                   GROUP BY login_print HAVING count(*) > 1";
        let read = || -> rusqlite::Result<HashMap<_, _>> {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map([], |row| Ok((Fingerprint(row.get(0)?), row.get(1)?)))?.collect()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// Drops the lines of a longer manifest before, judges lines that name the same user, applies the limit, and counts. Of the
/// staged lines there are so many, and that is the last one.
pub(super) fn judge_together(
    connection: &Connection,
    run: i64,
    limit: Option<u64>,
    (lines, last): (u64, u64),
    tally: &StagingTally,
    whole: WholeManifest,
) -> rusqlite::Result<StagingTotals> {
    connection.execute("DELETE FROM lines WHERE line > ?1", [last])?;
    if tally.has_repeated {
        judge_repeated(connection)?;
    }
    let mut rejudged = tally.has_repeated;
    if let Some(limit) = limit {
        rejudged |= connection.execute(LIMIT, params![LineDecision::NotSelected.as_str(), limit])? > 0;
    }
    let (manifest_lines, manifest_print) = whole.finish();
    let mut totals = StagingTotals {
        run,
        lines,
        manifest_lines,
        to_do: tally.of(LineDecision::ToDo) + tally.of(LineDecision::Replace),
        done: tally.done,
        invalid: tally.of(LineDecision::Invalid),
        duplicate: 0,
        conflict: 0,
        not_selected: tally.of(LineDecision::NotSelected),
        vanished: count_vanished(connection, tally)?,
        open_removals: tally.has_open_removals,
    };
    if rejudged {
        count(connection, &mut totals)?;
    }
    connection.execute(
        "UPDATE runs SET lines = ?2, to_do = ?3, manifest_lines = ?4, manifest_print = ?5 WHERE run = ?1",
        params![run, totals.lines, totals.to_do, manifest_lines, manifest_print],
    )?;
    Ok(totals)
}

fn count_vanished(connection: &Connection, tally: &StagingTally) -> rusqlite::Result<u64> {
    let users: u64 = connection.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
    if users == tally.users() {
        // The manifest names all of them.
        return Ok(0);
    }
    connection.query_row(&format!("SELECT count(*) FROM users WHERE {VANISHED}"), [], |row| row.get(0))
}

fn judge_repeated(connection: &Connection) -> rusqlite::Result<()> {
    let mut repeated = connection.prepare(REPEATED)?;
    let mut mark_others = connection.prepare(
        "UPDATE lines SET decision = ?3, message = ?4 WHERE user = ?1 AND line <> ?2
         AND (decision, message) IS NOT (?3, ?4)",
    )?;
    let mut groups = repeated.query([])?;
    while let Some(group) = groups.next()? {
        let (user, first, lines): (i64, i64, i64) = (group.get(0)?, group.get(1)?, group.get(2)?);
        let (listed, versions): (String, i64) = (group.get(3)?, group.get(4)?);
        // Lines that only name their user have nothing to disagree about.
        if versions <= 1 {
            let message = format!("says the same as line {first}");
            mark_others.execute(params![user, first, LineDecision::Duplicate.as_str(), message])?;
        } else {
            let more = if lines > 3 { " and more" } else { "" };
            let message = format!("lines {listed}{more} name this user and disagree");
            mark_others.execute(params![user, -1, LineDecision::Conflict.as_str(), message])?;
        }
    }
    Ok(())
}

/// Counts the lines by their decisions, in one pass: to group them, SQLite would sort them first.
fn count(connection: &Connection, totals: &mut StagingTotals) -> rusqlite::Result<()> {
    let sql = "
        SELECT count(*) FILTER (WHERE decision IN ('to-do', 'replace')),
               count(*) FILTER (WHERE decision IN ('keep', 'not-selected')
                   AND (SELECT outcome FROM users WHERE key = user) IN (?1, ?2)),
               count(*) FILTER (WHERE decision = 'invalid'),
               count(*) FILTER (WHERE decision = 'duplicate'),
               count(*) FILTER (WHERE decision = 'conflict'),
               count(*) FILTER (WHERE decision = 'not-selected')
        FROM lines";
    let done = [OutcomeCode::Attached.as_str(), OutcomeCode::AlreadyAttached.as_str()];
    connection.query_row(sql, done, |row| {
        totals.to_do = row.get(0)?;
        totals.done = row.get(1)?;
        totals.invalid = row.get(2)?;
        totals.duplicate = row.get(3)?;
        totals.conflict = row.get(4)?;
        totals.not_selected = row.get(5)?;
        Ok(())
    })
}
