//! What the user asked for: flags over environment over defaults, merged once into immutable values.
//!
//! Main types: the flag groups ([`TargetFlags`], [`RateFlags`], [`StateFlags`], [`ManifestFlags`], [`LineFlags`], [`RowFlags`],
//! [`SelectionFlags`]), which the command line shares among its verbs, and [`resolve_services`], [`resolve_run`] and [`resolve_repair`],
//! what they come to for the two services, for a run and for a repair. Secrets come from the environment or from a file, never from a flag's value.
//!
//! It may not do I/O, and it decides nothing that depends on the manifest or the ledger.

mod duration;
mod environment;
mod flags;
mod limits;
mod services;

pub use duration::{ParseDurationError, parse_duration};
pub use environment::Environment;
pub use flags::{
    LineFlags, ManifestFlags, Precheck, RateFlags, RowFlags, RowLimitFlags, SelectionFlags, StateFlags,
    TargetFlags,
};
pub use limits::{ParseLimitError, parse_failure_limit, parse_invalid_limit};
pub use services::{
    DEFAULT_LEAF_URL, DEFAULT_SETTLE, DEFAULT_STARA_URL, SettingsError, client_column, is_sendable,
    resolve_detach, resolve_repair, resolve_run, resolve_services,
};
