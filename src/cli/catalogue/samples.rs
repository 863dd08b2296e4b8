//! One of each error that people are told with a hint.

use std::path::PathBuf;
use std::time::Duration;

use crate::checkpoint::{LedgerError, RunLock, ShardedLedgerError};
use crate::cli::conclusion::code_of_stop;
use crate::cli::failure::Failure;
use crate::cli::shard;
use crate::http::ClientError;
use crate::manifest::{Export, Field, ManifestError, ManifestProblem};
use crate::model::{Service, Shard};
use crate::pipeline::{RunError, Signal, StagingError, StopCause};
use crate::settings::{AutoShardError, Complaint, Distrust, FileError, Refused, SettingsError};

/// An error as people are told of it.
pub(super) struct Sample {
    /// `Type::Variant`.
    pub(super) name: String,
    /// What happened.
    pub(super) what: String,
    /// What to do.
    pub(super) hint: String,
    /// With which code the process ends.
    pub(super) code: u8,
}

impl Sample {
    fn of(kind: &str, variant: &str, failure: impl Into<Failure>) -> Self {
        let failure = failure.into();
        let name = format!("{kind}::{variant}");
        // Who holds a ledger is another process each time.
        let what = failure.error.to_string();
        let what = what.split(": process ").next().unwrap_or_default().to_owned();
        Self { name, what, hint: failure.hint, code: failure.code.number() }
    }
}

/// One of each.
pub(super) fn all() -> Vec<Sample> {
    let mut samples = manifest();
    samples.extend(staging());
    samples.extend(settings());
    samples.extend(ledger());
    samples.extend(sharded());
    samples.extend(shards());
    samples.extend(files());
    samples.extend(stops());
    samples.push(Sample::of("RunError", "ReaderGone", RunError::ReaderGone));
    samples
}

/// The name of the variant that an error's `Debug` begins with.
fn variant(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.chars().take_while(|letter| letter.is_alphanumeric()).collect()
}

fn path(name: &str) -> PathBuf {
    name.into()
}

fn refused() -> std::io::Error {
    std::io::ErrorKind::Interrupted.into()
}

fn manifest() -> Vec<Sample> {
    let missing = |field, export| ManifestProblem::MissingColumn {
        field,
        known: vec!["id".to_owned()],
        others: 2,
        export,
        nearly: None,
    };
    let header = || "conta".to_owned();
    let problems = vec![
        ManifestProblem::Read(refused()),
        ManifestProblem::Empty,
        ManifestProblem::NoRows,
        ManifestProblem::Corrupt { compression: "gzip" },
        ManifestProblem::WrongFormat {
            expected: "a CSV",
            found: "an Excel workbook",
            hint: "save it as CSV UTF-8",
        },
        ManifestProblem::Malformed { encoding: "UTF-8", line: 7 },
        ManifestProblem::Runaway { line: 7, what: "never ends" },
        missing(Field::Login, None),
        missing(Field::LeafUserId, Some(Export::LeafUsers)),
        missing(Field::Password, Some(Export::Report)),
        missing(Field::Password, Some(Export::MagicLinks)),
        missing(Field::Password, Some(Export::NewmanReport)),
        missing(Field::AccessTokenClient, None),
        ManifestProblem::NoHeader,
        ManifestProblem::NulInHeader,
        ManifestProblem::TwoColumns {
            field: Field::Login,
            first: "User".to_owned(),
            second: "Usuário".to_owned(),
        },
        ManifestProblem::NoSuchColumn {
            header: "cnta".to_owned(),
            asked_by: "--column",
            nearest: Some(header()),
        },
        ManifestProblem::SeveralColumns { header: header(), asked_by: "--column" },
        ManifestProblem::OneColumnTwice { header: header(), first: Field::Login, second: Field::Password },
        ManifestProblem::SecretKept { header: "senha".to_owned() },
        ManifestProblem::ColumnType { header: header(), what: "holds numbers with a fraction".to_owned() },
        ManifestProblem::Parquet("its footer is cut off".to_owned()),
    ];
    problems
        .into_iter()
        .map(|problem| {
            let variant = variant(&problem);
            Sample::of("ManifestProblem", &variant, ManifestError { name: "growers.csv".to_owned(), problem })
        })
        .collect()
}

