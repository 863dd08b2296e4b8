//! The decision for a row as tables.

use super::*;
use crate::checkpoint::{Fingerprint, HeldCredential, Intent, OutcomeRecord, Refusal, RowFingerprints};
use crate::model::{CredentialId, Outcome, Stage, UnixMillis};
use LineDecision::{Keep, NotSelected, Refused, Replace, ToDo};

fn prints(number: i64) -> RowFingerprints {
    RowFingerprints { row: Fingerprint(number), login: Fingerprint(100 + number) }
}

/// The row that was decided last in all these tests.
fn same_row() -> StagedRow {
    StagedRow {
        leaf_user_id: LeafUserId::from_bytes([7; 16]),
        login: Login::new("ana"),
        fingerprints: prints(1),
    }
}

fn new_password() -> StagedRow {
    StagedRow { fingerprints: prints(2), ..same_row() }
}

fn new_login() -> StagedRow {
    StagedRow { login: Login::new("bea"), fingerprints: prints(3), ..same_row() }
}

/// Only the accessTokenClient changed, so that the login is as it was.
fn new_client() -> StagedRow {
    StagedRow { fingerprints: RowFingerprints { row: Fingerprint(4), login: prints(1).login }, ..same_row() }
}

fn held(ours: bool) -> HeldCredential {
    let id = CredentialId::new("c0").unwrap();
    HeldCredential { id, ours, login: Some(Login::new("ana")), origin: None, run: None }
}

fn record(code: OutcomeCode) -> UserRecord {
    let outcome = Outcome {
        code,
        origin: None,
        stage: Stage::Attach,
        http_status: None,
        attempts: 1,
        credential: None,
        message: "".into(),
    };
    UserRecord {
        login: Some(Login::new("ana")),
        row: Some(prints(1).row),
        login_print: Some(prints(1).login),
        outcome: Some(OutcomeRecord { outcome, finished_at: UnixMillis(0), run: 1 }),
        intent: None,
        held: None,
    }
}

fn intent() -> Intent {
    Intent {
        at: UnixMillis(0),
        attaches: 1,
        acknowledged: false,
        over_nothing: true,
        replacing: false,
        removing: None,
        login: None,
        run: None,
    }
}

fn refusal() -> Refusal {
    Refusal { login: Fingerprint(0), http_status: Some(401), at: UnixMillis(0) }
}

fn decide_with(
    selection: &Selection,
    key: KeyStanding,
    row: &StagedRow,
    record: Option<UserRecord>,
    is_refused: bool,
) -> LineDecision {
    let user = StagedUser {
        record,
        refusal: is_refused.then(refusal),
        is_reopened: false,
        finding: None,
        has_link: false,
    };
    Decider::new(selection, key).decide(row, &user)
}

/// The decision without any flag, with the ledger's own key.
fn decide(row: &StagedRow, record: Option<UserRecord>, is_refused: bool) -> LineDecision {
    decide_with(&Selection::default(), KeyStanding::Own, row, record, is_refused)
}

fn retry_failed() -> Selection {
    Selection { retry_failed: true, ..Selection::default() }
}

fn retry_rejected() -> Selection {
    Selection { retry_rejected: true, ..Selection::default() }
}

/// What the plan's table says of an unchanged row, whose login Stara has refused, or hasn't.
fn of_an_unchanged_row(code: OutcomeCode) -> (LineDecision, LineDecision) {
    match code {
        OutcomeCode::Attached
        | OutcomeCode::AlreadyAttached
        | OutcomeCode::StaraLoginRejected
        | OutcomeCode::LeafUserForbidden
        | OutcomeCode::LeafCredentialsRefused
        | OutcomeCode::LeafCredentialsExist
        | OutcomeCode::Detached => (Keep, Keep),
        OutcomeCode::LeafUserUnknown
        | OutcomeCode::CredentialUnhealthy
        | OutcomeCode::AttachUnconfirmed
        | OutcomeCode::NeedsReview
        | OutcomeCode::CredentialRemoved
        | OutcomeCode::DetachUnconfirmed => (ToDo, ToDo),
        OutcomeCode::StaraUnavailable
        | OutcomeCode::LeafUnavailable
        | OutcomeCode::Throttled
        | OutcomeCode::TimedOut
        | OutcomeCode::StaraUnexpectedAnswer
        | OutcomeCode::LeafUnexpectedAnswer
        | OutcomeCode::Internal
        | OutcomeCode::NotReached
        | OutcomeCode::ManifestInvalid
        | OutcomeCode::ManifestDuplicate
        | OutcomeCode::ManifestConflict => (Refused, ToDo),
    }
}

