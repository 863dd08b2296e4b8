//! The flags for schedulers.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::settings::parse_duration;

/// The flags for whoever calls the program every night.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Schedulers")]
pub(in crate::cli) struct SchedulerFlags {
    /// Write metrics to this file (*.prom) at every end, for Prometheus' collector of text files, or none
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_METRICS")]
    metrics: Option<PathBuf>,
    /// How long to wait for another run that holds the ledger, before exit code 11
    #[arg(long, value_name = "TIME", env = "STARA_ONBOARD_LOCK_TIMEOUT", default_value = "0s", value_parser = parse_duration)]
    pub(in crate::cli) lock_timeout: Duration,
    #[command(flatten)]
    pub(in crate::cli) exit: ExitFlags,
}

impl SchedulerFlags {
    /// Where metrics go, if anywhere.
    pub(super) fn metrics(&self) -> Option<&PathBuf> {
        self.metrics.as_ref().filter(|path| path.as_os_str() != "none")
    }

    /// Without any.
    pub(in crate::cli) fn forgo_metrics(&mut self) {
        self.metrics = None;
    }
}

/// Which exit codes count as zero.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Schedulers")]
pub(in crate::cli) struct ExitFlags {
    /// Exit with 0 instead of these codes: 3,4,5,6,11,129,130,143; ledger, metrics and summary keep the true one
    #[arg(long, value_name = "CODES", env = "STARA_ONBOARD_EXIT_ZERO_ON", value_delimiter = ',', value_parser = parse_pardonable)]
    pub(in crate::cli) exit_zero_on: Vec<ExitCode>,
}

impl ExitFlags {
    /// Whether the process is to exit with 0 on this code.
    pub(in crate::cli) fn pardons(&self, code: ExitCode) -> bool {
        code == ExitCode::Done || self.exit_zero_on.contains(&code)
    }

    /// What is told to the caller of the process, who still hears of every error.
    pub(in crate::cli) fn shown_of(&self, ended: Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
        let shown = |code| if self.pardons(code) { ExitCode::Done } else { code };
        match ended {
            Ok(code) => Ok(shown(code)),
            Err(failure) => Err(Failure { code: shown(failure.code), ..failure }),
        }
    }
}

/// Whether a code may be told as 0: not where somebody has to mend something before any night can go well again.
const fn is_pardonable(code: ExitCode) -> bool {
    match code {
        ExitCode::RowsFailed
        | ExitCode::TooManyFailures
        | ExitCode::Incomplete
        | ExitCode::Changes
        | ExitCode::Held
        | ExitCode::Hangup
        | ExitCode::Interrupt
        | ExitCode::Terminate => true,
        ExitCode::Done
        | ExitCode::Internal
        | ExitCode::Usage
        | ExitCode::Refused
        | ExitCode::StateUnwritable => false,
    }
}

fn parse_pardonable(text: &str) -> Result<ExitCode, String> {
    let number: u8 = text.trim().parse().map_err(|_| "must be exit codes with commas between: 3,5,6")?;
    let code = ExitCode::ALL.into_iter().find(|code| code.number() == number);
    match code {
        None => Err("is no exit code of this program".to_owned()),
        Some(ExitCode::Done) => Err("0 is 0 anyway".to_owned()),
        Some(code) if is_pardonable(code) => Ok(code),
        Some(code) => Err(format!("{number} always needs somebody ({})", code.meaning())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_to_mend_can_not_be_told_as_zero() {
        for code in ExitCode::ALL {
            let parsed = parse_pardonable(&code.number().to_string());
            let is_never = [0, 1, 2, 7, 8].contains(&code.number());
            assert_eq!(parsed.is_err(), is_never, "{code:?}");
        }
        for text in ["", "three", "-3", "9", "300", "3;5"] {
            assert!(parse_pardonable(text).is_err(), "{text:?}");
        }
        assert_eq!(parse_pardonable(" 3 "), Ok(ExitCode::RowsFailed));
    }
}
