//! The flags, in the groups that the verbs share.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::decryption::DecryptionFlags;
use super::duration::parse_duration;
use super::limits::{parse_failure_limit, parse_invalid_limit};
use super::services::{DEFAULT_LEAF_URL, DEFAULT_STARA_URL};
use super::shard::{AutoShardError, ShardFlag};
use crate::http::Rate;
use crate::manifest::{ClientColumn, Delimiter, EncodingChoice, Field, Format, ReadOptions, Wanted};
use crate::model::{Dialect, LeafUserId, Shard};
use crate::pipeline::{FailureLimit, InvalidLimit, ListUse, OnExisting, Selection};

/// How many credentials are replaced or taken away in a run at most, where nobody says.
pub(super) const DEFAULT_MAX_CHANGES: u32 = 50;

/// Which services, and how they are spoken to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Services")]
pub struct TargetFlags {
    /// Where Stara is
    #[arg(long, value_name = "URL", env = "STARA_URL", default_value = DEFAULT_STARA_URL)]
    pub stara_url: String,
    /// Where Leaf is
    #[arg(long, value_name = "URL", env = "LEAF_URL", default_value = DEFAULT_LEAF_URL)]
    pub leaf_url: String,
    /// How Stara is spoken to: json or form
    #[arg(long, value_name = "DIALECT", env = "STARA_ONBOARD_STARA_DIALECT", default_value_t = Dialect::Json)]
    pub stara_dialect: Dialect,
    /// A file that holds Leaf's token, instead of `LEAF_TOKEN`, or `LEAF_USERNAME` and `LEAF_PASSWORD`
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_LEAF_TOKEN_FILE")]
    pub leaf_token_file: Option<PathBuf>,
    /// The time for one request, from connecting to the end of the answer
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_TIMEOUT", default_value = "30s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// A PEM file of certificates that are trusted beside the system's roots
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_CA_CERT")]
    pub ca_cert: Option<PathBuf>,
    /// Send passwords over plain http even to another machine
    #[arg(long, env = "STARA_ONBOARD_ALLOW_INSECURE_HTTP", value_parser = BoolishValueParser::new())]
    pub allow_insecure_http: bool,
}

/// How fast and how wide.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rates")]
pub struct RateFlags {
    /// Requests to Stara: 10/s, 300/min, auto, auto:50/s (its ceiling) or none [default: auto; none with --sandbox]
    #[arg(long, value_name = "RATE", env = "STARA_ONBOARD_STARA_RATE")]
    pub stara_rate: Option<Rate>,
    /// Requests to Leaf: 10/s, 300/min, auto, auto:50/s (its ceiling) or none [default: auto; none with --sandbox]
    #[arg(long, value_name = "RATE", env = "STARA_ONBOARD_LEAF_RATE")]
    pub leaf_rate: Option<Rate>,
    /// Forget what earlier runs learned of the quotas, and begin with auto's first rates again
    #[arg(long, env = "STARA_ONBOARD_RELEARN", value_parser = BoolishValueParser::new())]
    pub relearn: bool,
    /// Rows in flight
    #[arg(long, value_name = "N", env = "STARA_ONBOARD_CONCURRENCY", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: u32,
    /// How long a host may ask us to pause, or be down; longer ends the run (exit 5)
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_MAX_HOLD", default_value = "15m", value_parser = parse_duration)]
    pub max_hold: Duration,
}

/// Where the ledger is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct StateFlags {
    /// The ledger [default: state/ledger.db; state/sandbox.db with --sandbox]
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_STATE")]
    pub state: Option<PathBuf>,
    /// One part of the manifest, I of N from 0, with a ledger of its own (ledger.I-of-N.db) and its share of the quotas;
    /// auto/N takes I from `JOB_COMPLETION_INDEX`, `SLURM_ARRAY_TASK_ID` or `AWS_BATCH_JOB_ARRAY_INDEX`
    #[arg(long, value_name = "I/N|auto/N", env = "STARA_ONBOARD_SHARD")]
    pub shard: Option<ShardFlag>,
}

impl StateFlags {
    /// The ledger's path: what was asked for, or the default beside the others; for a shard that of its own ledger.
    #[must_use]
    pub fn path(&self, sandbox: bool) -> PathBuf {
        let default = if sandbox { "state/sandbox.db" } else { "state/ledger.db" };
        let path = self.state.clone().unwrap_or_else(|| default.into());
        self.shard().map_or_else(|| path.clone(), |shard| shard.path(&path))
    }

