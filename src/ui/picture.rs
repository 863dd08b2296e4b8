//! A run at one moment as a few lines: how far it is, what each host lets through, what is waited for, and what failed.

use std::time::Duration;

use super::paint::{Gauge, Ink, Line, NAME, Painted};
use super::wording::{count, counted, duration, joined, rate};
use crate::http::Unreached;
use crate::model::{OutcomeCode, Service};

/// How many outcomes are named one by one.
const MOST_CAUSES: usize = 5;

/// The most columns that are used.
const MOST_COLUMNS: usize = 100;

/// From this part of its quota on, a host's quota is what the run waits for.
const AT_QUOTA: f64 = 0.9;

/// What is shown of a run at one moment.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// How far something with an end is that isn't the rows: the manifest being read, Leaf's list.
    pub(super) before: Option<Task>,
    /// The rows, once they are carried out.
    pub(super) rows: Option<Rows>,
    /// The hosts that are asked.
    pub(super) hosts: Vec<HostPicture>,
    /// Failed rows by outcome.
    pub(super) failures: Vec<(OutcomeCode, u64)>,
    /// Rows that wait until an attach without an answer can be judged, and the local time at which the last of them is.
    pub(super) settling: (u64, Option<String>),
    /// What else is being done, by its name.
    pub(super) aside: Option<(&'static str, String)>,
    /// Why nothing new is started.
    pub(super) stopping: Option<String>,
}

/// Something with an end, or without one that is known.
#[derive(Debug)]
pub(super) struct Task {
    /// What it is called.
    pub(super) name: &'static str,
    /// How much is done, of how much.
    pub(super) share: Option<(u64, u64)>,
    /// In words.
    pub(super) text: String,
}

/// How far the rows are.
#[derive(Debug)]
pub(super) struct Rows {
    /// Rows that ended.
    pub(super) ended: u64,
    /// Rows to do.
    pub(super) to_do: u64,
    /// Rows a second; `None` where it isn't known.
    pub(super) per_second: Option<f64>,
    /// How long they will still take.
    pub(super) left: Left,
}

/// How long the rows that are left will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// None is left.
    Nothing,
    /// About so long.
    About(Duration),
    /// Nobody can say, for this reason.
    Unknown(String),
}

/// A host at one moment.
#[derive(Debug)]
pub(super) struct HostPicture {
    /// The service.
    pub(super) service: Service,
    /// Requests a second of late.
    pub(super) per_second: f64,
    /// Requests a second that are let through; `None` without a quota.
    pub(super) allowed: Option<f64>,
    /// The quota in words.
    pub(super) quota: String,
    /// Answers that asked us to slow down.
    pub(super) throttled: u64,
    /// What everybody waits for there.
    pub(super) hold: Option<HoldPicture>,
}

/// Why nothing is sent to a host.
#[derive(Debug)]
pub(super) struct HoldPicture {
    /// The status that asked us to slow down, where one did; else the host is down.
    pub(super) status: Option<u16>,
    /// Why there is no connection to a host that is down, where that is known.
    pub(super) why: Option<Unreached>,
    /// The local time at which it ends, and how long that is; `None` when it has just ended, and the host is being tried.
    pub(super) until: Option<(String, Duration)>,
}

impl Picture {
    /// The lines, for a terminal of so many columns.
    pub(super) fn lines(&self, columns: usize) -> Vec<Line> {
        // However wide the terminal is: a line that is longer than a smaller one is wide is broken there before it can be taken back.
        let columns = columns.min(MOST_COLUMNS);
        let mut lines = Vec::new();
        if let Some(task) = &self.before {
            lines.push(Line::with_bar(task.name, task.share, Ink::Good, task.text.as_str()));
        }
        if let Some(rows) = &self.rows {
            lines.push(Line::with_bar("rows", Some((rows.ended, rows.to_do)), Ink::Good, rows.text()));
        }
        lines.extend(self.hosts.iter().map(HostPicture::line));
        let (settling, until) = &self.settling;
        if *settling > 0 {
            let until = until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            let rows = counted(*settling, "row");
            let text = format!("{rows}{until}: an attach got no answer, and may yet take effect");
            lines.push(Line::named("settling", Ink::Plain, text));
        }
        if !self.failures.is_empty() {
            let total = count(self.failures.iter().map(|(_, rows)| rows).sum());
            let causes = causes(&self.failures, columns.saturating_sub(NAME + total.len() + 2));
            let text = Painted::default().and(Ink::Bad, total).and(Ink::Plain, format!(": {causes}"));
            lines.push(Line { name: "failed", gauge: Gauge::None, ink: Ink::Bad, text: vec![text] });
        }
        if let Some((name, text)) = &self.aside {
            lines.push(Line::named(name, Ink::Plain, text.as_str()));
        }
        if let Some(reason) = &self.stopping {
            let text = format!("{reason}; what is under way is being finished");
            let text = wrapped(&text, columns.saturating_sub(NAME).max(1));
            let text = text.into_iter().map(Painted::plain).collect();
            lines.push(Line { name: "stopping", gauge: Gauge::None, ink: Ink::Waiting, text });
        }
        lines
    }
}

