//! What a run measures of itself: kept with the ledger, for the latest runs, across versions.

use super::fixtures::{Place, open};
use crate::checkpoint::{
    FingerprintKey, Hold, HostSlot, LedgerWriter, LiveHost, LiveState, MeasuredSlot, Phase, RunMeasures,
    StageLatency,
};
use crate::model::{Service, Stage, UnixMillis};

fn live(rows_ended: u64) -> LiveState {
    LiveState {
        at: UnixMillis(1_795_269_800_125),
        phase: Phase::Rows,
        rows_ended,
        to_do: 90,
        parked: 1,
        stara: LiveHost {
            requests: 12,
            throttled: 2,
            per_second_now: 1.25,
            rate: Some(2.5),
            held_until: Some(UnixMillis(1_795_269_830_000)),
            hold: Some(Hold::Throttled { status: 429 }),
        },
        leaf: LiveHost { hold: Some(Hold::Down), ..LiveHost::default() },
        draining: Some("stopped by SIGINT".to_owned()),
    }
}

fn measures(rows: u64) -> RunMeasures {
    let stara = HostSlot { requests: 9, throttled: 2, failed: 1, rate: Some(2.5), held_ms: 1_500 };
    let leaf = HostSlot { requests: 4, ..HostSlot::default() };
    let latency =
        StageLatency { stage: Stage::Token, answers: 9, p50_us: 20, p90_us: 30, p99_us: 40, max_us: 41 };
    RunMeasures {
        began_at: UnixMillis(1_795_269_800_000),
        slot_seconds: 2,
        slots: vec![
            MeasuredSlot { slot: 0, rows, stara, leaf: HostSlot::default() },
            MeasuredSlot { slot: 7, rows: 0, stara: HostSlot { rate: None, ..stara }, leaf },
        ],
        latencies: vec![latency],
    }
}

#[test]
fn what_was_measured_is_read_as_it_was_written() {
    let place = Place::new();
    assert_eq!(place.ledger.run_measures(1).unwrap(), None);
    assert_eq!(place.ledger.live_state(1).unwrap(), None);
    place.ledger.keep_measures(1, &live(3), Some(&measures(3))).unwrap();
    assert_eq!(place.ledger.run_measures(1).unwrap(), Some(measures(3)));
    assert_eq!(place.ledger.live_state(1).unwrap(), Some(live(3)));
    let stara = HostSlot { requests: 18, throttled: 4, failed: 2, rate: Some(2.5), held_ms: 3_000 };
    assert_eq!(measures(3).total(Service::Stara), stara);
}

#[tokio::test]
async fn the_writer_keeps_the_newest_state_and_leaves_the_measures_that_it_is_not_given() {
    let mut place = Place::new();
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    handle.measure(1, live(3), Some(measures(3)));
    handle.measure(1, live(4), None);
    place.ledger = writer.finish(handle).await.unwrap();
    assert_eq!(place.ledger.run_measures(1).unwrap(), Some(measures(3)));
    assert_eq!(place.ledger.live_state(1).unwrap(), Some(live(4)));
}

#[test]
fn the_latest_ten_runs_keep_theirs() {
    let place = Place::new();
    for run in 1..=12 {
        place.ledger.keep_measures(run, &live(3), Some(&measures(3))).unwrap();
    }
    let kept: Vec<i64> = (1..=12).filter(|run| place.ledger.run_measures(*run).unwrap().is_some()).collect();
    assert_eq!(kept, (3..=12).collect::<Vec<i64>>());
    assert_eq!(place.ledger.live_state(2).unwrap(), None);
}

#[test]
fn what_a_later_version_wrote_is_as_if_it_were_not_there() {
    let place = Place::new();
    place.ledger.keep_measures(1, &live(3), Some(&measures(3))).unwrap();
    let connection = &place.ledger.connection;
    for later in [r#"{"v":2,"began":1}"#, "not even JSON", r#"{"v":1,"slot_seconds":1}"#] {
        connection.execute("UPDATE measures SET measures = ?1", [later]).unwrap();
        assert_eq!(place.ledger.run_measures(1).unwrap(), None, "{later}");
    }
    // What is added to this version later is passed over.
    connection
        .execute("UPDATE measures SET live = json_set(live, '$.novelty', 7, '$.stara.novelty', 7)", [])
        .unwrap();
    assert_eq!(place.ledger.live_state(1).unwrap(), Some(live(3)));
}

#[test]
fn a_ledger_from_before_measures_keeps_its_runs_and_takes_measures() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    for step in [
        include_str!("../schema/1.sql"),
        include_str!("../schema/2.sql"),
        include_str!("../schema/3.sql"),
        include_str!("../schema/4.sql"),
        include_str!("../schema/5.sql"),
    ] {
        old.execute_batch(step).unwrap();
    }
    old.pragma_update(None, "application_id", 0x534f_6e62).unwrap();
    old.pragma_update(None, "user_version", 5).unwrap();
    let key = FingerprintKey::create(&path).unwrap();
    for (name, value) in
        [("stara", "https://stara.example"), ("leaf", "https://leaf.example"), ("key id", &key.id())]
    {
        old.execute("INSERT INTO facts VALUES (?1, ?2)", [name, value]).unwrap();
    }
    old.execute(
        "INSERT INTO runs (started_at, manifest, kept_columns, ended_at, exit_code, ending)
         VALUES (5, 'growers.csv', '[]', 9, 0, 'finished')",
        [],
    )
    .unwrap();
    drop(old);

    let ledger = open(&directory);
    let run = ledger.latest_run().unwrap().unwrap();
    assert_eq!((run.run, run.exit_code), (1, Some(0)));
    assert_eq!(ledger.run_measures(1).unwrap(), None);
    ledger.keep_measures(2, &live(3), Some(&measures(3))).unwrap();
    drop(ledger);
    assert_eq!(open(&directory).run_measures(2).unwrap(), Some(measures(3)));
}
