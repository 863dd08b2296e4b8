//! Reading back: the code of every line, and counts that equal the lines.

use std::collections::BTreeMap;

use super::fixtures::*;
use crate::checkpoint::{LedgerWriter, LineDecision, LineResult, OutcomeCounts};
use crate::model::{Login, OutcomeCode, Stage, UnixMillis};

const RUN: i64 = 2;

const DECISIONS: [LineDecision; 8] = [
    LineDecision::Keep,
    LineDecision::ToDo,
    LineDecision::Replace,
    LineDecision::Invalid,
    LineDecision::Duplicate,
    LineDecision::Conflict,
    LineDecision::Refused,
    LineDecision::NotSelected,
];

/// What the ledger knows of a line's user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    /// The outcome and whether it is of this run.
    outcome: Option<(OutcomeCode, bool)>,
    /// The intent that is open: how many attaches it announces, and whether it is one of a replacement.
    intent: Option<(u32, bool)>,
}

fn standings() -> Vec<Standing> {
    let codes = [OutcomeCode::Attached, OutcomeCode::LeafUnavailable, OutcomeCode::StaraLoginRejected];
    let outcomes = codes.into_iter().flat_map(|code| [Some((code, true)), Some((code, false))]);
    let outcomes = outcomes.chain([None]);
    outcomes
        .flat_map(|outcome| {
            [None, Some((1, false)), Some((0, true)), Some((0, false))]
                .map(|intent| Standing { outcome, intent })
        })
        .collect()
}

/// Whether a row that was left out is as an earlier run said: settled, and nothing to be tried again.
fn left_out_as_it_was(standing: Standing) -> bool {
    let is_settled = [OutcomeCode::Attached, OutcomeCode::StaraLoginRejected];
    standing.intent.is_none() && standing.outcome.is_some_and(|(code, _)| is_settled.contains(&code))
}

/// The code as the house plan has it, line by line.
fn expected(decision: LineDecision, standing: Standing) -> OutcomeCode {
    match decision {
        LineDecision::Invalid => OutcomeCode::ManifestInvalid,
        LineDecision::Duplicate => OutcomeCode::ManifestDuplicate,
        LineDecision::Conflict => OutcomeCode::ManifestConflict,
        LineDecision::Refused => OutcomeCode::StaraLoginRejected,
        LineDecision::Keep => standing.outcome.map_or(OutcomeCode::NotReached, |(code, _)| code),
        LineDecision::NotSelected if left_out_as_it_was(standing) => {
            standing.outcome.map_or(OutcomeCode::NotReached, |(code, _)| code)
        }
        LineDecision::ToDo | LineDecision::Replace | LineDecision::NotSelected => {
            match (standing.outcome, standing.intent) {
                (Some((code, true)), _) => code,
                (_, Some((_, true))) => OutcomeCode::CredentialRemoved,
                (_, Some((0, false))) => OutcomeCode::DetachUnconfirmed,
                (_, Some((_, false))) => OutcomeCode::AttachUnconfirmed,
                (_, None) => OutcomeCode::NotReached,
            }
        }
    }
}

/// A ledger with a line for every decision and standing.
fn every_line() -> (Place, Vec<(LineDecision, Standing)>) {
    let place = Place::new();
    let cases: Vec<_> = DECISIONS
        .into_iter()
        .flat_map(|decision| standings().into_iter().map(move |standing| (decision, standing)))
        .collect();
    let connection = &place.ledger.connection;
    for (at, (decision, standing)) in cases.iter().enumerate() {
        let key = i64::try_from(at).unwrap() + 1;
        let (code, run) = match standing.outcome {
            Some((code, of_this_run)) => (Some(code.as_str()), Some(if of_this_run { RUN } else { RUN - 1 })),
            None => (None, None),
        };
        connection
            .execute(
                "INSERT INTO users (key, leaf_user_id, run, outcome, stage, finished_at, intent_at, intent_attaches,
                                    intent_replacing)
                 VALUES (?1, ?2, ?3, ?4, 'verify', 9, ?5, ?6, ?7)",
                rusqlite::params![
                    key,
                    [u8::try_from(at).unwrap(); 16],
                    run,
                    code,
                    standing.intent.map(|_| 5),
                    standing.intent.unwrap_or_default().0,
                    standing.intent.unwrap_or_default().1,
                ],
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO lines (line, user, login, decision) VALUES (?1, ?2, 'grower', ?3)",
                rusqlite::params![key + 1, key, decision.as_str()],
            )
            .unwrap();
    }
    (place, cases)
}

fn results(place: &Place, run: i64) -> Vec<LineResult> {
    place.ledger.with_results(run, |lines| lines.map(Result::unwrap).collect()).unwrap()
}

fn counted(counts: &OutcomeCounts) -> BTreeMap<OutcomeCode, u64> {
    counts.iter().collect()
}

