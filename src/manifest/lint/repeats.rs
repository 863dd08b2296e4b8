//! Users and logins that stand on several lines, found in memory that doesn't grow with the manifest.
//!
//! The first reading tells which of them may be repeated, now and then one that isn't; the second compares the lines of
//! these few exactly.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use super::super::row::Row;
use super::kind::LintKind;
use super::listing::Listing;
use super::seen_before::SeenBefore;
use crate::model::{LeafUserId, Secret};

/// How many users, and how many logins, are compared at most: as many as fit into a table of 2^17 places.
const MOST_COMPARED: usize = (1 << 17) / 8 * 7;

/// How many of their lines are remembered, to be listed.
const MOST_LINES: usize = 1 << 16;

/// What is known of the lines on which one key stands.
#[derive(Debug)]
struct Lines<V> {
    first: u64,
    count: u64,
    value: V,
    /// Whether what belongs to the key isn't the same on all lines.
    differs: bool,
}

/// Compares what belongs to each key on all the lines on which it stands.
struct Repeats<K, V> {
    /// How many keys are compared at most.
    most: usize,
    /// What the first reading has met; the second one needs the memory for something else.
    seen: Option<SeenBefore>,
    compared: HashMap<K, Option<Lines<V>>>,
    is_overfull: bool,
    /// Lines on which a repeated key stands.
    lines: Vec<(u64, K)>,
}

impl<K: Copy + Eq + Hash, V: PartialEq> Repeats<K, V> {
    fn new(most: usize) -> Self {
        Self {
            most,
            seen: Some(SeenBefore::new()),
            compared: HashMap::new(),
            is_overfull: false,
            lines: Vec::new(),
        }
    }

    /// Takes note of a key in the first reading.
    fn see(&mut self, key: K) {
        if self.seen.as_mut().is_some_and(|seen| seen.see(&key)) && !self.compared.contains_key(&key) {
            if self.compared.len() < self.most {
                self.compared.insert(key, None);
            } else {
                self.is_overfull = true;
            }
        }
    }

    /// Takes note of a key's line, and of what belongs to it there, in the second reading.
    fn compare(&mut self, key: K, line: u64, value: impl FnOnce() -> V) {
        self.seen = None;
        let Some(lines) = self.compared.get_mut(&key) else { return };
        let value = value();
        let Some(lines) = lines else {
            *lines = Some(Lines { first: line, count: 1, value, differs: false });
            return;
        };
        lines.count += 1;
        lines.differs |= lines.value != value;
        if self.lines.len() < MOST_LINES {
            // Only now it is known that the first line has a second one.
            let first = (lines.count == 2).then_some(lines.first);
            self.lines.extend(first.into_iter().chain([line]).map(|line| (line, key)));
        }
    }

    /// The keys that stand on several lines.
    fn repeated(&self) -> impl Iterator<Item = &Lines<V>> {
        self.compared.values().flatten().filter(|lines| lines.count > 1)
    }

    /// Brings the lines on which repeated keys stand into their order.
    fn sort(&mut self) {
        self.lines.sort_unstable_by_key(|(line, _)| *line);
    }

    /// The lines on which repeated keys stand, as far as they were remembered.
    fn listed(&self) -> impl Iterator<Item = (u64, &Lines<V>)> {
        self.lines.iter().filter_map(|(line, key)| Some((*line, self.compared.get(key)?.as_ref()?)))
    }
}

/// A kind that lines of one manifest show together.
pub(super) struct Repeated {
    pub(super) kind: LintKind,
    pub(super) count: u64,
    pub(super) is_at_least: bool,
    /// The first lines, each with what can be shown of it.
    pub(super) lines: Vec<(u64, String)>,
}

/// Finds lines that repeat or contradict one another.
pub(super) struct RepeatedRows {
    /// Each user's login, password and accessTokenClient, as a digest with a key that is never written anywhere.
    users: Repeats<LeafUserId, u64>,
    /// Each login's user. A login is compared by a digest of 128 bits.
    logins: Repeats<[u64; 2], LeafUserId>,
    digests: [RandomState; 2],
}

impl RepeatedRows {
    /// Nothing was read yet.
    pub(super) fn new() -> Self {
        Self::comparing(MOST_COMPARED)
    }

    /// Compares at most `most` users and as many logins.
    fn comparing(most: usize) -> Self {
        Self {
            users: Repeats::new(most),
            logins: Repeats::new(most),
            digests: [RandomState::new(), RandomState::new()],
        }
    }

