//! Whom an audit is about: everybody in the ledger, or the users of a manifest's rows.

use crate::checkpoint::{Ledger, LedgerError, Subjects};
use crate::manifest::{Manifest, ManifestError, Record};
use crate::model::LeafUserId;
use crate::pipeline::stop::Stop;

/// How many users are handed to the ledger at a time.
const AT_ONCE: usize = 1_024;

/// Why the subjects couldn't be learned.
#[derive(Debug, thiserror::Error)]
pub enum SubjectsError {
    /// The manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Begins to see everybody in the ledger, or with a manifest the users of its rows; tells how many lines of the manifest
/// name nobody. A shard's audit is about its users only. Of a row only its user is looked at, so that a row that disagrees with another one counts all the same.
pub(super) fn begin(ledger: &Ledger, manifest: Option<&Manifest>, stop: &Stop) -> Result<u64, SubjectsError> {
    let Some(manifest) = manifest else {
        ledger.begin_seeing(Subjects::Everybody)?;
        return Ok(0);
    };
    ledger.begin_seeing(Subjects::Named)?;
    let mut invalid = 0;
    let mut ids: Vec<LeafUserId> = Vec::with_capacity(AT_ONCE);
    let is_own = |id: Option<LeafUserId>| ledger.shard().is_none_or(|shard| shard.takes_line(id));
    for record in manifest.records()? {
        let id = match record? {
            Record::Row(row) => Some(row.leaf_user_id),
            Record::User(line) => Some(line.leaf_user_id),
            Record::Invalid(_) => None,
        };
        match id {
            id if !is_own(id) => {}
            Some(id) => ids.push(id),
            None => invalid += 1,
        }
        if ids.len() == AT_ONCE {
            ledger.see_too(&ids)?;
            ids.clear();
            if stop.is_draining() {
                return Ok(invalid);
            }
        }
    }
    ledger.see_too(&ids)?;
    Ok(invalid)
}
