//! Staging a manifest over what an earlier one left.

use super::fixtures::*;
use crate::checkpoint::{
    Intent, LedgerWriter, LineContent, LineDecision, Refusal, RefusalChange, StageError, StagedLine,
};
use crate::model::{CredentialId, OutcomeCode, UnixMillis};

fn decided(decisions: &[(u64, &str)]) -> Vec<(u64, String)> {
    decisions.iter().map(|(line, decision)| (*line, (*decision).to_owned())).collect()
}

#[test]
fn every_line_is_there_with_its_decision_and_the_totals_agree() {
    let mut place = Place::new();
    let lines = vec![row(2, 1, 0), invalid(3, None), row(4, 2, 0), row(6, 3, 0)];
    let totals = place.stage_deciding(lines, |row, user| {
        assert!(user.record.is_none() && user.refusal.is_none());
        if row.unwrap().leaf_user_id == id(2) { LineDecision::NotSelected } else { LineDecision::ToDo }
    });
    assert_eq!(
        place.decisions(),
        decided(&[(2, "to-do"), (3, "invalid"), (4, "not-selected"), (6, "to-do")])
    );
    assert_eq!((totals.run, totals.lines, totals.to_do, totals.done), (1, 4, 2, 0));
    assert!(!totals.open_removals);
    assert_eq!([1, 2, 3].map(|user| place.key_of(user).0), [1, 2, 3], "keyed in the order of appearance");
}

#[test]
fn a_manifest_that_is_as_it_was_rewrites_only_the_runs() {
    let mut place = Place::new();
    let lines = || rows(2, 100).into_iter().chain([invalid(200, Some(7))]).collect::<Vec<_>>();
    place.stage(lines());
    let before = place.ledger.connection.total_changes();
    place.stage(lines());
    assert_eq!(place.ledger.connection.total_changes() - before, 2, "a run begun, and its totals");
}

#[test]
fn only_the_line_that_changed_is_rewritten() {
    let mut place = Place::new();
    place.stage(rows(2, 100));
    let before = place.ledger.connection.total_changes();
    let mut lines = rows(2, 100);
    lines[50] = row(52, 50, 9);
    place.stage(lines);
    assert_eq!(place.ledger.connection.total_changes() - before, 3);
}

#[test]
fn a_changed_decision_or_kept_cell_is_written() {
    let mut place = Place::new();
    place.stage(rows(2, 3));
    place.stage_deciding(rows(2, 3), |_, _| LineDecision::Keep);
    assert_eq!(place.decisions(), decided(&[(2, "keep"), (3, "keep"), (4, "keep")]));
    let kept = |cell: &str| StagedLine { kept: vec![cell.to_owned()], ..row(2, 0, 0) };
    place.stage(vec![kept("north")]);
    place.stage(vec![kept("south")]);
    let read = place.ledger.with_results(4, |lines| lines.next().unwrap().unwrap().kept).unwrap();
    assert_eq!(read, ["south"]);
}

#[test]
fn lines_of_a_longer_manifest_before_are_dropped() {
    let mut place = Place::new();
    place.stage(rows(2, 5));
    let totals = place.stage(rows(2, 2));
    assert_eq!(place.decisions(), decided(&[(2, "to-do"), (3, "to-do")]));
    assert_eq!((totals.lines, totals.to_do), (2, 2));
    let totals = place.stage(rows(2, 4));
    assert_eq!(place.decisions().len(), 4);
    assert_eq!(totals.lines, 4);
    assert_eq!(place.stage(Vec::new()).lines, 0);
    assert!(place.lines().is_empty());
}

#[test]
fn lines_that_fall_into_a_gap_of_the_new_manifest_are_dropped() {
    let mut place = Place::new();
    place.stage(rows(1, 9));
    place.stage(vec![row(3, 1, 0), row(4, 2, 0), row(7, 3, 0)]);
    assert_eq!(place.decisions(), decided(&[(3, "to-do"), (4, "to-do"), (7, "to-do")]));
}

#[test]
fn a_line_changes_between_row_and_invalid_without_a_trace_of_the_other() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0)]);
    place.stage(vec![invalid(2, Some(1))]);
    place
        .ledger
        .with_results(2, |lines| {
            let line = lines.next().unwrap().unwrap();
            assert_eq!(line.outcome.code, OutcomeCode::ManifestInvalid);
            assert_eq!(line.leaf_user_id, Some(id(1)));
            assert_eq!(line.login, None, "the password may stand in its place");
        })
        .unwrap();
    place.stage(vec![row(2, 1, 0)]);
    assert_eq!(place.lines(), [(2, "to-do".to_owned(), None)]);
}