    /// Takes note of a row in the first reading.
    pub(super) fn see(&mut self, row: &Row) {
        self.users.see(row.leaf_user_id);
        self.logins.see(self.digest(row.login.as_str()));
    }

    /// Whether any line may repeat another one, so that a second reading is needed.
    pub(super) fn are_possible(&self) -> bool {
        !self.users.compared.is_empty() || !self.logins.compared.is_empty()
    }

    /// Takes note of a row in the second reading.
    pub(super) fn compare(&mut self, row: &Row) {
        let login = self.digest(row.login.as_str());
        self.logins.compare(login, row.line, || row.leaf_user_id);
        let client = row.access_token_client.as_ref().map(Secret::expose_secret);
        let content = || self.digests[0].hash_one((login, row.password.expose_secret(), client));
        self.users.compare(row.leaf_user_id, row.line, content);
    }

    /// What both readings have shown.
    pub(super) fn decide(&mut self, listing: Listing) -> [Repeated; 3] {
        let most = listing.most();
        let is_listed = |line: u64| listing.takes(line, 0);
        self.users.sort();
        self.logins.sort();
        let (users, logins) = (&self.users, &self.logins);
        let conflicts = users.listed().filter(|(line, lines)| lines.differs && is_listed(*line));
        let duplicates =
            users.listed().filter(|(line, lines)| !lines.differs && *line != lines.first && is_listed(*line));
        let shared = logins.listed().filter(|(line, lines)| lines.differs && is_listed(*line));
        let first = |(line, first): (u64, u64), count: u64| {
            let others = count - 1;
            let sample = if line == first {
                format!("{others} more {}", if others == 1 { "line" } else { "lines" })
            } else {
                format!("first on line {first}")
            };
            (line, sample)
        };
        [
            Repeated {
                kind: LintKind::ConflictingUser,
                count: users.repeated().filter(|lines| lines.differs).map(|lines| lines.count).sum(),
                is_at_least: users.is_overfull,
                lines: conflicts
                    .take(most)
                    .map(|(line, lines)| first((line, lines.first), lines.count))
                    .collect(),
            },
            Repeated {
                kind: LintKind::DuplicateLine,
                count: users.repeated().filter(|lines| !lines.differs).map(|lines| lines.count - 1).sum(),
                is_at_least: users.is_overfull,
                lines: duplicates
                    .take(most)
                    .map(|(line, lines)| (line, format!("as line {}", lines.first)))
                    .collect(),
            },
            Repeated {
                kind: LintKind::SharedLogin,
                count: logins.repeated().filter(|lines| lines.differs).map(|lines| lines.count).sum(),
                is_at_least: logins.is_overfull,
                lines: shared
                    .take(most)
                    .map(|(line, lines)| first((line, lines.first), lines.count))
                    .collect(),
            },
        ]
    }

    fn digest(&self, login: &str) -> [u64; 2] {
        [self.digests[0].hash_one(login), self.digests[1].hash_one(login)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Login;

    fn row(line: u64, user: u8) -> Row {
        Row {
            line,
            leaf_user_id: LeafUserId::from_bytes([user; 16]),
            login: Login::new(format!("grower{user}")),
            password: Secret::new("Safra2041".to_owned()),
            access_token_client: None,
            kept: Vec::new(),
        }
    }

    #[test]
    fn with_too_many_repeated_users_the_count_is_at_least_what_was_compared() {
        let rows: Vec<Row> = (2..).zip([1, 2, 3, 1, 2, 3]).map(|(line, user)| row(line, user)).collect();
        for (most, expected) in [(3, (3, false)), (2, (2, true))] {
            let mut repeats = RepeatedRows::comparing(most);
            for row in &rows {
                repeats.see(row);
            }
            assert!(repeats.are_possible());
            for row in &rows {
                repeats.compare(row);
            }
            let [conflicts, duplicates, shared] = repeats.decide(Listing::First(10));
            let listed: Vec<(u64, &str)> =
                duplicates.lines.iter().map(|(line, sample)| (*line, sample.as_str())).collect();
            let of_first_two = [(5, "as line 2"), (6, "as line 3"), (7, "as line 4")];
            assert_eq!(listed, of_first_two[..most]);
            assert_eq!((duplicates.count, duplicates.is_at_least), expected);
            assert_eq!((conflicts.count, shared.count), (0, 0));
        }
    }
}
