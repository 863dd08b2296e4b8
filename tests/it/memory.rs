//! Memory stays what it is, however many lines a manifest has.

use std::sync::Arc;

use parquet::basic::{Compression, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::support::{Bench, Grower, Invocation, csv_of, growers, side_by_side};

/// How many rows the small manifest has.
const FEW: usize = 10_000;

/// How much more the large one may take, in bytes, beside a tenth. Twenty times as many rows would take far more if any of them stayed.
/// What was freed is kept by the allocator for a while, so that peaks differ from run to run. A Parquet file of some
/// size has three dictionaries and three pages of a megabyte each, which a small one hasn't.
const CSV_LEEWAY: u64 = 10_000_000;
const PARQUET_LEEWAY: u64 = 25_000_000;

/// How many rows the large one has; `.ci/full` says `MEMORY_ROWS=1000000`.
fn many() -> usize {
    std::env::var("MEMORY_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(200_000)
}

/// So many growers whose ids stand in no order, as Leaf's do: their index is what a ledger can't keep in memory.
fn scattered(count: usize) -> Vec<Grower> {
    let mut growers = growers(count);
    for (row, grower) in growers.iter_mut().enumerate() {
        let id = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (first, second, rest) = (id >> 32, id >> 16 & 0xffff, id & 0xffff);
        grower.id = format!("{first:08x}-{second:04x}-4000-8000-{rest:04x}{row:08x}").parse().unwrap();
    }
    growers
}

/// A Parquet manifest of one row group.
fn parquet_of(growers: &[Grower]) -> Vec<u8> {
    let cells = |cell: fn(&Grower) -> String| -> Vec<ByteArray> {
        growers.iter().map(|grower| ByteArray::from(cell(grower).into_bytes())).collect()
    };
    let columns = [
        ("leafUserId", cells(|grower| grower.id.to_string())),
        ("login", cells(|grower| grower.login.clone())),
        ("password", cells(|grower| grower.password.clone())),
    ];
    let field = |name: &str| {
        let builder = Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY);
        Arc::new(builder.with_repetition(Repetition::REQUIRED).build().unwrap())
    };
    let fields = columns.iter().map(|(name, _)| field(name)).collect();
    let schema = Type::group_type_builder("schema").with_fields(fields).build().unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, values) in columns {
        let mut target = group.next_column().unwrap().unwrap();
        target.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        target.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

/// The peaks of memory over so many rows, each by what was done. All but one of the rows are left out, so that they cost no
/// call.
fn peaks(rows: usize, manifest: &str) -> Vec<(&'static str, u64)> {
    let growers = scattered(rows);
    let bench = Bench::new(&growers[..1]);
    let is_parquet = manifest.ends_with(".parquet");
    bench.write(manifest, if is_parquet { parquet_of(&growers) } else { csv_of(&growers).into_bytes() });
    let only = growers[0].id.to_string();
    let peak = |what, invocation: Invocation| (what, invocation.end().with_code(0).peak_memory);
    let run = || bench.run_of(manifest, &["--only", &only, "--report", "results.csv"]);
    let report = |name| bench.program().args(["report", name]);
    let peaks = vec![
        peak("check", bench.program().args(["check", manifest])),
        peak("the first run", run()),
        peak("the second run", run()),
        peak("a report in CSV", report("again.csv")),
        peak("a report in JSON lines", report("again.jsonl")),
        peak("a report in Parquet", report("again.parquet")),
    ];
    assert_eq!(std::fs::read_to_string(bench.path("again.jsonl")).unwrap().lines().count(), rows);
    bench.expect_one_effect_each(&growers[..1]);
    peaks
}

#[test]
fn many_rows_take_hardly_more_memory_than_few() {
    // In a debug build the program's own pages alone take a third of the 64 MB that a release may take.
    side_by_side([("growers.csv", CSV_LEEWAY), ("growers.parquet", PARQUET_LEEWAY)], |(manifest, leeway)| {
        for ((what, few), (_, many)) in peaks(FEW, manifest).into_iter().zip(peaks(many(), manifest)) {
            let told = format!("{what} of {manifest}: {:.1} MB, and {:.1} MB", mb(few), mb(many));
            assert!(few > 0 && many > 0, "it was never looked at: {told}");
            assert!(many < few + few / 10 + leeway, "{told}");
            assert!(cfg!(debug_assertions) || many < 64_000_000, "{told}");
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