impl Picture {
    /// The same in one line, for a log.
    pub(super) fn line(&self) -> String {
        let hosts = self
            .hosts
            .iter()
            .map(|host| Some(host.add_to(Painted::plain(format!("{} ", host.service))).text()));
        let failed: u64 = self.failures.iter().map(|(_, rows)| rows).sum();
        let further = [
            (self.settling.0 > 0).then(|| format!("{} settling", counted(self.settling.0, "row"))),
            (failed > 0).then(|| format!("failed {}: {}", count(failed), causes(&self.failures, usize::MAX))),
            self.aside.as_ref().map(|(_, text)| text.clone()),
            self.stopping.as_ref().map(|reason| format!("stopping: {reason}")),
        ];
        let first = [self.before.as_ref().map(|task| task.text.clone()), self.rows.as_ref().map(Rows::text)];
        joined(first.into_iter().chain(hosts).chain(further), "; ")
    }
}

impl Rows {
    fn text(&self) -> String {
        let parts = [
            Some(format!("{} of {}", count(self.ended), count(self.to_do))),
            self.per_second.map(rate),
            self.left.text(),
        ];
        joined(parts, ", ")
    }
}

impl Left {
    /// How it reads in a log; `None` where nothing is left.
    pub(super) fn in_words(&self) -> Option<String> {
        match self {
            Self::Unknown(why) => Some(format!("nobody knows how long still ({why})")),
            known => known.text(),
        }
    }

    /// How it reads on a terminal; `None` where nothing is left.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::About(span) => Some(format!("~{} left", duration(*span))),
            Self::Unknown(why) => Some(format!("— left ({why})")),
        }
    }
}

impl HostPicture {
    fn line(&self) -> Line {
        let hundredths = |part: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rate is positive, and a bar needs no more than whole per cent"
            )]
            let hundredths = (part * 100.0).round() as u64;
            hundredths
        };
        let share = self.allowed.filter(|allowed| *allowed > 0.0);
        let share = share.map(|allowed| (hundredths(self.per_second / allowed).min(100), 100));
        let ink = if self.hold.is_some() { Ink::Waiting } else { Ink::Plain };
        Line::with_bar(self.service.as_str(), share, ink, self.add_to(Painted::default()))
    }

    /// A line's beginning, and the host in words.
    fn add_to(&self, line: Painted) -> Painted {
        let pace = match self.allowed {
            Some(_) => format!("{} of {}", rate(self.per_second), self.quota),
            None => format!("{}, no quota", rate(self.per_second)),
        };
        let throttled = (self.throttled > 0).then(|| format!(", {} throttled", count(self.throttled)));
        let throttled = throttled.unwrap_or_default();
        match &self.hold {
            // What is waited for comes first: a narrow terminal cuts the end.
            Some(hold) => hold.add_to(line).and(Ink::Plain, format!("{throttled}, {pace}")),
            None if self.allowed.is_some_and(|allowed| self.per_second >= allowed * AT_QUOTA) => {
                line.and(Ink::Plain, format!("{pace}, sets the pace{throttled}"))
            }
            None => line.and(Ink::Plain, format!("{pace}{throttled}")),
        }
    }
}

impl HoldPicture {
    fn add_to(&self, line: Painted) -> Painted {
        let until = self.until.as_ref().map(|(at, span)| match span.as_secs() {
            0 => at.clone(),
            _ => format!("{at} ({})", duration(*span)),
        });
        let down = self.why.map_or_else(|| "down".to_owned(), |why| format!("down ({})", why.in_short()));
        match (self.status, until) {
            (Some(status), Some(until)) => {
                line.and(Ink::Waiting, status.to_string()).and(Ink::Plain, format!(": waits until {until}"))
            }
            (Some(status), None) => {
                line.and(Ink::Waiting, status.to_string()).and(Ink::Plain, ": being tried again")
            }
            (None, Some(until)) => {
                line.and(Ink::Bad, down).and(Ink::Plain, format!(": tried again at {until}"))
            }
            (None, None) => line.and(Ink::Bad, down).and(Ink::Plain, ": being tried again"),
        }
    }
}

/// The outcomes that most rows failed with, as many as there is room for, and how many more there are.
fn causes(failures: &[(OutcomeCode, u64)], room: usize) -> String {
    let mut failures = failures.to_vec();
    failures.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let named = |most: usize| {
        let more = failures.len().saturating_sub(most);
        let causes = failures.iter().take(most).map(|(code, rows)| Some(format!("{code} ×{}", count(*rows))));
        joined(causes.chain([(more > 0).then(|| format!("and {more} more"))]), ", ")
    };
    let fits = |most: &usize| named(*most).chars().count() <= room;
    named((1..=MOST_CAUSES).rev().find(fits).unwrap_or(1))
}

