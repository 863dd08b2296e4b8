//! `--shard`: settles which shard a process is before anything else is done, and whose user somebody is.

use std::ffi::OsStr;
use std::path::Path;

use super::arguments::{StateVerb, Verb};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::run::tell;
use crate::checkpoint::{Ledger, LedgerAccess, LedgerError, RunRecord};
use crate::model::Shard;
use crate::settings::{AutoShardError, StateFlags};
use crate::ui::count;

impl Verb {
    /// Settles which shard it is about, where a scheduler tells the index.
    ///
    /// # Errors
    ///
    /// When no scheduler does, or not plainly.
    pub(super) fn settle_shard(&mut self) -> Result<(), Failure> {
        let Some(state) = self.state_mut() else { return Ok(()) };
        state.settle(|name| std::env::var_os(name)).map_err(refused)?;
        refuse_other_name(state)
    }

    /// Whose ledger it is about, where it is about one.
    fn state_mut(&mut self) -> Option<&mut StateFlags> {
        match self {
            Self::Run(arguments) => Some(&mut arguments.flags.state),
            Self::Plan(arguments) => Some(&mut arguments.flags.state),
            Self::Audit(arguments) => Some(&mut arguments.state),
            Self::Detach(arguments) => Some(&mut arguments.state),
            Self::Events(arguments) => Some(&mut arguments.state),
            Self::Status(arguments) => Some(&mut arguments.ledgers.first),
            Self::Report(arguments) => Some(&mut arguments.ledgers.first),
            Self::Doctor(arguments) => Some(&mut arguments.state),
            Self::State(arguments) => match &mut arguments.verb {
                StateVerb::Forget(arguments) => Some(&mut arguments.state),
                StateVerb::Prune(arguments) => Some(&mut arguments.state),
            },
            Self::Check(_)
            | Self::Sandbox(_)
            | Self::Explain(_)
            | Self::Init(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// Opens the ledger at `path` for a verb that only reads it: any, unless another shard's was asked for.
///
/// # Errors
///
/// When it can't be read, or is another shard's than `--shard` says.
pub(super) fn open_to_read(path: &Path, state: &StateFlags) -> Result<Ledger, LedgerError> {
    let ledger = Ledger::open(path, LedgerAccess::Read)?;
    if state.shard().is_some() {
        ledger.check_shard(state.shard())?;
    }
    Ok(ledger)
}

/// Says on stderr that what is shown of this ledger's run is one shard's only, for whoever meant all of them.
pub(super) fn tell_of_part(ledger: &Ledger, run: Option<&RunRecord>) {
    let (Some(shard), Some(run)) = (ledger.shard(), run) else { return };
    let lines = count(run.lines);
    let of_all = run.manifest_lines.filter(|_| run.manifest_print.is_some());
    let part = of_all.map_or_else(
        || format!("{lines} lines"),
        |whole| format!("{lines} of the manifest's {} lines", count(whole)),
    );
    tell(&format!("shard {shard} only: {part}\n"));
}

/// Refuses a ledger that is named as another shard's: what would be made from that name nobody would find again.
fn refuse_other_name(state: &StateFlags) -> Result<(), Failure> {
    let (Some(path), Some(shard)) = (&state.state, state.shard()) else { return Ok(()) };
    let parts = [path.file_stem().map(Path::new).and_then(Path::extension), path.extension()];
    let named = parts.into_iter().flatten().filter_map(OsStr::to_str).find_map(Shard::from_infix);
    let Some(named) = named.filter(|named| *named != shard) else { return Ok(()) };
    let error = anyhow::anyhow!(
        "{} is named as the ledger of shard {named}, and --shard says {shard}",
        path.display()
    );
    let hint = "nothing was done; name the ledger without its shard (such as state/ledger.db), from which each shard's own name \
                is made, or say the shard that it is of";
    Err(Failure::new(ExitCode::Usage, error, hint))
}

pub(super) fn refused(error: AutoShardError) -> Failure {
    let hint = match &error {
        AutoShardError::NoIndex { .. } | AutoShardError::NoNumber { .. } => {
            "nothing was done; start it in an array of the scheduler, or say which shard it is: --shard 0/N"
        }
        AutoShardError::TooLarge { .. } => {
            "nothing was done; the indices of an array must begin with 0 and end below N: completions: N in Kubernetes, \
             --array=0-7 in Slurm for N = 8"
        }
        AutoShardError::Disagreement { .. } => {
            "nothing was done; one scheduler's array seems to run within another's: say which shard it is: --shard I/N"
        }
    };
    Failure::new(ExitCode::Usage, error, hint)
}