fn staging() -> Vec<Sample> {
    let errors = vec![
        StagingError::UnknownOnly { users: vec!["0b6f3a52-9a7e-4a43-8f3e-0f1d2c3b4a5e".to_owned()] },
        StagingError::Stopped(StopCause::Signal(Signal::Interrupt)),
        StagingError::SwappedColumns,
        StagingError::TooManyInvalid {
            invalid: 30,
            lines: 100,
            first: vec!["line 3, column login: it is empty".to_owned()],
        },
    ];
    errors.into_iter().map(|error| Sample::of("StagingError", &variant(&error), error)).collect()
}

fn settings() -> Vec<Sample> {
    let flag = "--leaf-url";
    let client = |source| SettingsError::Client { flag, source };
    let errors = vec![
        SettingsError::BadUrl { flag },
        client(ClientError::Insecure { origin: "http://leaf.example".to_owned() }),
        client(ClientError::NotAService { url: "https://leaf.example".to_owned() }),
        SettingsError::NoLeafToken,
        SettingsError::BadLeafToken { origin: "LEAF_TOKEN" },
        SettingsError::ReplaceWithoutLook,
        SettingsError::TooFewToDivide { flag: "--max-changes", whole: 3, last: Shard::new(7, 8).unwrap() },
    ];
    errors.into_iter().map(|error| Sample::of("SettingsError", &variant(&error), error)).collect()
}

fn ledger() -> Vec<Sample> {
    let ledger = || path("state/ledger.db");
    let errors = vec![
        LedgerError::Database { path: ledger(), source: rusqlite::Error::InvalidQuery },
        LedgerError::File { path: ledger(), source: refused() },
        LedgerError::Missing { path: ledger() },
        LedgerError::MissingBesideShards { path: ledger(), shards: 8 },
        LedgerError::NotALedger { path: ledger() },
        LedgerError::SymbolicLink { path: ledger() },
        LedgerError::OnNetwork { path: ledger(), kind: "nfs" },
        LedgerError::TooNew { path: ledger(), found: 9, known: 6 },
        LedgerError::OtherTarget {
            path: ledger(),
            recorded: "one pair of hosts".to_owned(),
            asked: "another".to_owned(),
        },
        LedgerError::OtherShard { path: ledger(), recorded: None, asked: Shard::new(1, 8).ok() },
        LedgerError::OtherDivision { path: ledger(), other: path("state/ledger.0-of-4.db") },
        held(),
        LedgerError::BadKey { origin: "state/ledger.key".to_owned() },
        LedgerError::NoRandomness,
        LedgerError::WriterGone { path: ledger(), reason: "disk I/O error".to_owned() },
    ];
    errors.into_iter().map(|error| Sample::of("LedgerError", &variant(&error), error)).collect()
}

/// Only the lock itself can say who holds it.
fn held() -> LedgerError {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.db");
    let _held = RunLock::acquire(&ledger).unwrap();
    match RunLock::acquire(&ledger) {
        Err(LedgerError::Held { holder, .. }) => LedgerError::Held { path: path("state/ledger.db"), holder },
        other => panic!("it is held: {other:?}"),
    }
}

