//! Replacing a credential, with every point at which it can be cut short.

use std::time::Duration;

use super::story::*;
use crate::api::CallErrorKind;
use crate::model::CredentialId;
use crate::pipeline::journey::{Event, JourneyRules, JourneyStart, OnExisting, PriorIntent};

fn claimed() -> Event {
    Event::ChangeClaimed(true)
}

/// The answers up to the deletion: the old credential is found, its place claimed, tokens got, events saved, seen again.
fn up_to_removal() -> Vec<Event> {
    vec![user_holds("c0", "OK"), claimed(), kept(), kept(), kept(), found("c0", "OK")]
}

fn replaced(replies: impl IntoIterator<Item = Event>) -> Told {
    let replies = up_to_removal().into_iter().chain(replies);
    tell(with_existing(OnExisting::Replace), JourneyStart::default(), replies)
}

fn open_removal(seconds: Option<u64>) -> PriorIntent {
    PriorIntent {
        age: seconds.map(Duration::from_secs),
        attaches: 0,
        acknowledged: false,
        over_nothing: false,
        replacing: true,
        removing: CredentialId::new("c0"),
        other_login: false,
    }
}

/// A start from this intent, of a row whose login isn't the one that c0 was attached with.
fn with_login_changed(intent: PriorIntent) -> JourneyStart {
    JourneyStart { known: Some(known("c0", true)), login_changed: true, ..resumed(intent) }
}

fn open_attach(seconds: u64) -> PriorIntent {
    PriorIntent { attaches: 1, over_nothing: true, ..open_removal(Some(seconds)) }
}

#[test]
fn a_replacement_has_tokens_first_and_deletes_only_what_it_saw() {
    let told = replaced([removed(), absent(), created("c1"), found("c1", "OK")]);
    assert_eq!(
        told.lines,
        [
            "GET user",
            "claim a change",
            "POST autenticacao",
            "POST token",
            "GET events",
            "GET credential",
            "intent: deletion, replacing c0",
            "DELETE credential",
            "GET credential",
            "intent: attach 1, over nothing, replacing c0",
            "POST credential",
            "GET credential",
            "end: attached at verify, replaced, ours, c1",
        ]
    );
}

#[test]
fn beyond_the_bound_of_changes_or_without_a_key_the_old_credential_stays_and_the_row_says_why() {
    for (answer, why) in [(Event::ChangeClaimed(false), "--max-changes"), (Event::KeyLost, "fingerprint key")]
    {
        let replies = [user_holds("c0", "OK"), answer];
        let told = tell(with_existing(OnExisting::Replace), JourneyStart::default(), replies);
        assert_eq!(told.lines, ["GET user", "claim a change", "end: not-reached at precheck, c0"]);
        assert!(told.finish.outcome.message.contains(why), "{}", told.finish.outcome.message);
    }
}

#[test]
fn a_refusal_by_stara_leaves_the_old_credential_alone() {
    let rejected = || failed(CallErrorKind::LoginRejected, 401);
    let cases = [
        (vec![rejected()], "end: stara-login-rejected at authenticate, login refused, c0"),
        (vec![kept(), lost(), lost(), lost()], "end: stara-unavailable at token, c0"),
    ];
    for (replies, end) in cases {
        let replies = [user_holds("c0", "OK"), claimed()].into_iter().chain(replies);
        let told = tell(with_existing(OnExisting::Replace), JourneyStart::default(), replies);
        assert_eq!(told.end(), end);
        assert_eq!(told.count("DELETE credential"), 0);
        assert!(told.finish.keep_intent.is_none());
    }
}

#[test]
fn events_that_cannot_be_saved_leave_the_old_credential_alone() {
    let replies = [user_holds("c0", "OK"), claimed(), kept(), kept(), failed(CallErrorKind::Unexpected, 200)];
    let told = tell(with_existing(OnExisting::Replace), JourneyStart::default(), replies);
    assert_eq!(told.end(), "end: leaf-unexpected-answer at remove, c0");
    assert_eq!(told.count("DELETE credential"), 0);
}

