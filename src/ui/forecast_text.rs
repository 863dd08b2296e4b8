//! A plan for people: what a run would do, on a screen or two.

use super::wording::{count, counted, duration, joined};
use crate::checkpoint::{ForeseenRow, StagingTotals};
use crate::model::{Login, Shard, Sign};
use crate::pipeline::Forecast;

/// A plan on its way to people.
#[derive(Debug)]
pub struct ForecastText<'a> {
    /// What is foreseen.
    pub forecast: &'a Forecast,
    /// The lines of the manifest.
    pub staged: &'a StagingTotals,
    /// Whose lines they are, where they are one shard's, and how many the whole manifest has.
    pub part: Option<(Shard, u64)>,
    /// Where Leaf is, and as whom it was asked.
    pub leaf: &'a str,
    /// The first rows of each sign; those without one are unseen.
    pub rows: &'a [(Option<Sign>, Vec<ForeseenRow>)],
    /// The command that does what is foreseen.
    pub command: &'a str,
}

impl ForecastText<'_> {
    /// The plan as text, each line with its end.
    #[must_use]
    pub fn render(&self) -> String {
        let mut lines = self.head();
        for (sign, rows) in self.rows.iter().filter(|(_, rows)| !rows.is_empty()) {
            lines.push(String::new());
            lines.extend(self.listed(*sign, rows));
        }
        lines.push(String::new());
        lines.extend(self.tail());
        // A login is somebody's choice, and a terminal carries out what it is told.
        let shown = |line: &String| {
            line.chars()
                .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
                .collect::<String>()
        };
        lines.iter().map(shown).collect::<Vec<_>>().join("\n") + "\n"
    }

    fn head(&self) -> Vec<String> {
        let (forecast, staged) = (self.forecast, self.staged);
        let lines = counted(staged.lines, "line");
        let of_what = self.part.map_or_else(
            || "the manifest".to_owned(),
            |(shard, whole)| format!("shard {shard}, of the manifest's {}", count(whole)),
        );
        let mut head = vec![format!("{lines} of {of_what}, against Leaf at {}", self.leaf)];
        for sign in Sign::ALL {
            let rows = forecast.count(sign);
            if rows > 0 {
                head.push(format!("{:>11}  {}  {}", count(rows), sign.as_str(), sign.meaning()));
            }
        }
        let aside = [
            (forecast.unseen, "unseen: Leaf couldn't be asked"),
            (staged.invalid, "no rows (manifest-invalid)"),
            (staged.duplicate, "repeat an earlier line (manifest-duplicate)"),
            (staged.conflict, "contradict another line (manifest-conflict)"),
            (staged.not_selected, "left out by --limit or --only"),
        ];
        for (rows, what) in aside.into_iter().filter(|(rows, _)| *rows > 0) {
            head.push(format!("{:>11}     {what}", count(rows)));
        }
        head
    }

    fn listed(&self, sign: Option<Sign>, rows: &[ForeseenRow]) -> Vec<String> {
        let (title, all) = match sign {
            Some(sign) => (format!("{} {}", sign.as_str(), sign.meaning()), self.forecast.count(sign)),
            None => ("unseen".to_owned(), self.forecast.unseen),
        };
        let mut lines = vec![format!("{title}:")];
        lines.extend(rows.iter().map(|row| {
            let parts = [
                row.line.map(|line| format!("line {line}")),
                Some(row.leaf_user_id.to_string()),
                row.login.as_ref().map(Login::as_str).map(ToOwned::to_owned),
                (!row.why.is_empty()).then(|| format!("({})", row.why)),
            ];
            format!("  {}", joined(parts, "  "))
        }));
        let more = all.saturating_sub(rows.len() as u64);
        if more > 0 {
            lines.push(format!("  and {} more (--json lists all)", count(more)));
        }
        lines
    }

    fn tail(&self) -> Vec<String> {
        let forecast = self.forecast;
        let logins = counted(forecast.calls.stara_logins, "login");
        let mut tail = vec![
            format!("Stara would get {}, among them {logins}.", counted(forecast.calls.stara, "request")),
            match forecast.list_pages {
                Some(pages) => format!(
                    "Leaf would get {}, among them {} of its list.",
                    counted(forecast.calls.leaf, "request"),
                    counted(pages, "page")
                ),
                None => format!("Leaf would get {}.", counted(forecast.calls.leaf, "request")),
            },
        ];
        if let Some(expected) = forecast.expected.filter(|expected| !expected.is_zero()) {
            tail.push(format!("At the known rates that takes about {}.", duration(expected)));
        }
        if forecast.open_intents > 0 {
            let rows = counted(forecast.open_intents, "row");
            tail.push(format!("{rows} among them would first settle what an earlier run left open."));
        }
        if forecast.not_replaced > 0 {
            let credentials = counted(forecast.not_replaced, "credential");
            tail.push(format!(
                "{credentials} would not be replaced in one run: --max-changes, or a lost key."
            ));
        }
        if let Some(diagnosis) = &forecast.would_stop {
            tail.push(format!("The run would probably stop early (exit 4): {diagnosis}"));
        }
        tail.push("Nothing was changed.".to_owned());
        if forecast.has_work() {
            tail.push(format!("To do it: {}", self.command));
        }
        tail
    }
}
