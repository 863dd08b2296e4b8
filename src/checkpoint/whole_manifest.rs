//! What a shard's ledger keeps of the whole manifest, so that the ledgers of one night's shards know each other.

use sha2::{Digest as _, Sha256};

use super::staging::{LineContent, StagedLine};
use crate::model::{LeafUserId, Login, Shard};

/// Counts all lines, and takes their print where a shard's ledger is staged. It covers what a ledger keeps of a line in clear,
/// so that it tells no more than the ledgers do: no password, and no fingerprint.
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
        print.update(line.line.to_be_bytes());
        add_cell(print, line.leaf_user_id().as_ref().map(LeafUserId::as_bytes).map(<[u8; 16]>::as_slice));
        add_cell(print, line.login().map(|login| login.as_str().as_bytes()));
        for kept in &line.kept {
            add_cell(print, Some(kept.as_bytes()));
        }
        add_cell(print, None);
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
            LineContent::Invalid { leaf_user_id, .. } | LineContent::Elsewhere { leaf_user_id, .. } => {
                *leaf_user_id
            }
        }
    }

    /// Its login, where it is a row.
    fn login(&self) -> Option<&Login> {
        match &self.content {
            LineContent::Row(row) => Some(&row.login),
            LineContent::Elsewhere { login, .. } => login.as_ref(),
            LineContent::User(_) | LineContent::Invalid { .. } => None,
        }
    }
}

/// Adds a cell so that where it ends can't be read in two ways.
fn add_cell(print: &mut Sha256, cell: Option<&[u8]>) {
    match cell {
        Some(cell) => {
            print.update([1]);
            print.update((cell.len() as u64).to_be_bytes());
            print.update(cell);
        }
        None => print.update([0]),
    }
}
