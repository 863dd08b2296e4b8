//! Memory stays what it is, however many lines a manifest has.

use std::fmt::Write as _;

use super::support::{Bench, Invocation, growers};

/// How many rows the small manifest has.
const FEW: u64 = 10_000;

/// How many rows the large one has; `.ci/full` says `MEMORY_ROWS=1000000`.
fn many() -> u64 {
    std::env::var("MEMORY_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(50_000)
}

/// A manifest of so many rows: the bench's only grower, and others whose ids stand in no order, as Leaf's do. Their index is
/// what a ledger can't keep in memory.
fn manifest(bench: &Bench, rows: u64) -> String {
    let mut text = std::fs::read_to_string(bench.path("growers.csv")).unwrap();
    for row in 1..rows {
        let id = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (first, second, rest) = (id >> 32, id >> 16 & 0xffff, id & 0xffff);
        writeln!(
            text,
            "{first:08x}-{second:04x}-4000-8000-{rest:04x}{row:08x},grower{row}@fazenda.example,pw-{rest}"
        )
        .unwrap();
    }
    text
}

/// The peaks of memory over so many rows, each by what was done. Nearly all rows are left out, so that they cost no call.
fn peaks(rows: u64) -> Vec<(&'static str, u64)> {
    let grower = growers(1);
    let bench = Bench::new(&grower);
    bench.write("growers.csv", manifest(&bench, rows));
    let only = grower[0].id.to_string();
    let peak = |what, invocation: Invocation| (what, invocation.end().with_code(0).peak_memory);
    let run = || bench.run_of("growers.csv", &["--only", &only, "--report", "results.csv"]);
    let report = |name| bench.program().args(["report", name]);
    let peaks = vec![
        peak("check", bench.program().args(["check", "growers.csv"])),
        peak("the first run", run()),
        peak("the second run", run()),
        peak("a report in CSV", report("again.csv")),
        peak("a report in JSON lines", report("again.jsonl")),
        peak("a report in Parquet", report("again.parquet")),
        peak(
            "check of Parquet",
            bench.program().args(["check", "again.parquet", "--column", "password=login"]),
        ),
    ];
    assert_eq!(std::fs::read_to_string(bench.path("again.jsonl")).unwrap().lines().count() as u64, rows);
    bench.expect_one_effect_each(&grower);
    peaks
}

#[test]
fn many_rows_take_no_more_memory_than_few() {
    for ((what, few), (_, many)) in peaks(FEW).into_iter().zip(peaks(many())) {
        assert!(few > 0, "the memory of {what} was never looked at");
        assert!(many < few + few / 10 + 2_000_000, "{what}: {:.1} MB, and {:.1} MB", mb(few), mb(many));
        assert!(many < 64_000_000, "{what}: {:.1} MB", mb(many));
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
