//! The pacer under virtual time.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;

fn pacer(period_ms: Option<u64>, concurrency: Option<usize>) -> HostPacer {
    let pace = period_ms.map_or(Pace::Unlimited, |period| Pace::Even(Duration::from_millis(period)));
    HostPacer::new(PacerOptions { pace, concurrency, longest_hold: Duration::from_secs(900) })
}

/// What a request sent at `sent` heard, without waiting for a permit.
fn hear(pacer: &HostPacer, sent: Instant, heard: Heard) -> Noted {
    Permit { pacer, is_probe: false, way: None, slot: None }.end(sent, heard)
}

fn throttle(pacer: &HostPacer, sent: Instant, retry_after: Option<Duration>) -> Option<Duration> {
    hear(pacer, sent, Heard::Throttled { retry_after }).pause
}

#[tokio::test(start_paused = true)]
async fn permits_are_a_period_apart() {
    let pacer = pacer(Some(20), None);
    let began = Instant::now();
    for _ in 0..51 {
        pacer.permit().await.unwrap();
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(990) && took <= Duration::from_millis(1_015), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_shared_raised_and_never_shortened() {
    let pacer = pacer(None, None);
    let sent = Instant::now();
    assert_eq!(throttle(&pacer, sent, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
    assert_eq!(throttle(&pacer, sent, Some(Duration::from_secs(3))), None);
    let (first, second) = tokio::join!(pacer.permit(), pacer.permit());
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(sent.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_not_shortened_by_the_unit_it_is_kept_in() {
    let pacer = pacer(None, None);
    let pause = Duration::from_nanos(1_000_000_999);
    throttle(&pacer, Instant::now(), Some(pause));
    assert_eq!(pacer.lock().not_before, pause);
}

#[tokio::test(start_paused = true)]
async fn a_pause_raised_while_waiting_is_waited_out() {
    let pacer = pacer(Some(1), None);
    let sent = Instant::now();
    throttle(&pacer, sent, Some(Duration::from_secs(2)));
    let raise = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        throttle(&pacer, sent, Some(Duration::from_secs(5)));
    };
    let (permit, ()) = tokio::join!(pacer.permit(), raise);
    assert!(permit.is_ok());
    assert_eq!(sent.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn bare_throttling_doubles_the_pause_once_a_round_trip() {
    let pacer = pacer(None, None);
    let together = Instant::now();
    assert_eq!(throttle(&pacer, together, None), Some(Duration::from_millis(500)));
    assert_eq!(throttle(&pacer, together, None), None, "the same round trip");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(throttle(&pacer, Instant::now(), None), Some(Duration::from_secs(1)));
    let _ = hear(&pacer, Instant::now(), Heard::Served);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(throttle(&pacer, Instant::now(), None), Some(Duration::from_millis(500)));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_only_throttles_is_given_up_in_the_end() {
    let pacer = pacer(None, None);
    let began = Instant::now();
    while pacer.permit().await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(3_600), "it never ends");
        throttle(&pacer, Instant::now(), None);
    }
    assert!(began.elapsed() >= Duration::from_secs(900));
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_longest_hold_is_not_waited_for() {
    let pacer = pacer(None, None);
    throttle(&pacer, Instant::now(), Some(Duration::from_secs(3_600)));
    assert!(pacer.permit().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_time_that_lies_behind_is_no_leave_to_go_on_at_once() {
    let pacer = pacer(None, None);
    let sent = Instant::now();
    assert_eq!(throttle(&pacer, sent, Some(Duration::ZERO)), Some(Duration::from_millis(500)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(throttle(&pacer, Instant::now(), Some(Duration::ZERO)), Some(Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_names_a_time_again_and_again_is_given_up_in_the_end() {
    let pacer = pacer(None, None);
    let began = Instant::now();
    while pacer.permit().await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(3_600), "it never ends");
        throttle(&pacer, Instant::now(), Some(Duration::from_secs(7)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_absurd_time_ends_the_run_and_nothing_overflows() {
    let pacer = pacer(None, None);
    tokio::time::sleep(Duration::from_secs(5)).await;
    throttle(&pacer, Instant::now(), Some(Duration::MAX));
    assert!(pacer.permit().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_was_held_up_together_leaves_one_after_another() {
    let pacer = pacer(Some(20), None);
    let began = Instant::now();
    let mut permits = Vec::new();
    for _ in 0..10 {
        permits.push(pacer.permit().await.unwrap());
    }
    // All ten intents become durable in one commit.
    let leaving = permits.iter_mut().map(|permit| async {
        assert!(permit.leave().await);
        began.elapsed()
    });
    let left = futures::future::join_all(leaving).await;
    assert!(left.windows(2).all(|pair| pair[1] >= pair[0] + Duration::from_millis(10)), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_set_after_the_permit_is_heeded_before_leaving() {
    let pacer = pacer(Some(20), None);
    let mut permit = pacer.permit().await.unwrap();
    throttle(&pacer, Instant::now(), Some(Duration::from_secs(3)));
    assert!(!permit.leave().await);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_requests_are_under_way() {
    let pacer = pacer(None, Some(2));
    let (first, _second) = (pacer.permit().await.unwrap(), pacer.permit().await.unwrap());
    let third = tokio::time::timeout(Duration::from_secs(60), pacer.permit()).await;
    assert!(third.is_err(), "the third waits");
    drop(first);
    pacer.permit().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn first_come_is_first_served() {
    let pacer = pacer(Some(10), None);
    let order = StdMutex::new(Vec::new());
    let one = |name: u32| {
        let (pacer, order) = (&pacer, &order);
        async move {
            pacer.permit().await.unwrap();
            order.lock().unwrap().push(name);
        }
    };
    futures::future::join_all((0..20).map(one)).await;
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

fn take_down(pacer: &HostPacer) {
    let paused = (0..5).filter_map(|_| hear(pacer, Instant::now(), Heard::Failed).pause);
    assert_eq!(paused.collect::<Vec<_>>(), [Duration::from_secs(30)]);
}

/// Passes the gate as soon as it may, and tells when it did and whether the host was served then.
async fn ask(pacer: &HostPacer, heard: Heard) -> Result<Duration, GivenUp> {
    let permit = pacer.permit().await?;
    let asked = pacer.began.elapsed();
    let sent = Instant::now();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _ = permit.end(sent, heard);
    Ok(asked)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_is_probed_by_one_request_at_a_time_until_it_is_back() {
    for period in [None, Some(20)] {
        let pacer = pacer(period, None);
        take_down(&pacer);
        let asked = [Heard::Failed, Heard::Nothing, Heard::Served, Heard::Served, Heard::Served];
        let asked = futures::future::join_all(asked.map(|heard| ask(&pacer, heard))).await;
        let asked: Vec<u64> = asked.into_iter().map(|asked| asked.unwrap().as_secs()).collect();
        // 30 s, then 60 s after the first probe, 120 s after the second, and then everybody.
        assert_eq!(asked, [30, 90, 210, 210, 210]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_failed_before_the_pause_stands_behind_the_others_for_the_probe() {
    let pacer = pacer(None, None);
    take_down(&pacer);
    let other = ask(&pacer, Heard::Served);
    let failed = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        ask(&pacer, Heard::Served).await
    };
    let (other, failed) = tokio::join!(other, failed);
    assert!(other.unwrap() < failed.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_stays_down_is_given_up_by_everybody_who_waits() {
    let pacer = pacer(None, None);
    take_down(&pacer);
    let waiting = (0..20).map(|_| async {
        while let Ok(permit) = pacer.permit().await {
            let _ = permit.end(Instant::now(), Heard::Failed);
        }
        pacer.began.elapsed()
    });
    let given_up = futures::future::join_all(waiting).await;
    // 30 + 60 + 120 + 240 + 300 s; the next pause would end beyond the 900 s of --max-hold.
    assert!(given_up.iter().all(|at| at.as_secs() == 750), "{given_up:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_abandoned_keeps_nobody_waiting() {
    let pacer = pacer(None, None);
    take_down(&pacer);
    let abandoned = async { drop(pacer.permit().await.unwrap()) };
    let (asked, ()) = tokio::join!(ask(&pacer, Heard::Served), abandoned);
    assert_eq!(asked.unwrap().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_probe_for_which_nobody_waited_at_the_gate_is_sent() {
    for period in [None, Some(20)] {
        let pacer = pacer(period, None);
        take_down(&pacer);
        tokio::time::sleep(Duration::from_secs(31)).await;
        let asked = futures::future::join(ask(&pacer, Heard::Served), ask(&pacer, Heard::Served));
        let asked = tokio::time::timeout(Duration::from_secs(3_600), asked).await;
        assert!(matches!(asked, Ok((Ok(_), Ok(_)))), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_others_wait_for_or_that_waits_where_it_leaves_is_not_held() {
    let can_be_held = async |pacer: &HostPacer| pacer.permit().await.unwrap().can_be_held();
    assert!(can_be_held(&pacer(None, None)).await);
    assert!(!can_be_held(&pacer(Some(20), None)).await, "a quota");
    assert!(!can_be_held(&pacer(None, Some(4))).await, "few at once");
    let down = pacer(None, None);
    take_down(&down);
    assert!(!can_be_held(&down).await, "a probe");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_answer_slows_an_adaptive_pace_down_before_it_pauses_it() {
    let range = AdaptiveRange { start: 10.0, floor: 1.0, ceiling: 100.0 };
    let pacer = HostPacer::new(PacerOptions {
        pace: Pace::Adaptive(range),
        concurrency: None,
        longest_hold: Duration::from_secs(900),
    });
    let noted = hear(&pacer, Instant::now(), Heard::Throttled { retry_after: None });
    assert!(noted.is_slower && noted.is_throttled && noted.pause.is_none());
    let slower = noted.rate.unwrap();
    assert!((slower - 7.0).abs() < 1e-9);
    let began = Instant::now();
    for _ in 0..8 {
        pacer.permit().await.unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(990), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_bare_503_is_a_failure_unless_a_lower_rate_can_be_tried() {
    assert!(!hear(&pacer(Some(20), None), Instant::now(), Heard::Busy).is_throttled);
    let range = AdaptiveRange { start: 10.0, floor: 8.0, ceiling: 100.0 };
    let pacer = HostPacer::new(PacerOptions {
        pace: Pace::Adaptive(range),
        concurrency: None,
        longest_hold: Duration::from_secs(900),
    });
    assert!(hear(&pacer, Instant::now(), Heard::Busy).is_throttled);
    assert!(!hear(&pacer, Instant::now(), Heard::Busy).is_throttled, "it is at the floor");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_what_it_is_sent_is_not_asked_faster() {
    let range = AdaptiveRange { start: 10.0, floor: 1.0, ceiling: 100.0 };
    let options = PacerOptions {
        pace: Pace::Adaptive(range),
        concurrency: None,
        longest_hold: Duration::from_secs(900),
    };
    // One in three fails, so that the breaker stays closed; with only good answers the rate climbs.
    for (each, climbs) in [(u32::MAX, true), (3, false)] {
        let pacer = HostPacer::new(options);
        for nth in 1..=50 {
            let mut permit = pacer.permit().await.unwrap();
            assert!(permit.leave().await);
            let heard = if nth % each == 0 { Heard::Failed } else { Heard::Served };
            assert!(!permit.end(Instant::now(), heard).is_down);
        }
        let rate = pacer.lock().adaptive.as_ref().unwrap().per_second();
        assert_eq!(rate > range.start, climbs, "{rate}");
    }
}

/// When requests of `rows` that ask without end arrive at a host whose connections take `setup`, and whose answers 50 ms.
async fn arrivals(pacer: &HostPacer, setup: Duration, rows: usize) -> Vec<Duration> {
    let (unused, arrived) = (AtomicUsize::new(0), StdMutex::new(Vec::new()));
    let row = async || {
        while pacer.began.elapsed() < Duration::from_secs(6) {
            let mut permit = pacer.permit().await.unwrap();
            assert!(permit.leave().await);
            let found = unused.fetch_update(Relaxed, Relaxed, |unused| unused.checked_sub(1));
            if found.is_err() {
                tokio::time::sleep(setup).await;
            }
            arrived.lock().unwrap().push(pacer.began.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
            unused.fetch_add(1, Relaxed);
            let _ = permit.end(Instant::now(), Heard::Served);
        }
    };
    futures::future::join_all((0..rows).map(|_| row())).await;
    let mut arrived = arrived.into_inner().unwrap();
    arrived.sort_unstable();
    arrived
}

#[tokio::test(start_paused = true)]
async fn a_host_far_away_sees_no_more_than_its_quota_either() {
    let second = Duration::from_secs(1);
    for setup in [0, 100, 300, 450].map(Duration::from_millis) {
        let arrived = arrivals(&pacer(Some(5), None), setup, 250).await;
        let from =
            |start: usize| arrived[start..].iter().take_while(|at| **at < arrived[start] + second).count();
        let most = (0..arrived.len()).map(from).max();
        assert!(most <= Some(203), "{setup:?}: {most:?} in a second of 200");
        // What is spent twice is what was on its way while connections were opened.
        let spent = u32::try_from(6 * 200 - arrived.len().min(1_200)).unwrap() * Duration::from_millis(5);
        assert!(spent <= setup + Duration::from_millis(100), "{setup:?}: lost {spent:?}");
    }
}
