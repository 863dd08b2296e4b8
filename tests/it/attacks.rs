//! Inputs as attacks: whatever a file or a service holds, there is an answer to it, in bounded memory, and no panic.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use reqwest::Method;
use stara_onboard::api::{LeafApi, StaraApi};
use stara_onboard::checkpoint::{Approach, Ledger, LedgerAccess, LineCursor, Target};
use stara_onboard::http::{ClientOptions, ExtraRoots, HttpClient, Reply, parse_retry_after};
use stara_onboard::manifest::{Format, Manifest, ReadOptions, Record, Source};
use stara_onboard::model::{Dialect, LeafUserId, Login, OutcomeCode};
use stara_onboard::report::{COLUMNS, ReportFormat, ResultRecord, RunFacts, write_report};
use zeroize::Zeroizing;

use crate::support::{Bench, Invocation, growers};

/// The most memory that a hostile file may make the program hold, in bytes.
const MOST_MEMORY: u64 = 150_000_000;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(name)
}

/// Reads a manifest to its end or its first error, and counts its records.
fn read_manifest(bytes: &[u8], format: Format) -> usize {
    let source = Source::memory(Zeroizing::new(bytes.to_vec()), "attack");
    let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
    let Ok(manifest) = Manifest::open(source, &options) else { return 0 };
    let Ok(records) = manifest.records() else { return 0 };
    let mut last = 0;
    let mut count = 0;
    for record in records.map_while(Result::ok).take(100_000) {
        let line = match record {
            Record::Row(row) => row.line,
            Record::User(user) => user.line,
            Record::Invalid(invalid) => invalid.line,
        };
        assert!(line > last, "line {line} after {last}");
        (last, count) = (line, count + 1);
    }
    count
}