    /// The shard it is about, once it is [settled](Self::settle); `None` where it is about whole manifests.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        match self.shard {
            Some(ShardFlag::Of(shard)) => Some(shard),
            Some(ShardFlag::Auto { .. }) | None => None,
        }
    }

    /// Settles which shard it is, in an environment in which `read` looks a variable up. To be done before all else.
    ///
    /// # Errors
    ///
    /// When that is to be found there, and isn't.
    pub fn settle(&mut self, read: impl Fn(&str) -> Option<OsString>) -> Result<(), AutoShardError> {
        if let Some(flag) = self.shard {
            self.shard = Some(ShardFlag::Of(flag.resolve(read)?));
        }
        Ok(())
    }
}

/// How the manifest is read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifest")]
pub struct ManifestFlags {
    /// The file format, where its first bytes don't say so: csv or parquet
    #[arg(long, value_name = "FORMAT", env = "STARA_ONBOARD_FORMAT")]
    pub format: Option<Format>,
    /// The character between two cells; by itself one of , ; tab |
    #[arg(long, value_name = "CHARACTER", env = "STARA_ONBOARD_DELIMITER")]
    pub delimiter: Option<Delimiter>,
    /// The text encoding: utf-8, utf-16 or windows-1252; found on the whole file by itself
    #[arg(long, value_name = "ENCODING", env = "STARA_ONBOARD_ENCODING")]
    pub encoding: Option<EncodingChoice>,
    /// Which header is which field: leafUserId, login, password or accessTokenClient (repeatable)
    #[arg(long, value_name = "FIELD=HEADER", env = "STARA_ONBOARD_COLUMN", value_parser = parse_column)]
    pub column: Vec<(Field, String)>,
    /// How it is decrypted.
    #[command(flatten)]
    pub decryption: DecryptionFlags,
}

/// What a run takes from the manifest, and how much of it may be bad.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifest")]
pub struct LineFlags {
    /// A further column to carry into the report (repeatable)
    #[arg(long, value_name = "HEADER", env = "STARA_ONBOARD_KEEP_COLUMN")]
    pub keep_column: Vec<String>,
    /// How many lines that are no rows are accepted before the manifest is refused: 50, or 10% but at least 20
    #[arg(long, value_name = "N|P%", env = "STARA_ONBOARD_MAX_INVALID", default_value = "10%", value_parser = parse_invalid_limit)]
    pub max_invalid: InvalidLimit,
    /// Refuse the manifest when any line is no row
    #[arg(long, env = "STARA_ONBOARD_STRICT", value_parser = BoolishValueParser::new())]
    pub strict: bool,
}

impl ManifestFlags {
    /// Whether both columns are named, so that they are taken as they are, whatever stands in them.
    #[must_use]
    pub fn names_login_and_password(&self) -> bool {
        let is_named = |wanted: Field| self.column.iter().any(|(field, _)| *field == wanted);
        is_named(Field::Login) && is_named(Field::Password)
    }

    /// How the manifest is to be read, in a dialect in which every row needs an accessTokenClient or not.
    #[must_use]
    pub fn read_options(&self, access_token_client: ClientColumn, keep_columns: &[String]) -> ReadOptions {
        ReadOptions {
            wanted: Wanted::Growers,
            format: self.format,
            delimiter: self.delimiter,
            encoding: self.encoding,
            columns: self.column.clone(),
            keep_columns: keep_columns.to_vec(),
            access_token_client,
        }
    }
}

impl LineFlags {
    /// How many invalid lines are accepted.
    #[must_use]
    pub fn invalid_limit(&self) -> InvalidLimit {
        if self.strict { InvalidLimit::Lines(0) } else { self.max_invalid }
    }
}

/// How Leaf is looked at before Stara is asked (`--precheck`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precheck {
    /// The list or the rows, whichever takes fewer calls.
    Auto,
    /// The list of users first, and then each row that it doesn't prove to be attached.
    List,
    /// Each row.
    Row,
    /// Not at all.
    Off,
}

impl Precheck {
    /// Whether the list is read.
    pub(super) const fn list_use(self) -> ListUse {
        match self {
            Self::Auto => ListUse::WhereCheaper,
            Self::List => ListUse::Always,
            Self::Row | Self::Off => ListUse::Never,
        }
    }
}

