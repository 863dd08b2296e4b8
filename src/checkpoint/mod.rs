//! The ledger: what is known of every user and every line, in SQLite, true after a crash at any instruction.
//!
//! Main types: [`Ledger`], opened for one target and held by one run ([`RunLock`]); [`LedgerWriter`], the thread that
//! owns it during a run and commits in groups; [`FingerprintKey`], by which passwords are compared without being
//! stored; [`UserRecord`] and [`LineResult`], what is read back; [`AuditedUser`] and [`FoundUser`], what an audit judges and finds;
//! [`RejectedUser`], who may need a magic link; [`RunMeasures`] and [`LiveState`], what a run measures of itself;
//! [`ShardedLedger`], the ledgers of all shards as one.
//!
//! This floor may not know HTTP, and it never stores a password, an apiKey, a token, a body, or an unkeyed digest of one;
//! a magic link only sealed under the key that lies outside of it.

mod approach;
mod audits;
mod copy;
mod cursor;
mod error;
mod file;
mod file_system;
mod findings;
mod fingerprint;
mod folder;
mod forecasts;
mod forget;
mod found;
mod leavers;
mod ledger;
mod links;
mod lock;
mod measures;
mod neighbours;
mod rates;
mod record;
mod refusals;
mod results;
mod runs;
mod saved_events;
mod schema;
mod seal;
mod sharded;
mod sights;
mod staging;
mod staging_tally;
mod staging_totals;
mod target;
#[cfg(test)]
mod tests;
mod told;
mod user_row;
mod vanished;
mod whole_manifest;
mod writer;

pub use approach::Approach;
pub use audits::{AuditCounts, AuditRecord};
pub use cursor::{LineCursor, LineEntry};
pub use error::LedgerError;
pub use file_system::FileSystemKind;
pub use findings::{AuditedUser, FindingChange, StandingFinding};
pub use fingerprint::{Fingerprint, FingerprintKey, RowFingerprints};
pub use folder::make_durable_folder;
pub use forecasts::{Foreseen, ForeseenRow, RowInSight};
pub use forget::{Forgotten, Pruned};
pub use found::{Accepted, FoundUser, KeptFinding};
pub use leavers::LeaverCounts;
pub use ledger::{KeyStanding, Ledger, LedgerAccess};
pub use links::{KeptLink, LinkNote, Rejected, RejectedPage, RejectedUser};
pub use lock::{LockHolder, RunLock};
pub use measures::{
    Hold, HostSlot, LiveHost, LiveState, MeasuredSlot, ParseHoldError, Phase, RunMeasures, StageLatency,
};
pub use rates::LearnedRate;
pub use record::{
    DecidedRow, HeldChange, HeldCredential, Intent, LineDecision, OutcomeRecord, Refusal, RefusalChange,
    SavedEvent, UserKey, UserRecord,
};
pub use results::{LineResult, OutcomeCounts};
pub use runs::{HostTotals, RunEnd, RunKind, RunRecord, RunStart};
pub use sharded::{Merged, ShardPart, ShardedLedger, ShardedLedgerError};
pub use sights::{SeenRow, Subjects, Unseen};
pub use staging::{LineContent, StageError, StagedLine, StagedRow, StagedUser};
pub use staging_totals::StagingTotals;
pub use target::Target;
pub use told::{Told, Trouble};
pub use writer::{LedgerHandle, LedgerWriter, OutcomeChange};