/// One way of damaging a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let piece = || vec(any::<u8>(), 1..16);
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        3 => (any::<Index>(), piece()).prop_map(|(at, piece)| Damage::Overwrite(at, piece)),
        1 => (any::<Index>(), piece()).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        1 => (any::<Index>(), 1..64_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        1 => any::<Index>().prop_map(Damage::Truncate),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match damage {
            Damage::Flip(at, bit) => bytes[at.index(length)] ^= bit,
            Damage::Overwrite(at, piece) => {
                let at = at.index(length);
                let end = (at + piece.len()).min(length);
                bytes[at..end].copy_from_slice(&piece[..end - at]);
            }
            Damage::Insert(at, piece) => {
                let at = at.index(length);
                bytes.splice(at..at, piece.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Damage::Truncate(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}

/// Text as it stands in a CSV, right or wrong.
fn csv_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"leafUserId,login,password\n".to_vec()),
        Just(b"0a1b2c3d-0000-4000-8000-00000000abcd".to_vec()),
        Just(b",".to_vec()),
        Just(b";".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\xff\xfe".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\x1f\x8b\x08".to_vec()),
        Just(b"\x28\xb5\x2f\xfd".to_vec()),
        Just(b"\0".to_vec()),
        vec(any::<u8>(), 0..40),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// JSON as a service might answer it, with the names that are looked for.
fn json_like() -> impl Strategy<Value = String> {
    let names =
        ["id", "status", "apiKey", "key", "accessToken", "refreshToken", "staraCredentials", "id_token", "x"];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        any::<f64>().prop_map(|number| format!("{number}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("[".to_owned()),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let field = (proptest::sample::select(names.to_vec()), inner.clone());
        let fields = vec(field.prop_map(|(name, value)| format!("\"{name}\":{value}")), 0..8);
        prop_oneof![
            fields.prop_map(|fields| format!("{{{}}}", fields.join(","))),
            vec(inner, 0..8).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

fn read_answer(status: u16, body: Vec<u8>) {
    let reply = Reply { status, retry_after: None, body: Ok(body.into()) };
    let mut errors = vec![
        StaraApi::read_api_key(&reply).err(),
        LeafApi::read_token(&reply).err(),
        LeafApi::read_user(&reply, LeafUserId::from_bytes([1; 16])).err(),
        LeafApi::read_attached(&reply).err(),
        LeafApi::read_events(&reply).err(),
    ];
    for dialect in [Dialect::Json, Dialect::Form] {
        errors.push(StaraApi::read_tokens(&reply, dialect, None).err());
    }
    let credential = LeafApi::read_credential(&reply);
    if let Ok(Some(credential)) = &credential {
        let id = credential.id.as_ref().map_or(0, |id| id.as_str().chars().count());
        let status = credential.status.as_ref().map_or(0, |status| status.chars().count());
        assert!(id <= 64 && status <= 64, "what is kept of a credential is short");
    }
    errors.push(credential.err());
    assert!(errors.into_iter().flatten().all(|error| error.status == Some(status)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_a_csv_manifest_or_an_error(bytes in csv_like()) {
        // A record takes a byte at least.
        prop_assert!(read_manifest(&bytes, Format::Csv) <= bytes.len());
    }

    #[test]
    fn a_damaged_csv_manifest_is_read_or_refused(damages in vec(damage(), 1..8)) {
        read_manifest(&damaged(std::fs::read(sample("mixed.csv")).unwrap(), &damages), Format::Csv);
    }

    #[test]
    fn a_retry_after_is_a_wait_of_at_most_a_century_or_none(text in "\\PC*|[0-9]{1,30}", now in any::<u32>()) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(now));
        let wait = parse_retry_after(&text, now);
        prop_assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(u64::from(u32::MAX))));
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            let seconds = text.parse::<u64>().unwrap_or(u64::MAX).min(u64::from(u32::MAX));
            prop_assert_eq!(wait, Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn a_date_in_retry_after_is_never_waited_for_too_short(at in 0..4_000_000_000_u64, now in 0..4_000_000_000_u64) {
        let at_time = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let wait = parse_retry_after(
            &httpdate::fmt_http_date(at_time),
            SystemTime::UNIX_EPOCH + Duration::from_secs(now),
        );
        prop_assert_eq!(wait, Some(Duration::from_secs(at.saturating_sub(now))));
    }

    #[test]
    fn any_bytes_are_an_answer(status in 100..1_000_u16, body in vec(any::<u8>(), 0..300)) {
        read_answer(status, body);
    }

    #[test]
    fn any_json_is_an_answer(body in json_like()) {
        read_answer(200, body.into_bytes());
    }

    #[test]
    fn a_report_in_csv_holds_no_formula_and_reads_back_as_it_was(
        texts in vec("[=+@\t\r\n'\",;＝－a -]{0,6}|\\PC*|(?s).*", 1..6)
    ) {
        expect_report_of(&texts);
    }

    #[test]
    fn whatever_is_taken_for_a_leaf_user_id_stays_in_its_segment_of_a_path(
        text in "[0-9a-fA-F-]{30,40}|[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}|\\PC{32}|\\PC{36}|(\\.\\./|%2[fF]|[?#;/]){1,12}"
    ) {
        if let Ok(id) = text.parse::<LeafUserId>() {
            let written = id.to_string();
            prop_assert_eq!(written.len(), 36);
            prop_assert!(written.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')));
            let url: url::Url = format!("https://leaf.example/a/users/{written}/stara-credentials").parse().unwrap();
            prop_assert_eq!(url.path_segments().unwrap().count(), 4);
            prop_assert_eq!(written.parse::<LeafUserId>(), Ok(id));
        }
    }
}

fn expect_report_of(texts: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.csv");
    let record = |text: &String| ResultRecord {
        line: 2,
        leaf_user_id: None,
        login: Some(Login::new(text.as_str())),
        outcome: OutcomeCode::Attached,
        origin: None,
        stage: None,
        http_status: None,
        attempts: None,
        credential_id: None,
        credential_status: Some(text.clone()),
        finished_at: None,
        message: text.clone(),
        kept: vec![text.clone()],
        not_selected: false,
    };
    let kept = ["kept".to_owned()];
    write_report(
        &path,
        ReportFormat::Csv,
        &RunFacts::of_columns(&kept),
        texts.iter().map(|text| Ok::<_, Infallible>(record(text))),
    )
    .unwrap();
    let lines: Vec<_> = csv::Reader::from_path(&path).unwrap().into_records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), texts.len());
    for (line, text) in lines.iter().zip(texts) {
        let first = |cell: &str| cell.chars().next();
        let is_formula = |first: char| "=+-@\t\r\n＝＋－＠".contains(first);
        assert!(!line.iter().any(|cell| first(cell).is_some_and(is_formula)), "{line:?}");
        for cell in [&line[2], &line[9], &line[11], &line[COLUMNS.len()]] {
            let expected =
                if first(text).is_some_and(is_formula) { format!("'{text}") } else { text.clone() };
            assert_eq!(cell, expected);
        }
    }
}

/// Reads all that can be read of whatever lies in the place of a ledger.
fn read_ledger(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, bytes).unwrap();
    if let Ok(ledger) = Ledger::open(&path, LedgerAccess::Read) {
        let _ = (ledger.runs(100), ledger.target(), ledger.has_login_succeeded(Dialect::Json));
        let id = LeafUserId::from_bytes([7; 16]);
        let _ = (ledger.user(id), ledger.lines_of(id), ledger.events_of(id));
        if let Ok(Some(run)) = ledger.latest_run() {
            let _ = ledger.count_outcomes(run.run);
            let _ = ledger.with_results(run.run, |results| results.take(10_000).count());
        }
    }
    let approach = Approach::new(Dialect::Json, "http://127.0.0.1:1", "/", ["login", "password"]);
    if let Ok(mut cursor) = LineCursor::open(&path, approach, 1) {
        while let Ok(Some(_)) = cursor.next_line() {}
    }
    let _ = Ledger::open(&path, LedgerAccess::Run(&Target::new("http://127.0.0.1:1", "http://127.0.0.1:2")));
}

/// A ledger of a rehearsal, with every kind of outcome in it.
fn a_ledger() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let run = Invocation::new(folder.path())
        .args(["run", "--sandbox", "--report", "none"])
        .args([sample("mixed.csv")]);
    run.end().with_code(3);
    std::fs::read(folder.path().join("state/sandbox.db")).unwrap()
}

/// A runner of properties over inputs that are made once.
fn runner(cases: u32) -> proptest::test_runner::TestRunner {
    proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    })
}

#[test]
fn a_damaged_parquet_manifest_is_read_or_refused() {
    let sound = std::fs::read(sample("growers.parquet")).unwrap();
    assert_eq!(read_manifest(&sound, Format::Parquet), 200);
    let read = |damages: Vec<Damage>| {
        read_manifest(&damaged(sound.clone(), &damages), Format::Parquet);
        Ok(())
    };
    runner(600).run(&vec(damage(), 1..6), read).unwrap();
    // Where a Parquet file says what is where, it is the most easily led astray.
    let footer = sound.len() - 1_500;
    for at in footer..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x55;
        read_manifest(&bytes, Format::Parquet);
    }
}

#[test]
fn whatever_lies_in_the_place_of_a_ledger_is_read_or_refused() {
    let sound = a_ledger();
    runner(150)
        .run(&vec(damage(), 1..12), |damages| {
            read_ledger(&damaged(sound.clone(), &damages));
            Ok(())
        })
        .unwrap();
    for length in (0..sound.len()).step_by(1_021) {
        read_ledger(&sound[..length]);
    }
    let header = b"SQLite format 3\0";
    runner(100)
        .run(&vec(any::<u8>(), 0..8_192), |bytes| {
            read_ledger(&[header.as_slice(), &bytes].concat());
            Ok(())
        })
        .unwrap();
}

/// Some damages that are the same in every run of the tests.
fn some_damages(count: usize) -> Vec<Vec<Damage>> {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = vec(damage(), 1..6);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn the_program_itself_stays_calm_and_small_over_damaged_files() {
    let ledger = a_ledger();
    let parquet = std::fs::read(sample("growers.parquet")).unwrap();
    let csv = std::fs::read(sample("growers.csv")).unwrap();
    for damages in some_damages(25) {
        let bench = Bench::new(&growers(1));
        std::fs::create_dir(bench.path("state")).unwrap();
        for (name, bytes) in
            [("growers.parquet", &parquet), ("growers.csv", &csv), ("state/sandbox.db", &ledger)]
        {
            bench.write(name, damaged(bytes.clone(), &damages));
        }
        let invocations: [&[&str]; 4] = [
            &["run", "growers.parquet", "--sandbox", "--state", "one.db"],
            &["run", "growers.csv", "--sandbox", "--state", "two.db"],
            &["run", "growers.csv", "--sandbox", "--max-invalid", "100%"],
            &["status", "--sandbox"],
        ];
        for arguments in invocations {
            let ended = Invocation::new(bench.folder()).args(arguments).end();
            assert!(matches!(ended.code, Some(0 | 2 | 3 | 4 | 8)), "{arguments:?} {damages:?}: {ended:?}");
            assert!(!ended.stderr.contains("defect"), "{arguments:?} {damages:?}: {}", ended.stderr);
            assert!(ended.peak_memory < MOST_MEMORY, "{} MB", ended.peak_memory / 1_000_000);
        }
    }
}

#[test]
fn a_manifest_that_unpacks_to_far_more_than_it_is_takes_bounded_memory() {
    let line = format!("{},login,password\n", "x".repeat(36));
    let bombs: [(&str, Vec<u8>); 3] = [
        ("one endless line", vec![b'x'; 200_000_000]),
        ("one open quote", [b"leafUserId,login,password\n\"".as_slice(), &vec![b'\n'; 200_000_000]].concat()),
        ("lines without end", [b"leafUserId,login,password\n", line.repeat(1_000_000).as_bytes()].concat()),
    ];
    for (name, bomb) in bombs {
        let bench = Bench::new(&[]);
        let packed = zstd::bulk::compress(&bomb, 1).unwrap();
        assert!(packed.len() < bomb.len() / 500, "{name}: {} bytes", packed.len());
        bench.write("growers.csv.zst", packed);
        let ended = bench.run_of("growers.csv.zst", &[]).end().with_code(2);
        assert!(ended.stderr.contains("hint: "), "{name}: {}", ended.stderr);
        assert!(ended.peak_memory < MOST_MEMORY, "{name}: {} MB", ended.peak_memory / 1_000_000);
        assert_eq!(bench.calls(), 0);
    }
}

/// An answer as it might go over the wire, right or wrong.
fn wire_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        1 => Just(b"HTTP/1.0 404 \r\n".to_vec()),
        1 => Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        1 => (0..1_100_u16).prop_map(|status| format!("HTTP/1.1 {status} x\r\n").into_bytes()),
        2 => (0..200_u64).prop_map(|length| format!("Content-Length: {length}\r\n").into_bytes()),
        1 => Just(b"Content-Length: -1\r\n".to_vec()),
        2 => Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        1 => Just(b"Connection: close\r\n".to_vec()),
        2 => "[ -~]{0,40}".prop_map(|value| format!("Retry-After: {value}\r\n").into_bytes()),
        1 => vec(any::<u8>(), 0..40).prop_map(|value| [b"Retry-After: ", &value[..], b"\r\n"].concat()),
        3 => Just(b"\r\n".to_vec()),
        2 => (0..40_usize).prop_map(|size| format!("{size:x}\r\n{}\r\n", "y".repeat(size)).into_bytes()),
        1 => Just(b"0\r\n\r\n".to_vec()),
        1 => Just(b"ffffffffffffffff\r\n".to_vec()),
        2 => json_like().prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..60),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_bytes_on_the_wire_are_an_answer_or_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = HttpClient::new(&ClientOptions {
        base_url: format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(),
        timeout: Duration::from_secs(30),
        idle_connections: 0,
        allow_insecure_http: false,
        extra_roots: ExtraRoots::default(),
    })
    .unwrap();
    let (next, answers) = std::sync::mpsc::channel::<Vec<u8>>();
    let server = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            // A client that has seen enough may close before everything is written.
            let _ = stream.write_all(&answer);
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runner(500)
        .run(&wire_like(), |answer| {
            next.send(answer).unwrap();
            let reply = runtime.block_on(client.send("token", client.request(Method::GET, "/token")));
            if let Ok(reply) = reply {
                let longest = Duration::from_secs(u64::from(u32::MAX));
                prop_assert!(reply.retry_after.is_none_or(|wait| wait <= longest));
                if let Ok(body) = reply.body {
                    read_answer(reply.status, body.to_vec());
                }
            }
            Ok(())
        })
        .unwrap();
    drop(next);
    server.join().unwrap();
}