/// What is allowed to each row.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows")]
pub struct RowFlags {
    /// How Leaf is looked at before Stara is asked: row (one call a row), list (a hundred users a call, and one for each
    /// row that isn't attached yet), auto (the cheaper of the two) or off
    #[arg(long, value_name = "HOW", env = "STARA_ONBOARD_PRECHECK", default_value = "auto", value_parser = parse_precheck)]
    pub precheck: Precheck,
    /// What happens to a credential that is there already: keep, replace or fail
    #[arg(long, value_name = "WHAT", env = "STARA_ONBOARD_ON_EXISTING", default_value = "keep", value_parser = parse_on_existing)]
    pub on_existing: OnExisting,
    /// Authenticate once a login and run its rows side by side, where a second /token leaves the first one's tokens valid
    #[arg(long, env = "STARA_ONBOARD_SHARE_LOGINS", value_parser = BoolishValueParser::new())]
    pub share_logins: bool,
    /// What each row may take.
    #[command(flatten)]
    pub limits: RowLimitFlags,
}

/// What each row may take, and what may become of all, whatever rows are to come to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows")]
pub struct RowLimitFlags {
    /// How many rows may fail before the run stops: 50, or 10% but at least 20; 100% switches all such stops off
    #[arg(long, value_name = "N|P%", env = "STARA_ONBOARD_MAX_FAILURES", default_value = "10%", value_parser = parse_failure_limit)]
    pub max_failures: FailureLimit,
    /// The most credentials replaced or taken away in a run
    #[arg(long, value_name = "N", env = "STARA_ONBOARD_MAX_CHANGES", default_value_t = DEFAULT_MAX_CHANGES)]
    pub max_changes: u32,
    /// How long an attached credential may take to be seen, and a deleted one to be gone
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_VERIFY_WAIT", default_value = "30s", value_parser = parse_duration)]
    pub verify_wait: Duration,
    /// How old an attach or a deletion with a lost reply must be before it counts as not having happened
    /// [default: 120s; 5s in a rehearsal]
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_SETTLE", value_parser = parse_duration)]
    pub settle: Option<Duration>,
    /// How long a row's own requests and the waits between them may take in all; pauses of a host don't count
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_ROW_DEADLINE", default_value = "15m", value_parser = parse_duration)]
    pub row_deadline: Duration,
}

/// Which rows are carried out.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectionFlags {
    /// Carry out at most this many rows
    #[arg(long, value_name = "N", env = "STARA_ONBOARD_LIMIT")]
    pub limit: Option<u64>,
    /// Carry out only this leafUserId (repeatable)
    #[arg(long, value_name = "ID", env = "STARA_ONBOARD_ONLY", value_delimiter = ',')]
    pub only: Vec<LeafUserId>,
    /// Try again what Leaf refused; never a refused login
    #[arg(long, env = "STARA_ONBOARD_RETRY_FAILED", value_parser = BoolishValueParser::new())]
    pub retry_failed: bool,
    /// Send refused logins again, though the grower may be locked out by it
    #[arg(long, env = "STARA_ONBOARD_RETRY_REJECTED", value_parser = BoolishValueParser::new())]
    pub retry_rejected: bool,
}

impl SelectionFlags {
    /// The selection they come to.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            retry_failed: self.retry_failed,
            retry_rejected: self.retry_rejected,
            only: self.only.iter().copied().collect(),
            looks_after_links: false,
        }
    }
}

fn parse_column(text: &str) -> Result<(Field, String), String> {
    let (field, header) = text.split_once('=').ok_or("must be FIELD=HEADER")?;
    let field = field.parse().map_err(|error| format!("the field {error}"))?;
    Ok((field, header.to_owned()))
}

fn parse_precheck(text: &str) -> Result<Precheck, &'static str> {
    match text {
        "auto" => Ok(Precheck::Auto),
        "list" => Ok(Precheck::List),
        "row" => Ok(Precheck::Row),
        "off" => Ok(Precheck::Off),
        _ => Err("must be auto, list, row or off"),
    }
}

fn parse_on_existing(text: &str) -> Result<OnExisting, &'static str> {
    match text {
        "keep" => Ok(OnExisting::Keep),
        "replace" => Ok(OnExisting::Replace),
        "fail" => Ok(OnExisting::Fail),
        _ => Err("must be keep, replace or fail"),
    }
}
