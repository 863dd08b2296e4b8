//! Who an outcome waits for: the few groups into which a page sorts all codes.

use super::tally::{Cause, Tally};
use super::wording::{count, percent, visible};
use crate::checkpoint::RunKind;
use crate::model::{OutcomeCode, Owner};

/// How many causes of one outcome are named.
const MOST_CAUSES: usize = 5;

/// The longest message shown of a cause, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Who or what the rows wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Nothing: the row is as it was wanted.
    Done,
    /// Nothing: an earlier line says the same.
    Repeated,
    /// The growers.
    Grower,
    /// The growers, or whoever runs the tool.
    GrowerOrYou,
    /// Whoever runs the tool.
    You,
    /// Another run, and then whoever runs the tool.
    ToolThenYou,
    /// The services.
    StaraOrLeaf,
    /// The makers of the tool.
    Tool,
    /// Another run: the row wasn't reached.
    NotReached,
}

impl Group {
    /// Every group, in the order in which a page shows them.
    pub(super) const ALL: [Self; 9] = [
        Self::Done,
        Self::Repeated,
        Self::Grower,
        Self::GrowerOrYou,
        Self::You,
        Self::ToolThenYou,
        Self::StaraOrLeaf,
        Self::Tool,
        Self::NotReached,
    ];

    /// The group of an outcome in a run of this kind.
    pub(super) fn of(kind: RunKind, code: OutcomeCode) -> Self {
        match code {
            OutcomeCode::NotReached => return Self::NotReached,
            OutcomeCode::ManifestDuplicate => return Self::Repeated,
            code if !kind.is_failure(code) => return Self::Done,
            _ => {}
        }
        match code.owner() {
            Owner::Nobody | Owner::You => Self::You,
            Owner::Grower => Self::Grower,
            Owner::GrowerOrYou => Self::GrowerOrYou,
            Owner::ToolThenYou => Self::ToolThenYou,
            Owner::StaraOrLeaf => Self::StaraOrLeaf,
            Owner::Tool => Self::Tool,
        }
    }

    /// The group's name in the page's style and script.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::Grower => "grower",
            Self::GrowerOrYou => "grower-or-you",
            Self::You => "you",
            Self::ToolThenYou => "next-run",
            Self::StaraOrLeaf => "services",
            Self::Tool => "tool",
            Self::NotReached => "not-reached",
        }
    }

    /// The group as a heading: who must act.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Repeated => "Repeated lines",
            Self::Grower => "The growers",
            Self::GrowerOrYou => "The growers, or you",
            Self::You => "You",
            Self::ToolThenYou => "The next run, then you",
            Self::StaraOrLeaf => "Stara or Leaf",
            Self::Tool => "The makers of this tool",
            Self::NotReached => "Not reached",
        }
    }

    /// Whether its rows stand in the table of what isn't fine.
    pub(super) const fn is_listed(self) -> bool {
        !matches!(self, Self::Done | Self::Repeated)
    }
}

/// What a page says of the rows that wait for somebody.
#[derive(Debug)]
pub(super) struct GroupShown {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) rows: String,
    pub(super) codes: Vec<CodeShown>,
}

/// What a page says of one outcome.
#[derive(Debug)]
pub(super) struct CodeShown {
    pub(super) code: &'static str,
    pub(super) group: &'static str,
    pub(super) rows: String,
    pub(super) share: String,
    pub(super) meaning: &'static str,
    pub(super) advice: &'static str,
    pub(super) next_run: &'static str,
    pub(super) causes: Vec<CauseShown>,
    pub(super) other_causes: Option<String>,
}

/// What a page says of one cause.
#[derive(Debug)]
pub(super) struct CauseShown {
    pub(super) rows: String,
    pub(super) message: String,
    pub(super) place: String,
}

/// Every outcome that occurs, by group.
pub(super) fn codes_shown(kind: RunKind, tally: &Tally) -> Vec<CodeShown> {
    let total = tally.total();
    let mut codes: Vec<_> =
        tally.iter().map(|(code, of_code)| (Group::of(kind, code), code, of_code)).collect();
    codes.sort_by_key(|(group, code, of_code)| (*group, std::cmp::Reverse(of_code.rows), *code));
    let shown = codes.into_iter().map(|(group, code, of_code)| {
        let (causes, others) = of_code.frequent(MOST_CAUSES);
        // Where nothing was said of any row, there is nothing to tell apart.
        let others = (others > 0 && !causes.is_empty()).then(|| count(others));
        // A single cause that repeats the meaning only says where it was.
        let repeats = |cause: &Cause| {
            others.is_none() && causes.len() == 1 && cause.message == code.meaning().trim_end_matches('.')
        };
        let shown = causes.iter().map(|(cause, rows)| cause_shown(cause, *rows, repeats(cause))).collect();
        CodeShown {
            code: code.as_str(),
            group: group.key(),
            rows: count(of_code.rows),
            share: percent(of_code.rows, total),
            meaning: code.meaning(),
            advice: kind.advice(code),
            next_run: code.next_run().as_str(),
            causes: shown,
            other_causes: others,
        }
    });
    shown.collect()
}

/// The groups whose rows aren't fine, each with its outcomes.
pub(super) fn groups_shown(kind: RunKind, tally: &Tally) -> Vec<GroupShown> {
    let mut groups: Vec<GroupShown> = Vec::new();
    for code in codes_shown(kind, tally) {
        let Some(group) = Group::ALL.into_iter().find(|group| group.key() == code.group) else { continue };
        if !group.is_listed() {
            continue;
        }
        match groups.last_mut().filter(|last| last.key == group.key()) {
            Some(last) => last.codes.push(code),
            None => groups.push(GroupShown {
                key: group.key(),
                title: group.title(),
                rows: count(rows_of(kind, tally, group)),
                codes: vec![code],
            }),
        }
    }
    groups
}

/// How many rows a group has.
pub(super) fn rows_of(kind: RunKind, tally: &Tally, group: Group) -> u64 {
    tally.iter().filter(|(code, _)| Group::of(kind, *code) == group).map(|(_, of_code)| of_code.rows).sum()
}

fn cause_shown(cause: &Cause, rows: u64, repeats: bool) -> CauseShown {
    let message = match cause.message.as_str() {
        _ if repeats => "all of them",
        "" => "no more is known",
        message => message,
    };
    let stage = cause.stage.map(|stage| format!("at {stage}"));
    let status = cause.http_status.map(|status| format!("HTTP {status}"));
    let place: Vec<String> = [stage, status].into_iter().flatten().collect();
    CauseShown { rows: count(rows), message: visible(message, LONGEST_MESSAGE), place: place.join(", ") }
}
