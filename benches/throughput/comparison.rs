//! The comparison of the tool with the bare program, over every setting that was asked for.

use std::process::ExitCode;

use crate::arguments::Matrix;
use crate::machine;
use crate::process::median;
use crate::setting::{Bench, Setting, Taken};
use crate::targets;

/// What both programs took in one setting, round by round.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) setting: Setting,
    rounds: Vec<(Taken, Taken)>,
}

impl Compared {
    /// The median of the rounds' ratios of rows per second, the tool's to the bare program's.
    pub(crate) fn speed(&self) -> f64 {
        self.ratio(Taken::rows_per_second)
    }

    /// The median of the rounds' ratios of processor time a row.
    pub(crate) fn processor_time(&self) -> f64 {
        self.ratio(Taken::processor_time_a_row)
    }

    /// The tool's greatest peak of memory, in units of 10⁶ bytes.
    pub(crate) fn peak_memory(&self) -> f64 {
        self.rounds.iter().map(|(_, tool)| megabytes(tool)).fold(0.0, f64::max)
    }

    /// The tool's median time from start to end, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        median(self.rounds.iter().map(|(_, tool)| tool.process.time.as_secs_f64()))
    }

    fn ratio(&self, of: impl Fn(&Taken) -> f64) -> f64 {
        median(self.rounds.iter().map(|(bare, tool)| of(tool) / of(bare)))
    }

    /// One line of the table.
    fn line(&self) -> String {
        let of_bare = |of: fn(&Taken) -> f64| median(self.rounds.iter().map(|(bare, _)| of(bare)));
        let of_tool = |of: fn(&Taken) -> f64| median(self.rounds.iter().map(|(_, tool)| of(tool)));
        let Setting { rows, latency, manifest, tls, concurrency } = self.setting;
        format!(
            "| {rows} | {manifest} | {tls} | {latency} ms | {concurrency} | {} | {:.0} | {:.0} | **{:.2}** | {:.0} | {:.0} | **{:.2}** | {:.1} | **{:.1}** | {:.0} | {:.0} |",
            self.rounds.len(),
            of_bare(Taken::rows_per_second),
            of_tool(Taken::rows_per_second),
            self.speed(),
            of_bare(Taken::processor_time_a_row),
            of_tool(Taken::processor_time_a_row),
            self.processor_time(),
            of_bare(megabytes),
            self.peak_memory(),
            of_bare(Taken::server_time_a_row),
            of_tool(Taken::server_time_a_row),
        )
    }
}

const HEAD: &str = "\
| rows | manifest | TLS | latency | in flight | rounds | rows/s: bare | tool | ratio | client CPU, µs a row: bare | tool | ratio | peak, MB: bare | tool | server CPU, µs a row: bare | tool |
|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

fn megabytes(taken: &Taken) -> f64 {
    taken.process.megabytes()
}

/// Measures every setting, prints the table, and fails below the targets.
pub(crate) fn compare(asked: &Matrix) -> ExitCode {
    let bench = Bench::new(asked.tool.directory.as_deref());
    machine::describe(&asked.tool.path);
    let mut compared: Vec<Compared> = Vec::new();
    for setting in settings(asked) {
        let rounds = asked.rounds.unwrap_or(match setting.rows {
            0..=10_000 => 7,
            10_001..=100_000 => 5,
            _ => 1,
        });
        let measure = |round| measure_once(&bench, setting, asked, round);
        compared.push(Compared { setting, rounds: (0..rounds).map(measure).collect() });
    }
    println!("\n{HEAD}");
    for compared in &compared {
        println!("{}", compared.line());
    }
    println!();
    for growth in targets::growth(&compared) {
        println!("{growth}");
    }
    let missed = targets::missed(&compared);
    for missed in &missed {
        println!("MISSED: {missed}");
    }
    if missed.is_empty() || asked.no_targets { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One round, in which the program that goes first changes: whoever comes second may find a warmer or a busier machine.
fn measure_once(bench: &Bench, setting: Setting, asked: &Matrix, round: usize) -> (Taken, Taken) {
    let bare = || bench.take_bare(setting);
    let tool = || bench.take_tool(setting, &asked.tool.path);
    let (bare, tool) = if round.is_multiple_of(2) {
        let bare = bare();
        (bare, tool())
    } else {
        let tool = tool();
        (bare(), tool)
    };
    eprintln!(
        "{setting:?} round {}: bare {:.0} rows/s, {:.0} µs a row; tool {:.0} rows/s, {:.0} µs a row, {:.1} MB",
        round + 1,
        bare.rows_per_second(),
        bare.processor_time_a_row(),
        tool.rows_per_second(),
        tool.processor_time_a_row(),
        megabytes(&tool),
    );
    (bare, tool)
}

fn settings(asked: &Matrix) -> Vec<Setting> {
    let mut settings = Vec::new();
    for &tls in &asked.tls {
        for &manifest in &asked.manifest {
            for &latency in &asked.latency {
                for &rows in &asked.rows {
                    let concurrency = asked.concurrency;
                    settings.push(Setting { rows, latency, manifest, tls, concurrency });
                }
            }
        }
    }
    settings
}
