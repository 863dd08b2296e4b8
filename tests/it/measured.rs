//! What a run measures of itself agrees with what the simulated services saw, and is there however the run ends.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use stara_onboard::checkpoint::{Ledger, LedgerAccess, LiveState, Phase, RunMeasures};
use stara_onboard::model::{Service, Stage, UnixMillis};
use stara_onboard::sandbox::{Answer, CallKind, Calls, Fault, RetryAfter, SandboxOptions, Trouble, When};

use crate::support::{Bench, growers};

/// How long something is waited for before its test fails. It is there for hangs only: no test comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

fn ledger(bench: &Bench) -> Ledger {
    Ledger::open(&bench.path("state/ledger.db"), LedgerAccess::Read).unwrap()
}

fn measures(bench: &Bench, run: i64) -> RunMeasures {
    ledger(bench).run_measures(run).unwrap().unwrap()
}

fn live(bench: &Bench, run: i64) -> LiveState {
    ledger(bench).live_state(run).unwrap().unwrap()
}

/// How many rows ended, in all slots.
fn rows_in(measures: &RunMeasures) -> u64 {
    measures.slots.iter().map(|slot| slot.rows).sum()
}

/// How many answers a stage had.
fn answers(measures: &RunMeasures, stage: Stage) -> u64 {
    measures.latencies.iter().filter(|told| told.stage == stage).map(|told| told.answers).sum()
}

#[test]
fn the_slots_of_a_stormy_run_add_up_to_what_the_services_saw() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    let answers_with = |kind, nth, trouble| {
        bench.inject(Fault::new(Calls::One(kind), When::Nth(nth), trouble));
    };
    let throttled = Answer::new(429).retry_after(RetryAfter::Seconds(1));
    answers_with(CallKind::GetUser, 4, Trouble::ReplyLost);
    answers_with(CallKind::Token, 3, Trouble::Answer(Answer::new(502)));
    answers_with(CallKind::CreateCredential, 6, Trouble::Answer(throttled));
    answers_with(CallKind::CreateCredential, 9, Trouble::ReplyLost);
    let before = UnixMillis::now();
    bench.run(&["--settle", "1s"]).with_code(0);

    let measures = measures(&bench, 1);
    let seen = bench.seen();
    for service in Service::ALL {
        let of_service = seen.iter().filter(|call| call.service == service);
        let (mut requests, mut throttled, mut failed) = (0, 0, 0);
        for call in of_service {
            requests += 1;
            throttled += u64::from(call.status == Some(429));
            failed += u64::from(call.status.is_none_or(|status| status >= 500));
        }
        let total = measures.total(service);
        assert_eq!((total.requests, total.throttled, total.failed), (requests, throttled, failed));
        assert_eq!(total.rate, None, "there was no quota");
    }
    let leaf = measures.total(Service::Leaf);
    assert_eq!((leaf.throttled, leaf.failed), (1, 2));
    // The pause may have been cut a little short by the run's end.
    assert!(leaf.held_ms >= 900, "{leaf:?}");
    assert_eq!(rows_in(&measures), 40);
    assert!(before <= measures.began_at && measures.began_at <= UnixMillis::now());

    // A look to settle what became of an attach belongs to the attach.
    let answered =
        |kind| seen.iter().filter(|call| call.call == kind && call.status.is_some()).count() as u64;
    assert_eq!(answers(&measures, Stage::Authenticate), answered(CallKind::Authenticate));
    assert_eq!(answers(&measures, Stage::Token), answered(CallKind::Token));
    assert_eq!(answers(&measures, Stage::Precheck), answered(CallKind::GetUser));
    let of_leaf = [Stage::Precheck, Stage::Attach, Stage::Verify].map(|stage| answers(&measures, stage));
    let unanswered = seen.iter().filter(|call| call.service == Service::Leaf && call.status.is_none());
    assert_eq!(of_leaf.iter().sum::<u64>() + unanswered.count() as u64, leaf.requests);

    let live = live(&bench, 1);
    assert_eq!((live.phase, live.rows_ended, live.to_do, live.parked), (Phase::Ended, 40, 40, 0));
    assert_eq!(live.leaf.requests, leaf.requests);
    assert_eq!(live.draining, None);
}