#[test]
fn the_code_of_a_line_follows_from_its_decision_and_its_users_standing() {
    let (place, cases) = every_line();
    let results = results(&place, RUN);
    assert_eq!(results.len(), cases.len());
    for (result, (decision, standing)) in results.iter().zip(&cases) {
        assert_eq!(result.outcome.code, expected(*decision, *standing), "{decision:?} {standing:?}");
        assert_eq!(result.not_selected, *decision == LineDecision::NotSelected);
    }
}

#[test]
fn the_counts_equal_the_lines() {
    let (place, cases) = every_line();
    let counts = place.ledger.count_outcomes(RUN).unwrap();
    assert_eq!(counts.total(), u64::try_from(cases.len()).unwrap());
    let mut by_line: BTreeMap<OutcomeCode, u64> = BTreeMap::new();
    for result in results(&place, RUN) {
        *by_line.entry(result.outcome.code).or_default() += 1;
    }
    assert_eq!(counted(&counts), by_line);
    let lines_of = |wanted: &[LineDecision]| {
        u64::try_from(cases.iter().filter(|(decision, _)| wanted.contains(decision)).count()).unwrap()
    };
    let selected: u64 = OutcomeCode::ALL.iter().map(|code| counts.selected(*code)).sum();
    assert_eq!(counts.total() - selected, lines_of(&[LineDecision::NotSelected]));
    assert_eq!(counts.earlier, lines_of(&[LineDecision::Keep, LineDecision::Refused]));
    assert_eq!(counts.of(OutcomeCode::Throttled), 0);
    let named: u64 = counts.by_name().values().sum();
    assert_eq!(named, counts.total());
}

#[test]
fn a_line_without_an_outcome_says_why() {
    let (place, cases) = every_line();
    for (result, (decision, standing)) in results(&place, RUN).iter().zip(&cases) {
        let message = result.outcome.message.as_ref();
        match result.outcome.code {
            OutcomeCode::NotReached if *decision == LineDecision::NotSelected => {
                assert_eq!(message, "not selected by --limit or --only");
            }
            OutcomeCode::NotReached => assert_eq!(message, "the run ended before this row"),
            OutcomeCode::AttachUnconfirmed => assert_eq!(result.outcome.stage, Stage::Attach),
            OutcomeCode::CredentialRemoved => assert_eq!(result.outcome.stage, Stage::Remove),
            _ => {}
        }
        let has_record = standing.outcome.is_some_and(|(_, of_this_run)| match decision {
            LineDecision::Keep => true,
            LineDecision::ToDo | LineDecision::Replace => of_this_run,
            LineDecision::NotSelected => left_out_as_it_was(*standing),
            _ => false,
        });
        assert_eq!(result.finished_at, has_record.then_some(UnixMillis(9)), "{decision:?} {standing:?}");
    }
}

#[test]
fn lines_come_in_the_manifests_order_whatever_order_they_were_written_in() {
    let mut place = Place::new();
    place.stage(vec![row(2, 3, 0), row(10, 2, 0), row(300, 1, 0)]);
    let users: Vec<_> = results(&place, 1).into_iter().map(|line| line.leaf_user_id.unwrap()).collect();
    assert_eq!(users, [id(3), id(2), id(1)]);
}

#[tokio::test]
async fn a_finished_row_is_read_back_with_all_there_is() {
    let mut place = Place::new();
    let run = place.stage(rows(2, 2)).run;
    let key = place.key_of(0);
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    handle.finish(change(key, run, OutcomeCode::LeafCredentialsExist)).await.unwrap();
    place.ledger = writer.finish(handle).await.unwrap();
    let lines = results(&place, run);
    assert_eq!(lines[0].outcome, outcome(OutcomeCode::LeafCredentialsExist));
    assert_eq!(lines[0].login, Some(Login::new("grower0")), "the line's own login");
    assert_eq!(lines[0].finished_at, Some(UnixMillis(1_795_269_800_125)));
    assert_eq!(lines[1].outcome.code, OutcomeCode::NotReached);
    assert_eq!(results(&place, run + 1)[0].outcome.code, OutcomeCode::NotReached, "of another run");
}

#[test]
fn a_user_is_found_with_the_lines_that_name_it() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0), invalid(3, Some(1)), row(4, 2, 0), row(5, 1, 0)]);
    assert_eq!(place.ledger.lines_of(id(1)).unwrap(), [2, 3, 5]);
    assert_eq!(place.ledger.lines_of(id(9)).unwrap(), [0; 0]);
    assert!(place.ledger.user(id(1)).unwrap().is_some());
    assert!(place.ledger.user(id(9)).unwrap().is_none());
}

#[test]
fn a_decision_of_another_program_counts_as_work_left() {
    let (place, _) = every_line();
    place.ledger.connection.execute("UPDATE lines SET decision = 'postponed'", []).unwrap();
    let counts = place.ledger.count_outcomes(RUN).unwrap();
    assert_eq!(counts.total(), u64::try_from(results(&place, RUN).len()).unwrap());
    assert!(counts.of(OutcomeCode::NotReached) > 0);
}
