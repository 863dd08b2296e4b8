//! A run in one line: for a mail, a log, and whoever asked to hear of it only when somebody is needed.

use super::summary::Summary;
use super::wording::{count, counted, joined};
use crate::model::{OutcomeCode, Owner};

/// Everybody who may have to act, in the order in which they are named.
const OWNERS: [Owner; 6] =
    [Owner::You, Owner::Grower, Owner::GrowerOrYou, Owner::ToolThenYou, Owner::StaraOrLeaf, Owner::Tool];

impl Summary {
    /// The run in one line, with its end: how many rows are up to whom, where the report is, and the exit code.
    #[must_use]
    pub fn render_line(&self, exit_code: u8) -> String {
        let rows_of = |is_meant: &dyn Fn(OutcomeCode) -> bool| -> u64 {
            self.rows().filter(|(code, _)| is_meant(*code)).map(|(_, rows)| rows).sum()
        };
        let fails = |code: OutcomeCode| self.kind.is_failure(code);
        let well = rows_of(&|code| !fails(code) && code != OutcomeCode::NotReached);
        let not_reached = rows_of(&|code| code == OutcomeCode::NotReached);
        let mut parts = vec![Some(format!("{} well", count(well)))];
        for owner in OWNERS {
            // What is harmless elsewhere may be none here: whoever detaches wants nothing left attached.
            let is_yours = |code: OutcomeCode| owner == Owner::You && code.owner() == Owner::Nobody;
            let rows = rows_of(&|code| fails(code) && (code.owner() == owner || is_yours(code)));
            parts.push((rows > 0).then(|| format!("{} up to {}", count(rows), owner.as_str())));
        }
        parts.push((not_reached > 0).then(|| format!("{} not reached", count(not_reached))));
        let rows = joined(parts, ", ");
        let report = self.reports.first().map(|path| format!("report {}", path.display()));
        let line = joined(
            [
                Some(format!("{}: {}, {rows}", self.name(), counted(self.lines, "line"))),
                self.stopped.as_ref().map(|reason| format!("stopped early: {reason}")),
                (self.vanished > 0)
                    .then(|| format!("{} of the ledger not in the manifest", counted(self.vanished, "user"))),
                (!self.links.is_empty()).then(|| self.links.join("; ")),
                report.or_else(|| self.report_command.as_ref().map(|command| format!("report by {command}"))),
                Some(format!("exit code {exit_code}")),
            ],
            "; ",
        );
        // A path is somebody's choice; a line stays a line.
        let shown = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
        line.chars().map(shown).chain(['\n']).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::checkpoint::RunKind;

    #[test]
    fn it_says_how_many_rows_wait_for_whom() {
        let summary = Summary {
            stopped: Some("stopped by SIGINT".to_owned()),
            ..Summary::of_run_7(&[
                (OutcomeCode::Attached, 9_000),
                (OutcomeCode::ManifestDuplicate, 1),
                (OutcomeCode::StaraLoginRejected, 12),
                (OutcomeCode::LeafUserUnknown, 1),
                (OutcomeCode::ManifestInvalid, 2),
                (OutcomeCode::NotReached, 500),
            ])
        };
        assert_eq!(
            summary.render_line(130),
            "Run 7: 9,516 lines, 9,001 well, 3 up to you, 12 up to the grower, 500 not reached; stopped early: \
             stopped by SIGINT; report state/growers.results.csv; exit code 130\n"
        );
    }

    #[test]
    fn it_says_where_magic_links_are_and_which_are_missing() {
        let links = vec!["Magic links: 9 in links.csv".to_owned(), "Magic links missing: 1: why".to_owned()];
        let text =
            Summary { links, ..Summary::of_run_7(&[(OutcomeCode::StaraLoginRejected, 10)]) }.render_line(5);
        assert!(
            text.contains("; Magic links: 9 in links.csv; Magic links missing: 1: why; report "),
            "{text}"
        );
    }

    #[test]
    fn every_failed_row_is_up_to_somebody() {
        for kind in [RunKind::Run, RunKind::Detach] {
            let outcomes: Vec<(OutcomeCode, u64)> = OutcomeCode::ALL
                .iter()
                .copied()
                .filter(|code| kind.is_failure(*code))
                .map(|code| (code, 1))
                .collect();
            let text = Summary { kind, ..Summary::of_run_7(&outcomes) }.render_line(3);
            let told = text.split([',', ';']).filter(|part| part.contains(" up to "));
            let rows: u64 =
                told.map(|part| part.trim().split(' ').next().unwrap().parse::<u64>().unwrap()).sum();
            assert_eq!(rows, outcomes.len() as u64, "{text}");
        }
    }

    #[test]
    fn a_line_stays_a_line() {
        let reports = vec![PathBuf::from("a\nb\u{1b}[2J.csv")];
        let text = Summary { reports, ..Summary::of_run_7(&[(OutcomeCode::Attached, 1)]) }.render_line(0);
        assert_eq!(text.chars().filter(|letter| letter.is_control()).count(), 1, "{text:?}");
    }
}
