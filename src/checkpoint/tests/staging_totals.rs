//! What staging counts by the way is what the ledger holds in the end, whatever was staged on whichever nights.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::fixtures::*;
use crate::checkpoint::{LineDecision, RunStart, StagedLine, StagingTotals};

/// A line of a night's manifest: how many lines were left blank before it, its user, its password, and what is decided.
type Line = (u64, u8, i64, Option<LineDecision>);

#[derive(Debug, Clone)]
struct Night {
    lines: Vec<Line>,
    limit: Option<u64>,
    /// What becomes of the users with these keys.
    ended: Vec<(u8, &'static str)>,
}

fn a_night() -> impl Strategy<Value = Night> {
    use LineDecision::{Keep, NotSelected, Refused, Replace, ToDo};
    let decision = prop_oneof![Just(Keep), Just(ToDo), Just(Replace), Just(Refused), Just(NotSelected)];
    let line =
        (prop_oneof![4 => Just(0_u64), 1 => 0..3_u64], 0..9_u8, 0..2_i64, option::weighted(0.9, decision));
    let end = prop_oneof![
        Just("outcome = 'attached', held_id = 'c', run = 1"),
        Just("outcome = 'stara-unavailable', run = 1"),
        Just("intent_at = 5, intent_replacing = 1"),
        Just("intent_at = NULL, intent_replacing = 0"),
    ];
    (vec(line, 0..12), option::weighted(0.3, 0..6_u64), vec((1..9_u8, end), 0..4))
        .prop_map(|(lines, limit, ended)| Night { lines, limit, ended })
}

impl Night {
    fn stage(&self, place: &mut Place) -> StagingTotals {
        let mut number = 1;
        let mut decisions = Vec::new();
        let lines: Vec<StagedLine> = self
            .lines
            .iter()
            .map(|&(blank, user, password, decision)| {
                number += 1 + blank;
                decisions.extend(decision);
                match decision {
                    Some(_) => row(number, user, password),
                    None => invalid(number, (password == 0).then_some(user)),
                }
            })
            .collect();
        let mut decisions = decisions.into_iter();
        let lines = lines.into_iter().map(Ok::<_, std::convert::Infallible>);
        let start = RunStart { limit: self.limit, ..start() };
        place.ledger.stage(&start, lines, |_, _| decisions.next().unwrap()).unwrap()
    }

    fn end(&self, place: &Place) {
        for (key, change) in &self.ended {
            let sql = format!("UPDATE users SET {change} WHERE key = ?1");
            place.ledger.connection.execute(&sql, [key]).unwrap();
        }
    }
}

/// The totals as anybody would count them who has nothing but the ledger.
fn counted(place: &Place, run: i64) -> StagingTotals {
    let connection = &place.ledger.connection;
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    let of = |decision: &str| one(&format!("SELECT count(*) FROM lines WHERE decision = '{decision}'"));
    let users = |sql: &str| -> HashSet<Vec<u8>> {
        connection
            .prepare(sql)
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    let held = users(
        "SELECT leaf_user_id FROM users WHERE held_id IS NOT NULL OR intent_at IS NOT NULL OR outcome = 'attached'",
    );
    let named = users(
        "SELECT coalesce(users.leaf_user_id, lines.leaf_user_id) AS id FROM lines LEFT JOIN users ON key = user
         WHERE id IS NOT NULL",
    );
    StagingTotals {
        run,
        lines: one("SELECT count(*) FROM lines"),
        manifest_lines: one("SELECT manifest_lines FROM runs ORDER BY run DESC LIMIT 1"),
        to_do: of("to-do") + of("replace"),
        done: one("SELECT count(*) FROM lines JOIN users ON key = user
                   WHERE decision IN ('keep', 'not-selected') AND outcome = 'attached'"),
        invalid: of("invalid"),
        duplicate: of("duplicate"),
        conflict: of("conflict"),
        not_selected: of("not-selected"),
        vanished: held.difference(&named).count() as u64,
        open_removals: one("SELECT count(*) FROM lines JOIN users ON key = user
                            WHERE intent_at IS NOT NULL AND intent_replacing = 1")
            > 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_what_the_ledger_holds_whatever_was_staged_before(nights in vec(a_night(), 1..4)) {
        let mut place = Place::new();
        for (run, night) in (1..).zip(&nights) {
            let totals = night.stage(&mut place);
            prop_assert_eq!(totals, counted(&place, run));
            night.end(&place);
        }
    }
}

#[test]
fn a_user_is_found_in_whatever_order_manifests_name_it_and_whoever_was_forgotten_between() {
    let mut place = Place::new();
    place.stage(rows(2, 20));
    let keys = |place: &Place| (0..20).map(|user| place.key_of(user)).collect::<Vec<_>>();
    let first = keys(&place);
    let orders: [Vec<u8>; 4] = [
        (0..20).rev().collect(),
        (0..20).map(|user| (user * 7) % 20).collect(),
        (10..20).chain(0..10).collect(),
        (0..20).collect(),
    ];
    for order in orders {
        let lines = (2..).zip(order).map(|(line, user)| row(line, user, 0)).collect();
        let totals = place.stage_deciding(lines, |_, user| {
            assert!(user.record.is_some(), "the ledger has met all of them");
            LineDecision::Keep
        });
        assert_eq!((totals.lines, totals.vanished), (20, 0));
        assert_eq!(keys(&place), first);
    }
    place.ledger.connection.execute("DELETE FROM users WHERE key IN (5, 6, 20)", []).unwrap();
    let mut new = Vec::new();
    place.stage_deciding(rows(2, 20), |row, user| {
        new.extend(user.record.is_none().then(|| row.unwrap().leaf_user_id));
        LineDecision::ToDo
    });
    assert_eq!(new, [id(4), id(5), id(19)]);
}
