//! The manifest: one content in many forms, and the outcomes are the same.

use std::io::Write as _;

use crate::support::{Bench, Grower, csv_of, growers};

/// Growers whose cells are what other tools spoil: leading zeros and spaces, quotes, delimiters, accents.
fn awkward() -> Vec<Grower> {
    let cells = [
        ("007123", "0815"),
        ("joão.souza@agro.example", " começa com espaço"),
        ("márcia@agro.example", "trigo;\"da\",serra|\tx"),
        ("ZSCHMIDT", "termina com espaço "),
        ("ç@agro.example", "=1+1"),
        ("1e5", "linha 1\nlinha 2"),
    ];
    let grower = |(grower, (login, password)): (Grower, (&str, &str))| {
        grower.with_login(login).with_password(password)
    };
    growers(cells.len()).into_iter().zip(cells).map(grower).collect()
}

/// The same growers as a CSV with this delimiter, quoting and line end.
fn written(growers: &[Grower], delimiter: u8, quote_all: bool, line_end: csv::Terminator) -> String {
    let style = if quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(style)
        .terminator(line_end)
        .from_writer(Vec::new());
    writer.write_record(["ID do Usuário Leaf", "USUÁRIO", "Senha"]).unwrap();
    for grower in growers {
        writer.write_record([&grower.id.to_string(), &grower.login, &grower.password]).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_of_a_manifest_has_the_same_outcomes() {
    let growers = awkward();
    let (lf, crlf) = (csv::Terminator::Any(b'\n'), csv::Terminator::CRLF);
    let plain = written(&growers, b',', false, lf);
    let excel = written(&growers, b';', false, crlf);
    let windows_1252 = encoding_rs::WINDOWS_1252.encode(&excel).0.into_owned();
    let forms: [(&str, Vec<u8>); 9] = [
        ("commas.csv", plain.clone().into()),
        ("mark.csv", format!("\u{feff}{excel}").into()),
        ("tabs.csv", written(&growers, b'\t', true, lf).into()),
        ("bars.txt", written(&growers, b'|', false, crlf).into()),
        ("windows-1252.csv", windows_1252),
        ("utf-16le.csv", utf16(&excel, u16::to_le_bytes)),
        ("utf-16be.csv", utf16(&plain, u16::to_be_bytes)),
        ("commas.csv.gz", gzip(plain.as_bytes())),
        ("excel.csv.zst", zstd::encode_all(excel.as_bytes(), 1).unwrap()),
    ];
    let mut expected = None;
    for (name, bytes) in forms {
        let bench = Bench::new(&growers);
        bench.write(name, bytes);
        let ended = bench.run_of(name, &[]).end().with_code(0);
        let warned = ended.stderr.contains("warning:");
        assert_eq!(warned, name == "windows-1252.csv", "{name}:\n{}", ended.stderr);
        bench.expect_one_effect_each(&growers);
        let results: Vec<_> = bench
            .results()
            .into_iter()
            .map(|result| {
                (result.line, result.leaf_user_id, result.login, result.outcome, result.credential_id)
            })
            .collect();
        assert_eq!(results.len(), growers.len());
        assert_eq!(*expected.get_or_insert_with(|| results.clone()), results, "{name}");
    }
}

#[test]
fn stdin_is_a_manifest_too() {
    let growers = growers(5);
    let bench = Bench::new(&growers);
    let arguments = ["run", "-", "--format", "csv"];
    bench.program().args(arguments).stdin(csv_of(&growers)).end().with_code(0);
    bench.expect_one_effect_each(&growers);
    assert!(bench.path("state/stdin.results.csv").is_file());
}

#[test]
fn a_manifest_from_stdin_resumes_like_a_file() {
    let growers = growers(5);
    let bench = Bench::new(&growers);
    bench.run(&[]).with_code(0);
    let calls = bench.calls();
    bench.program().args(["run", "-"]).stdin(csv_of(&growers)).end().with_code(0);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn columns_are_chosen_by_name_where_their_headers_say_nothing() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let text = csv_of(&growers).replace("leafUserId,login,password", "coluna A,coluna B,coluna C");
    bench.write("odd.csv", text);
    bench.run_of("odd.csv", &[]).end().with_code(2).saying("--column leafUserId=HEADER");
    assert_eq!(bench.calls(), 0);
    let columns = ["leafUserId=coluna A", "login=coluna B", "password=coluna C"];
    let arguments = columns.iter().flat_map(|column| ["--column", column]).collect::<Vec<_>>();
    bench.run_of("odd.csv", &arguments).end().with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn two_headers_for_one_field_are_both_named_and_nothing_is_sent() {
    let bench = Bench::new(&[]);
    bench.write("two.csv", "leafUserId,login,senha,password\n");
    let ended = bench.run_of("two.csv", &[]).end().with_code(2);
    ended.saying("\"senha\" and \"password\"");
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_delimiter_and_an_encoding_can_be_told() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let text = written(&growers, b'|', false, csv::Terminator::CRLF);
    bench.write("told.csv", encoding_rs::WINDOWS_1252.encode(&text).0);
    let ended =
        bench.run_of("told.csv", &["--delimiter", "|", "--encoding", "windows-1252"]).end().with_code(0);
    assert!(!ended.stderr.contains("warning:"), "what was said needs no warning:\n{}", ended.stderr);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_manifest_without_sound_structure_ends_the_run_before_any_call() {
    let bench = Bench::new(&growers(3));
    let row = |rest: &str| format!("leafUserId,login,password\n{},{rest}", growers(1)[0].id);
    let gzip = gzip(row("login,password\n").as_bytes());
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("empty.csv", Vec::new(), "it is empty"),
        ("header.csv", b"leafUserId,login,password\n".to_vec(), "it has no rows below its header"),
        ("column.csv", row("x\n").replace(",password", ",other").into(), "no column is named for password"),
        ("open.csv", row("login,\"hidden\nmore,of,it\n").into(), "the record that begins on line 2"),
        (
            "long.csv",
            row(&format!("login,{}\n", "x".repeat(70_000))).into(),
            "the record that begins on line 2",
        ),
        (
            "tall.csv",
            row(&format!("login,\"{}\"\n", "x\n".repeat(30))).into(),
            "the record that begins on line 2",
        ),
        ("cut.csv.gz", gzip[..gzip.len() - 6].to_vec(), "damaged or cut off"),
        ("no.parquet", b"PAR1 this is none PAR1".to_vec(), "it isn't sound Parquet"),
        (
            "data.csv",
            csv_of(&growers(2)).split_once('\n').unwrap().1.into(),
            "its first line looks like data",
        ),
    ];
    for (name, bytes, expected) in cases {
        bench.write(name, bytes);
        let ended = bench.run_of(name, &[]).end().with_code(2).saying(expected).saying("nothing was sent");
        assert!(!ended.stderr.contains("hidden") && !ended.stderr.contains("xxx"), "{}", ended.stderr);
    }
    bench.run_of("nowhere.csv", &[]).end().with_code(2).saying("the manifest nowhere.csv can't be opened");
    assert_eq!(bench.calls(), 0);
    assert!(!bench.path("results.jsonl").exists());
}

#[test]
fn nothing_is_written_over_the_manifest() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    for arguments in
        [["--report", "growers.csv"], ["--report", "./growers.csv"], ["--log-file", "growers.csv"]]
    {
        bench.program().args(["run", "growers.csv"]).args(arguments).end().with_code(2);
        assert_eq!(
            std::fs::read_to_string(bench.path("growers.csv")).unwrap(),
            csv_of(&rows),
            "{arguments:?}"
        );
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_broken_manifest_leaves_the_last_runs_results_alone() {
    let growers = growers(4);
    let bench = Bench::new(&growers);
    bench.run(&[]).with_code(0);
    let before = std::fs::read(bench.path("results.jsonl")).unwrap();
    bench.write("growers.csv", format!("{}\"", csv_of(&growers)));
    bench.run(&[]).with_code(2);
    assert_eq!(std::fs::read(bench.path("results.jsonl")).unwrap(), before);
    bench.program().args(["report", "again.jsonl"]).end().with_code(0);
    assert_eq!(std::fs::read(bench.path("again.jsonl")).unwrap(), before);
}

#[test]
fn more_bad_lines_than_allowed_refuse_the_manifest() {
    let growers = growers(30);
    let bench = Bench::new(&growers);
    let bad = |count: usize| format!("{}{}", csv_of(&growers), "no-uuid,login,a secret word\n".repeat(count));
    for (lines, arguments, code) in [
        (1, &["--strict"][..], 2),
        (3, &["--max-invalid", "2"], 2),
        (21, &[], 2),
        (3, &["--max-invalid", "3"], 3),
        (20, &["--max-invalid", "10%"], 3),
    ] {
        let calls = bench.calls();
        bench.write("growers.csv", bad(lines));
        let ended = bench.run(arguments).with_code(code);
        assert!(!ended.stderr.contains("a secret word"));
        if code == 2 {
            assert_eq!(bench.calls(), calls, "{lines}");
            assert_eq!(ended.stderr.matches("  line ").count(), lines.min(20));
        } else {
            assert_eq!(bench.results().len(), 30 + lines);
        }
    }
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_bad_line_is_told_with_its_column_and_never_its_cells() {
    let growers = growers(1);
    let bench = Bench::new(&growers);
    let text = format!("{}{},an unusual login\n,x,an unusual password\n", csv_of(&growers), growers[0].id);
    bench.write("growers.csv", text);
    let ended = bench.run(&[]).with_code(3);
    let results = bench.results();
    assert_eq!((results[1].outcome.as_str(), results[1].line), ("manifest-invalid", 3));
    assert_eq!(results[1].leaf_user_id, Some(growers[0].id.to_string()));
    assert_eq!((&results[1].login, &results[2].login), (&None, &None));
    assert!(results[2].message.contains("column 1 (leafUserId)"), "{}", results[2].message);
    let report = std::fs::read_to_string(bench.path("results.jsonl")).unwrap();
    assert!(!report.contains("unusual") && !ended.stderr.contains("unusual"));
}

#[test]
fn a_manifest_with_login_and_password_swapped_is_refused_before_a_password_is_kept_anywhere() {
    let rows: Vec<Grower> = growers(300)
        .into_iter()
        .map(|row| Grower {
            password: row.login.clone(),
            login: format!("Colheita{}&boa", row.login.len()),
            ..row
        })
        .collect();
    let bench = Bench::new(&rows);
    bench.write_manifest(&rows);
    for arguments in [&[][..], &["-q"], &["--limit", "1"]] {
        bench.run(arguments).with_code(2).saying("login and password seem to have changed places");
    }
    bench.program().args(["plan", "growers.csv"]).end().with_code(2);
    bench.program().args(["check", "growers.csv"]).end().with_code(2);
    assert_eq!(bench.calls(), 0);
    for entry in std::fs::read_dir(bench.path("state")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(
            !bytes.windows(12).any(|window| window.starts_with(b"Colheita")),
            "a password is on the disk"
        );
    }
    // Whoever names both columns is believed.
    let named = ["check", "growers.csv", "--column", "login=login", "--column", "password=password"];
    bench.program().args(named).end().with_code(0);
    bench.run(&["--column", "login=login", "--column", "password=password"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}
