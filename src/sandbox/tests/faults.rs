//! Every kind of trouble over the wire.

use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, Received};
use super::fixtures::{credentials_path, leaf, login, recording, soon, stara, start, tokens_of, user};
use crate::model::Service;
use crate::sandbox::{
    Advice, Alteration, Answer, CallKind, Calls, Fault, Quota, RetryAfter, Sandbox, SandboxOptions, Trouble,
    When, World,
};

const ATTACH: Calls = Calls::One(CallKind::CreateCredential);

/// A sandbox with one fault in force, and the body of an attach to it.
async fn with_fault(fault: Fault) -> (Sandbox, Value) {
    let sandbox = start(recording(), World::open()).await;
    let tokens = tokens_of(&sandbox, "ana", "x");
    sandbox.world().inject(fault);
    (sandbox, tokens)
}

fn on_attach(trouble: Trouble) -> Fault {
    Fault::new(ATTACH, When::Always, trouble)
}

fn attach(client: &mut Client, tokens: &Value) -> std::io::Result<Received> {
    client.post_json(&credentials_path(user(1)), tokens)
}

fn send_attach(sandbox: &Sandbox, tokens: &Value) -> Client {
    let mut client = leaf(sandbox);
    let path = credentials_path(user(1));
    client.send("POST", &path, "application/json", "some-token", &tokens.to_string()).unwrap();
    client
}

fn effects(sandbox: &Sandbox) -> u32 {
    sandbox.world().attach_effects(user(1))
}

async fn befallen_once(sandbox: &Sandbox, name: &str) {
    soon(sandbox.world().until(|world| world.faults_befallen(name) == 1)).await;
}

