//! What a shard's ledger keeps of the whole manifest, so that the ledgers of one night's shards know each other.

use sha2::{Digest as _, Sha256};

use super::staging::{LineContent, StagedLine};
use crate::model::{LeafUserId, Shard};

/// Counts all lines, and takes their print where a shard's ledger is staged. There is no login and no password in it.
pub(super) struct WholeManifest {
    lines: u64,
    print: Option<Sha256>,
}

impl WholeManifest {
    pub(super) fn new(shard: Option<Shard>) -> Self {
        Self { lines: 0, print: shard.map(|_| Sha256::new()) }
    }

    pub(super) fn add(&mut self, line: &StagedLine) {
        self.lines += 1;
        let Some(print) = &mut self.print else { return };
        // Each line begins with its number, so that where one ends can't be read in two ways.
        print.update(line.line.to_be_bytes());
        match line.leaf_user_id() {
            Some(id) => {
                print.update([1]);
                print.update(id.as_bytes());
            }
            None => print.update([0]),
        }
    }

    /// How many lines there are, and their print.
    pub(super) fn finish(self) -> (u64, Option<String>) {
        (self.lines, self.print.map(|print| format!("{:x}", print.finalize())))
    }
}

impl StagedLine {
    /// The user that it names, if it does.
    #[must_use]
    pub fn leaf_user_id(&self) -> Option<LeafUserId> {
        match &self.content {
            LineContent::Row(row) => Some(row.leaf_user_id),
            LineContent::User(id) => Some(*id),
            LineContent::Invalid { leaf_user_id, .. } => *leaf_user_id,
            LineContent::Elsewhere(id) => *id,
        }
    }
}
