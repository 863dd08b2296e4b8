//! What audits find, as the ledger keeps it.

use super::fixtures::*;
use crate::checkpoint::{
    Accepted, AuditCounts, AuditRecord, FindingChange, HeldChange, HeldCredential, Ledger, OutcomeChange,
    SavedEvent, StandingFinding, Subjects, UserKey,
};
use crate::model::{Credential, CredentialId, Finding, Login, Origin, OutcomeCode, Sight, UnixMillis};

/// A ledger of users 0 to 3, each of whom holds a credential of ours called after it.
fn place() -> (Place, i64) {
    let mut place = Place::new();
    let run = place.stage(rows(2, 4)).run;
    let ends = (0..4).map(|user| attached(&place, user, run));
    place.ledger.finish_all(ends.collect()).unwrap();
    (place, run)
}

fn attached(place: &Place, user: u8, run: i64) -> OutcomeChange {
    let held = HeldCredential {
        id: CredentialId::new(&format!("c{user}")).unwrap(),
        ours: true,
        login: Some(Login::new("grower")),
        origin: Some(Origin::Created),
        run: Some(run),
    };
    OutcomeChange { held: HeldChange::Holds(held), ..change(place.key_of(user), run, OutcomeCode::Attached) }
}

fn credential(id: &str, status: &str) -> Sight {
    Sight::Credential(Credential::new(Some(id), Some(status)))
}

/// One audit at this time that finds this of a user.
fn audit(place: &Place, user: u8, at: i64, sight: &Sight, change: FindingChange) {
    let ledger = &place.ledger;
    ledger.begin_seeing(Subjects::Everybody).unwrap();
    ledger.begin_finding().unwrap();
    ledger.note_seen(place.key_of(user), sight).unwrap();
    ledger.keep_findings(UnixMillis(at), &[(place.key_of(user), change)]).unwrap();
}

/// Since when, and in how many audits in a row.
fn standing(ledger: &Ledger) -> Vec<(i64, u64)> {
    let found = ledger.with_found(None, |found| found.collect::<Result<Vec<_>, _>>()).unwrap();
    found.unwrap().into_iter().map(|found| (found.since.0, found.audits)).collect()
}

/// What the next staging is told of user 1.
fn told(place: &mut Place) -> Option<StandingFinding> {
    let mut told = None;
    place.stage_deciding(vec![row(2, 1, 0)], |_, user| {
        told = user.finding;
        crate::checkpoint::LineDecision::Keep
    });
    told
}

#[test]
fn a_finding_counts_on_while_it_stays_the_same_and_begins_anew_when_it_changes() {
    let (place, _) = place();
    let keep = FindingChange::Keep;
    let broken = credential("c1", "invalid");
    audit(&place, 1, 10, &broken, keep(Finding::Unhealthy));
    assert_eq!(standing(&place.ledger), [(10, 1)]);
    audit(&place, 1, 20, &broken, keep(Finding::Unhealthy));
    assert_eq!(standing(&place.ledger), [(10, 2)]);
    // Another credential, then another finding.
    audit(&place, 1, 30, &credential("c9", "invalid"), keep(Finding::Unhealthy));
    assert_eq!(standing(&place.ledger), [(30, 1)]);
    audit(&place, 1, 40, &Sight::NoCredential, keep(Finding::Missing));
    audit(&place, 1, 50, &Sight::NoCredential, keep(Finding::Missing));
    assert_eq!(standing(&place.ledger), [(40, 2)]);
    audit(&place, 1, 60, &credential("c1", "OK"), FindingChange::Clear);
    assert_eq!(standing(&place.ledger), []);
    audit(&place, 1, 70, &Sight::NoCredential, keep(Finding::Missing));
    assert_eq!(standing(&place.ledger), [(70, 1)]);
}