fn has_received_nothing(client: &mut Client) -> bool {
    client.stream.set_nonblocking(true).unwrap();
    let read = client.stream.read(&mut [0; 1]);
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_before_the_status_has_its_effect_or_not_as_the_fault_says() {
    for (fault, kind, effect, status_afterwards) in [
        (Fault::reply_lost(), ErrorKind::UnexpectedEof, 1, 409),
        (Fault::cut_before_effect(), ErrorKind::UnexpectedEof, 0, 201),
        (Fault::reset_before_effect(), ErrorKind::ConnectionReset, 0, 201),
    ] {
        let name = fault.as_str();
        let (sandbox, tokens) = with_fault(fault).await;
        let mut cut = leaf(&sandbox);
        assert_eq!(attach(&mut cut, &tokens).unwrap_err().kind(), kind, "{name}");
        assert!(!cut.received_anything(), "{name}");
        assert_eq!(effects(&sandbox), effect, "{name}");
        let seen = sandbox.seen().pop().unwrap();
        assert_eq!((seen.status, seen.effect), (None, effect == 1), "{name}");
        assert_eq!(attach(&mut leaf(&sandbox), &tokens).unwrap().status, status_afterwards, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_has_its_effect_or_not_as_the_fault_says() {
    for (fault, effect) in [(Fault::error_before_effect(), 0), (Fault::error_after_effect(), 1)] {
        let name = fault.as_str();
        let (sandbox, tokens) = with_fault(fault).await;
        assert_eq!(attach(&mut leaf(&sandbox), &tokens).unwrap().status, 500, "{name}");
        assert_eq!(effects(&sandbox), effect, "{name}");
        let seen = sandbox.seen().pop().unwrap();
        assert_eq!((seen.status, seen.effect), (Some(500), effect == 1), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_is_never_answered_and_ends_with_the_client() {
    for (fault, effect) in [(Fault::hang(), 0), (Fault::hang_after_effect(), 1)] {
        let name = fault.as_str();
        let (sandbox, tokens) = with_fault(fault).await;
        let mut client = send_attach(&sandbox, &tokens);
        befallen_once(&sandbox, name).await;
        soon(sandbox.world().until(|world| world.attach_effects(user(1)) == effect)).await;
        assert!(has_received_nothing(&mut client), "{name}");
        drop(client);
        soon(sandbox.stop()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_effect_waits_until_the_client_has_given_up() {
    let (sandbox, tokens) = with_fault(on_attach(Trouble::LateEffect(Duration::from_millis(20)))).await;
    let mut client = send_attach(&sandbox, &tokens);
    befallen_once(&sandbox, "custom").await;
    assert!(has_received_nothing(&mut client));
    assert_eq!(effects(&sandbox), 0);
    let gave_up = Instant::now();
    drop(client);
    soon(sandbox.world().until(|world| world.attach_effects(user(1)) == 1)).await;
    assert!(gave_up.elapsed() >= Duration::from_millis(20));
    let seen = sandbox.seen().pop().unwrap();
    assert_eq!(seen.status, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_request_that_is_still_under_way_takes_effect_later() {
    let (sandbox, tokens) =
        with_fault(on_attach(Trouble::CutThenLateEffect(Duration::from_millis(20)))).await;
    let sent = Instant::now();
    assert_eq!(attach(&mut leaf(&sandbox), &tokens).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    soon(sandbox.world().until(|world| world.attach_effects(user(1)) == 1)).await;
    assert!(sent.elapsed() >= Duration::from_millis(20));
    soon(sandbox.world().until(|_| sandbox.seen().pop().is_some_and(|call| call.effect))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_still_to_come_is_dropped_when_the_services_stop() {
    let (sandbox, tokens) = with_fault(on_attach(Trouble::LateEffect(Duration::from_secs(3_600)))).await;
    let world = Arc::clone(sandbox.world());
    let client = send_attach(&sandbox, &tokens);
    befallen_once(&sandbox, "custom").await;
    drop(client);
    soon(sandbox.stop()).await;
    assert_eq!(world.attach_effects(user(1)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_comes_after_its_effect() {
    let wait = Duration::from_millis(30);
    let (sandbox, tokens) = with_fault(on_attach(Trouble::LateAnswer(wait))).await;
    let sent = Instant::now();
    let mut client = send_attach(&sandbox, &tokens);
    soon(sandbox.world().until(|world| world.attach_effects(user(1)) == 1)).await;
    assert_eq!(client.receive().unwrap().status, 201);
    assert!(sent.elapsed() >= wait);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoiled_body_comes_after_the_effect() {
    for (fault, status) in [
        (Fault::truncated_body(), 201),
        (Fault::html_body(), 201),
        (Fault::empty_body(), 200),
        (Fault::wrong_types(), 201),
    ] {
        let name = fault.as_str();
        let (sandbox, tokens) = with_fault(fault).await;
        let answer = attach(&mut leaf(&sandbox), &tokens).unwrap();
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(effects(&sandbox), 1, "{name}");
        assert_eq!(sandbox.seen().pop().unwrap().status, Some(status), "{name}");
        match name {
            "empty-body" => assert!(answer.body.is_empty()),
            "wrong-types" => assert_eq!(answer.json()["id"], 42),
            _ => assert!(serde_json::from_slice::<Value>(&answer.body).is_err(), "{name}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_in_the_middle_falls_short_of_its_announced_length() {
    let (sandbox, tokens) = with_fault(Fault::cut_in_body()).await;
    let mut client = leaf(&sandbox);
    let mut wire = String::new();
    client
        .send("POST", &credentials_path(user(1)), "application/json", "some-token", &tokens.to_string())
        .unwrap();
    client.stream.read_to_string(&mut wire).unwrap();
    let (head, body) = wire.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), announced.parse::<usize>().unwrap() / 2);
    assert_eq!(effects(&sandbox), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_body_is_as_long_as_told_and_announces_no_length() {
    let (sandbox, tokens) = with_fault(on_attach(Trouble::Altered(Alteration::Huge(1 << 20)))).await;
    let answer = attach(&mut leaf(&sandbox), &tokens).unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (201, None));
    assert_eq!(answer.body.len(), r#"{"id":""#.len() + (1 << 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_arrives_whole_in_the_end() {
    let pause = Duration::from_micros(10);
    let (sandbox, tokens) = with_fault(on_attach(Trouble::Altered(Alteration::Slow(pause)))).await;
    let answer = attach(&mut leaf(&sandbox), &tokens).unwrap();
    assert_eq!(answer.json()["apiKey"], tokens["apiKey"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_names_its_place_and_has_no_effect() {
    let (sandbox, tokens) = with_fault(Fault::redirect()).await;
    let answer = attach(&mut leaf(&sandbox), &tokens).unwrap();
    assert_eq!((answer.status, answer.header("location")), (307, Some("/elsewhere")));
    assert_eq!(effects(&sandbox), 0);
    sandbox.world().inject(Fault::redirect_to_other_host());
    let body = json!({"login": "ana", "password": "x"});
    let answer = stara(&sandbox).post_json("/autenticacao", &body).unwrap();
    assert_eq!(answer.header("location"), Some("https://elsewhere.invalid/autenticacao"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_stays_refused_and_a_new_one_is_let_in() {
    let (sandbox, _) = with_fault(Fault::token_revoked().when(When::Nth(2))).await;
    let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
    let statuses: Vec<_> = (0..4).map(|_| leaf.get(&path).unwrap().status).collect();
    assert_eq!(statuses, [404, 401, 401, 401]);
    let issued = leaf.post_json("/api/authenticate", &json!({"username": "u", "password": "p"})).unwrap();
    let bearer = issued.json()["id_token"].as_str().unwrap().to_owned();
    leaf.send("GET", &path, "application/json", &bearer, "").unwrap();
    assert_eq!(leaf.receive().unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_refuses_what_goes_beyond_it_before_any_effect() {
    // So slow that no test is slow enough to see the next call let through.
    let quota = |status, advice| {
        let quota = Quota { per_second: 0.001, burst: 2, status, advice };
        Fault::new(Calls::Of(Service::Leaf), When::Always, Trouble::Quota(quota))
    };
    for (status, advice, expected) in [(429, Advice::Seconds, Some("1000")), (503, Advice::None, None)] {
        let (sandbox, tokens) = with_fault(quota(status, advice)).await;
        let mut leaf = leaf(&sandbox);
        leaf.get(&credentials_path(user(1))).unwrap();
        leaf.get(&credentials_path(user(1))).unwrap();
        let refused = attach(&mut leaf, &tokens).unwrap();
        assert_eq!(refused.status, status);
        if expected.is_none() {
            assert_eq!(refused.header("retry-after"), None);
        } else {
            let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((900..=1_000).contains(&seconds), "{seconds}");
        }
        assert_eq!(effects(&sandbox), 0);
        assert_eq!(sandbox.world().faults_befallen("custom"), 1);
        sandbox.world().lift_faults();
        assert_eq!(attach(&mut leaf, &tokens).unwrap().status, 201);
    }
    let (sandbox, _) = with_fault(quota(429, Advice::Date)).await;
    let mut leaf = leaf(&sandbox);
    let refused = (0..3).map(|_| leaf.get(&credentials_path(user(1))).unwrap()).last().unwrap();
    assert!(httpdate::parse_http_date(refused.header("retry-after").unwrap()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_told_in_seconds_or_as_a_date_in_the_future() {
    let answer = Answer::new(503).retry_after(RetryAfter::Seconds(7));
    let (sandbox, tokens) = with_fault(on_attach(Trouble::Answer(answer))).await;
    let seconds = attach(&mut leaf(&sandbox), &tokens).unwrap();
    assert_eq!(seconds.header("retry-after"), Some("7"));
    sandbox.world().lift_faults();
    let answer = Answer::new(503).retry_after(RetryAfter::DateIn(Duration::from_secs(60)));
    sandbox.world().inject(on_attach(Trouble::Answer(answer)));
    let earliest = std::time::SystemTime::now() + Duration::from_secs(60);
    let dated = attach(&mut leaf(&sandbox), &tokens).unwrap();
    assert!(httpdate::parse_http_date(dated.header("retry-after").unwrap()).unwrap() >= earliest);
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_lag_behind_the_attach_by_a_number_of_looks() {
    let (sandbox, tokens) = with_fault(Fault::lagging_looks()).await;
    let mut leaf = leaf(&sandbox);
    assert_eq!(attach(&mut leaf, &tokens).unwrap().status, 201);
    assert!(sandbox.world().credential(user(1)).is_some());
    assert_eq!(attach(&mut leaf, &tokens).unwrap().status, 409, "Leaf itself knows");
    let statuses: Vec<_> = (0..4).map(|_| leaf.get(&credentials_path(user(1))).unwrap().status).collect();
    assert_eq!(statuses, [404, 404, 200, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_lag_behind_the_attach_by_a_time() {
    let hidden_for = Duration::from_millis(40);
    let (sandbox, tokens) = with_fault(on_attach(Trouble::Lag { looks: 0, hidden_for })).await;
    let mut leaf = leaf(&sandbox);
    let sent = Instant::now();
    assert_eq!(attach(&mut leaf, &tokens).unwrap().status, 201);
    while leaf.get(&credentials_path(user(1))).unwrap().status == 404 {
        tokio::task::yield_now().await;
    }
    assert!(sent.elapsed() >= hidden_for);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_for_one_login_or_user_spares_the_others() {
    let (sandbox, tokens) = with_fault(Fault::token_refused().for_login(login("bia"))).await;
    sandbox.world().inject(on_attach(Trouble::Answer(Answer::new(500))).for_user(user(2)));
    assert_eq!(attach(&mut leaf(&sandbox), &tokens).unwrap().status, 201);
    let mut client = leaf(&sandbox);
    assert_eq!(client.post_json(&credentials_path(user(2)), &tokens).unwrap().status, 500);
    let mut stara = stara(&sandbox);
    let key = stara.post_json("/autenticacao", &json!({"login": "bia", "password": "x"})).unwrap().json();
    assert_eq!(stara.post_json("/token", &key).unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_takes_the_latency_of_the_set_up() {
    let latency = Duration::from_millis(30);
    let options = SandboxOptions { latency, ..SandboxOptions::default() };
    let sandbox = start(options, World::open()).await;
    let sent = Instant::now();
    assert_eq!(leaf(&sandbox).get(&credentials_path(user(1))).unwrap().status, 404);
    assert!(sent.elapsed() >= latency);
}
