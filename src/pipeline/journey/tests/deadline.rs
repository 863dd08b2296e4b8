//! A row that has used up its own time.

use std::time::Duration;

use super::story::*;
use crate::pipeline::journey::{JourneyRules, JourneyStart, OnExisting};

/// Rules under which four requests of ten seconds may be sent, but no fifth one.
fn forty_seconds() -> JourneyRules {
    JourneyRules { row_deadline: Duration::from_secs(40), ..rules() }
}

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[test]
fn a_row_that_used_up_its_time_sends_nothing_more() {
    let replies = [server_error(), no_credential(), server_error(), kept()];
    let told = tell_slowly(forty_seconds(), JourneyStart::default(), TEN_SECONDS, replies);
    assert_eq!(told.end(), "end: timed-out at token");
    assert!(told.finish.keep_intent.is_none());
    assert!(told.finish.outcome.message.ends_with("the last of them for Stara"));
    assert_eq!(told.finish.outcome.attempts, 0, "the call of that stage was never sent");
}

#[test]
fn backoff_counts_and_ends_the_row_where_its_next_attempt_would_begin() {
    let rules = JourneyRules { row_deadline: Duration::from_millis(1_200), ..rules() };
    let told = tell(rules, JourneyStart::default(), [no_credential(), lost(), lost()]);
    assert_eq!(
        told.lines[1..],
        [
            "POST autenticacao",
            "back off within 500ms",
            "POST autenticacao",
            "back off within 1s",
            "end: timed-out at authenticate"
        ]
    );
    assert_eq!(told.finish.outcome.attempts, 2);
}

#[test]
fn an_attach_that_may_have_taken_effect_stays_open() {
    let told = tell_slowly(forty_seconds(), JourneyStart::default(), TEN_SECONDS, then([lost()]));
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: attach-unconfirmed at attach", "stays open: attach 1, over nothing"]
    );
}

#[test]
fn an_attach_that_leaf_took_stays_open_as_acknowledged() {
    let replies = then([created("c1")]);
    let told = tell_slowly(forty_seconds(), JourneyStart::default(), TEN_SECONDS, replies);
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: attach-unconfirmed at verify", "stays open: attach 1, over nothing, acknowledged"]
    );
}

#[test]
fn looks_for_an_attached_credential_count() {
    let rules = JourneyRules { row_deadline: Duration::from_secs(8), ..rules() };
    let replies = then([created("c1"), absent(), absent(), absent(), absent(), absent()]);
    let told = tell(rules, JourneyStart::default(), replies);
    assert_eq!(told.end(), "end: attach-unconfirmed at verify");
}

#[test]
fn the_settling_of_a_lost_attach_does_not_count() {
    let rules = JourneyRules { row_deadline: Duration::from_mins(1), ..rules() };
    let replies = then([lost(), absent(), found("c1", "OK")]);
    let told = tell_slowly(rules, JourneyStart::default(), Duration::from_secs(5), replies);
    assert_eq!(told.count("park 113s"), 1, "{:#?}", told.lines);
    assert_eq!(told.end(), "end: attached at verify, recovered, ours, c1");
}

#[test]
fn a_deleted_credential_without_successor_stays_open() {
    let rules = JourneyRules { on_existing: OnExisting::Replace, ..forty_seconds() };
    let rules = JourneyRules { row_deadline: rules.row_deadline + TEN_SECONDS * 2, ..rules };
    let replies = [
        user_holds("old", "OK"),
        crate::pipeline::journey::Event::ChangeClaimed(true),
        kept(),
        kept(),
        kept(),
        found("old", "OK"),
        removed(),
    ];
    let told = tell_slowly(rules, JourneyStart::default(), TEN_SECONDS, replies);
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: credential-removed at remove", "stays open: deletion, replacing old"]
    );
}

#[test]
fn an_open_intent_of_an_earlier_run_outlives_the_deadline() {
    let rules = JourneyRules { row_deadline: TEN_SECONDS, ..rules() };
    let told = tell_slowly(rules, resumed(one_attach(5)), TEN_SECONDS, [absent()]);
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: attach-unconfirmed at attach", "stays open: attach 1, over nothing"]
    );
}

#[test]
fn an_answer_that_ends_the_row_counts_however_late_it_came() {
    let rules = JourneyRules { row_deadline: TEN_SECONDS, ..rules() };
    let told = tell_slowly(rules, JourneyStart::default(), TEN_SECONDS * 3, [not_found()]);
    assert_eq!(told.end(), "end: leaf-user-unknown at precheck");
}