#[test]
fn a_user_never_met_is_carried_out_unless_its_login_was_refused() {
    assert_eq!(decide(&same_row(), None, false), ToDo);
    assert_eq!(decide(&same_row(), None, true), Refused);
    assert_eq!(decide_with(&retry_rejected(), KeyStanding::Own, &same_row(), None, true), ToDo);
    assert_eq!(decide_with(&retry_failed(), KeyStanding::Own, &same_row(), None, true), Refused);
}

#[test]
fn a_user_met_but_never_decided_is_like_one_never_met() {
    let met = || Some(UserRecord { outcome: None, ..record(OutcomeCode::Internal) });
    assert_eq!(decide(&same_row(), met(), false), ToDo);
    assert_eq!(decide(&same_row(), met(), true), Refused);
}

#[test]
fn an_unchanged_row_follows_its_outcome() {
    for &code in OutcomeCode::ALL {
        let (refused, accepted) = of_an_unchanged_row(code);
        assert_eq!(decide(&same_row(), Some(record(code)), true), refused, "{code}, refused");
        assert_eq!(decide(&same_row(), Some(record(code)), false), accepted, "{code}");
    }
}

#[test]
fn retry_failed_concerns_what_leaf_refused_and_never_a_refused_login() {
    for &code in OutcomeCode::ALL {
        let decision = |refused| {
            decide_with(&retry_failed(), KeyStanding::Own, &same_row(), Some(record(code)), refused)
        };
        let (refused, accepted) = match code.next_run() {
            NextRun::WaitsForRow | NextRun::WaitsForName => (Refused, ToDo),
            _ => of_an_unchanged_row(code),
        };
        assert_eq!((decision(true), decision(false)), (refused, accepted), "{code}");
    }
}

#[test]
fn retry_rejected_concerns_refused_logins_and_never_what_leaf_refused() {
    for &code in OutcomeCode::ALL {
        let decision =
            decide_with(&retry_rejected(), KeyStanding::Own, &same_row(), Some(record(code)), true);
        let expected = match code {
            OutcomeCode::StaraLoginRejected => ToDo,
            _ => of_an_unchanged_row(code).1,
        };
        assert_eq!(decision, expected, "{code}");
    }
}

#[test]
fn a_refused_login_waits_until_login_or_password_change() {
    let rejected = || Some(record(OutcomeCode::StaraLoginRejected));
    assert_eq!(decide(&same_row(), rejected(), false), Keep);
    assert_eq!(decide(&new_client(), rejected(), false), Keep, "login and password are the refused ones");
    assert_eq!(decide(&new_password(), rejected(), false), ToDo);
    assert_eq!(decide(&new_login(), rejected(), false), ToDo);
    assert_eq!(decide(&new_login(), rejected(), true), Refused, "another row's login was refused");
}

#[test]
fn a_refused_login_without_a_fingerprint_waits_until_the_login_changes() {
    let rejected =
        || Some(UserRecord { row: None, login_print: None, ..record(OutcomeCode::StaraLoginRejected) });
    assert_eq!(decide(&same_row(), rejected(), false), Keep);
    assert_eq!(decide(&new_password(), rejected(), false), Keep);
    assert_eq!(decide(&new_login(), rejected(), false), ToDo);
}

#[test]
fn what_leaf_refused_waits_until_the_row_changes() {
    for code in [
        OutcomeCode::LeafUserForbidden,
        OutcomeCode::LeafCredentialsRefused,
        OutcomeCode::LeafCredentialsExist,
    ] {
        for row in [new_password(), new_login(), new_client()] {
            assert_eq!(decide(&row, Some(record(code)), false), ToDo, "{code}");
            assert_eq!(decide(&row, Some(record(code)), true), Refused, "{code}");
        }
    }
}

