//! Ends the rows that Leaf's list proves to be attached, before a single one is looked at.
//!
//! What a row's end is, its journey decides: it is shown what the list showed, as if it had looked by itself. Where that
//! isn't its end, the row goes its own way, and looks again.

use std::time::Duration;

use super::event::Event as RunEvent;
use super::hosts::Hosts;
use super::journey::{Answer, Call, Effect, Event, Finish, Journey, JourneyRules, JourneyStart, OnExisting};
use super::known::start_of;
use super::recording::held_after;
use super::task::decided_row;
use super::truth::{ListUse, read_list};
use crate::api::UserLook;
use crate::checkpoint::{
    KeyStanding, Ledger, LedgerError, OutcomeChange, OutcomeRecord, RefusalChange, SeenRow, Subjects,
};
use crate::model::{Credential, UnixMillis};

/// How many rows are ended in one commit.
const ROWS_AT_ONCE: usize = 512;

/// Reads Leaf's list where it is worth it, and ends the rows of `run` that it proves to be attached.
pub(super) async fn end_listed(
    hosts: &Hosts,
    ledger: &Ledger,
    list_use: ListUse,
    rules: JourneyRules,
    run: i64,
) -> Result<(), LedgerError> {
    let list_use = list_use_of(list_use, rules);
    if list_use == ListUse::Never {
        return Ok(());
    }
    let subjects = ledger.begin_seeing(Subjects::RowsToDo)?;
    let reading = read_list(hosts, ledger, list_use, subjects).await?;
    if reading.pages == 0 {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let rows = ledger.rows_seen_attached(after, ROWS_AT_ONCE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.line;
        let key = ledger.key_standing();
        let end = |row: SeenRow| end_of(&row, rules, key).map(|finish| (row, finish));
        let ended: Vec<(SeenRow, Finish)> = rows.into_iter().filter_map(end).collect();
        let told: Vec<RunEvent> = ended.iter().map(|(row, finish)| finished(row, finish)).collect();
        let now = UnixMillis::now();
        let changes = ended.into_iter().map(|(row, finish)| change(&row, finish, key, run, now));
        ledger.finish_all(changes.collect())?;
        for event in &told {
            hosts.observer.observe(event);
        }
    }
}

/// How a run with these rules uses the list.
pub(super) fn list_use_of(list_use: ListUse, rules: JourneyRules) -> ListUse {
    // What is there is to be replaced: no list ends such a row.
    if rules.on_existing == OnExisting::Replace { ListUse::Never } else { list_use }
}

/// Whether a row that begins so ends with a list that shows this credential.
pub(super) fn is_ended_by_list(credential: &Credential, rules: JourneyRules, start: JourneyStart) -> bool {
    shown_by_list(credential, rules, start).is_some()
}

/// The row's end, if what the list showed is one: with a healthy credential that it may keep.
fn end_of(row: &SeenRow, rules: JourneyRules, key: KeyStanding) -> Option<Finish> {
    shown_by_list(&row.credential, rules, start_of(&row.record, &row.login, row.fingerprints, key))
}

fn shown_by_list(credential: &Credential, rules: JourneyRules, start: JourneyStart) -> Option<Finish> {
    let mut journey = Journey::new(rules, start);
    let Effect::Send(Call::LookUser) = journey.on(Event::Begun, Duration::ZERO) else { return None };
    let seen = Answer::User(UserLook::Credential(credential.clone()));
    match journey.on(Event::Answered(seen), Duration::ZERO) {
        Effect::Finish(finish) if finish.outcome.code.is_done() => Some(*finish),
        _ => None,
    }
}

fn finished(row: &SeenRow, finish: &Finish) -> RunEvent {
    let (line, leaf_user_id) = (row.line, row.leaf_user_id);
    RunEvent::RowFinished { line, leaf_user_id, code: finish.outcome.code, stage: finish.outcome.stage }
}

fn change(
    row: &SeenRow,
    finish: Finish,
    key: KeyStanding,
    run: i64,
    finished_at: UnixMillis,
) -> OutcomeChange {
    OutcomeChange {
        user: row.user,
        held: held_after(&finish, &row.record, Some(&row.login), run),
        row: Some(decided_row(&row.login, row.fingerprints, key)),
        record: OutcomeRecord { outcome: finish.outcome, finished_at, run },
        open_intent: None,
        refusal: RefusalChange::Leave,
    }
}