#[test]
fn a_run_that_brings_the_user_to_its_end_takes_the_finding_away_and_no_other_does() {
    let (mut place, run) = place();
    let ours = |audits| StandingFinding { finding: Finding::Unhealthy, audits, is_of_ours: true };
    let keep = FindingChange::Keep(Finding::Unhealthy);
    audit(&place, 1, 10, &credential("c1", "invalid"), keep);
    audit(&place, 1, 20, &credential("c1", "invalid"), keep);
    assert_eq!(place.ledger.still_found().unwrap(), 1);
    assert_eq!(told(&mut place), Some(ours(2)));
    for code in [OutcomeCode::StaraLoginRejected, OutcomeCode::CredentialUnhealthy] {
        let end = OutcomeChange { held: HeldChange::Leave, ..change(place.key_of(1), run, code) };
        place.ledger.finish_all(vec![end]).unwrap();
        assert_eq!(told(&mut place), Some(ours(2)), "{code}");
    }
    place.ledger.finish_all(vec![attached(&place, 1, run)]).unwrap();
    assert_eq!(told(&mut place), None);
    assert_eq!(place.ledger.still_found().unwrap(), 0);
}

#[test]
fn only_what_is_ours_and_was_found_often_enough_is_due() {
    let (place, _) = place();
    let ledger = &place.ledger;
    for at in [10, 20] {
        ledger.begin_seeing(Subjects::Everybody).unwrap();
        ledger.begin_finding().unwrap();
        let mut changes = Vec::new();
        for user in 0..3 {
            // User 2 turned only in the second night; user 0 holds somebody else's.
            if user == 2 && at == 10 {
                continue;
            }
            let id = if user == 0 { "c9".to_owned() } else { format!("c{user}") };
            let finding = if user == 0 { Finding::Foreign } else { Finding::Unhealthy };
            ledger.note_seen(place.key_of(user), &credential(&id, "invalid")).unwrap();
            changes.push((place.key_of(user), FindingChange::Keep(finding)));
        }
        ledger.keep_findings(UnixMillis(at), &changes).unwrap();
    }
    assert_eq!([1, 2, 3].map(|audits| ledger.due_for_repair(audits).unwrap()), [2, 1, 0]);
    let unhealthy: Vec<UserKey> =
        ledger.found_unhealthy(None, 9).unwrap().into_iter().map(|(user, _)| user).collect();
    assert_eq!(unhealthy, [place.key_of(1), place.key_of(2)]);
    assert_eq!(ledger.found_unhealthy(Some(unhealthy[0]), 9).unwrap().len(), 1);
}

#[test]
fn what_is_accepted_is_known_and_not_ours_and_nothing_else_is_touched() {
    let (place, _) = place();
    let ledger = &place.ledger;
    ledger.begin_seeing(Subjects::Everybody).unwrap();
    ledger.begin_finding().unwrap();
    for user in 0..3 {
        ledger.note_seen(place.key_of(user), &credential(&format!("d{user}"), "OK")).unwrap();
    }
    let foreign = |user| (place.key_of(user), FindingChange::Keep(Finding::Foreign));
    ledger.keep_findings(UnixMillis(10), &[foreign(0), foreign(1), foreign(2)]).unwrap();
    let held = |user| {
        let held = ledger.user(id(user)).unwrap().unwrap().held.unwrap();
        (held.id.as_str().to_owned(), held.ours, held.origin)
    };
    assert_eq!(ledger.accept(Accepted::Of(id(3))).unwrap(), 0, "it wasn't found foreign");
    assert_eq!(ledger.accept(Accepted::Of(id(1))).unwrap(), 1);
    assert_eq!(held(1), ("d1".to_owned(), false, Some(Origin::Found)));
    assert_eq!((held(0).0.as_str(), held(3).0.as_str()), ("c0", "c3"));
    assert_eq!(ledger.still_found().unwrap(), 2);
    ledger.accept(Accepted::All).unwrap();
    assert_eq!((held(0).1, held(2).1, held(3).1), (false, false, true));
    assert_eq!(ledger.still_found().unwrap(), 0);
}

