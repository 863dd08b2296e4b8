//! The command line as clap parses it.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Args, Parser, Subcommand};

use super::audit::AuditArguments;
use super::check::CheckArguments;
use super::completions::CompletionsArguments;
use super::configuration::{ConfigurationFlags, InitArguments};
use super::doctor::DoctorArguments;
use super::links::LinkFlags;
use super::manual::ManArguments;
use super::output::OutputFlags;
use super::rehearsal::{RehearsalFlags, SandboxLedgerFlag};
use super::scheduler::{ExitFlags, SchedulerFlags};
use super::sharded::LedgerFlags;
use super::version;
use super::watching::WatchFlag;
use crate::model::LeafUserId;
use crate::sandbox::{Fault, Profile, SecondAttach};
use crate::settings::{
    LineFlags, ManifestFlags, RateFlags, RowFlags, RowLimitFlags, SelectionFlags, StateFlags, TargetFlags,
    parse_duration,
};

/// What only the environment holds, for a flag's value stands in every list of processes.
const SECRETS: &str = "Secrets, from the environment only:
  LEAF_TOKEN                     Leaf's token
  LEAF_USERNAME, LEAF_PASSWORD   the Leaf account with which a token is got, and renewed
  STARA_ACCESS_TOKEN_CLIENT      the accessTokenClient of rows that have none of their own (dialect form)
  STARA_ONBOARD_FINGERPRINT_KEY  the ledger's fingerprint key, instead of the file beside it";

/// Bulk-onboard growers' Stara credentials into Leaf
#[derive(Debug, Parser)]
#[command(name = "stara-onboard", version, long_version = version::whole(), about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Where settings come from.
    #[command(flatten)]
    pub configuration: ConfigurationFlags,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Onboard a manifest: authenticate, token, attach and verify every row; resumes by itself
    #[command(after_help = SECRETS)]
    Run(Box<RunArguments>),
    /// Foresee what run would do with the same manifest and flags, touching nothing
    #[command(after_help = SECRETS)]
    Plan(Box<PlanArguments>),
    /// Lint a manifest offline: find what would burn a login before one is spent
    Check(CheckArguments),
    /// See whether Leaf holds what the ledger expects: healthy, missing, unhealthy, foreign, unknown; --repair mends
    #[command(after_help = SECRETS)]
    Audit(Box<AuditArguments>),
    /// Take credentials away that this tool attached: offboard growers, or roll a run back; asks first
    #[command(after_help = SECRETS)]
    Detach(Box<DetachArguments>),
    /// Print Leaf's log of a user's credentials, from Leaf and from what the ledger saved, secrets masked
    #[command(after_help = SECRETS)]
    Events(Box<EventsArguments>),
    /// Show what the ledger knows: the latest run, or one user
    Status(StatusArguments),
    /// Write the results of the latest run again, from the ledger alone; with --magic-links, ask Leaf for links
    #[command(after_help = SECRETS)]
    Report(Box<ReportArguments>),
    /// Serve the simulated Stara and Leaf until stopped, and print their URLs
    #[command(after_help = super::rehearsal::profiles())]
    Sandbox(SandboxArguments),
    /// Forget users for good, or what is old
    State(StateArguments),
    /// See whether a run could begin here and come to its end: clock, network, TLS, token, permissions, disk
    #[command(after_help = SECRETS)]
    Doctor(Box<DoctorArguments>),
    /// Say what a code means, who must act, what to do, and what the next run does; offline
    Explain(ExplainArguments),
    /// Write a commented settings file
    Init(InitArguments),
    /// Print what a shell needs to complete verbs, flags, files and codes
    Completions(CompletionsArguments),
    /// Write the manual: a page of the tool, and one of each verb
    Man(ManArguments),
}