/// A text in lines of at most so many letters; a word that is longer has one to itself.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::screen::Screen;

    fn host(per_second: f64, allowed: Option<f64>, hold: Option<HoldPicture>) -> HostPicture {
        let quota = allowed.map_or_else(|| "no quota".to_owned(), |allowed| format!("{allowed}/s"));
        HostPicture { service: Service::Stara, per_second, allowed, quota, throttled: 0, hold }
    }

    fn said(host: &HostPicture) -> String {
        Screen::drawn(&[host.line()], 100).remove(0)
    }

    fn until(seconds: u64) -> (String, Duration) {
        ("14:03:20".to_owned(), Duration::from_secs(seconds))
    }

    #[test]
    fn a_host_is_shown_by_its_rate_against_its_quota() {
        assert_eq!(said(&host(6.0, Some(10.0), None)), "Stara    ██████░░░░  60 %  6.0/s of 10/s");
        assert_eq!(
            said(&host(9.9, Some(10.0), None)),
            "Stara    █████████░  99 %  9.9/s of 10/s, sets the pace"
        );
        assert_eq!(said(&host(250.0, None, None)), "Stara                      250/s, no quota");
    }

    #[test]
    fn what_is_waited_for_is_said_with_the_time() {
        let throttled = HostPicture {
            throttled: 12,
            ..host(
                0.0,
                Some(10.0),
                Some(HoldPicture { status: Some(429), why: None, until: Some(until(12)) }),
            )
        };
        assert_eq!(
            said(&throttled),
            "Stara    ░░░░░░░░░░   0 %  429: waits until 14:03:20 (12s), 12 throttled, 0.0/s of 10/s"
        );
        let down = |until| said(&host(0.0, Some(10.0), Some(HoldPicture { status: None, why: None, until })));
        assert_eq!(
            down(Some(until(27))),
            "Stara    ░░░░░░░░░░   0 %  down: tried again at 14:03:20 (27s), 0.0/s of 10/s"
        );
        assert!(down(None).contains("  down: being tried again, "));
        let (why, until) = (Some(Unreached::NameUnknown), Some(until(27)));
        let unknown = said(&host(0.0, Some(10.0), Some(HoldPicture { status: None, why, until })));
        assert!(unknown.contains("  down (name not resolved): tried again at 14:03:20 (27s), "), "{unknown}");
    }

    #[test]
    fn failures_are_named_by_cause_the_most_frequent_first_and_as_many_as_fit() {
        let failures: Vec<(OutcomeCode, u64)> =
            OutcomeCode::ALL.iter().copied().filter(|code| code.is_failure()).zip(1..=7).collect();
        let all = causes(&failures, 1_000);
        assert_eq!(all.matches('×').count(), MOST_CAUSES, "{all}");
        assert!(all.starts_with(&format!("{} ×7, {} ×6", failures[6].0, failures[5].0)), "{all}");
        assert!(all.ends_with(", and 2 more"), "{all}");
        for room in [45, 60, 70] {
            let some = causes(&failures, room);
            assert!(some.chars().count() <= room && some.contains("more"), "{room}: {some}");
        }
        assert_eq!(causes(&failures[..1], 0), format!("{} ×1", failures[0].0));
    }

    #[test]
    fn every_line_of_a_busy_run_fits_eighty_columns_but_for_its_last_words() {
        let picture = Picture {
            rows: Some(Rows {
                ended: 1_251_123,
                to_do: 2_000_000,
                per_second: Some(1_019.0),
                left: Left::About(Duration::from_secs(1_872)),
            }),
            hosts: vec![host(9.9, Some(10.0), None)],
            failures: vec![(OutcomeCode::StaraLoginRejected, 9), (OutcomeCode::LeafUserUnknown, 4)],
            settling: (3, Some("14:05:10".to_owned())),
            stopping: Some(
                "31 rows in a row ended as stara-login-rejected: is the password column the right one?"
                    .to_owned(),
            ),
            ..Picture::default()
        };
        let lines = Screen::drawn(&picture.lines(80), 80);
        assert_eq!(
            lines,
            [
                "rows     ██████░░░░  62 %  1,251,123 of 2,000,000, 1,019/s, ~31m 12s left",
                "Stara    █████████░  99 %  9.9/s of 10/s, sets the pace",
                "settling 3 rows until 14:05:10: an attach got no answer, and may yet take effect",
                "failed   13: stara-login-rejected ×9, leaf-user-unknown ×4",
                "stopping 31 rows in a row ended as stara-login-rejected: is the password column",
                "         the right one?; what is under way is being finished",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    }
}