#[test]
fn a_row_that_is_done_is_replaced_only_when_the_login_of_our_credential_changed() {
    for code in [OutcomeCode::Attached, OutcomeCode::AlreadyAttached] {
        let with = |held| Some(UserRecord { held, ..record(code) });
        assert_eq!(decide(&same_row(), with(Some(held(true))), false), Keep, "{code}");
        for row in [new_password(), new_client()] {
            assert_eq!(decide(&row, with(Some(held(true))), false), ToDo, "{code}: looked at, and noted");
        }
        assert_eq!(decide(&new_login(), with(Some(held(true))), false), Replace, "{code}");
        assert_eq!(decide(&new_login(), with(Some(held(true))), true), Refused, "{code}");
        assert_eq!(decide(&new_login(), with(Some(held(false))), false), ToDo, "{code}: looked at first");
        assert_eq!(decide(&new_login(), with(None), false), ToDo, "{code}: looked at first");
    }
}

#[test]
fn without_its_key_nothing_counts_as_changed() {
    let lost = |row: &StagedRow, record| {
        decide_with(&Selection::default(), KeyStanding::Lost, row, Some(record), false)
    };
    for &code in OutcomeCode::ALL {
        for row in [new_password(), new_login(), new_client()] {
            let record = UserRecord { held: Some(held(true)), ..record(code) };
            assert_eq!(lost(&row, record), of_an_unchanged_row(code).1, "{code}");
        }
    }
}

#[test]
fn an_open_intent_is_settled_whatever_else_is_known() {
    for &code in OutcomeCode::ALL {
        let open = || Some(UserRecord { intent: Some(intent()), ..record(code) });
        assert_eq!(decide(&same_row(), open(), false), ToDo, "{code}");
        assert_eq!(decide(&same_row(), open(), true), ToDo, "{code}");
    }
}

#[test]
fn a_selection_by_user_leaves_out_every_other_row_so_that_none_counts_against_the_run() {
    let other = Selection { only: [LeafUserId::from_bytes([9; 16])].into(), ..Selection::default() };
    let own = Selection { only: [same_row().leaf_user_id].into(), ..Selection::default() };
    let key = KeyStanding::Own;
    let done = || Some(record(OutcomeCode::Attached));
    assert_eq!(decide_with(&own, key, &same_row(), None, false), ToDo);
    assert_eq!(decide_with(&other, key, &same_row(), None, false), NotSelected);
    assert_eq!(decide_with(&own, key, &same_row(), done(), false), Keep);
    assert_eq!(decide_with(&other, key, &same_row(), done(), false), NotSelected);
    assert_eq!(decide_with(&other, key, &same_row(), None, true), NotSelected);
}

#[test]
fn a_login_has_changed_only_against_the_one_our_credential_was_attached_with() {
    let record = |held| UserRecord { held, ..record(OutcomeCode::StaraUnavailable) };
    let (ana, bea) = (Login::new("ana"), Login::new("bea"));
    assert!(is_login_changed(&bea, &record(Some(held(true)))));
    assert!(!is_login_changed(&ana, &record(Some(held(true)))));
    assert!(!is_login_changed(&bea, &record(Some(held(false)))), "it isn't ours");
    assert!(!is_login_changed(&bea, &record(None)));
    let unknown = HeldCredential { login: None, ..held(true) };
    assert!(!is_login_changed(&bea, &record(Some(unknown))));
}

#[test]
fn a_refused_login_is_open_again_where_everybody_was_refused_and_stara_is_asked_otherwise() {
    let decide = |key, record, is_reopened| {
        let user = StagedUser { record, refusal: None, is_reopened, finding: None, has_link: false };
        Decider::new(&Selection::default(), key).decide(&same_row(), &user)
    };
    let refused = || Some(record(OutcomeCode::StaraLoginRejected));
    assert_eq!(decide(KeyStanding::Own, refused(), true), ToDo);
    assert_eq!(decide(KeyStanding::Own, None, true), ToDo);
    assert_eq!(decide(KeyStanding::Own, refused(), false), Keep);
    assert_eq!(decide(KeyStanding::Lost, refused(), true), Keep);
}

