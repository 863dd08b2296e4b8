//! Writes records as one page.

use std::io::{self, Write};

use askama::Template as _;

use super::facts_shown::{cut_short, facts_shown, is_rehearsal, title};
use super::groups::{codes_shown, groups_shown};
use super::headline::headline;
use super::latency::stages_shown;
use super::rows::Rows;
use super::tally::Tally;
use super::template::Page;
use super::timeline::timeline;
use super::trend::trend;
use super::wording::count;
use super::{bar, wording};
use crate::checkpoint::RunKind;
use crate::model::OutcomeCode;
use crate::report::encode::Encode;
use crate::report::facts::RunFacts;
use crate::report::record::ResultRecord;

/// The longest path shown of another report, in characters.
const LONGEST_PATH: usize = 300;

/// The longest command, in characters: it may name the ledgers of many shards.
const LONGEST_COMMAND: usize = 20_000;

/// Writes records as one page. Its memory doesn't grow with the records beyond those that it lists.
pub(in crate::report) struct PageEncoder<'a, W: Write> {
    file: W,
    facts: &'a RunFacts,
    tally: Tally,
    rows: Rows,
}

impl<'a, W: Write> PageEncoder<'a, W> {
    /// Begins a page; nothing is written before the last record is known.
    pub(in crate::report) fn new(file: W, facts: &'a RunFacts) -> Self {
        Self { file, facts, tally: Tally::default(), rows: Rows::new(kind(facts), &facts.kept_columns) }
    }

    fn page(&self) -> Page {
        let (facts, tally, kind) = (self.facts, &self.tally, kind(self.facts));
        let counts: Vec<(OutcomeCode, u64)> =
            tally.iter().map(|(code, of_code)| (code, of_code.rows)).collect();
        let measures = facts.measures.as_ref();
        let timeline = measures.and_then(|measures| timeline(kind, measures));
        let no_timeline = match (&timeline, facts.shards) {
            (Some(_), _) => None,
            (None, Some(_)) => {
                Some("A report of all shards has no time line: each shard keeps its own, in its own report.")
            }
            (None, None) => {
                Some("Nothing was measured over time: no row was under way, or the run is too old a one.")
            }
        };
        Page {
            title: title(facts),
            headline: headline(kind, tally),
            cut_short: cut_short(facts),
            is_rehearsal: is_rehearsal(facts),
            facts: facts_shown(facts),
            total: count(tally.total()),
            segments: bar::segments(kind, tally),
            codes: codes_shown(kind, tally),
            groups: groups_shown(kind, tally),
            timeline,
            no_timeline,
            stages: measures.map(|measures| stages_shown(&measures.latencies)).unwrap_or_default(),
            trend: facts.run.as_ref().and_then(|run| trend(run, &counts, &facts.earlier)),
            listed: self.rows.listed(),
            not_fine: count(self.rows.total()),
            left_out: self.rows.left_out(),
            whole: facts
                .whole_reports
                .iter()
                .map(|path| wording::visible(&path.display().to_string(), LONGEST_PATH))
                .collect(),
            command: facts.command.as_deref().map(|command| wording::visible(command, LONGEST_COMMAND)),
            data: self.rows.to_json(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

fn kind(facts: &RunFacts) -> RunKind {
    facts.run.as_ref().map(|run| run.kind).unwrap_or_default()
}

impl<W: Write> Encode for PageEncoder<'_, W> {
    fn encode(&mut self, record: &ResultRecord) -> io::Result<()> {
        self.tally.add(record);
        self.rows.add(record);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let page = self.page();
        let mut file = io::BufWriter::with_capacity(256 * 1024, &mut self.file);
        page.write_into(&mut file)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}
