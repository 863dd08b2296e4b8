//! One part of several into which a manifest's users are divided.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::ids::LeafUserId;

/// The most parts into which a manifest may be divided.
const MOST: u32 = 1_024;

/// One of `count` parts of every manifest: each user belongs to exactly one of them, whatever the manifest's order or
/// format. Written `I/N`, the first part being 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// A text or a pair of numbers that is no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no shard: write I/N, such as 0/8 up to 7/8, with N from 1 to {MOST} and I less than N")]
pub struct ParseShardError;

impl Shard {
    /// The part `index`, from 0, of `count` parts.
    ///
    /// # Errors
    ///
    /// When there are none or too many parts, or when this isn't one of them.
    pub const fn new(index: u32, count: u32) -> Result<Self, ParseShardError> {
        if index < count && count <= MOST { Ok(Self { index, count }) } else { Err(ParseShardError) }
    }

    /// Which part it is, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of how many parts.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether the user belongs to this part.
    #[must_use]
    pub fn takes(self, leaf_user_id: LeafUserId) -> bool {
        self == self.holder_of(leaf_user_id)
    }

    /// The part to which the user belongs, of as many as this is one of.
    ///
    /// The rule is a contract and never changes: the first eight bytes of SHA-256 over the sixteen bytes of the UUID, as a
    /// big-endian number, modulo the number of parts. A hash, because UUIDs needn't be random: those of one batch may have
    /// the same ending.
    #[must_use]
    pub fn holder_of(self, leaf_user_id: LeafUserId) -> Self {
        let digest = Sha256::digest(leaf_user_id.as_bytes());
        let (first, _) = digest.split_at(8);
        let number = first.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Less than the number of parts, which fits.
        let index = u32::try_from(number % u64::from(self.count)).unwrap_or_default();
        Self { index, count: self.count }
    }

    /// Whether a line belongs to this part that names this user, or none: a line without a user belongs to the first part.
    #[must_use]
    pub fn takes_line(self, leaf_user_id: Option<LeafUserId>) -> bool {
        leaf_user_id.map_or(self.index == 0, |id| self.takes(id))
    }

    /// This part's share of a whole number: the shares of all parts come to the whole, what is left over going to the first
    /// parts, one each.
    #[must_use]
    pub fn share_of(self, whole: u64) -> u64 {
        let count = u64::from(self.count);
        whole / count + u64::from(u64::from(self.index) < whole % count)
    }

    /// The file that this part has in the place of `path`: `ledger.3-of-8.db` for `ledger.db`. A name that already says so is
    /// left as it is, and one without an ending gets `.db`.
    #[must_use]
    pub fn path(self, path: &Path) -> PathBuf {
        let part = self.infix();
        let says_so = |name: &OsStr| Path::new(name).extension().is_some_and(|ending| *ending == *part);
        let Some(name) = path.file_name() else { return path.to_owned() };
        let (stem, ending) = match (path.file_stem(), path.extension()) {
            (Some(stem), Some(ending)) if !says_so(name) => (stem, ending),
            // What lies beside a ledger is called like it but for the ending: it must have one that isn't the shard.
            _ => (name, OsStr::new("db")),
        };
        let mut sharded = stem.to_owned();
        if !says_so(stem) {
            sharded.push(".");
            sharded.push(part);
        }
        sharded.push(".");
        sharded.push(ending);
        path.with_file_name(sharded)
    }

    /// What stands before the ending of this part's files: `3-of-8`.
    #[must_use]
    pub fn infix(self) -> String {
        format!("{}-of-{}", self.index, self.count)
    }

    /// The part that [`infix`](Self::infix) writes so.
    #[must_use]
    pub fn from_infix(text: &str) -> Option<Self> {
        let (index, count) = text.split_once("-of-")?;
        from_numbers(index, count).ok()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (index, count) = text.split_once('/').ok_or(ParseShardError)?;
        from_numbers(index, count)
    }
}