#[test]
fn a_done_row_that_an_audit_found_not_to_be_done_is_looked_at_unless_it_is_foreign() {
    let decide = |code, finding| {
        let finding = Some(StandingFinding { finding, audits: 1, is_of_ours: true });
        let record = Some(UserRecord { held: Some(held(true)), ..record(code) });
        let user = StagedUser { record, refusal: None, is_reopened: false, finding, has_link: false };
        Decider::new(&Selection::default(), KeyStanding::Own).decide(&same_row(), &user)
    };
    for code in [OutcomeCode::Attached, OutcomeCode::AlreadyAttached] {
        for finding in [Finding::Missing, Finding::Unhealthy, Finding::UnknownUser] {
            assert_eq!(decide(code, finding), ToDo, "{finding:?}");
        }
        assert_eq!(decide(code, Finding::Foreign), Keep);
    }
    // What wasn't done goes by its outcome.
    for finding in Finding::ALL {
        assert_eq!(decide(OutcomeCode::LeafCredentialsExist, finding), Keep, "{finding:?}");
    }
}

#[test]
fn a_leaver_is_looked_at_unless_it_was_seen_without_a_credential_and_nothing_has_come_since() {
    let decide = |record: Option<UserRecord>, finding| {
        decide_leaver(&StagedUser { record, refusal: None, is_reopened: false, finding, has_link: false })
    };
    let detached = || record(OutcomeCode::Detached);
    assert_eq!(decide(Some(detached()), None), Keep);
    assert_eq!(decide(None, None), ToDo, "the ledger has never met it");
    assert_eq!(decide(Some(UserRecord { held: Some(held(false)), ..detached() }), None), ToDo);
    assert_eq!(decide(Some(UserRecord { intent: Some(intent()), ..detached() }), None), ToDo);
    let foreign = StandingFinding { finding: Finding::Foreign, audits: 1, is_of_ours: false };
    assert_eq!(decide(Some(detached()), Some(foreign)), ToDo, "somebody attached one");
    for &code in OutcomeCode::ALL.iter().filter(|code| **code != OutcomeCode::Detached) {
        assert_eq!(decide(Some(record(code)), None), ToDo, "{code}");
    }
}

/// The decision for a refused row whose user was given a link, in a run that makes links or not.
fn with_link(record: Option<UserRecord>, looks_after_links: bool, key: KeyStanding) -> LineDecision {
    let user =
        StagedUser { record, refusal: Some(refusal()), is_reopened: false, finding: None, has_link: true };
    let selection = Selection { looks_after_links, ..Selection::default() };
    Decider::new(&selection, key).decide(&same_row(), &user)
}

#[test]
fn whoever_was_given_a_link_is_looked_at_by_a_run_that_makes_links() {
    let own = KeyStanding::Own;
    let rejected = || Some(record(OutcomeCode::StaraLoginRejected));
    assert_eq!([true, false].map(|looks| with_link(rejected(), looks, own)), [ToDo, Keep]);
    // The refusal was another row's with the same login and password.
    assert_eq!([true, false].map(|looks| with_link(None, looks, own)), [ToDo, Refused]);
    let unavailable = || Some(record(OutcomeCode::LeafUnavailable));
    assert_eq!([true, false].map(|looks| with_link(unavailable(), looks, own)), [ToDo, Refused]);
    assert_eq!(with_link(rejected(), true, KeyStanding::Lost), Keep, "no link can be read");
}

#[test]
fn whoever_was_refused_while_the_key_was_missing_is_looked_at_too() {
    let refused = UserRecord { login_print: None, row: None, ..record(OutcomeCode::StaraLoginRejected) };
    assert!(
        is_refused_by_record(&refused, &same_row().login, same_row().fingerprints.login),
        "so Stara isn't asked"
    );
    let user = StagedUser {
        record: Some(refused),
        refusal: None,
        is_reopened: false,
        finding: None,
        has_link: true,
    };
    for (looks_after_links, expected) in [(true, ToDo), (false, Keep)] {
        let selection = Selection { looks_after_links, ..Selection::default() };
        assert_eq!(Decider::new(&selection, KeyStanding::Own).decide(&same_row(), &user), expected);
    }
}

#[test]
fn a_link_changes_nothing_for_rows_that_wait_for_something_else() {
    for code in [OutcomeCode::Attached, OutcomeCode::LeafUserForbidden, OutcomeCode::Detached] {
        assert_eq!(with_link(Some(record(code)), true, KeyStanding::Own), Keep, "{code}");
    }
    let with_ours = UserRecord { held: Some(held(true)), ..record(OutcomeCode::StaraLoginRejected) };
    assert_eq!(with_link(Some(with_ours), true, KeyStanding::Own), Keep, "ours would be replaced");
}
