//! Logins that stand in rows of several shards, found in memory that doesn't grow with the manifest.
//!
//! The rows of one login run one after another, because a second token may void the first one's, and a wrong password is to be
//! tried once. Among processes nobody sees to that. The first reading tells which logins may stand in rows of other shards,
//! too, now and then one that doesn't; the second compares these few.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use crate::model::{Login, Shard};

/// How many logins are compared at most.
const MOST_COMPARED: usize = 1 << 16;

/// The lengths of the filters of a shard's own logins and of all others, in words of 64 bits: 1 MiB and 4 MiB. With a million
/// logins, about one in ten thousand of those that stand in one shard only is compared in vain.
const LENGTHS: [usize; 2] = [1 << 17, 1 << 19];

/// A login as 128 bits under a key that is never written anywhere.
type Digest = [u64; 2];

/// Finds the logins of one shard that stand in rows of others, too.
pub(super) struct DividedLogins {
    /// The logins of the shard, and those of all others.
    filters: [Filter; 2],
    digests: [RandomState; 2],
    /// In whose rows the logins that are compared were met in the second reading: the shard's, and others'.
    compared: HashMap<Digest, [bool; 2]>,
    most: usize,
    is_overfull: bool,
}

impl DividedLogins {
    /// Nothing was read yet. `None` where nothing is divided.
    pub(super) fn of(shard: Option<Shard>) -> Option<Self> {
        shard.filter(|shard| shard.count() > 1).map(|_| Self::comparing(MOST_COMPARED))
    }

    fn comparing(most: usize) -> Self {
        Self {
            filters: LENGTHS.map(Filter::new),
            digests: [RandomState::new(), RandomState::new()],
            compared: HashMap::new(),
            most,
            is_overfull: false,
        }
    }

    /// Takes note of a row in the first reading, which is the shard's own or another one's.
    pub(super) fn see(&mut self, login: &Login, is_own: bool) {
        let digest = self.digest(login);
        let [own, others] = &mut self.filters;
        let (mine, theirs) = if is_own { (own, others) } else { (others, own) };
        mine.put(digest);
        if theirs.may_have(digest) && !self.compared.contains_key(&digest) {
            if self.compared.len() < self.most {
                self.compared.insert(digest, [false; 2]);
            } else {
                self.is_overfull = true;
            }
        }
    }

    /// Whether there may be any, so that a second reading is needed.
    pub(super) fn are_possible(&self) -> bool {
        !self.compared.is_empty()
    }

    /// Takes note of a row in the second reading.
    pub(super) fn compare(&mut self, login: &Login, is_own: bool) {
        let digest = self.digest(login);
        if let Some(met) = self.compared.get_mut(&digest) {
            met[usize::from(!is_own)] = true;
        }
    }

    /// How many there are, and whether there may be more.
    pub(super) fn count(&self) -> (u64, bool) {
        let divided = self.compared.values().filter(|met| **met == [true; 2]).count();
        (divided as u64, self.is_overfull)
    }

    fn digest(&self, login: &Login) -> Digest {
        [self.digests[0].hash_one(login), self.digests[1].hash_one(login)]
    }
}

/// A Bloom filter: it never denies what was put into it.
struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// An empty one of so many words, a power of two.
    fn new(words: usize) -> Self {
        Self { words: vec![0; words] }
    }

    fn put(&mut self, digest: Digest) {
        for (word, mask) in self.places(digest) {
            self.words[word] |= mask;
        }
    }

    fn may_have(&self, digest: Digest) -> bool {
        self.places(digest).iter().all(|(word, mask)| self.words[*word] & mask != 0)
    }

    /// Four bits of it, each as its word and its mask.
    fn places(&self, [one, other]: Digest) -> [(usize, u64); 4] {
        [one, one >> 32, other, other >> 32].map(|part| {
            let place = usize::try_from(part & 0xffff_ffff).unwrap_or(0) & (self.words.len() * 64 - 1);
            (place / 64, 1 << (place % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(number: u32) -> Login {
        Login::new(format!("grower{number}@agro.example"))
    }

    fn see(logins: &mut DividedLogins, rows: &[(u32, bool)]) {
        for (number, is_own) in rows {
            logins.see(&login(*number), *is_own);
        }
    }

    /// What both readings tell of these rows.
    fn count(mut logins: DividedLogins, rows: &[(u32, bool)]) -> (u64, bool) {
        see(&mut logins, rows);
        for (number, is_own) in rows {
            logins.compare(&login(*number), *is_own);
        }
        logins.count()
    }

    fn of(shard: &str) -> Option<DividedLogins> {
        DividedLogins::of(shard.parse().ok())
    }

    #[test]
    fn a_login_in_rows_of_two_shards_is_counted_once_in_whatever_order_they_stand() {
        // One is the shard's twice, two and three are others', too; four only others'.
        let rows =
            [(1, true), (1, true), (2, true), (2, false), (3, false), (3, true), (3, false), (4, false)];
        assert_eq!(count(of("0/2").unwrap(), &rows), (2, false));
    }

    #[test]
    fn logins_of_one_shard_each_are_never_taken_for_divided_ones() {
        let rows: Vec<(u32, bool)> = (0..300_000).map(|number| (number, number % 8 == 0)).collect();
        let mut logins = of("0/8").unwrap();
        see(&mut logins, &rows);
        assert!(logins.compared.len() < 300, "{}", logins.compared.len());
        assert_eq!(count(logins, &rows), (0, false));
    }

    #[test]
    fn with_too_many_of_them_the_count_is_at_least_what_was_compared() {
        let rows: Vec<(u32, bool)> = (0..40).map(|number| (number / 2, number % 2 == 0)).collect();
        assert_eq!(count(DividedLogins::comparing(20), &rows), (20, false));
        assert_eq!(count(DividedLogins::comparing(5), &rows), (5, true));
    }

    #[test]
    fn where_nothing_is_divided_there_is_nothing_to_find() {
        assert!(of("0/1").is_none());
        assert!(DividedLogins::of(None).is_none());
    }
}