#[test]
fn a_credential_exchanged_meanwhile_is_left_alone() {
    let replies = [user_holds("c0", "OK"), claimed(), kept(), kept(), kept(), found("c9", "OK")];
    let told = tell(with_existing(OnExisting::Replace), JourneyStart::default(), replies);
    assert_eq!(told.end(), "end: leaf-credentials-exist at remove, c9");
    assert_eq!(told.count("DELETE credential"), 0);
}

#[test]
fn a_credential_gone_meanwhile_is_attached_without_a_deletion() {
    let replies = [user_holds("c0", "OK"), claimed(), kept(), kept(), kept(), absent(), created("c1")];
    let told = tell(
        with_existing(OnExisting::Replace),
        JourneyStart::default(),
        replies.into_iter().chain([found("c1", "OK")]),
    );
    assert_eq!(told.count("DELETE credential"), 0);
    assert_eq!(told.count("intent: attach 1, over nothing"), 1);
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
}

#[test]
fn a_refused_deletion_leaves_everything_as_it_was() {
    let cases = [
        (failed(CallErrorKind::Forbidden, 403), "end: leaf-user-forbidden at remove, c0"),
        (failed(CallErrorKind::Refused, 400), "end: leaf-unexpected-answer at remove, c0"),
    ];
    for (reply, end) in cases {
        let told = replaced([reply]);
        assert_eq!(told.end(), end);
        assert!(told.finish.keep_intent.is_none());
    }
    let told = replaced([unreachable(), unreachable(), throttled(), unreachable(), unreachable()]);
    assert_eq!(told.end(), "end: leaf-unavailable at remove, c0");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn a_confirmed_deletion_is_waited_for_until_it_shows() {
    let told = replaced([removed(), found("c0", "OK"), absent(), created("c1"), found("c1", "OK")]);
    assert_eq!(told.lines[8..11], ["GET credential", "wait 500ms", "GET credential"]);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");

    let still_there = std::iter::repeat_with(|| found("c0", "OK")).take(10);
    let told = replaced([removed()].into_iter().chain(still_there));
    assert_eq!(told.count("POST credential"), 0);
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: credential-removed at remove", "stays open: deletion, replacing c0"]
    );
}

#[test]
fn a_deletion_with_an_unknown_result_waits_out_the_settle_time_before_the_attach() {
    for reply in [lost, server_error] {
        let told = replaced([reply(), absent(), created("c1"), found("c1", "OK")]);
        assert_eq!(
            told.lines[6..],
            [
                "intent: deletion, replacing c0",
                "DELETE credential",
                "park 120s",
                "GET credential",
                "intent: attach 1, over nothing, replacing c0",
                "POST credential",
                "GET credential",
                "end: attached at verify, replaced, ours, c1",
            ]
        );
    }
}

#[test]
fn a_deletion_without_effect_is_sent_once_more() {
    let told = replaced([lost(), found("c0", "OK"), removed(), absent(), created("c1"), found("c1", "OK")]);
    assert_eq!(told.count("DELETE credential"), 2);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");

    let told = replaced([lost(), found("c0", "OK"), lost(), found("c0", "OK")]);
    assert_eq!(told.count("DELETE credential"), 2);
    assert_eq!(told.end(), "end: leaf-unavailable at remove, c0");
    assert!(told.finish.keep_intent.is_none(), "it settled, and the old credential is as it was");
}

