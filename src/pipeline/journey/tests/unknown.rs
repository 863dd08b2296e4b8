//! The attach whose result nobody knows.

use std::time::Duration;

use super::story::*;
use crate::api::CallErrorKind;
use crate::pipeline::journey::{Event, JourneyRules, JourneyStart};

#[test]
fn a_lost_reply_is_looked_after_in_two_seconds_and_recovered() {
    for reply in [
        lost,
        server_error,
        || failed(CallErrorKind::ServerError, 503),
        || failed(CallErrorKind::NoAnswer, 408),
    ] {
        let told = fresh(then([reply(), found("c1", "OK")]));
        assert_eq!(
            told.lines[3..],
            [
                "intent: attach 1, over nothing",
                "POST credential",
                "wait 2s",
                "GET credential",
                "end: attached at verify, recovered, ours, c1",
            ]
        );
    }
}

#[test]
fn an_attach_not_seen_at_once_is_parked_until_it_has_settled() {
    let told = fresh(then([lost(), absent(), found("c1", "OK")]));
    assert_eq!(
        told.lines[5..],
        [
            "wait 2s",
            "GET credential",
            "park 118s",
            "GET credential",
            "end: attached at verify, recovered, ours, c1",
        ]
    );
}

#[test]
fn an_attach_absent_both_times_is_sent_once_more_under_a_new_intent() {
    let told = fresh(then([lost(), absent(), absent(), created("c2"), found("c2", "OK")]));
    assert_eq!(
        told.lines[3..],
        [
            "intent: attach 1, over nothing",
            "POST credential",
            "wait 2s",
            "GET credential",
            "park 118s",
            "GET credential",
            "intent: attach 2, over nothing",
            "POST credential",
            "GET credential",
            "end: attached at verify, created, ours, c2",
        ]
    );
}

#[test]
fn two_attaches_with_unknown_results_need_a_review() {
    let told = fresh(then([lost(), absent(), absent(), server_error(), absent(), absent()]));
    assert_eq!(
        told.lines[9..],
        [
            "intent: attach 2, over nothing",
            "POST credential",
            "wait 2s",
            "GET credential",
            "park 118s",
            "GET credential",
            "end: needs-review at attach",
            "stays open: attach 2, over nothing",
        ]
    );
    assert_eq!(told.count("POST credential"), 2);
}

#[test]
fn a_second_attach_with_an_unknown_result_can_still_be_recovered() {
    let told = fresh(then([lost(), absent(), absent(), lost(), absent(), found("c2", "OK")]));
    assert_eq!(told.end(), "end: attached at verify, recovered, ours, c2");
}

#[test]
fn a_second_attach_that_meets_the_first_one_is_recovered() {
    let told = fresh(then([lost(), absent(), absent(), conflict(), found("c1", "OK")]));
    assert_eq!(told.end(), "end: attached at verify, recovered, ours, c1");
}

#[test]
fn a_look_that_fails_proves_nothing() {
    let denied = || failed(CallErrorKind::Forbidden, 403);
    for replies in [vec![lost(), denied()], vec![lost(), absent(), denied()]] {
        let told = fresh(then(replies));
        assert_eq!(
            told.lines[told.lines.len() - 2..],
            ["end: attach-unconfirmed at attach", "stays open: attach 1, over nothing"]
        );
        assert_eq!(told.count("POST credential"), 1);
    }
}

#[test]
fn a_first_look_into_an_outage_leaves_the_judgement_to_the_second() {
    let outage = || [lost(), server_error(), unreachable(), lost()];
    let told = fresh(then([lost()].into_iter().chain(outage()).chain([found("c1", "OK")])));
    assert_eq!(
        told.lines[told.lines.len() - 3..],
        ["park 114.5s", "GET credential", "end: attached at verify, recovered, ours, c1"]
    );
    let told = fresh(then([lost()].into_iter().chain(outage()).chain(outage())));
    assert_eq!(told.count("POST credential"), 1);
    assert_eq!(told.lines.last().unwrap(), "stays open: attach 1, over nothing");
}

#[test]
fn a_look_held_back_for_too_long_stays_open() {
    for held_back in [Event::HeldTooLong, Event::HostDown(None)] {
        let told = fresh(then([lost(), held_back]));
        assert_eq!(told.end(), "end: attach-unconfirmed at attach");
        assert!(told.finish.keep_intent.is_some());
    }
}

#[test]
fn a_recovered_credential_that_is_unhealthy_is_waited_for_and_told() {
    let told = fresh(then([lost(), found("c1", "invalid"), found("c1", "OK")]));
    assert_eq!(told.lines[7..9], ["wait 500ms", "GET credential"]);
    assert_eq!(told.end(), "end: attached at verify, recovered, ours, c1");
    let looks = std::iter::repeat_with(|| found("c1", "invalid")).take(10);
    let told = fresh(then([lost()].into_iter().chain(looks)));
    assert_eq!(told.end(), "end: credential-unhealthy at verify, ours, c1");
}

#[test]
fn what_was_seen_once_is_never_attached_again() {
    let told = fresh(then([lost(), found("c1", "invalid"), failed(CallErrorKind::Forbidden, 403)]));
    assert_eq!(told.lines.last().unwrap(), "stays open: attach 1, over nothing, acknowledged");
}

#[test]
fn without_a_look_before_a_recovered_credential_is_not_proven_ours() {
    let told = tell(without_precheck(), JourneyStart::default(), [kept(), kept(), lost(), found("c1", "OK")]);
    assert_eq!(told.end(), "end: attached at verify, recovered, c1");
}

#[test]
fn without_a_look_before_the_settled_absence_makes_the_second_attach_ours() {
    let replies = [kept(), kept(), lost(), absent(), absent(), lost(), found("c2", "OK")];
    let told = tell(without_precheck(), JourneyStart::default(), replies);
    assert_eq!(told.count("intent: attach 1"), 1);
    assert_eq!(told.count("intent: attach 2, over nothing"), 1);
    assert_eq!(told.end(), "end: attached at verify, recovered, ours, c2");
}

#[test]
fn a_settle_time_below_two_seconds_takes_one_look() {
    let rules = JourneyRules { settle: Duration::from_secs(1), ..rules() };
    let told =
        tell(rules, JourneyStart::default(), then([lost(), absent(), created("c2"), found("c2", "OK")]));
    assert_eq!(told.lines[5..8], ["wait 2s", "GET credential", "intent: attach 2, over nothing"]);
}

#[test]
fn an_attach_proven_absent_leaves_nothing_open_when_the_second_one_is_refused() {
    let cases = [
        (vec![not_found()], "end: leaf-user-unknown at attach"),
        (vec![failed(CallErrorKind::Forbidden, 403)], "end: leaf-user-forbidden at attach"),
        (vec![Event::HeldTooLong], "end: throttled at attach"),
        (vec![Event::HostDown(None)], "end: leaf-unavailable at attach"),
        (vec![conflict(), absent()], "end: leaf-credentials-refused at attach"),
        (vec![unreachable(), unreachable(), unreachable(), unreachable()], "end: leaf-unavailable at attach"),
    ];
    for (replies, end) in cases {
        let told = fresh(then([lost(), absent(), absent()].into_iter().chain(replies)));
        assert_eq!(told.end(), end);
        assert!(told.finish.keep_intent.is_none(), "{end}");
    }
}
