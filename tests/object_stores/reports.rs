//! Reports that go to a store.

use crate::manifests::padded;
use crate::server::Store;
use crate::support::{Bench, csv_of, growers};

#[test]
fn a_report_of_several_parts_is_the_one_that_a_file_would_hold() {
    let Some(store) = Store::start() else { return };
    let growers = growers(24_000);
    let bench = Bench::new(&growers[..1]);
    store.put("g.csv", padded(&growers, 400));
    let files = ["results.csv", "results.jsonl", "results.parquet"];
    let mut arguments = vec!["run".to_owned(), "s3://growers/g.csv".to_owned()];
    arguments.extend(["--keep-column", "note", "--limit", "1"].map(ToOwned::to_owned));
    for file in files {
        arguments.extend([
            "--report".to_owned(),
            file.to_owned(),
            "--report".to_owned(),
            format!("s3://growers/{file}"),
        ]);
    }
    // What the limit leaves out doesn't count.
    store.program(&bench).args(arguments).end().with_code(0).saying("s3://growers/results.csv");
    for file in files {
        let (stored, written) = (store.get(file).unwrap(), std::fs::read(bench.path(file)).unwrap());
        assert!(stored == written, "{file}: {} and {} bytes", stored.len(), written.len());
        assert!(file.ends_with("parquet") || stored.len() > 8 * 1024 * 1024, "{}", stored.len());
    }
    let (_, uploads) = store.listed();
    assert!(!uploads.contains("<Upload>"), "{uploads}");
}

#[test]
fn a_report_that_may_not_be_written_is_told_before_anything_is_sent() {
    let Some(store) = Store::start() else { return };
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let arguments = ["run", "growers.csv", "--report", "s3://elsewhere/results.csv"];
    let ended = store.program(&bench).args(arguments).end().with_code(8);
    ended.saying("no report can be written to s3://elsewhere/results.csv").saying("hint: nothing was sent");
    assert_eq!(bench.calls(), 0);
    let arguments = ["run", "growers.csv", "--report", "s3://growers/results.csv"];
    store.program(&bench).args(arguments).end().with_code(0);
    let (objects, uploads) = store.listed();
    assert_eq!(objects.matches("<Key>").count(), 1, "{objects}");
    assert!(!uploads.contains("<Upload>"), "{uploads}");
}

#[test]
fn a_report_that_fails_in_the_end_is_written_again_by_the_command_that_is_told() {
    let Some(store) = Store::start() else { return };
    let growers = growers(30);
    let bench = Bench::slow(&growers);
    bench.write("growers.csv", csv_of(&growers));
    let report = "s3://growers/results.jsonl";
    let running =
        store.program(&bench).args(["run", "growers.csv", "--concurrency", "1", "--report", report]).start();
    bench.until(|world| world.attach_effects_in_all() > 0);
    store.empty(&[]);
    let ended = running.end().with_code(8);
    ended
        .saying("can't write the report s3://growers/results.jsonl")
        .saying("stara-onboard report s3://growers/results.jsonl");
    bench.expect_one_effect_each(&growers);
    store.make_bucket();
    store.program(&bench).args(["report", report]).end().with_code(0);
    let text = String::from_utf8(store.get("results.jsonl").unwrap()).unwrap();
    assert_eq!(text.matches("\"outcome\":\"attached\"").count(), 30, "{text}");
}