#[test]
fn a_second_deletion_that_is_refused_leaves_everything_as_it_was() {
    let told = replaced([lost(), found("c0", "OK"), failed(CallErrorKind::Forbidden, 403)]);
    assert_eq!(told.end(), "end: leaf-user-forbidden at remove, c0");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn another_credential_after_the_deletion_is_left_alone() {
    for replies in [vec![lost(), found("c9", "OK")], vec![removed(), found("c9", "OK")]] {
        let told = replaced(replies);
        assert_eq!(told.end(), "end: leaf-credentials-exist at remove, c9");
        assert_eq!(told.count("POST credential"), 0);
    }
}

#[test]
fn deleted_and_not_attached_again_is_told_so_and_stays_open() {
    let cases = [
        vec![not_found()],
        vec![failed(CallErrorKind::Forbidden, 403)],
        vec![failed(CallErrorKind::Unexpected, 418)],
        vec![conflict(), absent()],
        vec![unreachable(), unreachable(), unreachable(), unreachable()],
        vec![Event::HeldTooLong],
        vec![Event::HostDown(None)],
    ];
    for replies in cases {
        let told = replaced([removed(), absent()].into_iter().chain(replies));
        assert_eq!(
            told.lines[told.lines.len() - 2..],
            ["end: credential-removed at attach", "stays open: deletion, replacing c0"]
        );
    }
}

#[test]
fn a_deletion_is_never_sent_again_after_an_attach() {
    let told = replaced([removed(), absent(), lost(), absent(), absent(), lost(), absent(), absent()]);
    assert_eq!(told.count("DELETE credential"), 1);
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: needs-review at attach", "stays open: attach 2, over nothing, replacing c0"]
    );
}