#[test]
fn no_latency_is_shorter_than_the_services_take() {
    let latency = Duration::from_millis(40);
    let bench = Bench::with_options(SandboxOptions { latency, ..SandboxOptions::default() }, &growers(6));
    bench.run(&["--leaf-rate", "100/s"]).with_code(0);
    let measures = measures(&bench, 1);
    let stages: Vec<Stage> = measures.latencies.iter().map(|told| told.stage).collect();
    let expected = [Stage::Precheck, Stage::Authenticate, Stage::Token, Stage::Attach, Stage::Verify];
    assert_eq!(stages, expected);
    for told in &measures.latencies {
        // A quantile may be told a twentieth too low.
        assert!(told.p50_us >= 38_000, "{told:?}");
        assert!(told.max_us >= 40_000, "{told:?}");
        assert!(told.p50_us <= told.p90_us && told.p90_us <= told.p99_us && told.p99_us <= told.max_us);
    }
    assert_eq!(measures.total(Service::Leaf).rate, Some(100.0));

    let status = bench.status(&[]);
    let told = status["latencies"].as_array().unwrap();
    let stages = ["precheck", "authenticate", "token", "attach", "verify"];
    assert!(told.iter().map(|told| &told["stage"]).eq(stages));
    assert!(told.iter().all(|told| told["p50Ms"].as_f64() >= Some(38.0) && told["answers"] == 6));
    let text = bench.program().args(["status"]).end().with_code(0).stdout;
    assert!(text.contains("at most): precheck ") && text.contains(", verify "), "{text}");
}

#[test]
fn a_run_that_is_killed_keeps_its_last_measures_and_the_next_one_has_its_own() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang().for_user(rows[0].id));
    let running = bench.run_of("growers.csv", &["--timeout", "60s"]).start();
    let began = Instant::now();
    let kept = loop {
        let path = bench.path("state/ledger.db");
        let ledger = path.is_file().then(|| Ledger::open(&path, LedgerAccess::Read));
        if let Some(Ok(ledger)) = ledger
            && let Some(kept) = ledger.run_measures(1).unwrap()
            && rows_in(&kept) == 4
        {
            break kept;
        }
        assert!(began.elapsed() < PATIENCE, "nothing was kept");
        std::thread::sleep(Duration::from_millis(20));
    };
    running.signal(Signal::KILL);
    assert_eq!(running.end().signal, Some(9));
    assert_eq!(measures(&bench, 1), kept);
    let left = live(&bench, 1);
    assert_eq!((left.phase, left.rows_ended, left.to_do), (Phase::Rows, 4, 5));

    bench.world().lift_faults();
    let calls = bench.calls() as u64;
    bench.run(&["--settle", "1s"]).with_code(0);
    let again = measures(&bench, 2);
    let requests = Service::ALL.map(|service| again.total(service).requests);
    assert_eq!(requests.iter().sum::<u64>(), bench.calls() as u64 - calls);
    assert_eq!((rows_in(&again), measures(&bench, 1)), (1, kept));
}

#[test]
fn a_run_that_is_stopped_says_why_and_keeps_all_that_it_measured() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang().for_user(rows[0].id));
    let running = bench.run_of("growers.csv", &["--grace", "100ms"]).start();
    bench.until(|world| world.faults_befallen("hang") == 1 && world.attach_effects_in_all() == 2);
    running.signal(Signal::TERM);
    running.end().with_code(143);
    let live = live(&bench, 1);
    assert_eq!(live.draining.as_deref(), Some("stopped by SIGTERM"));
    assert_eq!(live.phase, Phase::Ended);
    assert!(live.rows_ended >= 2, "{live:?}");
    assert_eq!(rows_in(&measures(&bench, 1)), live.rows_ended);
}

#[test]
fn a_night_without_work_measures_nothing() {
    let bench = Bench::new(&growers(3));
    bench.run(&[]).with_code(0);
    let first = measures(&bench, 1);
    bench.run(&[]).with_code(0);
    let ledger = ledger(&bench);
    assert_eq!(ledger.run_measures(2).unwrap(), None);
    assert_eq!(ledger.live_state(2).unwrap(), None);
    assert_eq!(ledger.run_measures(1).unwrap(), Some(first));
}
