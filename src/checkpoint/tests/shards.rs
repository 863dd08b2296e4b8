//! A ledger of one shard: what it keeps of a manifest, and for whom it is opened.

use std::path::Path;

use tempfile::TempDir;

use super::fixtures::{Place, id, invalid, row, start};
use crate::checkpoint::{
    Ledger, LedgerAccess, LedgerError, LineContent, LineDecision, RunRecord, StageError, StagedLine, Target,
};
use crate::model::Shard;

fn target() -> Target {
    Target::new("https://stara.example", "https://leaf.example")
}

fn open(path: &Path, shard: Option<&str>) -> Result<Ledger, LedgerError> {
    let shard = shard.map(|shard| shard.parse().unwrap());
    Ledger::open(path, LedgerAccess::of_run(&target(), shard))
}

/// What of these lines belongs to the shard, the others as lines from elsewhere.
fn of_shard(shard: Shard, lines: Vec<StagedLine>) -> Vec<StagedLine> {
    let own = |line: StagedLine| {
        let user = line.leaf_user_id();
        if shard.takes_line(user) {
            line
        } else {
            {
                let login = match &line.content {
                    LineContent::Row(row) => Some(row.login.clone()),
                    _ => None,
                };
                StagedLine { content: LineContent::Elsewhere { leaf_user_id: user, login }, ..line }
            }
        }
    };
    lines.into_iter().map(own).collect()
}

fn stage(ledger: &mut Ledger, lines: Vec<StagedLine>) -> RunRecord {
    let shard = ledger.shard();
    let lines = shard.map_or_else(Vec::new, |shard| of_shard(shard, lines));
    let lines = lines.into_iter().map(Ok::<_, std::convert::Infallible>);
    match ledger.stage(&start(), lines, |_, _| LineDecision::ToDo) {
        Ok(_) => ledger.latest_run().unwrap().unwrap(),
        Err(StageError::Ledger(error)) => panic!("{error}"),
    }
}

fn manifest() -> Vec<StagedLine> {
    (2..40)
        .map(|line| row(line, u8::try_from(line).unwrap(), 0))
        .chain([invalid(40, None), invalid(42, Some(5))])
        .collect()
}

fn place() -> (TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    (directory, path)
}

#[test]
fn the_ledgers_of_all_shards_hold_every_line_once_and_know_that_they_are_of_one_manifest() {
    let (directory, _) = place();
    let mut lines = Vec::new();
    let mut records = Vec::new();
    for index in 0..3 {
        let path = directory.path().join(format!("{index}.db"));
        let mut ledger = open(&path, Some(&format!("{index}/3"))).unwrap();
        let record = stage(&mut ledger, manifest());
        let mut statement = ledger.connection.prepare("SELECT line FROM lines").unwrap();
        let own: Vec<u64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(record.lines, own.len() as u64);
        assert!(!own.is_empty());
        lines.extend(own);
        records.push((record.manifest_lines, record.manifest_print));
    }
    lines.sort_unstable();
    let expected: Vec<u64> = manifest().iter().map(|line| line.line).collect();
    assert_eq!(lines, expected);
    assert_eq!(records[0].0, Some(40));
    assert!(records[0].1.as_ref().is_some_and(|print| print.len() == 64));
    assert!(records.iter().all(|record| *record == records[0]), "{records:?}");
}

#[test]
fn the_print_tells_another_line_number_another_user_and_another_end_and_no_other_login() {
    let (directory, _) = place();
    let mut count = 0;
    let mut print_of = |lines: Vec<StagedLine>| {
        count += 1;
        let mut ledger = open(&directory.path().join(format!("{count}.db")), Some("0/2")).unwrap();
        stage(&mut ledger, lines).manifest_print.unwrap()
    };
    let print = print_of(manifest());
    assert_eq!(print, print_of(manifest()));
    let mut other_password = manifest();
    other_password[0] = row(2, 2, 7);
    assert_eq!(print, print_of(other_password));
    let mut other_user = manifest();
    other_user[0] = row(2, 200, 0);
    assert_ne!(print, print_of(other_user));
    let mut other_line = manifest();
    other_line[39] = invalid(43, Some(5));
    assert_ne!(print, print_of(other_line));
    let mut shorter = manifest();
    shorter.pop();
    assert_ne!(print, print_of(shorter));
}

#[test]
fn a_ledger_of_whole_manifests_counts_them_and_takes_no_print() {
    let mut place = Place::new();
    place.stage(manifest());
    let record = place.ledger.latest_run().unwrap().unwrap();
    assert_eq!((record.lines, record.manifest_lines, record.manifest_print), (40, Some(40), None));
    assert_eq!(place.ledger.shard(), None);
}

#[test]
fn a_ledger_belongs_to_the_shard_that_staged_first_and_is_refused_to_others() {
    let (_directory, path) = place();
    // Opening claims nothing.
    drop(open(&path, Some("1/8")).unwrap());
    stage(&mut open(&path, Some("3/8")).unwrap(), manifest());
    for other in [Some("1/8"), Some("3/4"), None] {
        let error = open(&path, other).unwrap_err();
        assert!(matches!(error, LedgerError::OtherShard { .. }), "{error:?}");
        assert!(error.to_string().contains("belongs to shard 3/8"), "{error}");
    }
    assert_eq!(open(&path, Some("3/8")).unwrap().shard(), "3/8".parse().ok());
    assert_eq!(Ledger::open(&path, LedgerAccess::Read).unwrap().shard(), "3/8".parse().ok());
}

#[test]
fn a_ledger_of_whole_manifests_is_refused_to_a_shard() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0)]);
    let error = open(place.ledger.path(), Some("0/1")).unwrap_err();
    assert!(error.to_string().contains("holds whole manifests"), "{error}");
    assert!(place.ledger.user(id(1)).unwrap().is_some());
}
