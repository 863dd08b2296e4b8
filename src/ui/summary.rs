//! What is said when a run has ended: on one screen, what became of the rows, who must act, and how to go on.

use std::path::PathBuf;
use std::time::Duration;

use super::rehearsed::{Rehearsed, waiting_for_a_person};
use super::wording::{count, counted, duration, joined, printable, rate};
use crate::checkpoint::RunKind;
use crate::model::{OutcomeCode, Service, Shard};

/// The most lines a summary has: a terminal's usual height.
const MOST_LINES: usize = 24;

/// The most characters of a line. Only a path, an origin or a command may be longer: they are there to be copied.
const WIDTH: usize = 100;

/// The most reports that are listed one by one.
const MOST_REPORTS: usize = 3;

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The run's number.
    pub run: i64,
    /// How many shards' runs it is about together; `None` for a run by itself.
    pub shards: Option<u32>,
    /// Whose lines it is about, where it is one shard's run, and how many the whole manifest has.
    pub part: Option<(Shard, u64)>,
    /// What kind of run it was.
    pub kind: RunKind,
    /// Lines in the manifest.
    pub lines: u64,
    /// Lines with each outcome; they sum up to `lines`. Codes that no line has may be left out.
    pub outcomes: Vec<(OutcomeCode, u64)>,
    /// Rows that earlier runs had decided, so that this one sent nothing for them. They are among the outcomes.
    pub done_before: u64,
    /// Rows whose password changed beside a healthy credential, which was kept. They are among the outcomes.
    pub changed_passwords: u64,
    /// Rows whose login changed beside a credential that isn't ours, which was kept. They are among the outcomes.
    pub changed_logins: u64,
    /// Users of the ledger that the manifest names no longer; nothing is done to them.
    pub vanished: u64,
    /// What each host was asked.
    pub hosts: Vec<HostUse>,
    /// How long the rows took, from the first to the last.
    pub duration: Duration,
    /// What it foretells, when it was a rehearsal that came to its end.
    pub rehearsed: Option<Rehearsed>,
    /// Why the run ended before its rows did, as a clause: `Leaf asked for a pause of 20m`.
    pub stopped: Option<String>,
    /// What to do about that, where the call that tells of it is the one that stopped.
    pub advice: Option<String>,
    /// What is told of magic links, a line each.
    pub links: Vec<String>,
    /// Where the results are.
    pub reports: Vec<PathBuf>,
    /// The exact command that writes the reports, when the run was told to end before they were.
    pub report_command: Option<String>,
    /// The exact command that goes on, when something is left that a further run would do.
    pub resume: Option<String>,
    /// Whether something is to be mended first, because the same command would only stop again.
    pub is_to_be_mended: bool,
}

/// What one host was asked in a run.
#[derive(Debug, Clone)]
pub struct HostUse {
    /// The service.
    pub service: Service,
    /// Scheme, host and port.
    pub origin: String,
    /// Requests that ended, with an answer or without.
    pub requests: u64,
    /// Answers that asked us to slow down.
    pub throttled: u64,
}