fn from_numbers(index: &str, count: &str) -> Result<Shard, ParseShardError> {
    // One way of writing a number, because it stands in a file's name: 03 would be another file than 3.
    let read = |text: &str| {
        let number = text.parse::<u32>().map_err(|_| ParseShardError)?;
        if number.to_string() == text { Ok(number) } else { Err(ParseShardError) }
    };
    Shard::new(read(index)?, read(count)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    #[test]
    fn a_shard_reads_as_it_is_written() {
        for text in ["0/1", "0/8", "7/8", "1023/1024"] {
            assert_eq!(shard(text).to_string(), text);
            assert_eq!(Shard::from_infix(&shard(text).infix()), Some(shard(text)));
        }
        for text in
            ["", "3", "/", "8/8", "0/0", "0/1025", "-1/8", "+1/8", "03/8", "3/08", " 3/8", "3/8/1", "auto/8"]
        {
            assert_eq!(text.parse::<Shard>(), Err(ParseShardError), "{text}");
        }
        assert_eq!(Shard::from_infix("3-of-3"), None);
    }

    /// Whoever changes these lets growers belong to other shards than the ledgers that remember them.
    #[test]
    fn where_a_user_belongs_never_changes() {
        let taken_by = |id: &str, count| {
            let id: LeafUserId = id.parse().unwrap();
            (0..count).filter(|index| Shard::new(*index, count).unwrap().takes(id)).collect::<Vec<_>>()
        };
        let known = [
            ("00000000-0000-0000-0000-000000000000", [1, 5, 9, 469]),
            ("0a1b2c3d-0000-4000-8000-00000000abcd", [1, 7, 1, 791]),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", [1, 1, 7, 9]),
            ("6f9619ff-8b86-d011-b42d-00c04fc964ff", [0, 2, 0, 346]),
        ];
        for (id, of) in known {
            for (count, index) in [2, 8, 10, 1_024].into_iter().zip(of) {
                assert_eq!(taken_by(id, count), [index], "{id} of {count}");
            }
        }
    }

    #[test]
    fn a_line_without_a_user_belongs_to_the_first_shard() {
        assert!(shard("0/8").takes_line(None));
        assert!((1..8).all(|index| !Shard::new(index, 8).unwrap().takes_line(None)));
    }

    #[test]
    fn the_shards_of_a_number_differ_by_one_at_most_and_the_first_get_more() {
        let shares = |whole, count| -> Vec<u64> {
            (0..count).map(|index| Shard::new(index, count).unwrap().share_of(whole)).collect()
        };
        assert_eq!(shares(50, 8), [7, 7, 6, 6, 6, 6, 6, 6]);
        assert_eq!(shares(3, 4), [1, 1, 1, 0]);
        assert_eq!(shares(0, 2), [0, 0]);
    }

    #[test]
    fn a_file_of_a_shard_names_it_before_its_ending() {
        let path =
            |shard_text: &str, path: &str| shard(shard_text).path(Path::new(path)).display().to_string();
        assert_eq!(path("3/8", "state/ledger.db"), "state/ledger.3-of-8.db");
        assert_eq!(path("0/1", "/var/lib/farm.v2/sandbox.db"), "/var/lib/farm.v2/sandbox.0-of-1.db");
        assert_eq!(path("3/8", "ledger.3-of-8.db"), "ledger.3-of-8.db");
        assert_eq!(path("3/8", "ledger.3-of-4.db"), "ledger.3-of-4.3-of-8.db");
        assert_eq!(path("3/8", "ledger"), "ledger.3-of-8.db");
        assert_eq!(path("3/8", "ledger.3-of-8"), "ledger.3-of-8.db");
    }

    proptest! {
        #[test]
        fn every_user_belongs_to_exactly_one_shard(bytes in any::<[u8; 16]>(), count in 1..=MOST) {
            let id = LeafUserId::from_bytes(bytes);
            let takers = (0..count).filter(|index| Shard::new(*index, count).unwrap().takes(id)).count();
            prop_assert_eq!(takers, 1);
        }

        #[test]
        fn the_shares_of_all_shards_come_to_the_whole(whole in 0..=u64::from(u32::MAX), count in 1..=MOST) {
            let shares = (0..count).map(|index| Shard::new(index, count).unwrap().share_of(whole));
            prop_assert_eq!(shares.sum::<u64>(), whole);
        }
    }
}
