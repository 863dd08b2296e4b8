//! The proofs, and the controls that show that they would find what they look for.

use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::runtime::Runtime;

use super::cut::Cut;
use super::happening::Happening;
use super::recording::Recording;
use crate::support::{has_strace, leave_out, number_of};

/// How many cuts without `POWER_CUTS`.
const CUTS: u64 = 500;

/// How many cuts of one recording, before another one is made.
const CUTS_OF_ONE: u64 = 2_500;

/// Every so manieth cut is gone on from, without `POWER_RESUMED`. All are looked into.
const RESUMED: u64 = 1;

/// How many are under way at a time.
const AT_ONCE: usize = 4;

/// Makes cuts from these numbers; tells how many were gone on from, and each number whose cut lost something, with what.
fn cut<'a>(
    numbers: Range<u64>,
    resumed_of: Option<u64>,
    make: impl Fn(u64) -> Cut<'a> + Sync,
) -> (usize, Vec<(u64, String)>) {
    let (next, resumed) = (AtomicU64::new(numbers.start), AtomicUsize::new(0));
    let lost: Mutex<Vec<(u64, String)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let runtime = runtime();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return;
                    }
                    let folder = tempfile::tempdir().unwrap();
                    let mut cut = make(number);
                    let mut ended = cut.look(folder.path());
                    if ended.is_ok() && resumed_of.is_some_and(|of| number.is_multiple_of(of)) {
                        resumed.fetch_add(1, Ordering::Relaxed);
                        ended = cut.resume(folder.path(), &runtime);
                    }
                    if let Err(what) = ended {
                        lost.lock().unwrap().push((number, what));
                    }
                }
            });
        }
    });
    (resumed.into_inner(), lost.into_inner().unwrap())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn nothing_that_was_acknowledged_is_lost_with_the_power() {
    if !has_strace() {
        return leave_out("losses of power");
    }
    let first = number_of("POWER_SEED").unwrap_or(1);
    let all = first..first + number_of("POWER_CUTS").unwrap_or(CUTS);
    let every = number_of("POWER_RESUMED").unwrap_or(RESUMED);
    let earlier = std::env::var_os("POWER_RECORDING");
    let mut from = all.start;
    while from < all.end {
        let seeds = from..all.end.min(from + CUTS_OF_ONE);
        let recording = earlier
            .as_ref()
            .map_or_else(|| Recording::make(from), |folder| Recording::load(Path::new(folder)));
        let (resumed, lost) =
            cut(seeds.clone(), Some(every), |seed| Cut::by_chance(&recording, &recording.happenings, seed));
        let (count, happenings) = (seeds.end - seeds.start, recording.happenings.len());
        println!("{count} cuts in {happenings} happenings, seeds {seeds:?}; {resumed} gone on from");
        if let Some((seed, what)) = lost.first() {
            panic!(
                "{} cuts lost something; with seed {seed} it was: {what}\nagain: POWER_RECORDING={} POWER_CUTS=1 \
                 POWER_SEED={seed} POWER_RESUMED=1 cargo test --test proof power::proofs::nothing",
                lost.len(),
                recording.keep().display()
            );
        }
        from = seeds.end;
    }
}

/// How often the power is cut at each point before the ledger's log is there.
const CUTS_OF_EACH_POINT: u64 = 12;

#[test]
fn a_power_loss_while_the_ledger_is_made_leaves_nothing_in_the_way() {
    if !has_strace() {
        return leave_out("losses of power");
    }
    let recording = Recording::make(0);
    let happenings = &recording.happenings;
    let is_log = |happening: &Happening| matches!(happening, Happening::Made { path, .. } if path == WAL);
    let points = happenings.iter().position(is_log).unwrap() as u64;
    let (resumed, lost) = cut(0..points * CUTS_OF_EACH_POINT, Some(1), |number| {
        let end = usize::try_from(number / CUTS_OF_EACH_POINT).unwrap();
        Cut::after(&recording, happenings, end, number)
    });
    println!("{points} points before the ledger's log is there; {resumed} cuts gone on from");
    assert!(lost.is_empty(), "{} cuts left something in the way: {:#?}", lost.len(), lost[0]);
}

/// Cuts recordings in which some flushes count for nothing, and expects that something is lost.
fn expect_losses(name: &str, is_ineffective: impl Fn(&[Happening], usize) -> bool) {
    if !has_strace() {
        return leave_out("losses of power");
    }
    let recording = Recording::make(0);
    let mut happenings = recording.happenings.clone();
    for (index, happening) in happenings.iter_mut().enumerate() {
        if is_ineffective(&recording.happenings, index)
            && let Happening::Flushed { before, .. } | Happening::FlushedFolder { before, .. } = happening
        {
            *before = 0;
        }
    }
    let (_, lost) = cut(0..CUTS, None, |seed| Cut::by_chance(&recording, &happenings, seed));
    println!("{name}: {} of {CUTS} cuts lost something", lost.len());
    assert!(!lost.is_empty(), "{name}: nothing was lost, so the proof would find nothing");
}

const WAL: &str = "state/ledger.db-wal";

/// Whether SQLite would leave this flush out with `synchronous=NORMAL`: that of the log after a commit. It keeps those
/// after the log's header and those before a checkpoint, which is when pages are written into the database next.
fn is_left_out_by_normal(happenings: &[Happening], index: usize) -> bool {
    let Happening::Flushed { path, file: log, .. } = &happenings[index] else { return false };
    if path != WAL {
        return false;
    }
    let is_of_ledger =
        |happening: &&Happening| matches!(happening, Happening::Written { .. } | Happening::Flushed { .. });
    let is_header = |happening: &Happening| matches!(happening, Happening::Written { file, at: 0, bytes } if file == log && bytes.len() == 32);
    let is_page = |happening: &Happening| matches!(happening, Happening::Written { file, bytes, .. } if file != log && bytes.len() == 4_096);
    let before = happenings[..index].iter().rev().find(is_of_ledger);
    let next = happenings[index + 1..].iter().find(is_of_ledger);
    path == WAL && !before.is_some_and(is_header) && !next.is_some_and(is_page)
}

#[test]
fn with_synchronous_normal_acknowledged_rows_would_be_lost() {
    expect_losses("synchronous=NORMAL", is_left_out_by_normal);
}

#[test]
fn without_the_flush_of_the_folder_above_the_ledger_would_be_lost() {
    expect_losses("no flush of the folder above the ledger's", |happenings, index| {
        let is_above = |happening: &Happening| matches!(happening, Happening::FlushedFolder { path, .. } if path.is_empty());
        is_above(&happenings[index]) && !happenings[..index].iter().any(is_above)
    });
}
