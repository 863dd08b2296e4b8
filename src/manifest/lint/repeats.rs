//! Users and logins that stand on several lines, found in memory that doesn't grow with the manifest.
//!
//! The first reading tells which of them may be repeated, now and then one that isn't; the second compares the lines of
//! these few exactly.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use super::super::row::Row;
use super::kind::LintKind;
use super::seen_before::SeenBefore;
use crate::model::{LeafUserId, Secret};

/// How many users, and how many logins, are compared at most.
const MOST_COMPARED: usize = 1 << 17;

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
    seen: SeenBefore,
    compared: HashMap<K, Option<Lines<V>>>,
    is_overfull: bool,
    lines: Vec<(u64, K)>,
}

impl<K: Copy + Eq + Hash, V: PartialEq> Repeats<K, V> {
    fn new() -> Self {
        Self { seen: SeenBefore::new(), compared: HashMap::new(), is_overfull: false, lines: Vec::new() }
    }

    /// Takes note of a key in the first reading.
    fn see(&mut self, key: K) {
        if self.seen.see(&key) && !self.compared.contains_key(&key) {
            if self.compared.len() < MOST_COMPARED {
                self.compared.insert(key, None);
            } else {
                self.is_overfull = true;
            }
        }
    }

    /// Takes note of a key's line, and of what belongs to it there, in the second reading.
    fn compare(&mut self, key: K, line: u64, value: impl FnOnce() -> V) {
        let Some(lines) = self.compared.get_mut(&key) else { return };
        let value = value();
        match lines {
            None => *lines = Some(Lines { first: line, count: 1, value, differs: false }),
            Some(lines) => {
                lines.count += 1;
                lines.differs |= lines.value != value;
            }
        }
        if self.lines.len() < MOST_LINES {
            self.lines.push((line, key));
        }
    }

    /// The keys that stand on several lines.
    fn repeated(&self) -> impl Iterator<Item = &Lines<V>> {
        self.compared.values().flatten().filter(|lines| lines.count > 1)
    }

    /// The lines on which repeated keys stand, in their order, as far as they were remembered.
    fn listed(&self) -> impl Iterator<Item = (u64, &Lines<V>)> {
        let lines = |key| self.compared.get(key)?.as_ref().filter(|lines| lines.count > 1);
        self.lines.iter().filter_map(move |(line, key)| Some((*line, lines(key)?)))
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
        Self {
            users: Repeats::new(),
            logins: Repeats::new(),
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

    /// What both readings have shown; at most `most` lines of each kind.
    pub(super) fn decide(&self, most: usize) -> [Repeated; 3] {
        let (users, logins) = (&self.users, &self.logins);
        let conflicts = users.listed().filter(|(_, lines)| lines.differs);
        let duplicates = users.listed().filter(|(line, lines)| !lines.differs && *line != lines.first);
        let shared = logins.listed().filter(|(_, lines)| lines.differs);
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
