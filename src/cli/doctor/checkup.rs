//! All that was looked at, and what it comes to.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::canary::Tried;
use super::check::{Check, Standing};
use crate::cli::exit_code::ExitCode;

/// How wide the names of checks are.
const WIDEST_NAME: usize = 17;

/// All checks, in their order.
#[derive(Debug, Default)]
pub(super) struct Checkup {
    pub(super) checks: Vec<Check>,
    /// What became of the canary, where one was asked for.
    pub(super) canary: Option<Tried>,
}

impl Checkup {
    fn count(&self, standing: Standing) -> usize {
        self.checks.iter().filter(|check| check.standing == standing).count()
    }

    /// With which code to exit: that of a signal, else that of a problem, and warnings stop nobody.
    pub(super) fn exit_code(&self) -> ExitCode {
        if let Some(signal) = self.canary.as_ref().and_then(|tried| tried.signal) {
            return signal.into();
        }
        if self.count(Standing::Problem) > 0 { ExitCode::Usage } else { ExitCode::Done }
    }

    /// A line for each check and one for all; with `is_quiet` only those that somebody should see.
    pub(super) fn text(&self, is_quiet: bool) -> String {
        let mut text = String::new();
        for check in &self.checks {
            if is_quiet && matches!(check.standing, Standing::Ok | Standing::Skipped) {
                continue;
            }
            let about = match check.service {
                Some(service) if !check.found.starts_with(service.as_str()) => format!("{service}: "),
                _ => String::new(),
            };
            // Writing into a string can't fail.
            let _ = writeln!(
                text,
                "{:<8} {:<WIDEST_NAME$} {about}{}",
                check.standing.as_str(),
                check.name,
                check.found
            );
            if let Some(advice) = &check.advice {
                let _ = writeln!(text, "{:<8} {:<WIDEST_NAME$} → {advice}", "", "");
            }
        }
        if !is_quiet {
            text.push_str(&self.sum());
        }
        // A file's name is somebody's choice, and a terminal carries out what it is told.
        let shown = |letter: char| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter };
        text.chars().map(shown).collect()
    }

    fn sum(&self) -> String {
        let counted = |number: usize, noun: &str| match number {
            1 => format!("1 {noun}"),
            _ => format!("{number} {noun}s"),
        };
        let warnings = self.count(Standing::Warning);
        match (self.count(Standing::Problem), warnings) {
            (0, 0) => "A run can begin.\n".to_owned(),
            (0, _) => format!("A run can begin, with {}.\n", counted(warnings, "warning")),
            (problems, 0) => format!("A run would be stopped by {}.\n", counted(problems, "problem")),
            (problems, _) => {
                let problems = counted(problems, "problem");
                format!("A run would be stopped by {problems}; and {}.\n", counted(warnings, "warning"))
            }
        }
    }

    /// The same as one JSON object.
    pub(super) fn json(&self) -> Value {
        let check = |check: &Check| {
            json!({
                "check": check.name,
                "service": check.service.map(|service| service.as_str().to_ascii_lowercase()),
                "standing": check.standing.as_str(),
                "found": check.found,
                "advice": check.advice,
            })
        };
        json!({
            "schema": 1,
            "problems": self.count(Standing::Problem),
            "warnings": self.count(Standing::Warning),
            "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
            "canary": self.canary.as_ref().map(Tried::json),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_stop_nobody_and_problems_do() {
        let mut checkup = Checkup::default();
        checkup.checks.push(Check::ok("clock", "right"));
        checkup.checks.push(Check::skipped("tls", "plain http"));
        assert!(checkup.text(false).ends_with("A run can begin.\n"));
        assert_eq!(checkup.text(true), "");
        checkup.checks.push(Check::warning("manifest", "others may read it", "chmod 600"));
        assert_eq!(checkup.exit_code(), ExitCode::Done);
        assert!(checkup.text(false).ends_with("with 1 warning.\n"));
        checkup.checks.push(Check::problem("leaf-token", "refused", "get another"));
        assert_eq!(checkup.exit_code(), ExitCode::Usage);
        assert!(checkup.text(false).ends_with("stopped by 1 problem; and 1 warning.\n"));
        assert_eq!(checkup.text(true).lines().count(), 4);
    }

    #[test]
    fn a_name_in_a_check_commands_no_terminal() {
        let checks = vec![Check::ok("manifest", "a\u{1b}[2J\u{7}.csv")];
        let text = Checkup { checks, canary: None }.text(false);
        assert!(text.lines().all(|line| !line.contains(char::is_control)), "{text:?}");
    }
}
