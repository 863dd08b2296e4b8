//! Manifests in a store.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::server::{KEY, Store, TOKEN};
use crate::support::leaks::Needles;
use crate::support::{Bench, Grower, csv_of, growers, read_results, side_by_side};

/// A manifest with a column of so many letters in each row, so that few rows fill a block.
pub(crate) fn padded(growers: &[Grower], letters: usize) -> String {
    let padding = "x".repeat(letters);
    let csv = csv_of(growers);
    let mut lines = csv.lines();
    let mut text = format!("{},note\n", lines.next().unwrap());
    for line in lines {
        text.extend([line, ",", &padding, "\n"]);
    }
    text
}

/// The same growers in Parquet, in row groups of 700.
fn parquet_of(growers: &[Grower]) -> Vec<u8> {
    let schema = parse_message_type(
        "message growers { required binary leafUserId (UTF8); required binary login (UTF8); required binary password (UTF8); }",
    );
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()));
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema.unwrap()), Arc::new(properties.build()))
            .unwrap();
    for group in growers.chunks(700) {
        let mut columns = writer.next_row_group().unwrap();
        let cells: [&dyn Fn(&Grower) -> String; 3] =
            [&|row| row.id.to_string(), &|row| row.login.clone(), &|row| row.password.clone()];
        for cell in cells {
            let values: Vec<ByteArray> =
                group.iter().map(|row| ByteArray::from(cell(row).as_str())).collect();
            let mut column = columns.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        }
        columns.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn growers_in_a_store_are_attached_once_and_no_secret_of_theirs_or_of_the_store_reaches_the_disk() {
    let Some(store) = Store::start() else { return };
    let growers = growers(40);
    let bench = Bench::new(&growers);
    store.put("night/2026 novembro/é.csv", csv_of(&growers));
    let run = || {
        let manifest = "s3://growers/night/2026 novembro/é.csv";
        let arguments =
            ["run", manifest, "--report", "s3://growers/results.jsonl", "-vvv", "--log-file", "log.txt"];
        store.program(&bench).args(arguments).env("AWS_SESSION_TOKEN", TOKEN).end()
    };
    let first = run().with_code(0);
    bench.expect_one_effect_each(&growers);
    bench.write("report.jsonl", store.get("results.jsonl").unwrap());
    let outcomes: Vec<_> =
        read_results(&bench.path("report.jsonl")).into_iter().map(|line| line.outcome).collect();
    assert_eq!(outcomes, vec!["attached"; 40]);
    let calls = bench.calls();
    let second = run().with_code(0);
    assert_eq!(bench.calls(), calls, "a finished manifest costs no call");
    let secrets = growers.iter().map(|grower| grower.password.clone());
    let needles = Needles::new(secrets.chain([KEY.to_owned(), TOKEN.to_owned()]));
    let (leaks, searched) = needles.find_below(bench.folder(), &["growers.csv"]);
    assert!(leaks.is_empty(), "{leaks:?}");
    assert!(searched.contains("state/ledger.db") && searched.contains("log.txt"), "{searched:?}");
    for ended in [first, second] {
        let said = needles.find("what is said", format!("{}{}", ended.stdout, ended.stderr).as_bytes());
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn every_form_of_a_manifest_reads_as_from_a_file() {
    let Some(store) = Store::start() else { return };
    // Twice as many bytes as the first two blocks hold, and a bad line behind them.
    let growers = growers(4_000);
    let csv = format!("{}not-an-id,someone@agro.example,Senha&bad\n", csv_of(&growers));
    let utf16: Vec<u8> = format!("\u{feff}{csv}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let forms = [
        ("plain.csv", csv.clone().into_bytes()),
        ("utf16.csv", utf16),
        ("packed.csv.gz", gzip(csv.as_bytes())),
        ("packed.csv.zst", zstd::encode_all(csv.as_bytes(), 1).unwrap()),
        ("columns.parquet", parquet_of(&growers)),
    ];
    let bench = Bench::new(&[]);
    for (name, bytes) in &forms {
        store.put(name, bytes.clone());
        bench.write(name, bytes);
    }
    side_by_side(&forms, |(name, _)| {
        let check = |manifest: &str| store.program(&bench).args(["check", manifest, "--json"]).end();
        let (file, object) = (check(name), check(&format!("s3://growers/{name}")));
        assert_eq!(object.code, file.code, "{name}: {}", object.stderr);
        assert_eq!(object.stdout.replace(&format!("s3://growers/{name}"), name), file.stdout, "{name}");
        assert!(object.stdout.contains("4000") || object.stdout.contains("4001"), "{}", object.stdout);
    });
}

#[test]
fn memory_does_not_grow_with_a_manifest_in_a_store() {
    let Some(store) = Store::start() else { return };
    let bench = Bench::new(&[]);
    let peak =
        |manifest: &str| store.program(&bench).args(["check", manifest]).end().with_code(0).peak_memory;
    // 12 and 48 MB: either fills the largest blocks, and the larger one would be seen if it were held.
    for (rows, name) in [(3_000, "small.csv"), (12_000, "large.csv")] {
        let manifest = padded(&growers(rows), 4_000);
        bench.write(name, &manifest);
        store.put(name, manifest);
    }
    let (small, large) = (peak("s3://growers/small.csv"), peak("s3://growers/large.csv"));
    assert!(large < small + 16_000_000, "{small} {large}");
    let file = peak("large.csv");
    assert!(large < file + 16_000_000, "{file} {large}");
    println!("memory: {file} of a file, {small} and {large} of objects");
}

#[test]
fn a_manifest_that_is_not_there_is_a_mistake_of_the_command_line() {
    let Some(store) = Store::start() else { return };
    let bench = Bench::new(&[]);
    for (manifest, said) in [
        ("s3://growers/nothing.csv", "caused by: the store has no such object"),
        ("s3://elsewhere/nothing.csv", "caused by: the store has no such object"),
        ("s3://growers", "write s3://bucket/key"),
        ("s3://Growers/g.csv", "write s3://bucket/key"),
        ("s3://growers/../g.csv", "no . and no .."),
    ] {
        let ended = store.program(&bench).args(["run", manifest]).end().with_code(2);
        ended.saying(said).saying("hint: nothing was sent");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn an_empty_manifest_is_called_empty() {
    let Some(store) = Store::start() else { return };
    store.put("empty.csv", "");
    let bench = Bench::new(&[]);
    let ended = store.program(&bench).args(["run", "s3://growers/empty.csv"]).end().with_code(2);
    ended.saying("s3://growers/empty.csv: it is empty");
}