impl Verb {
    /// What it shows, and where it logs, where it does.
    pub(super) fn output_mut(&mut self) -> Option<&mut OutputFlags> {
        match self {
            Self::Run(arguments) => Some(&mut arguments.flags.output),
            Self::Plan(arguments) => Some(&mut arguments.flags.output),
            Self::Audit(arguments) => Some(&mut arguments.output),
            Self::Detach(arguments) => Some(&mut arguments.output),
            Self::Events(arguments) => Some(&mut arguments.output),
            Self::Doctor(arguments) => Some(&mut arguments.output),
            Self::Check(_)
            | Self::Status(_)
            | Self::Report(_)
            | Self::Sandbox(_)
            | Self::State(_)
            | Self::Explain(_)
            | Self::Init(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The manifest: CSV (also .gz or .zst) or Parquet with leafUserId, login and password; - reads stdin
    pub manifest: PathBuf,
    /// Where the results go, by the ending .csv, .jsonl, .parquet or .html (repeatable), or none
    /// [default: state/<manifest>.results.csv]
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_REPORT")]
    pub report: Vec<PathBuf>,
    /// Start no new row after this time; rows under way get --grace, and the same command resumes (exit 5)
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_MAX_DURATION", value_parser = parse_duration)]
    pub max_duration: Option<Duration>,
    /// How long rows under way may go on after a first Ctrl-C or SIGTERM, or after --max-duration
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_GRACE", default_value = "20s", value_parser = parse_duration)]
    pub grace: Duration,
    /// Only foresee what would be done, touching nothing, as plan does
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub(super) scheduler: SchedulerFlags,
    #[command(flatten)]
    pub(super) rehearsal: RehearsalFlags,
    #[command(flatten)]
    pub(super) plan: PlanFlags,
    #[command(flatten)]
    pub(super) links: LinkFlags,
    #[command(flatten)]
    pub(super) flags: OnboardingFlags,
}

/// The arguments of `plan`: those of `run` that decide what would be done.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// The manifest: CSV (also .gz or .zst) or Parquet with leafUserId, login and password; - reads stdin
    pub manifest: PathBuf,
    #[command(flatten)]
    pub(super) rehearsal: RehearsalFlags,
    #[command(flatten)]
    pub(super) exit: ExitFlags,
    #[command(flatten)]
    pub(super) told: PlanFlags,
    #[command(flatten)]
    pub(super) flags: OnboardingFlags,
}

/// The flags that decide what `run` does and `plan` foresees.
#[derive(Debug, Args)]
pub(super) struct OnboardingFlags {
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) rates: RateFlags,
    #[command(flatten)]
    pub(super) state: StateFlags,
    #[command(flatten)]
    pub(super) reading: ManifestFlags,
    #[command(flatten)]
    pub(super) lines: LineFlags,
    #[command(flatten)]
    pub(super) rows: RowFlags,
    #[command(flatten)]
    pub(super) selection: SelectionFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

/// How a plan is made and told.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Plan (plan, run --dry-run)")]
pub(super) struct PlanFlags {
    /// Print the plan as JSON, with every row that isn't done
    #[arg(long)]
    pub(super) json: bool,
    /// Look at the users of done rows, too, which a run leaves alone
    #[arg(long)]
    pub(super) refresh: bool,
    /// Exit with 6 when there is something to do
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
}

impl PlanFlags {
    /// Whether any of them is given.
    pub(super) const fn are_given(self) -> bool {
        self.json || self.refresh || self.detailed_exitcode
    }
}

/// The arguments of `detach`.
#[derive(Debug, Args)]
pub struct DetachArguments {
    /// Whose credentials go: leafUserIds, or one manifest, of which only the column leafUserId is read; - reads stdin
    #[arg(value_name = "MANIFEST|ID", required_unless_present = "from_run")]
    pub leavers: Vec<PathBuf>,
    /// Roll back: take away exactly what the run with this number attached (`status` lists the runs)
    #[arg(long, value_name = "RUN", conflicts_with = "leavers")]
    pub from_run: Option<i64>,
    /// Take away credentials, too, that this tool didn't attach
    #[arg(long)]
    pub include_foreign: bool,
    /// Don't ask; without a terminal nothing is done without it
    #[arg(short, long)]
    pub yes: bool,
    /// Where the results go, by the ending .csv, .jsonl, .parquet or .html (repeatable), or none
    /// [default: state/detach.results.csv]
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// Start no new row after this time; rows under way get --grace, and the same command resumes (exit 5)
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_MAX_DURATION", value_parser = parse_duration)]
    pub max_duration: Option<Duration>,
    /// How long rows under way may go on after a first Ctrl-C or SIGTERM, or after --max-duration
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_GRACE", default_value = "20s", value_parser = parse_duration)]
    pub grace: Duration,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) rates: RateFlags,
    #[command(flatten)]
    pub(super) state: StateFlags,
    #[command(flatten)]
    pub(super) reading: ManifestFlags,
    #[command(flatten)]
    pub(super) lines: LineFlags,
    #[command(flatten)]
    pub(super) limits: RowLimitFlags,
    #[command(flatten)]
    pub(super) scheduler: SchedulerFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

/// The arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArguments {
    /// Whose log; the id of a credential that the ledger knows is as good
    pub leaf_user_id: LeafUserId,
    /// Only what the ledger saved: asks nobody, and needs no token
    #[arg(long)]
    pub saved: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) rates: RateFlags,
    #[command(flatten)]
    pub(super) state: StateFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

/// The arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// One user's history, instead of the latest run
    pub leaf_user_id: Option<LeafUserId>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) watch: WatchFlag,
    #[command(flatten)]
    pub(super) sandbox: SandboxLedgerFlag,
    #[command(flatten)]
    pub(super) ledgers: LedgerFlags,
}

