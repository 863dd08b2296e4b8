//! Lines that repeat one another, against the obvious way of finding them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::LintKind::{self, ConflictingUser, DuplicateLine, SharedLogin};
use super::fixtures::{csv, found, id};

/// What is to be found among rows of users, logins and passwords, each a small number.
fn expected(rows: &[(u8, u8, u8)]) -> BTreeSet<(u64, LintKind)> {
    let mut found = BTreeSet::new();
    let mut users = BTreeMap::<_, Vec<_>>::new();
    let mut logins = BTreeMap::<_, Vec<_>>::new();
    for (line, (user, login, password)) in (2..).zip(rows) {
        users.entry(*user).or_default().push((line, (*login, *password)));
        logins.entry(*login).or_default().push((line, *user));
    }
    for lines in users.values() {
        if lines.iter().all(|(_, content)| *content == lines[0].1) {
            found.extend(lines.iter().skip(1).map(|(line, _)| (*line, DuplicateLine)));
        } else {
            found.extend(lines.iter().map(|(line, _)| (*line, ConflictingUser)));
        }
    }
    for lines in logins.values().filter(|lines| lines.iter().any(|(_, user)| *user != lines[0].1)) {
        found.extend(lines.iter().map(|(line, _)| (*line, SharedLogin)));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn repeated_lines_are_found_exactly(rows in prop::collection::vec((0..12_u8, 0..12_u8, 0..3_u8), 1..24)) {
        let text = csv(rows.iter().map(|(user, login, password)| {
            [id(usize::from(*user)), format!("grower-{login}"), format!("Safra-{password}")]
        }));
        let found: BTreeSet<_> = found(&text).into_iter().map(|(line, _, kind)| (line, kind)).collect();
        prop_assert_eq!(found, expected(&rows));
    }
}
