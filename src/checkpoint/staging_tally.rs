//! What a staging counts while it goes, so that nobody has to go through all the lines again.

use super::record::{LineDecision, UserKey, UserRecord};

/// What was staged so far.
#[derive(Debug, Default)]
pub(super) struct StagingTally {
    by_decision: [u64; LineDecision::ALL.len()],
    /// Rows that were attached before, and that this run leaves as they are.
    pub(super) done: u64,
    /// Whether several lines name the same user, as far as can be told.
    pub(super) has_repeated: bool,
    /// Whether the deletion of some row's credential was begun and is to be completed.
    pub(super) has_open_removals: bool,
    users: UserSet,
}

impl StagingTally {
    /// Takes note of a line that names no user, or none that is carried out.
    pub(super) fn note_line(&mut self, decision: LineDecision) {
        self.by_decision[decision as usize] += 1;
    }

    /// Takes note of a line, and of what is known of its user.
    pub(super) fn note(&mut self, decision: LineDecision, user: UserKey, record: Option<&UserRecord>) {
        self.note_line(decision);
        self.has_repeated |= !self.users.insert(user);
        let Some(record) = record else { return };
        let is_attached = record.outcome.as_ref().is_some_and(|last| last.outcome.code.is_done());
        let is_left = matches!(decision, LineDecision::Keep | LineDecision::NotSelected);
        self.done += u64::from(is_attached && is_left);
        self.has_open_removals |= record.intent.as_ref().is_some_and(|intent| intent.replacing);
    }

    /// How many lines have this decision.
    pub(super) fn of(&self, decision: LineDecision) -> u64 {
        self.by_decision[decision as usize]
    }

    /// How many different users the lines name that are carried out.
    pub(super) fn users(&self) -> u64 {
        self.users.count
    }
}

/// The largest key that has a bit: 32 MiB of them.
const LARGEST_KEY: i64 = 1 << 28;

/// Users by their keys, a bit for each: keys are given out one after another.
#[derive(Debug, Default)]
struct UserSet {
    words: Vec<u64>,
    count: u64,
}

impl UserSet {
    /// Adds a user, and says whether it surely wasn't there yet.
    fn insert(&mut self, user: UserKey) -> bool {
        if !(0..=LARGEST_KEY).contains(&user.0) {
            return false;
        }
        let (word, mask) = (usize::try_from(user.0 / 64).unwrap_or(0), 1 << (user.0 & 63));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & mask == 0;
        self.words[word] |= mask;
        self.count += u64::from(is_new);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_new_once_however_far_apart_the_keys_are() {
        let mut users = UserSet::default();
        let keys = [1, 2, 64, 63, 65, 1_000_000];
        assert!(keys.iter().all(|key| users.insert(UserKey(*key))));
        assert!(keys.iter().all(|key| !users.insert(UserKey(*key))));
        assert_eq!(users.count, 6);
        assert!(!users.insert(UserKey(i64::MAX)), "it has no bit, so nobody knows");
        assert!(!users.insert(UserKey(-1)));
    }
}