#[test]
fn of_lines_that_say_the_same_the_first_counts() {
    let mut place = Place::new();
    let totals = place.stage(vec![row(2, 1, 0), row(3, 2, 0), row(4, 1, 0), row(9, 1, 0)]);
    let says = Some("says the same as line 2".to_owned());
    assert_eq!(
        place.lines(),
        [
            (2, "to-do".to_owned(), None),
            (3, "to-do".to_owned(), None),
            (4, "duplicate".to_owned(), says.clone()),
            (9, "duplicate".to_owned(), says),
        ]
    );
    assert_eq!((totals.lines, totals.to_do), (4, 2));
}

#[test]
fn of_lines_that_disagree_none_is_carried_out() {
    let mut place = Place::new();
    let totals = place.stage(vec![row(2, 1, 0), row(3, 1, 5), row(4, 1, 0), row(5, 2, 0)]);
    assert_eq!(
        place.decisions(),
        decided(&[(2, "conflict"), (3, "conflict"), (4, "conflict"), (5, "to-do")])
    );
    assert_eq!(totals.to_do, 1);
    let (_, _, message) = &place.lines()[0];
    assert!(message.as_ref().unwrap().contains("lines 2, 3, 4 "), "{message:?}");
}

#[test]
fn lines_that_no_longer_disagree_are_decided_anew() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0), row(3, 1, 5)]);
    place.stage(vec![row(2, 1, 0), row(3, 2, 0)]);
    assert_eq!(place.lines(), [(2, "to-do".to_owned(), None), (3, "to-do".to_owned(), None)]);
}

#[test]
fn lines_that_end_with_an_error_leave_the_ledger_as_it_was() {
    let mut place = Place::new();
    place.stage(rows(2, 3));
    let before = place.lines();
    let lines = [Ok(row(2, 9, 9)), Ok(invalid(3, None)), Err("the file ended in the middle of a record")];
    let error = place.ledger.stage(&start(), lines.into_iter(), |_, _| LineDecision::Keep).unwrap_err();
    assert!(matches!(error, StageError::Lines("the file ended in the middle of a record")));
    assert_eq!(place.lines(), before);
    assert_eq!(place.ledger.latest_run().unwrap().unwrap().run, 1);
    assert!(place.ledger.user(id(9)).unwrap().is_none(), "a user of a failed staging isn't met");
    assert_eq!(place.stage(rows(2, 1)).run, 2, "and the ledger goes on");
}

#[tokio::test]
async fn what_earlier_runs_learned_is_shown_to_whoever_decides() {
    let mut place = Place::new();
    let run = place.stage(rows(2, 3)).run;
    let keys = [0, 1, 2].map(|user| place.key_of(user));
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    handle.finish(change(keys[0], run, OutcomeCode::Attached)).await.unwrap();
    let refusal = Refusal { login: prints(1, 0).login, http_status: Some(401), at: UnixMillis(0) };
    let mut refused = change(keys[1], run, OutcomeCode::StaraLoginRejected);
    refused.refusal = RefusalChange::Add(refusal);
    handle.finish(refused).await.unwrap();
    let removal = Intent {
        at: UnixMillis(7),
        attaches: 0,
        acknowledged: false,
        over_nothing: false,
        replacing: true,
        removing: CredentialId::new("c0"),
        login: None,
        run: None,
    };
    handle.intend(keys[2], removal.clone()).await.unwrap();
    place.ledger = writer.finish(handle).await.unwrap();

    let mut seen = Vec::new();
    let lines = vec![row(2, 0, 0), row(3, 1, 0), row(4, 2, 0), row(5, 3, 0)];
    let totals = place.stage_deciding(lines, |row, user| {
        let record = user.record.as_ref();
        let code = record.and_then(|record| record.outcome.as_ref()).map(|record| record.outcome.code);
        let intent = record.and_then(|record| record.intent.clone());
        seen.push((row.unwrap().leaf_user_id, code, intent, user.refusal));
        match code {
            Some(OutcomeCode::Attached) => LineDecision::Keep,
            Some(OutcomeCode::StaraLoginRejected) => LineDecision::Refused,
            _ => LineDecision::ToDo,
        }
    });
    assert_eq!(
        seen,
        [
            (id(0), Some(OutcomeCode::Attached), None, None),
            (id(1), Some(OutcomeCode::StaraLoginRejected), None, Some(refusal)),
            (id(2), None, Some(removal), None),
            (id(3), None, None, None),
        ]
    );
    assert_eq!((totals.done, totals.to_do), (1, 2));
    assert!(totals.open_removals);
    let (_, _, message) = &place.lines()[1];
    let said = "Stara refused this login and password on 1970-01-01T00:00:00.000Z";
    assert_eq!(message.as_deref(), Some(said));
}

#[test]
fn a_staged_line_never_shows_its_login_when_debugged() {
    let line = row(2, 1, 0);
    assert!(matches!(line.content, LineContent::Row(_)));
    assert!(!format!("{line:?}").contains("grower1"));
}
