//! Reads a manifest, CSV or Parquet, as one stream of rows.
//!
//! Main types: [`Source`], the bytes that `cli` opened, be it through [`FetchRange`] or [`OpenStream`]; [`Manifest`], which knows the format, the encoding and where each
//! [`Field`] stands; [`Records`], one reading of it in constant memory; and [`Record`], a [`Row`], a [`UserLine`] or an [`InvalidLine`]. A
//! [`Linter`] finds in them what would burn a login.
//!
//! A manifest may be read several times, also at once: each reading keeps its own place in the source.
//!
//! This floor may not open files or sockets. It judges a line by itself alone: duplicates, conflicts and how many bad
//! lines are too many are decided by whoever stages the manifest. No cell ever stands in an error or a message.

mod columns;
mod compression;
mod csv;
mod discreet;
mod encoding;
mod error;
mod export;
mod field;
mod foreign;
mod header_name;
mod lint;
mod open;
mod options;
mod parquet;
mod ranges;
mod records;
mod row;
mod source;
mod stream;
mod streamed;
#[cfg(test)]
mod test_support;
mod transcoded;
mod utf8_checker;

pub use discreet::DiscreetError;
pub use error::{ManifestError, ManifestProblem};
pub use export::Export;
pub use field::{Field, ParseFieldError};
pub use lint::{
    LintColumn, LintCount, LintFinding, LintKind, LintOptions, LintReport, LintSeverity, Linter,
    ParseLintKindError,
};
pub use open::{Manifest, inner_name};
pub use options::{
    ClientColumn, Delimiter, EncodingChoice, Format, ParseChoiceError, ParseDelimiterError, ReadOptions,
    Wanted,
};
pub use ranges::{FetchRange, SourceChanged};
pub use records::Records;
pub use row::{InvalidLine, LineProblem, Record, Row, UserLine};
pub use source::Source;
pub use streamed::OpenStream;
