//! What the user asked for: flags over environment over the settings file over defaults, merged once into immutable values.
//!
//! Main types: the flag groups ([`TargetFlags`], [`RateFlags`], [`StateFlags`], [`ManifestFlags`], [`LineFlags`], [`RowFlags`],
//! [`SelectionFlags`]), which the command line shares among its verbs, and [`resolve_services`], [`resolve_run`] and [`resolve_repair`],
//! what they come to for the two services, for a run and for a repair. [`SettingsFile`] and [`Vocabulary`] are the settings
//! file and what may stand in it. Secrets come from the environment or from a file of their own, never from a flag's value.
//!
//! It may not do I/O but read that file, and it decides nothing that depends on the manifest or the ledger.

mod decryption;
mod defaults;
mod duration;
mod environment;
mod file;
mod flags;
mod limits;
mod secrets;
mod services;
mod shard;

pub use decryption::{DecryptCommand, DecryptionFlags, ParseDecryptCommandError};
pub use defaults::defaults;
pub use duration::{ParseDurationError, parse_duration};
pub use environment::Environment;
pub use file::{
    Complaint, Declaration, Distrust, FileEntry, FileError, FileValue, Refused, SettingsFile, Standing,
    Vocabulary, closest,
};
pub use flags::{
    LineFlags, ManifestFlags, Precheck, RateFlags, RowFlags, RowLimitFlags, SelectionFlags, StateFlags,
    TargetFlags,
};
pub use limits::{ParseLimitError, parse_failure_limit, parse_invalid_limit};
pub use secrets::{SECRETS, SecretVariable};
pub use services::{
    DEFAULT_LEAF_URL, DEFAULT_SETTLE, DEFAULT_STARA_URL, SettingsError, client_column, is_sendable,
    resolve_client, resolve_detach, resolve_repair, resolve_run, resolve_services, resolve_token,
};
pub use shard::{AutoShardError, INDEX_VARIABLES, ParseShardFlagError, ShardFlag};
