//! All that was looked at, and what it comes to.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::canary::Tried;
use super::check::{Check, Standing};
use crate::cli::exit_code::ExitCode;
use crate::cli::status::print;

/// How wide the names of checks are.
const WIDEST_NAME: usize = 17;

/// How checks are told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Telling {
    /// In lines, each as soon as it is known.
    Lines {
        /// Whether only those are told that somebody should see.
        is_quiet: bool,
    },
    /// As one JSON object, when all are known.
    AsJson,
}

/// All checks, in their order.
#[derive(Debug)]
pub(super) struct Checkup {
    telling: Telling,
    checks: Vec<Check>,
    /// What became of the canary, where one was asked for.
    pub(super) canary: Option<Tried>,
}

impl Checkup {
    /// Nothing was looked at yet.
    pub(super) const fn begin(telling: Telling) -> Self {
        Self { telling, checks: Vec::new(), canary: None }
    }

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

    /// Takes note of checks, and tells them at once where they are told one by one.
    pub(super) fn add(&mut self, checks: impl IntoIterator<Item = Check>) {
        for check in checks {
            if let Telling::Lines { is_quiet } = self.telling {
                print(&lines_of(&check, is_quiet));
            }
            self.checks.push(check);
        }
    }

    /// Tells what is left to be told.
    pub(super) fn conclude(&self) {
        match self.telling {
            Telling::AsJson => print(&format!("{:#}\n", self.json())),
            Telling::Lines { is_quiet: false } => print(&self.sum()),
            Telling::Lines { is_quiet: true } => {}
        }
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

    /// All of it as one JSON object.
    fn json(&self) -> Value {
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

/// A check for people; nothing with `is_quiet`, unless somebody should see it.
fn lines_of(check: &Check, is_quiet: bool) -> String {
    let Check { name, service, standing, found, advice } = check;
    let mut text = String::new();
    if is_quiet && matches!(standing, Standing::Ok | Standing::Skipped) {
        return text;
    }
    let about = match service {
        Some(service) if !found.starts_with(service.as_str()) => format!("{service}: "),
        _ => String::new(),
    };
    // Writing into a string can't fail.
    let _ = writeln!(text, "{:<8} {name:<WIDEST_NAME$} {about}{found}", standing.as_str());
    if let Some(advice) = advice {
        let _ = writeln!(text, "{:<8} {:<WIDEST_NAME$} → {advice}", "", "");
    }
    // A file's name is somebody's choice, and a terminal carries out what it is told.
    let shown = |letter: char| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_stop_nobody_and_problems_do() {
        let mut checkup = Checkup::begin(Telling::AsJson);
        checkup.add([Check::ok("clock", "right"), Check::skipped("tls", "plain http")]);
        assert_eq!((checkup.exit_code(), checkup.sum().as_str()), (ExitCode::Done, "A run can begin.\n"));
        checkup.add([Check::warning("manifest", "others may read it", "chmod 600")]);
        assert_eq!(checkup.exit_code(), ExitCode::Done);
        assert!(checkup.sum().ends_with("with 1 warning.\n"));
        checkup.add([Check::problem("leaf-token", "refused", "get another")]);
        assert_eq!(checkup.exit_code(), ExitCode::Usage);
        assert!(checkup.sum().ends_with("stopped by 1 problem; and 1 warning.\n"));
        let lines: Vec<usize> =
            checkup.checks.iter().map(|check| lines_of(check, true).lines().count()).collect();
        assert_eq!(lines, [0, 0, 2, 2], "quiet leaves what somebody should see");
    }

    #[test]
    fn a_name_in_a_check_commands_no_terminal() {
        let text = lines_of(&Check::ok("manifest", "a\u{1b}[2J\u{7}.csv"), false);
        assert!(text.lines().all(|line| !line.contains(char::is_control)), "{text:?}");
    }
}