/// The arguments of `report`.
#[derive(Debug, Args)]
// Whoever writes a report again asks Leaf for nothing that this call doesn't name.
#[command(mut_arg("magic_links", |flag| flag.env(Resettable::Reset)))]
pub struct ReportArguments {
    /// Where the results go, by the ending .csv, .jsonl, .parquet or .html [default: state/<manifest>.results.csv]
    pub files: Vec<PathBuf>,
    /// The same, as `run` takes it (repeatable)
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_REPORT")]
    pub report: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) sandbox: SandboxLedgerFlag,
    #[command(flatten)]
    pub(super) ledgers: LedgerFlags,
    #[command(flatten)]
    pub(super) links: LinkFlags,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) rates: RateFlags,
}

/// The arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArguments {
    /// A manifest whose users and logins the services know; without one they know everybody
    pub manifest: Option<PathBuf>,
    /// Stara's port; a free one by itself
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub stara_port: u16,
    /// Leaf's port; a free one by itself
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub leaf_port: u16,
    /// What goes wrong, as [CALLS:]FAULT[:OPTION…]: reply-lost, attach:reply-lost:20%, stara:429:rate=40/s,
    /// look:503:first=3; docs/SANDBOX.md has them all (repeatable)
    #[arg(long, value_name = "FAULT", value_parser = Fault::parse)]
    #[allow(
        rustdoc::broken_intra_doc_links,
        reason = "the doc comment of a flag is its help, which is plain text"
    )]
    pub fault: Vec<Fault>,
    /// Services of a certain kind, as with run --sandbox=PROFILE; what --fault names goes first
    #[arg(long, value_name = "PROFILE", default_value_t)]
    pub profile: Profile,
    /// The seed of ids, of what is issued, and of the chances of faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How long every answer takes
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_duration)]
    pub latency: Duration,
    /// How many calls a bearer token of Leaf is good for; without it, it lasts
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u64).range(1..))]
    pub token_lifetime: Option<u64>,
    /// What Leaf does with an attach to a user that holds a credential: 409, 400, replace or second-object
    #[arg(long, value_name = "WHAT", default_value = "409")]
    pub second_attach: SecondAttach,
    /// Write a JSON line to this new file for each call, fault, effect and answer, as it happens; no secrets
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reading: ManifestFlags,
}

/// The arguments of `state`.
#[derive(Debug, Args)]
pub struct StateArguments {
    /// What to do with the ledger.
    #[command(subcommand)]
    pub verb: StateVerb,
}

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub enum StateVerb {
    /// Forget users for good: no byte of them stays in the ledger. Detach them first
    Forget(ForgetArguments),
    /// Drop the totals of earlier runs and audits, saved events that are old, and magic links that have expired
    Prune(PruneArguments),
}

/// The arguments of `state forget`.
#[derive(Debug, Args)]
pub struct ForgetArguments {
    /// The users
    #[arg(required = true, value_name = "ID")]
    pub leaf_user_ids: Vec<LeafUserId>,
    /// Even those that hold a credential that we attached, which can't be detached by this ledger any more then
    #[arg(long)]
    pub even_if_attached: bool,
    /// Don't ask first
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub(super) sandbox: SandboxLedgerFlag,
    #[command(flatten)]
    pub(super) state: StateFlags,
}

/// The arguments of `state prune`.
#[derive(Debug, Args)]
pub struct PruneArguments {
    /// Of how many runs and audits the totals stay; those whose credentials are still there stay anyway
    #[arg(long, value_name = "N", env = "STARA_ONBOARD_KEEP_RUNS", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_runs: u32,
    /// How old a saved event of a credential must be to be dropped
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_EVENTS_OLDER_THAN", default_value = "90d", value_parser = parse_duration)]
    pub events_older_than: Duration,
    #[command(flatten)]
    pub(super) sandbox: SandboxLedgerFlag,
    #[command(flatten)]
    pub(super) state: StateFlags,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// An outcome's code, an exit code, what audit or check finds, or a plan's sign; all of them without one
    #[arg(allow_hyphen_values = true)]
    pub code: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