#[test]
fn a_look_that_lags_behind_does_not_take_the_old_credential_for_the_new_one() {
    let told = replaced([removed(), absent(), created_unreadably(), found("c0", "OK"), found("c1", "OK")]);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");
    let told = replaced([removed(), absent(), lost(), found("c0", "OK"), found("c1", "OK")]);
    assert_eq!(told.lines[told.lines.len() - 3..told.lines.len() - 1], ["park 118s", "GET credential"]);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");
    let told = replaced([removed(), absent(), lost(), absent(), found("c0", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at attach, c0");
}

#[test]
fn a_deletion_that_was_announced_is_looked_after_before_a_login_is_spent() {
    let replies = [absent(), kept(), kept(), created("c1"), found("c1", "OK")];
    let told = tell(rules(), resumed(open_removal(Some(500))), replies);
    assert_eq!(
        told.lines,
        [
            "GET credential",
            "POST autenticacao",
            "POST token",
            "intent: attach 1, over nothing, replacing c0",
            "POST credential",
            "GET credential",
            "end: attached at verify, replaced, ours, c1",
        ]
    );
}

#[test]
fn an_announced_deletion_settles_before_it_is_looked_after() {
    for (seconds, rest) in [(Some(20), "park 100s"), (None, "park 120s")] {
        let replies = [absent(), kept(), kept(), created("c1"), found("c1", "OK")];
        let told = tell(rules(), resumed(open_removal(seconds)), replies);
        assert_eq!(told.lines[..2], [rest, "GET credential"]);
    }
}

#[test]
fn an_announced_deletion_that_was_never_sent_begins_anew() {
    let replies =
        [found("c0", "OK"), claimed(), kept(), kept(), kept(), found("c0", "OK"), removed(), absent()];
    let replies = replies.into_iter().chain([created("c1"), found("c1", "OK")]);
    let told = tell(rules(), with_login_changed(open_removal(Some(500))), replies);
    assert_eq!(
        told.lines[..7],
        [
            "GET credential",
            "claim a change",
            "POST autenticacao",
            "POST token",
            "GET events",
            "GET credential",
            "intent: deletion, replacing c0",
        ]
    );
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");
}

#[test]
fn an_announced_deletion_that_was_never_sent_is_no_removed_credential_when_the_login_is_refused() {
    let rejected = failed(CallErrorKind::LoginRejected, 401);
    let start = with_login_changed(open_removal(Some(500)));
    let told = tell(rules(), start, [found("c0", "OK"), claimed(), rejected]);
    assert_eq!(told.end(), "end: stara-login-rejected at authenticate, login refused, c0");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn an_announced_deletion_that_was_never_sent_is_forgotten_when_the_row_has_its_old_login_again() {
    let start = JourneyStart { known: Some(known("c0", true)), ..resumed(open_removal(Some(500))) };
    let told = tell(rules(), start, [found("c0", "OK")]);
    assert_eq!(told.lines, ["GET credential", "end: attached at precheck, created, ours, c0"]);
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn an_announced_deletion_of_somebody_elses_credential_is_forgotten_without_replace() {
    let replace = JourneyRules { on_existing: OnExisting::Replace, ..rules() };
    for (rules, end) in [
        (rules(), "end: already-attached at precheck, found, c0"),
        (replace, "end: not-reached at precheck, c0"),
    ] {
        let claim = (rules.on_existing == OnExisting::Replace).then_some(Event::ChangeClaimed(false));
        let replies = [found("c0", "OK")].into_iter().chain(claim);
        let told = tell(rules, resumed(open_removal(Some(500))), replies);
        assert_eq!(told.end(), end);
        assert!(told.finish.keep_intent.is_none());
    }
}

#[test]
fn a_deleted_credential_whose_login_is_refused_stays_open() {
    let rejected = failed(CallErrorKind::LoginRejected, 401);
    let told = tell(rules(), resumed(open_removal(Some(500))), [absent(), rejected]);
    assert_eq!(
        told.lines,
        [
            "GET credential",
            "POST autenticacao",
            "end: credential-removed at authenticate, login refused",
            "stays open: deletion, replacing c0",
        ]
    );
}

#[test]
fn an_announced_deletion_meeting_another_credential_leaves_it_alone() {
    let told = tell(rules(), resumed(open_removal(Some(500))), [found("c9", "OK")]);
    assert_eq!(told.lines, ["GET credential", "end: leaf-credentials-exist at remove, c9"]);
}

#[test]
fn an_announced_attach_after_a_deletion_is_recovered_or_sent_again() {
    let told = tell(rules(), resumed(open_attach(30)), [found("c1", "OK")]);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");

    let replies = [absent(), absent(), kept(), kept(), created("c2"), found("c2", "OK")];
    let told = tell(rules(), resumed(open_attach(30)), replies);
    assert_eq!(told.count("DELETE credential"), 0);
    assert_eq!(told.count("intent: attach 2, over nothing, replacing c0"), 1);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c2");

    let told =
        tell(rules(), resumed(open_attach(500)), [absent(), failed(CallErrorKind::LoginRejected, 401)]);
    assert_eq!(told.end(), "end: credential-removed at authenticate, login refused");
    assert!(told.finish.keep_intent.is_some());
}

#[test]
fn a_changed_login_replaces_only_the_credential_that_is_ours() {
    let start = |id, ours| JourneyStart {
        known: Some(known(id, ours)),
        login_changed: true,
        ..JourneyStart::default()
    };
    let replies = up_to_removal().into_iter().chain([removed(), absent(), created("c1"), found("c1", "OK")]);
    let told = tell(rules(), start("c0", true), replies);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");

    for start in [start("c0", false), start("c8", true)] {
        let told = tell(rules(), start, [user_holds("c0", "OK")]);
        assert_eq!(told.lines, ["GET user", "end: leaf-credentials-exist at precheck, c0"]);
    }
}

#[test]
fn a_changed_login_is_looked_at_even_without_a_precheck() {
    let start =
        JourneyStart { known: Some(known("c0", true)), login_changed: true, ..JourneyStart::default() };
    let replies = [not_found()];
    let told = tell(without_precheck(), start, replies);
    assert_eq!(told.lines, ["GET user", "end: leaf-user-unknown at precheck"]);
}

#[test]
fn a_changed_login_over_nothing_is_attached_without_a_deletion() {
    let start =
        JourneyStart { known: Some(known("c0", true)), login_changed: true, ..JourneyStart::default() };
    let told = tell(rules(), start, then([created("c1"), found("c1", "OK")]));
    assert_eq!(told.count("DELETE credential"), 0);
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
}
