//! What can go wrong with the ledger.

use std::path::PathBuf;

use super::lock::LockHolder;
use crate::model::Shard;

/// Why the ledger can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite refused to write or read.
    #[error("the ledger {path} can't be used")]
    Database {
        /// The ledger's path.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// A file beside the ledger, or its directory, can't be used.
    #[error("{path} can't be used")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// There is no ledger yet.
    #[error("there is no ledger at {path} yet: nothing has been run with it")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is no ledger, but those of shards lie beside it.
    #[error("there is no ledger {path}; beside it are ledgers of {shards} shards")]
    MissingBesideShards {
        /// Where it was looked for.
        path: PathBuf,
        /// Into how many shards manifests are divided there.
        shards: u32,
    },
    /// The file is something else.
    #[error("{path} is not a ledger of stara-onboard or a file of its own beside one, and is left untouched")]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The file is a symbolic link, which could lead the ledger anywhere.
    #[error("{path} is a symbolic link: name the file itself")]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// It would lie on a network's file system, where SQLite's log and locks don't hold.
    #[error("the ledger {path} would lie on a network's file system ({kind}), which keeps no ledger safe")]
    OnNetwork {
        /// The ledger's path.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// A later version of the program wrote it.
    #[error(
        "the ledger {path} was written by a newer stara-onboard (schema {found}, this one knows {known})"
    )]
    TooNew {
        /// The ledger's path.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest schema version known here.
        known: i64,
    },
    /// The ledger belongs to other hosts.
    #[error("the ledger {path} belongs to {recorded}, and this run would talk to {asked}")]
    OtherTarget {
        /// The ledger's path.
        path: PathBuf,
        /// The hosts it was written for.
        recorded: String,
        /// The hosts asked for now.
        asked: String,
    },
    /// The ledger belongs to another shard, or holds whole manifests, or the other way round.
    #[error("the ledger {path} {}, and this call is {}", belonging(*.recorded), asking(*.asked))]
    OtherShard {
        /// The ledger's path.
        path: PathBuf,
        /// The shard it was written for; `None` for whole manifests.
        recorded: Option<Shard>,
        /// The shard asked for now.
        asked: Option<Shard>,
    },
    /// There is none yet for this division of manifests, but one of another division knows users.
    #[error(
        "there is no ledger {path} yet, but {other} beside it divides the manifests otherwise and remembers users of theirs"
    )]
    OtherDivision {
        /// The ledger's path.
        path: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// Another run is at work.
    #[error("another run holds the ledger {path}: {holder}")]
    Held {
        /// The ledger's path.
        path: PathBuf,
        /// Who holds it, as far as it is known.
        holder: LockHolder,
    },
    /// The fingerprint key in the environment or beside the ledger isn't one.
    #[error("{origin} holds no fingerprint key: it must be 64 hexadecimal digits")]
    BadKey {
        /// Where the key was read from.
        origin: String,
    },
    /// The system gave no random bytes for a new key.
    #[error("the system gives no random bytes for a fingerprint key")]
    NoRandomness,
    /// The writer's thread has ended, because an earlier write failed.
    #[error("the ledger {path} can't be used: {reason}")]
    WriterGone {
        /// The ledger's path.
        path: PathBuf,
        /// What the write that failed said.
        reason: String,
    },
}

impl LedgerError {
    /// Whether the ledger's file is damaged, so that trying again can't help.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        let corrupt = Some(rusqlite::ErrorCode::DatabaseCorrupt);
        matches!(self, Self::Database { source, .. } if source.sqlite_error_code() == corrupt)
    }

    /// Whether the ledger or its directory can't be written, as against being damaged or the wrong one.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        match self {
            Self::Database { .. } => !self.is_damage(),
            Self::File { .. } | Self::WriterGone { .. } | Self::NoRandomness => true,
            _ => false,
        }
    }
}

impl LedgerError {
    /// Whether the system doesn't let this user look at a file.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied)
    }
}

fn belonging(recorded: Option<Shard>) -> String {
    recorded.map_or_else(|| "holds whole manifests".to_owned(), |shard| format!("belongs to shard {shard}"))
}

fn asking(asked: Option<Shard>) -> String {
    asked.map_or_else(
        || "about whole manifests (no --shard)".to_owned(),
        |shard| format!("about shard {shard}"),
    )
}