impl Summary {
    /// The summary as text, at most 24 lines, each with its end, for a terminal of so many columns; no line is longer than a hundred
    /// letters on a wider one.
    #[must_use]
    pub fn render_within(&self, columns: usize) -> String {
        let width = columns.min(WIDTH);
        let mut head = self.head(width);
        let tail = self.tail(width);
        let room = MOST_LINES.saturating_sub(head.len() + tail.len());
        head.extend(self.failures(room, width));
        head.extend(tail);
        printable(&head.join("\n")) + "\n"
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (OutcomeCode, u64)> {
        let rows = |code| {
            let of_code = self.outcomes.iter().filter(move |(other, _)| *other == code);
            of_code.map(|(_, rows)| rows).sum()
        };
        OutcomeCode::ALL.iter().map(move |&code| (code, rows(code))).filter(|&(_, rows)| rows > 0)
    }

    pub(super) fn name(&self) -> String {
        let whose = match (self.shards, self.part) {
            (Some(shards), _) => format!("All {shards} shards"),
            (None, Some((shard, _))) => format!("Run {} of shard {shard}", self.run),
            (None, None) => format!("Run {}", self.run),
        };
        match self.kind {
            RunKind::Run => whose,
            RunKind::Repair | RunKind::Detach => format!("{whose} ({})", self.kind.as_str()),
        }
    }

    fn what(&self) -> String {
        match self.kind {
            RunKind::Run | RunKind::Repair if let Some((_, whole)) = self.part => {
                format!("{} of the manifest's {}", count(self.lines), counted(whole, "line"))
            }
            RunKind::Run | RunKind::Repair => format!("{} of the manifest", counted(self.lines, "line")),
            RunKind::Detach => counted(self.lines, "line"),
        }
    }

    fn head(&self, width: usize) -> Vec<String> {
        let first = joined(
            [
                Some(format!("{}: {} in {}", self.name(), self.what(), duration(self.duration))),
                (self.done_before > 0)
                    .then(|| format!("{} decided by earlier runs", count(self.done_before))),
            ],
            "; ",
        );
        let mut lines = wrapped(&first, 0, width);
        if let Some((reason, advice)) = self.stopped.as_ref().zip(self.advice.as_ref()) {
            // Scripts look for both by how they begin, so neither is broken, however narrow the terminal is.
            lines.extend([("stopped", reason), ("hint", advice)].map(|(what, text)| one_line(what, text)));
        } else if let Some(reason) = &self.stopped {
            let end = if reason.ends_with('?') { "" } else { "." };
            lines.extend(wrapped(&format!("Stopped early: {reason}{end}"), 0, width));
        }
        let harmless = self.rows().filter(|(code, _)| !self.kind.is_failure(*code));
        lines.extend(harmless.map(|(code, rows)| format!("{:>11}  {code}", count(rows))));
        lines
    }

    fn tail(&self, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        if self.changed_passwords > 0 {
            let passwords = counted(self.changed_passwords, "password");
            lines.push(format!("{passwords} changed beside a healthy credential, which was kept"));
        }
        if self.changed_logins > 0 {
            let logins = counted(self.changed_logins, "login");
            lines.push(format!("{logins} changed beside a credential that isn't ours: kept; see the report"));
        }
        if self.vanished > 0 {
            let users = counted(self.vanished, "user");
            lines.push(format!("{users} of the ledger not in the manifest, left alone (`plan` lists them)"));
        }
        lines.extend(self.hosts.iter().map(|host| self.host(host)));
        if let Some(rehearsed) = &self.rehearsed {
            let failed = self.rows().filter(|(code, _)| self.kind.is_failure(*code));
            let text = rehearsed.text(self.duration, waiting_for_a_person(failed));
            lines.extend(text.iter().flat_map(|text| wrapped(text, 0, width)));
        }
        lines.extend(self.links.iter().flat_map(|line| wrapped(line, 0, width)));
        for path in self.reports.iter().take(MOST_REPORTS) {
            lines.push(format!("Report: {}", path.display()));
        }
        if let Some(more) = self.reports.len().checked_sub(MOST_REPORTS).filter(|&more| more > 0) {
            lines.push(format!("        and {}", counted(more as u64, "more report")));
        }
        if let Some(command) = &self.report_command {
            lines.push(format!("The report isn't written yet: {command}"));
        }
        if let Some(command) = &self.resume {
            let when = if self.is_to_be_mended { "When that is mended" } else { "To go on" };
            lines.push(format!("{when}: {command}"));
        }
        lines
    }

    fn host(&self, host: &HostUse) -> String {
        #[allow(clippy::cast_precision_loss, reason = "an average needs no 53 bits")]
        let average = host.requests as f64 / self.duration.as_secs_f64();
        let parts = [
            Some(format!("{:<6} {}", host.service, counted(host.requests, "request"))),
            (average.is_finite() && host.requests > 0).then(|| format!("{} on average", rate(average))),
            (host.throttled > 0).then(|| format!("{} throttled", count(host.throttled))),
        ];
        format!("{}  ({})", joined(parts, ", "), host.origin)
    }

    /// The outcomes that somebody must do something about, with its advice, in at most `room` lines. Where there is too
    /// little room, the outcomes of the fewest rows lose their advice first, and then their line.
    fn failures(&self, room: usize, width: usize) -> Vec<String> {
        let mut blocks: Vec<Block> = self
            .rows()
            .filter(|(code, _)| self.kind.is_failure(*code))
            .map(|(code, rows)| Block {
                rows,
                title: format!("{:>11}  {code:<26} up to {}", count(rows), code.owner().as_str()),
                advice: wrapped(self.kind.advice(code), 13, width),
            })
            .collect();
        if blocks.is_empty() {
            return Vec::new();
        }
        let heading = "Failed (`stara-onboard explain CODE` says more):";
        let room = room.saturating_sub(1);
        let height = |blocks: &[Block]| blocks.iter().map(|block| 1 + block.advice.len()).sum::<usize>();
        while height(&blocks) > room {
            let with_advice = blocks.iter_mut().filter(|block| !block.advice.is_empty());
            match with_advice.min_by_key(|block| block.rows) {
                Some(block) => block.advice.clear(),
                None => break,
            }
        }
        let mut left_out = (0, 0);
        while blocks.len() + usize::from(left_out.0 > 0) > room && !blocks.is_empty() {
            let fewest = blocks.iter().enumerate().min_by_key(|(_, block)| block.rows);
            let block = blocks.remove(fewest.map_or(0, |(place, _)| place));
            left_out = (left_out.0 + 1, left_out.1 + block.rows);
        }
        let mut lines = vec![heading.to_owned()];
        for block in blocks {
            lines.push(block.title);
            lines.extend(block.advice);
        }
        if left_out.0 > 0 {
            let codes = counted(left_out.0, "other code");
            lines.push(format!("{:>11}  with {codes}, see the report", count(left_out.1)));
        }
        lines
    }
}

/// What is said of one outcome.
struct Block {
    rows: u64,
    title: String,
    advice: Vec<String>,
}

/// A text behind what it is, on one line: a path or what a system said may hold a line break.
fn one_line(what: &str, text: &str) -> String {
    format!("{what}: {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text in lines of at most `width` characters, each behind so many spaces.
fn wrapped(text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{:indent$}{word}", "")),
        }
    }
    lines
}

#[cfg(test)]
impl Summary {
    /// A run of 100 seconds that ended so, for tests.
    pub(super) fn of_run_7(outcomes: &[(OutcomeCode, u64)]) -> Self {
        Self {
            run: 7,
            shards: None,
            part: None,
            kind: RunKind::Run,
            lines: outcomes.iter().map(|(_, rows)| rows).sum(),
            outcomes: outcomes.to_vec(),
            done_before: 0,
            vanished: 0,
            changed_passwords: 0,
            changed_logins: 0,
            hosts: Vec::new(),
            duration: Duration::from_secs(100),
            rehearsed: None,
            stopped: None,
            advice: None,
            links: Vec::new(),
            reports: vec![PathBuf::from("state/growers.results.csv")],
            report_command: None,
            resume: None,
            is_to_be_mended: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(service: Service, requests: u64, throttled: u64) -> HostUse {
        HostUse {
            service,
            origin: format!("https://{}.example", service.as_str().to_lowercase()),
            requests,
            throttled,
        }
    }

    fn summary(outcomes: &[(OutcomeCode, u64)]) -> Summary {
        let hosts = vec![host(Service::Stara, 400, 0), host(Service::Leaf, 12_000, 3)];
        Summary { hosts, ..Summary::of_run_7(outcomes) }
    }

    #[test]
    fn a_run_in_which_all_went_well_is_told_in_a_few_lines() {
        let text = summary(&[(OutcomeCode::Attached, 200)]).render_within(WIDTH);
        let expected = concat!(
            "Run 7: 200 lines of the manifest in 1m 40s\n",
            "        200  attached\n",
            "Stara  400 requests, 4.0/s on average  (https://stara.example)\n",
            "Leaf   12,000 requests, 120/s on average, 3 throttled  (https://leaf.example)\n",
            "Report: state/growers.results.csv\n",
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn the_run_of_a_shard_says_whose_it_is_and_of_how_many_lines() {
        let part = Some("1/4".parse().unwrap()).zip(Some(20_001));
        let summary = Summary { part, ..summary(&[(OutcomeCode::Attached, 5_090)]) };
        let text = summary.render_within(WIDTH);
        assert!(text.starts_with("Run 7 of shard 1/4: 5,090 of the manifest's 20,001 lines in "), "{text}");
        assert!(summary.render_line(0).starts_with("Run 7 of shard 1/4: 5,090 lines, "));
    }

    #[test]
    fn what_failed_comes_with_its_owner_and_advice_and_the_command_that_goes_on() {
        let summary = Summary {
            done_before: 1_000,
            vanished: 2,
            changed_passwords: 3,
            changed_logins: 1,
            stopped: Some("SIGINT".to_owned()),
            resume: Some("stara-onboard run manifests/growers.csv".to_owned()),
            is_to_be_mended: false,
            ..summary(&[
                (OutcomeCode::StaraLoginRejected, 12),
                (OutcomeCode::NotReached, 500),
                (OutcomeCode::Attached, 9_000),
                (OutcomeCode::LeafUserUnknown, 1),
                (OutcomeCode::AlreadyAttached, 0),
            ])
        };
        let expected = concat!(
            "Run 7: 9,513 lines of the manifest in 1m 40s; 1,000 decided by earlier runs\n",
            "Stopped early: SIGINT.\n",
            "      9,000  attached\n",
            "        500  not-reached\n",
            "Failed (`stara-onboard explain CODE` says more):\n",
            "         12  stara-login-rejected       up to the grower\n",
            "             Ask the grower for the right login and password and correct the row, or let them sign\n",
            "             in by themselves (--magic-links); it won't be sent again before that.\n",
            "          1  leaf-user-unknown          up to you\n",
            "             Check the leafUserId, or create the user at Leaf; the next run looks again.\n",
            "3 passwords changed beside a healthy credential, which was kept\n",
            "1 login changed beside a credential that isn't ours: kept; see the report\n",
            "2 users of the ledger not in the manifest, left alone (`plan` lists them)\n",
            "Stara  400 requests, 4.0/s on average  (https://stara.example)\n",
            "Leaf   12,000 requests, 120/s on average, 3 throttled  (https://leaf.example)\n",
            "Report: state/growers.results.csv\n",
            "To go on: stara-onboard run manifests/growers.csv\n",
        );
        assert_eq!(summary.render_within(WIDTH), expected);
    }

    #[test]
    fn a_script_finds_why_it_stopped_and_what_to_do_on_a_line_each_however_long_and_narrow_it_is() {
        let reason = "31 rows in a row ended as leaf-user-unknown: is Leaf's token another account's, or --leaf-url\n\u{1b}[2J \
                      another Leaf, or the leafUserId column the wrong one?";
        let advice = "Mend what the error names, then run the same command again; --max-failures 100% goes on regardless.";
        let summary = Summary {
            stopped: Some(reason.to_owned()),
            advice: Some(advice.to_owned()),
            ..summary(&[(OutcomeCode::LeafUserUnknown, 31)])
        };
        for text in [summary.render_within(WIDTH), summary.render_within(40)] {
            let lines: Vec<&str> = text.lines().collect();
            let place = lines.iter().position(|line| line.starts_with("stopped: 31 rows in a row")).unwrap();
            assert!(lines[place].ends_with("the leafUserId column the wrong one?"), "{text}");
            assert_eq!(lines[place + 1], format!("hint: {advice}"), "{text}");
            assert!(!text.contains('\u{1b}') && !text.contains("Stopped early"), "{text:?}");
        }
    }

    #[test]
    fn the_worst_of_all_runs_still_fits_on_a_screen() {
        let outcomes: Vec<(OutcomeCode, u64)> = OutcomeCode::ALL.iter().copied().zip(1_000_000..).collect();
        let summary = Summary {
            done_before: u64::MAX,
            vanished: u64::MAX,
            changed_passwords: u64::MAX,
            changed_logins: u64::MAX,
            duration: Duration::from_secs(86_399),
            stopped: Some("20 rows in a row ended alike, which is the manifest or the service".to_owned()),
            reports: (0..9).map(|name| PathBuf::from(format!("{name}.csv"))).collect(),
            resume: Some("stara-onboard run manifests/growers.csv --progress lines".to_owned()),
            is_to_be_mended: false,
            ..summary(&outcomes)
        };
        let text = summary.render_within(WIDTH);
        assert_eq!(text.lines().count(), MOST_LINES, "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        assert!(text.contains("and 6 more reports"), "{text}");
        assert!(text.contains("other codes, see the report"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_breaks_no_word() {
        let text =
            summary(&[(OutcomeCode::StaraLoginRejected, 12), (OutcomeCode::Attached, 9)]).render_within(60);
        for line in text.lines().filter(|line| line.starts_with(' ')) {
            assert!(line.chars().count() <= 60, "{line}");
        }
        let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(OutcomeCode::StaraLoginRejected.advice()), "{text}");
    }

    #[test]
    fn the_fewest_rows_lose_their_advice_first() {
        let failures = |room| {
            summary(&[
                (OutcomeCode::LeafUserUnknown, 5),
                (OutcomeCode::StaraUnavailable, 900),
                (OutcomeCode::Internal, 1),
            ])
            .failures(room, WIDTH)
        };
        assert_eq!(failures(7).len(), 7);
        let six = failures(6).join("\n");
        assert!(!six.contains(OutcomeCode::Internal.advice()), "{six}");
        assert!(six.contains(OutcomeCode::LeafUserUnknown.advice()), "{six}");
        let three = failures(3);
        assert_eq!(three.len(), 3);
        assert!(three[1].contains("stara-unavailable"), "{three:?}");
        assert_eq!(three[2], "          6  with 2 other codes, see the report");
    }

    #[test]
    fn every_advice_is_wrapped_within_the_width() {
        for code in OutcomeCode::ALL {
            for line in wrapped(code.advice(), 13, WIDTH) {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
            let text = wrapped(code.advice(), 13, WIDTH).join(" ");
            let words: Vec<&str> = text.split_whitespace().collect();
            assert_eq!(words.join(" "), code.advice());
        }
    }

    #[test]
    fn a_run_that_took_no_time_has_no_average() {
        let summary = Summary { duration: Duration::ZERO, ..summary(&[(OutcomeCode::AlreadyAttached, 1)]) };
        assert!(!summary.render_within(WIDTH).contains("average"), "{}", summary.render_within(WIDTH));
    }
}
