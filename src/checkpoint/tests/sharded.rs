//! The ledgers of all shards read as one: the manifest's order, and every set of ledgers that is refused.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::fixtures::{id, invalid, row, start};
use crate::checkpoint::{
    Fingerprint, Ledger, LedgerAccess, LineContent, LineDecision, LineResult, OutcomeCounts, RunKind,
    RunStart, ShardPart, ShardedLedger, ShardedLedgerError, StageError, StagedLine, Target,
};
use crate::model::{Login, OutcomeCode, Shard};

fn target() -> Target {
    Target::new("https://stara.example", "https://leaf.example")
}

/// Ledgers in a directory that goes away.
struct Night {
    directory: TempDir,
}

impl Night {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Where the ledger of a shard is, or the one of whole manifests. Where manifests are divided otherwise, a folder is needed.
    fn path(&self, shard: Option<Shard>) -> PathBuf {
        let folder = self.directory.path().join(shard.map_or(0, Shard::count).to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ledger.db");
        shard.map_or(path.clone(), |shard| shard.path(&path))
    }

    /// Stages what of these lines is the shard's, or all of them.
    fn stage(&self, shard: Option<Shard>, start: &RunStart, lines: Vec<StagedLine>) -> Ledger {
        stage(&self.path(shard), &target(), shard, start, lines)
    }

    /// The ledgers of `count` shards of a manifest.
    fn shards(&self, count: u32, lines: impl Fn() -> Vec<StagedLine>) -> Vec<PathBuf> {
        let shards = (0..count).map(|index| Shard::new(index, count).unwrap());
        let staged = shards.map(|shard| self.stage(Some(shard), &start(), lines()).path().to_owned());
        staged.collect()
    }
}

fn stage(
    path: &Path,
    target: &Target,
    shard: Option<Shard>,
    start: &RunStart,
    lines: Vec<StagedLine>,
) -> Ledger {
    let mut ledger = Ledger::open(path, LedgerAccess::of_run(target, shard)).unwrap();
    let own = |line: StagedLine| {
        let user = line.leaf_user_id();
        let is_own = shard.is_none_or(|shard| shard.takes_line(user));
        Ok::<_, std::convert::Infallible>(if is_own {
            line
        } else {
            {
                let login = match &line.content {
                    LineContent::Row(row) => Some(row.login.clone()),
                    _ => None,
                };
                StagedLine { content: LineContent::Elsewhere { leaf_user_id: user, login }, ..line }
            }
        })
    };
    match ledger.stage(start, lines.into_iter().map(own), |_, _| LineDecision::ToDo) {
        Ok(_) => ledger,
        Err(StageError::Ledger(error)) => panic!("{error}"),
    }
}

/// Lets every third user be attached.
fn attach_some(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql =
        "UPDATE users SET outcome = 'attached', stage = 'verify', run = 1, attempts = 1, finished_at = 9,
                   credential_id = hex(leaf_user_id), message = '' WHERE hex(leaf_user_id) % 3 = 0";
    connection.execute(sql, []).unwrap();
}

fn shard(text: &str) -> Shard {
    text.parse().unwrap()
}

fn manifest() -> Vec<StagedLine> {
    (2..60)
        .map(|line| row(line, u8::try_from(line).unwrap(), 0))
        .chain([invalid(60, None), row(63, 2, 0), row(64, 3, 9), invalid(65, Some(5))])
        .collect()
}

fn results(ledger: &ShardedLedger) -> Vec<LineResult> {
    ledger.with_results(|results| results.map(Result::unwrap).collect()).unwrap()
}

fn refused(paths: &[PathBuf]) -> ShardedLedgerError {
    ShardedLedger::open(paths).and_then(|ledger| ledger.check_runs()).unwrap_err()
}

/// What the error says, and that it names these files.
fn told(error: &ShardedLedgerError, named: &[&str]) -> String {
    let text = error.to_string();
    for name in named {
        assert!(text.contains(name), "{name} isn't in {text}");
    }
    text
}

#[test]
fn all_shards_together_give_what_one_ledger_gives() {
    let night = Night::new();
    let whole = night.stage(None, &start(), manifest());
    let mut paths = night.shards(5, manifest);
    for path in &paths {
        attach_some(path);
    }
    attach_some(whole.path());
    // In whatever order they are named.
    paths.swap(0, 3);
    let sharded = ShardedLedger::open(&paths).unwrap();
    let expected: Vec<_> = whole.with_results(1, |lines| lines.map(Result::unwrap).collect()).unwrap();
    assert_eq!(results(&sharded), expected);
    assert!(expected.iter().any(|line| line.outcome.code == OutcomeCode::Attached));
    let counted: Vec<_> =
        sharded.parts().iter().map(|part| part.ledger.count_outcomes(part.run.run).unwrap()).collect();
    assert_eq!(counted.iter().sum::<OutcomeCounts>(), whole.count_outcomes(1).unwrap());
    assert_eq!((sharded.manifest_lines(), sharded.count_lines().unwrap()), (62, 62));
}

#[test]
fn what_is_written_after_the_opening_is_not_seen() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let sharded = ShardedLedger::open(&paths).unwrap();
    let before = results(&sharded);
    for path in &paths {
        attach_some(path);
    }
    drop(night.stage(Some(shard("1/2")), &start(), vec![row(2, 2, 0)]));
    assert_eq!(results(&sharded), before);
    assert_eq!(sharded.count_lines().unwrap(), 62);
}