fn sharded() -> Vec<Sample> {
    let shard = |index| Shard::new(index, 2).unwrap();
    let (first, second) = (|| path("state/ledger.0-of-2.db"), || path("state/ledger.1-of-2.db"));
    let errors = vec![
        ShardedLedgerError::NoShard { path: path("state/ledger.db") },
        ShardedLedgerError::OtherCount {
            first: first(),
            second: second(),
            shards: [shard(0), Shard::new(1, 3).unwrap()],
        },
        ShardedLedgerError::Twice { first: first(), second: second(), shard: shard(0) },
        ShardedLedgerError::Missing { shards: vec![shard(1)], path: second() },
        ShardedLedgerError::OtherTarget {
            first: first(),
            second: second(),
            targets: ["one pair of hosts".to_owned(), "another".to_owned()],
        },
        ShardedLedgerError::OtherManifest {
            first: first(),
            second: second(),
            manifests: ["a.csv".to_owned(), "b.csv".to_owned()],
        },
        ShardedLedgerError::NoManifestPrint { path: first() },
        ShardedLedgerError::RollBack { path: first() },
        ShardedLedgerError::OtherKind { first: first(), second: second(), kinds: ["run", "detach"] },
        ShardedLedgerError::OtherColumns { first: first(), second: second() },
    ];
    errors.into_iter().map(|error| Sample::of("ShardedLedgerError", &variant(&error), error)).collect()
}

fn shards() -> Vec<Sample> {
    let variable = "SLURM_ARRAY_TASK_ID";
    let errors = vec![
        AutoShardError::NoIndex { count: 8 },
        AutoShardError::NoNumber { count: 8, variable, value: "x".to_owned() },
        AutoShardError::TooLarge { count: 8, variable, index: 8 },
        AutoShardError::Disagreement { one: ("JOB_COMPLETION_INDEX", 1), other: (variable, 2) },
    ];
    errors
        .into_iter()
        .map(|error| Sample::of("AutoShardError", &variant(&error), shard::refused(error)))
        .collect()
}

fn files() -> Vec<Sample> {
    let file = || path("stara-onboard.toml");
    let complaint =
        Complaint::UnknownKey { key: "leaf-rat".to_owned(), nearest: Some("leaf-rate".to_owned()) };
    let errors = vec![
        FileError::Unreadable { path: file(), source: refused() },
        FileError::Distrusted { path: file(), why: Distrust::WritableByAll },
        FileError::TooLarge { path: file(), limit: 65_536 },
        FileError::NotText { path: file() },
        FileError::Syntax { path: file(), line: 3, message: "expected `=`".to_owned() },
        FileError::Refused { path: file(), refused: vec![Refused { line: 3, complaint }] },
    ];
    errors.into_iter().map(|error| Sample::of("FileError", &variant(&error), error)).collect()
}

fn stops() -> Vec<Sample> {
    let reason = || "disk I/O error".to_owned();
    let causes = vec![
        StopCause::LedgerUnwritable { reason: reason() },
        StopCause::Signal(Signal::Terminate),
        StopCause::Requested,
        StopCause::TokenRefused { reason: "a fresh one was refused on its first use".to_owned() },
        StopCause::Redirected { status: 302 },
        StopCause::TooManyFailures {
            diagnosis: "31 rows in a row ended as stara-login-rejected: …".to_owned(),
        },
        StopCause::Forbidden { diagnosis: "31 rows in a row ended as leaf-user-forbidden: …".to_owned() },
        StopCause::HeldTooLong { service: Service::Leaf, pause: Duration::from_secs(3600) },
        StopCause::HostDown { service: Service::Stara, why: None },
        StopCause::DurationReached { longest: Duration::from_secs(3600) },
        StopCause::NoToken { reason: "it can't be reached".to_owned() },
        StopCause::ManifestUnreadable { reason: "No such file or directory".to_owned(), whole: None },
        StopCause::ManifestChanged { line: 7 },
    ];
    let sample = |cause: StopCause| {
        let code = code_of_stop(&cause);
        let name = format!("StopCause::{}", variant(&cause));
        Sample { name, what: cause.to_string(), hint: code.advice().to_owned(), code: code.number() }
    };
    causes.into_iter().map(sample).collect()
}
