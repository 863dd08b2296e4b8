//! Walking the staged lines beside the second reading.

use super::fixtures::*;
use crate::checkpoint::{
    LedgerError, LedgerWriter, LineCursor, LineDecision, LineEntry, Refusal, RefusalChange,
};
use crate::model::{OutcomeCode, UnixMillis};

fn all(place: &Place) -> Vec<LineEntry> {
    let mut cursor =
        LineCursor::open(&place.directory.path().join("ledger.db"), approach("password"), 0).unwrap();
    std::iter::from_fn(|| cursor.next_line().unwrap()).collect()
}

#[test]
fn every_line_comes_once_in_order_however_many_there_are() {
    let mut place = Place::new();
    let lines = (0_u64..1_500).map(|at| row(2 + at * 3, u8::try_from(at % 250).unwrap(), 0));
    place.stage(lines.collect());
    let lines: Vec<u64> = all(&place).iter().map(|entry| entry.line).collect();
    assert_eq!(lines, (0..1_500).map(|at| 2 + at * 3).collect::<Vec<_>>());
}

#[test]
fn only_lines_that_are_carried_out_come_with_their_user() {
    let mut place = Place::new();
    let lines = vec![row(2, 1, 0), invalid(3, Some(2)), row(4, 3, 0), row(5, 4, 0), row(6, 1, 0)];
    place.stage_deciding(lines, |row, _| match row.unwrap().leaf_user_id {
        user if user == id(3) => LineDecision::Keep,
        user if user == id(4) => LineDecision::Replace,
        _ => LineDecision::ToDo,
    });
    let entries = all(&place);
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.line, entry.row, entry.user.as_ref().map(|(key, _)| *key)))
        .collect();
    assert_eq!(
        told,
        [
            (2, Some(prints(1, 0).row), Some(place.key_of(1))),
            (3, None, None),
            (4, Some(prints(3, 0).row), None),
            (5, Some(prints(4, 0).row), Some(place.key_of(4))),
            (6, Some(prints(1, 0).row), None),
        ]
    );
}

#[test]
fn an_empty_manifest_has_no_lines_and_stays_so() {
    let mut place = Place::new();
    place.stage(Vec::new());
    let mut cursor =
        LineCursor::open(&place.directory.path().join("ledger.db"), approach("password"), 0).unwrap();
    assert!(cursor.next_line().unwrap().is_none());
    assert!(cursor.next_line().unwrap().is_none());
}

#[test]
fn a_ledger_that_is_not_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let error = LineCursor::open(&directory.path().join("ledger.db"), approach("password"), 0).unwrap_err();
    assert!(matches!(error, LedgerError::Database { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_cursor_reads_while_the_writer_writes_and_knows_refused_logins() {
    let mut place = Place::new();
    let run = place.stage(vec![row(2, 1, 0), row(3, 2, 0)]).run;
    let (first, second) = (place.key_of(1), place.key_of(2));
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    handle.finish(change(second, run, OutcomeCode::StaraUnavailable)).await.unwrap();
    let mut refused = change(first, run, OutcomeCode::StaraLoginRejected);
    let login = prints(1, 0).login;
    refused.refusal = RefusalChange::Add(Refusal { login, http_status: None, at: UnixMillis(0) });
    handle.finish(refused).await.unwrap();

    let mut cursor =
        LineCursor::open(&place.directory.path().join("ledger.db"), approach("password"), 0).unwrap();
    let entry = cursor.next_line().unwrap().unwrap();
    assert!(entry.is_refused);
    handle.finish(change(second, run, OutcomeCode::Attached)).await.unwrap();
    let entry = cursor.next_line().unwrap().unwrap();
    assert!(!entry.is_refused);
    let (_, record) = entry.user.unwrap();
    assert_eq!(
        record.outcome.unwrap().outcome.code,
        OutcomeCode::StaraUnavailable,
        "its page was read before"
    );
    writer.finish(handle).await.unwrap();
}