#[test]
fn a_line_that_stands_in_two_ledgers_is_counted_once() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let of = |path: &Path, sql: &str| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let line = of(&paths[0], "SELECT min(line) FROM lines");
    of(
        &paths[1],
        &format!("UPDATE lines SET line = {line} WHERE line = (SELECT max(line) FROM lines) RETURNING 1"),
    );
    let sharded = ShardedLedger::open(&paths).unwrap();
    assert_eq!((results(&sharded).len(), sharded.count_lines().unwrap()), (62, 61));
}

#[test]
fn two_ledgers_of_one_shard_are_refused() {
    let night = Night::new();
    let mut paths = night.shards(3, manifest);
    paths.push(paths[1].clone());
    let error = refused(&paths);
    assert!(matches!(&error, ShardedLedgerError::Twice { shard, .. } if shard.index() == 1), "{error:?}");
    told(&error, &["ledger.1-of-3.db", "shard 1/3"]);
}

#[test]
fn missing_shards_are_refused_and_named_with_the_file_of_the_first() {
    let night = Night::new();
    let paths = night.shards(4, manifest);
    let error = refused(&[paths[1].clone(), paths[2].clone()]);
    assert!(told(&error, &[]).ends_with("of the 4 shards 0 and 3 are missing"), "{error}");
    assert!(matches!(&error, ShardedLedgerError::Missing { path, .. } if *path == paths[0]), "{error:?}");
    assert!(told(&refused(&paths[..3]), &[]).ends_with("of the 4 shards 3 is missing"));
    let many = night.stage(Some(shard("7/1024")), &start(), manifest());
    let error = refused(&[many.path().to_owned()]);
    assert!(told(&error, &[]).ends_with("0, 1, 2, 3, 4, 5, 6, 8 and 1015 more are missing"), "{error}");
}

#[test]
fn shards_of_differently_many_are_refused() {
    let night = Night::new();
    let (two, three) = (night.shards(2, manifest), night.shards(3, manifest));
    let error = refused(&[two[0].clone(), three[1].clone()]);
    assert!(matches!(error, ShardedLedgerError::OtherCount { .. }), "{error:?}");
    told(&error, &["ledger.0-of-2.db", "0/2", "ledger.1-of-3.db", "1/3"]);
}

#[test]
fn a_ledger_of_whole_manifests_among_them_is_refused() {
    let night = Night::new();
    let mut paths = night.shards(2, manifest);
    paths.push(night.stage(None, &start(), manifest()).path().to_owned());
    let error = refused(&paths);
    assert!(matches!(error, ShardedLedgerError::NoShard { .. }), "{error:?}");
    told(&error, &["ledger.db"]);
}

#[test]
fn shards_of_other_hosts_are_refused() {
    let night = Night::new();
    let mut paths = night.shards(2, manifest);
    let other = Target::new("https://stara.example", "https://elsewhere.example");
    paths[1] = night.directory.path().join("other.db");
    drop(stage(&paths[1], &other, Some(shard("1/2")), &start(), manifest()));
    let error = refused(&paths);
    assert!(matches!(error, ShardedLedgerError::OtherTarget { .. }), "{error:?}");
    told(&error, &["ledger.0-of-2.db", "https://leaf.example", "other.db", "https://elsewhere.example"]);
}

#[test]
fn shards_of_different_nights_are_refused() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let longer = || manifest().into_iter().chain([row(70, 99, 0)]).collect();
    let mut others = manifest();
    others[7] = row(9, 200, 0);
    for lines in [longer(), others] {
        drop(night.stage(Some(shard("1/2")), &start(), lines));
        let error = refused(&paths);
        assert!(matches!(error, ShardedLedgerError::OtherManifest { .. }), "{error:?}");
        told(&error, &["ledger.0-of-2.db", "ledger.1-of-2.db", "growers.csv of 62 lines"]);
    }
    // The other shard of the same night.
    drop(night.stage(Some(shard("0/2")), &start(), longer()));
    drop(night.stage(Some(shard("1/2")), &start(), longer()));
    assert_eq!(ShardedLedger::open(&paths).unwrap().manifest_lines(), 63);
}

