//! The page to the letter: its sentence, what it lists, and what can't become markup.

use super::PageEncoder;
use super::headline::headline;
use super::rows::{MOST_ROWS, Rows, escaped};
use super::tally::Tally;
use crate::checkpoint::RunKind;
use crate::model::{Login, OutcomeCode, Stage, UnixMillis};
use crate::report::encode::Encode as _;
use crate::report::facts::RunFacts;
use crate::report::forget_in_report;
use crate::report::record::ResultRecord;

fn record(line: u64, outcome: OutcomeCode) -> ResultRecord {
    ResultRecord {
        line,
        leaf_user_id: format!("0a1b2c3d-0000-4000-8000-{line:012x}").parse().ok(),
        login: Some(Login::new("ana@example.com")),
        outcome,
        origin: None,
        stage: Some(Stage::Attach),
        http_status: Some(503),
        attempts: Some(1),
        credential_id: None,
        credential_status: None,
        finished_at: Some(UnixMillis(1_795_269_800_125)),
        message: "said so".to_owned(),
        kept: Vec::new(),
        not_selected: false,
    }
}

fn said(kind: RunKind, counts: &[(OutcomeCode, u64)]) -> String {
    let mut tally = Tally::default();
    for (code, rows) in counts {
        for line in 0..*rows {
            tally.add(&record(line, *code));
        }
    }
    headline(kind, &tally)
}

fn page(facts: &RunFacts, records: impl IntoIterator<Item = ResultRecord>) -> String {
    let mut bytes = Vec::new();
    let mut encoder = PageEncoder::new(&mut bytes, facts);
    for record in records {
        encoder.encode(&record).unwrap();
    }
    encoder.finish().unwrap();
    drop(encoder);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn one_sentence_says_what_happened_and_who_must_act() {
    use OutcomeCode as C;
    let run = |counts: &[(C, u64)]| said(RunKind::Run, counts);
    assert_eq!(run(&[]), "The manifest has no rows, so there was nothing to do.");
    assert_eq!(run(&[(C::Attached, 1)]), "The row is attached, and nobody has to do anything.");
    assert_eq!(
        run(&[(C::Attached, 1_000), (C::AlreadyAttached, 500)]),
        "All 1,500 rows are attached, and nobody has to do anything."
    );
    assert_eq!(run(&[(C::StaraLoginRejected, 1)]), "The row isn't attached; 1 needs its grower.");
    assert_eq!(
        run(&[(C::Attached, 1), (C::StaraLoginRejected, 2), (C::LeafUserUnknown, 1), (C::Throttled, 3)]),
        "1 of 7 rows is attached; 2 need their growers, 1 needs you and 3 wait for Stara or Leaf."
    );
    assert_eq!(
        run(&[(C::NotReached, 2), (C::AttachUnconfirmed, 1), (C::ManifestDuplicate, 1)]),
        "No row is attached; 1 is looked at again by the next run, 2 weren't reached and 1 repeats another."
    );
    assert_eq!(
        said(RunKind::Detach, &[(C::Detached, 2), (C::LeafUserUnknown, 1)]),
        "2 of 3 rows are detached; 1 needs you."
    );
}

#[test]
fn every_outcome_has_a_place_on_a_page_and_its_advice() {
    let text =
        page(&RunFacts::default(), OutcomeCode::ALL.iter().zip(2..).map(|(code, line)| record(line, *code)));
    for code in OutcomeCode::ALL {
        assert!(text.contains(&format!("</span>{code}</th>")), "{code}");
        let is_fine =
            code.is_done() || *code == OutcomeCode::ManifestDuplicate || *code == OutcomeCode::NotReached;
        assert_eq!(
            text.contains(&format!("data-code=\"{code}\"")),
            !is_fine || *code == OutcomeCode::NotReached,
            "{code}"
        );
    }
}

#[test]
fn failed_rows_are_never_displaced_by_rows_that_were_not_reached_and_what_is_left_out_is_counted() {
    let mut rows = Rows::new(RunKind::Run, &[]);
    for line in 0..20_000 {
        rows.add(&record(line, OutcomeCode::NotReached));
    }
    let failed = MOST_ROWS as u64 - 10;
    for line in 0..failed {
        rows.add(&record(line, OutcomeCode::LeafUserUnknown));
    }
    assert_eq!(rows.listed(), MOST_ROWS);
    assert_eq!(rows.total(), 20_000 + failed);
    assert_eq!(rows.left_out().as_deref(), Some("19,990"));
    let data: serde_json::Value = serde_json::from_str(&rows.to_json()).unwrap();
    let codes = data["head"]["codes"].as_array().unwrap();
    let place = codes.iter().position(|code| code["code"] == "leaf-user-unknown").unwrap();
    let listed = data["rows"].as_array().unwrap();
    assert_eq!(listed.iter().filter(|row| row[3] == place).count() as u64, failed);
}

#[test]
fn a_row_that_was_left_out_on_purpose_is_counted_and_not_listed() {
    let left_out = ResultRecord { not_selected: true, ..record(2, OutcomeCode::NotReached) };
    let mut rows = Rows::new(RunKind::Run, &[]);
    rows.add(&left_out);
    assert_eq!((rows.listed(), rows.total()), (0, 0));
    let text = page(&RunFacts::default(), [left_out, record(3, OutcomeCode::Attached)]);
    assert!(text.contains("1 of 2 rows is attached; 1 was left out."), "{}", &text[..4_000]);
}

#[test]
fn a_page_of_all_shards_says_why_it_has_no_time_line() {
    let facts = RunFacts { shards: Some(4), ..RunFacts::default() };
    let text = page(&facts, [record(2, OutcomeCode::Attached)]);
    assert!(text.contains("A report of all shards has no time line"));
    assert!(!text.contains("id=\"nights\"") && !text.contains("id=\"latency\""));
}

#[test]
fn data_holds_nothing_that_could_end_its_element_or_turn_the_source_around() {
    let text = "</script><!--<script>&amp;\u{2028}\u{2029}\u{202e}\u{0}\\u003c\"";
    let json = escaped(&serde_json::json!({ "<": text }));
    assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\u{202e}', '\0']), "{json}");
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["<"], text);
}

#[test]
fn the_policy_lets_nothing_run_but_the_page_s_own_script_and_loads_nothing() {
    let text = page(&RunFacts::default(), [record(2, OutcomeCode::LeafUserUnknown)]);
    let policy =
        text.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src &#39;none&#39;;"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for attribute in [" src=", " href=\"http", "url(", "@import", " style=", " onclick="] {
        assert!(!text.contains(attribute), "{attribute}");
    }
}

#[test]
fn a_user_who_is_forgotten_goes_out_of_a_page_and_every_other_byte_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("night.html");
    let records = || (2..5).map(|line| record(line, OutcomeCode::LeafUserUnknown));
    let before = page(&RunFacts::default(), records());
    std::fs::write(&path, &before).unwrap();
    let gone = record(2, OutcomeCode::LeafUserUnknown).leaf_user_id.unwrap();
    assert_eq!(forget_in_report(&path, &|id| id == gone).unwrap(), Some(1));
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(before.contains(&gone.to_string()) && !after.contains(&gone.to_string()));
    let row = before.lines().find(|line| line.contains(&gone.to_string())).unwrap();
    assert!(after == before.replacen(&format!("{row}\n"), "", 1), "another byte changed");
}
