//! The flags of `audit`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::checkpoint::Accepted;
use crate::cli::links::LinkFlags;
use crate::cli::output::OutputFlags;
use crate::cli::scheduler::SchedulerFlags;
use crate::pipeline::ListUse;
use crate::settings::{
    LineFlags, ManifestFlags, RateFlags, RowLimitFlags, StateFlags, TargetFlags, parse_duration,
};
use crate::ui::Progress;

/// The arguments of `audit`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct AuditArguments {
    /// A manifest whose users are looked at; without one everybody in the ledger; - reads stdin
    pub manifest: Option<PathBuf>,
    /// Authenticate again and replace what is ours and was found unhealthy in two audits in a row, at most --max-changes
    #[arg(long)]
    pub repair: bool,
    /// With --repair, don't wait for a second audit
    #[arg(long, requires = "repair")]
    pub now: bool,
    /// Take the foreign credential of this user for known from now on, or with all those of everybody (repeatable)
    #[arg(long, value_name = "ID|all", value_parser = parse_accepted)]
    pub accept: Vec<Accepted>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with 6 when somebody isn't as the ledger expects
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How Leaf is looked at: row (one call a user), list (a hundred users a call, and one for each user whom it doesn't show
    /// to be well) or auto (the cheaper of the two)
    #[arg(long, visible_alias = "precheck", value_name = "HOW", env = "STARA_ONBOARD_LOOK", default_value = "auto", value_parser = parse_look)]
    pub look: ListUse,
    /// With --repair, where the results go, by the ending .csv, .jsonl, .parquet or .html (repeatable), or none
    /// [default: state/<manifest>.repair.csv]
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// Ask about no further user after this time (exit 5)
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_MAX_DURATION", value_parser = parse_duration)]
    pub max_duration: Option<Duration>,
    /// How long what is under way may go on after a first Ctrl-C or SIGTERM, or after --max-duration
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_GRACE", default_value = "20s", value_parser = parse_duration)]
    pub grace: Duration,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) rates: RateFlags,
    #[command(flatten)]
    pub(in crate::cli) state: StateFlags,
    #[command(flatten)]
    pub(super) reading: ManifestFlags,
    #[command(flatten)]
    pub(super) lines: LineFlags,
    #[command(flatten)]
    pub(super) limits: RowLimitFlags,
    #[command(flatten)]
    pub(super) links: LinkFlags,
    #[command(flatten)]
    pub(super) scheduler: SchedulerFlags,
    #[command(flatten)]
    pub(in crate::cli) output: OutputFlags,
}

impl AuditArguments {
    /// Whether what is found is printed as JSON. Where progress is, everything on stdout is.
    pub(super) fn is_json(&self) -> bool {
        self.json || self.output.progress() == Progress::Json
    }

    /// How progress is shown: where one JSON object is asked for, nothing else is printed.
    pub(super) fn progress(&self) -> Progress {
        match self.output.progress() {
            Progress::Json if self.json => Progress::None,
            progress => progress,
        }
    }
}

fn parse_accepted(text: &str) -> Result<Accepted, String> {
    if text == "all" {
        return Ok(Accepted::All);
    }
    text.parse().map(Accepted::Of).map_err(|error| format!("{error}, nor is it all"))
}

fn parse_look(text: &str) -> Result<ListUse, &'static str> {
    match text {
        "auto" => Ok(ListUse::WhereCheaper),
        "list" => Ok(ListUse::Always),
        "row" => Ok(ListUse::Never),
        _ => Err("must be auto, list or row"),
    }
}