#[test]
fn a_manifest_of_the_same_users_with_another_login_or_another_kept_cell_is_another_one() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    // Whichever shard the changed line belongs to.
    for line in [3, 4, 5, 6, 7, 8] {
        let changed_login = |line: &mut StagedLine| match &mut line.content {
            LineContent::Row(row) => row.login = Login::new("changed@example.com".to_owned()),
            content => panic!("{content:?}"),
        };
        let changed_cell = |line: &mut StagedLine| line.kept = vec!["another farm".to_owned()];
        for change in [&changed_login as &dyn Fn(&mut StagedLine), &changed_cell] {
            let mut lines = manifest();
            change(&mut lines[line]);
            drop(night.stage(Some(shard("1/2")), &start(), lines));
            let error = refused(&paths);
            assert!(matches!(error, ShardedLedgerError::OtherManifest { .. }), "{error:?}");
        }
    }
    drop(night.stage(Some(shard("1/2")), &start(), manifest()));
    ShardedLedger::open(&paths).unwrap().check_runs().unwrap();
}

#[test]
fn another_password_makes_no_other_manifest_of_it() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let lines = manifest().into_iter().map(|mut line| {
        if let LineContent::Row(row) = &mut line.content {
            row.fingerprints.row = Fingerprint(77);
        }
        line
    });
    drop(night.stage(Some(shard("1/2")), &start(), lines.collect()));
    ShardedLedger::open(&paths).unwrap().check_runs().unwrap();
}

#[test]
fn runs_about_users_that_each_ledger_was_asked_for_by_itself_are_never_one_run() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let roll_back = RunStart { kind: RunKind::Detach, is_of_manifest: false, ..start() };
    for of in ["0/2", "1/2"] {
        drop(night.stage(Some(shard(of)), &roll_back, manifest()));
    }
    let error = refused(&paths);
    assert!(matches!(error, ShardedLedgerError::RollBack { .. }), "{error:?}");
    let (apart, _) = ShardedLedger::open(&paths).unwrap().differences().unwrap();
    assert_eq!(apart, [None, None]);
}

#[test]
fn shards_whose_latest_runs_did_different_things_are_refused() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let detach = RunStart { kind: RunKind::Detach, ..start() };
    drop(night.stage(Some(shard("1/2")), &detach, manifest()));
    let error = refused(&paths);
    assert!(matches!(error, ShardedLedgerError::OtherKind { .. }), "{error:?}");
    told(&error, &["ledger.0-of-2.db is a run", "ledger.1-of-2.db a detach"]);
    let kept = RunStart { kept_columns: vec!["region".to_owned()], ..start() };
    drop(night.stage(Some(shard("1/2")), &kept, manifest()));
    let error = refused(&paths);
    assert!(matches!(error, ShardedLedgerError::OtherColumns { .. }), "{error:?}");
    told(&error, &["ledger.0-of-2.db", "ledger.1-of-2.db", "--keep-column"]);
}

#[test]
fn a_ledger_that_says_nothing_of_the_whole_manifest_is_refused() {
    let night = Night::new();
    let paths = night.shards(2, manifest);
    let connection = rusqlite::Connection::open(&paths[1]).unwrap();
    connection.execute("UPDATE runs SET manifest_print = NULL", []).unwrap();
    let error = refused(&paths);
    assert!(matches!(error, ShardedLedgerError::NoManifestPrint { .. }), "{error:?}");
    told(&error, &["ledger.1-of-2.db"]);
}

#[test]
fn a_shard_that_was_never_run_is_refused_as_missing() {
    let night = Night::new();
    let mut paths = night.shards(2, manifest);
    paths.push(night.path(Some(shard("2/3"))));
    let error = refused(&paths);
    told(&error, &["there is no ledger at", "ledger.2-of-3.db"]);
    // One that was opened, and whose first run was refused before it staged anything.
    drop(Ledger::open(&paths[2], LedgerAccess::of_run(&target(), Some(shard("2/3")))).unwrap());
    told(&refused(&paths), &["there is no ledger at", "ledger.2-of-3.db"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_the_manifest_its_lines_come_in_order_and_once(
        users in prop::collection::vec(prop::option::of(0..40_u8), 0..60),
        gaps in prop::collection::vec(1..4_u64, 60),
        count in 1..7_u32,
    ) {
        let manifest = || {
            let mut line = 1;
            let numbered = users.iter().zip(&gaps).map(|(user, gap)| {
                line += gap;
                user.map_or_else(|| invalid(line, None), |user| row(line, user, 0))
            });
            numbered.collect::<Vec<_>>()
        };
        let night = Night::new();
        let sharded = ShardedLedger::open(&night.shards(count, manifest)).unwrap();
        let lines: Vec<_> = results(&sharded).into_iter().map(|line| (line.line, line.leaf_user_id)).collect();
        let expected: Vec<_> = manifest().iter().map(|line| (line.line, line.leaf_user_id())).collect();
        prop_assert_eq!(lines, expected);
        for user in users.iter().flatten() {
            let holds = |part: &&ShardPart| part.ledger.user(id(*user)).unwrap().is_some();
            prop_assert_eq!(sharded.parts().iter().filter(holds).count(), 1);
        }
    }
}