#[test]
fn a_stranger_is_seen_by_its_id_and_nothing_is_kept_of_it() {
    let (place, _) = place();
    let ledger = &place.ledger;
    ledger.begin_seeing(Subjects::Named).unwrap();
    ledger.begin_finding().unwrap();
    ledger.see_too(&[id(1), id(77), id(77)]).unwrap();
    ledger.see_too(&[id(88), id(1), id(77)]).unwrap();
    assert_eq!(ledger.still_to_be_seen().unwrap(), 3);
    let unseen = ledger.unseen(None, 9).unwrap();
    let ids: Vec<_> = unseen.iter().map(|unseen| unseen.leaf_user_id).collect();
    assert_eq!(ids, [id(1), id(77), id(88)]);
    let listed =
        [(id(88), Some(credential("x", "OK"))), (id(1), Some(credential("c1", "OK"))), (id(99), None)];
    ledger.note_listed(&listed).unwrap();
    let subjects = ledger.audited(None, 9).unwrap();
    let seen: Vec<_> = subjects.iter().map(|user| (user.leaf_user_id, user.sight.is_some())).collect();
    assert_eq!(seen, [(id(1), true), (id(77), false), (id(88), true)]);
    let stranger = subjects[2].user;
    ledger.keep_findings(UnixMillis(1), &[(stranger, FindingChange::Keep(Finding::Foreign))]).unwrap();
    let found = ledger.with_found(Some(Finding::Foreign), |found| found.next().unwrap().unwrap()).unwrap();
    assert_eq!((found.leaf_user_id, found.login, found.is_ours), (id(88), None, false));
    assert_eq!(ledger.accept(Accepted::All).unwrap(), 0);
    assert_eq!(ledger.still_found().unwrap(), 1);
    assert!(ledger.user(id(88)).unwrap().is_none());
    let kept: i64 =
        ledger.connection.query_row("SELECT count(*) FROM findings", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 0);
}

#[test]
fn the_last_audit_of_the_same_users_is_found_again() {
    let place = Place::new();
    let record = |at, healthy| AuditRecord {
        at: UnixMillis(at),
        counts: AuditCounts { healthy, unknown_user: 1, ..AuditCounts::default() },
    };
    assert_eq!(place.ledger.last_audit(None).unwrap(), None);
    place.ledger.record_audit(None, &record(1, 10)).unwrap();
    place.ledger.record_audit(Some("a.csv"), &record(2, 20)).unwrap();
    place.ledger.record_audit(None, &record(3, 30)).unwrap();
    assert_eq!(place.ledger.last_audit(None).unwrap(), Some(record(3, 30)));
    assert_eq!(place.ledger.last_audit(Some("a.csv")).unwrap(), Some(record(2, 20)));
    assert_eq!(place.ledger.last_audit(Some("b.csv")).unwrap(), None);
}

#[test]
fn the_newest_hundred_entries_of_a_users_log_are_kept() {
    let (place, _) = place();
    let (key, other) = (place.key_of(1), place.key_of(2));
    let event = |number: u32| SavedEvent {
        id: format!("e{number}"),
        created: format!("2026-11-01T00:00:00.{number:06}Z"),
        status_code: Some(i64::from(number)),
    };
    place.ledger.keep_events(&[(key, (0..90).map(event).collect()), (other, vec![event(0)])]).unwrap();
    // What Leaf shows again is no further entry.
    place.ledger.keep_events(&[(key, (60..130).map(event).collect())]).unwrap();
    let kept = place.ledger.newest_events(key, 1_000).unwrap();
    assert_eq!(kept, (30..130).rev().map(event).collect::<Vec<_>>());
    assert_eq!(place.ledger.newest_events(key, 3).unwrap().len(), 3);
    assert_eq!(place.ledger.newest_events(other, 9).unwrap().len(), 1);
}

#[test]
fn users_with_something_open_are_not_looked_for() {
    let (place, _) = place();
    let key = place.key_of(2);
    place.ledger.connection.execute("UPDATE users SET intent_at = 1 WHERE key = ?1", [key.0]).unwrap();
    place.ledger.begin_seeing(Subjects::Everybody).unwrap();
    assert_eq!(place.ledger.still_to_be_seen().unwrap(), 3);
    place.ledger.note_listed(&[(id(2), Some(credential("c2", "OK")))]).unwrap();
    let subjects = place.ledger.audited(None, 9).unwrap();
    let open: Vec<_> = subjects.iter().filter(|user| user.is_open).collect();
    assert_eq!((open.len(), open[0].user, &open[0].sight), (1, key, &None));
    assert!(place.ledger.unseen(None, 9).unwrap().iter().all(|unseen| unseen.user != key));
}
