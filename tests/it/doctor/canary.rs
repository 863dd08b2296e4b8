//! The canary: which dialect is live, at the price of two logins at the most, and of none after a refusal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rustix::process::Signal;
use serde_json::json;
use stara_onboard::model::Dialect;
use stara_onboard::sandbox::CallKind::{Authenticate, Token};
use stara_onboard::sandbox::{Answer, Body, Calls, Dialects, Fault, SandboxOptions, Trouble, When};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::{Checkup, doctor};
use crate::support::leaks::Needles;
use crate::support::{Bench, Grower, growers, side_by_side};
use crate::transport::listen;

fn speaking(dialect: Dialect, rows: &[Grower]) -> Bench {
    Bench::with_options(
        SandboxOptions { dialects: Dialects::Only(dialect), ..SandboxOptions::default() },
        rows,
    )
}

/// A bench whose manifest has a wrong password on line 2.
pub(super) fn with_wrong_password(dialects: Dialects) -> (Bench, Vec<Grower>) {
    let rows = growers(3);
    let bench = Bench::with_options(SandboxOptions { dialects, ..SandboxOptions::default() }, &rows);
    let mut wrong = rows.clone();
    wrong[0] = rows[0].with_password("not the password");
    bench.write_manifest(&wrong);
    (bench, wrong)
}

/// Line 2 as a canary, and no secret told.
pub(super) fn canary(bench: &Bench, arguments: &[&str]) -> Checkup {
    let rows = growers(3);
    let ended = doctor(bench, &[&["--canary", "2"], arguments].concat()).end();
    let secrets = rows.iter().map(|row| row.password.clone()).chain(["not the password".to_owned()]);
    let secrets = Needles::new(secrets.chain(bench.world().secrets()));
    assert_eq!(secrets.find("stdout", ended.stdout.as_bytes()).len(), 0);
    assert_eq!(secrets.find("stderr", ended.stderr.as_bytes()).len(), 0);
    Checkup::of(&ended)
}

#[test]
fn the_configured_dialect_is_tried_first_and_the_other_only_when_it_is_not_understood() {
    let cases = [
        (Dialect::Json, "json", 1, "ok"),
        (Dialect::Form, "form", 1, "ok"),
        (Dialect::Form, "json", 2, "problem"),
        (Dialect::Json, "form", 2, "problem"),
    ];
    side_by_side(cases, |(spoken, configured, sends, standing)| {
        let bench = speaking(spoken, &growers(3));
        let checkup = canary(&bench, &["--stara-dialect", configured]);
        assert_eq!((bench.calls_of(Authenticate), bench.calls_of(Token)), (sends, 0));
        assert!(checkup.with(standing).contains(&"canary of stara".to_owned()), "{:#}", checkup.0);
        checkup.expect_said("canary", &format!("Stara speaks {spoken}"));
        assert_eq!(
            (&checkup.0["canary"]["dialect"], &checkup.0["canary"]["result"]),
            (&json!(spoken.as_str()), &json!("accepted"))
        );
        if sends == 2 {
            checkup.expect_said("canary", &format!("set --stara-dialect {spoken}"));
        }
    });
}

#[test]
fn a_refused_login_is_sent_once_in_its_life_by_doctor_and_run_together() {
    let (bench, _) = with_wrong_password(Dialects::Both);
    // A first run over somebody else makes the ledger.
    bench.run(&["--only", &growers(3)[2].id.to_string()]).with_code(0);
    let before = bench.calls_of(Authenticate);
    let checkup = canary(&bench, &[]);
    assert_eq!(bench.calls_of(Authenticate) - before, 1, "a clear refusal isn't sent in the other dialect");
    checkup.expect(&["canary of stara"], &[]).expect_said("canary", "(401)");
    assert_eq!(
        checkup.0["canary"],
        json!({"line": 2, "sent": ["json"], "dialect": null, "result": "refused", "remembered": true})
    );

    for arguments in [&[][..], &["--stara-dialect", "form"]] {
        let again = canary(&bench, arguments);
        again
            .expect(&[], &[])
            .expect_said("canary", "not sent: Stara refused the login and password of line 2");
        assert_eq!(again.0["canary"]["sent"], json!([]));
    }
    assert_eq!(bench.calls_of(Authenticate) - before, 1);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected", "attached", "attached"]);
    assert_eq!(bench.calls_of(Authenticate) - before, 2, "the one of line 3");
    // A mended password is another one.
    bench.write_manifest(&growers(3));
    canary(&bench, &[]).expect(&[], &[]).expect_said("canary", "it accepted the login of line 2");
}

#[test]
fn what_a_run_was_refused_is_not_sent_by_a_canary() {
    let (bench, _) = with_wrong_password(Dialects::Both);
    bench.run(&[]).with_code(3);
    let before = bench.calls_of(Authenticate);
    canary(&bench, &[]).expect_said("canary", "not sent");
    // Without the key passwords can't be compared: the user's outcome says enough.
    std::fs::remove_file(bench.path("state/ledger.key")).unwrap();
    canary(&bench, &[]).expect_said("canary", "not sent");
    assert_eq!(bench.calls_of(Authenticate), before);
}

#[test]
fn a_refusal_in_the_only_dialect_that_is_understood_costs_two_sends_and_ends_it() {
    let (bench, _) = with_wrong_password(Dialects::Only(Dialect::Form));
    let checkup = canary(&bench, &[]);
    checkup.expect(&["canary of stara"], &[]).expect_said("canary", "in form (401)");
    assert_eq!((bench.calls_of(Authenticate), &checkup.0["canary"]["sent"]), (2, &json!(["json", "form"])));
}

#[test]
fn no_answer_lets_a_login_be_sent_more_than_twice_and_no_refusal_more_than_once() {
    let html = || Answer::new(200).body(Body::Html);
    let cases = [
        (Answer::new(401), 1, "warning", "refused"),
        (Answer::new(403), 1, "warning", "refused"),
        (Answer::new(403).body(Body::Html), 1, "warning", "refused"),
        (Answer::new(400), 2, "problem", "not-understood"),
        (Answer::new(404), 2, "problem", "not-understood"),
        (Answer::new(405), 2, "problem", "not-understood"),
        (Answer::new(415), 2, "problem", "not-understood"),
        (Answer::new(422), 2, "problem", "not-understood"),
        (html(), 2, "problem", "not-understood"),
        (Answer::new(429), 1, "warning", "no-answer"),
        (Answer::new(500), 1, "problem", "no-answer"),
        (Answer::new(307), 1, "problem", "no-answer"),
    ];
    side_by_side(cases, |(answer, sends, standing, result)| {
        let bench = Bench::new(&growers(3));
        let name = format!("{answer:?}");
        bench.inject(Fault::new(Calls::One(Authenticate), When::Always, Trouble::Answer(answer)));
        let checkup = canary(&bench, &[]);
        assert_eq!(
            (bench.calls_of(Authenticate), &checkup.0["canary"]["result"]),
            (sends, &json!(result)),
            "{name}"
        );
        assert!(checkup.with(standing).contains(&"canary of stara".to_owned()), "{name}: {:#}", checkup.0);
    });
}

#[test]
fn where_a_login_has_worked_a_short_400_is_a_refusal() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.run(&["--only", &rows[2].id.to_string()]).with_code(0);
    bench.inject(Fault::new(Calls::One(Authenticate), When::Always, Trouble::Answer(Answer::new(400))));
    let before = bench.calls_of(Authenticate);
    let checkup = canary(&bench, &[]);
    checkup.expect(&["canary of stara"], &[]).expect_said("canary", "(400)");
    assert_eq!(bench.calls_of(Authenticate) - before, 1);
    assert_eq!(checkup.0["canary"]["remembered"], true);
    bench.world().lift_faults();
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes()[0], "stara-login-rejected", "an ordinary refusal");
}

#[test]
fn a_refusal_by_a_stara_that_never_accepted_anybody_is_open_again_to_a_run_in_the_other_dialect() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    // A run that sends nothing to Stara makes the ledger.
    bench.run(&["--limit", "0"]);
    bench.inject(Fault::new(Calls::One(Authenticate), When::Always, Trouble::Answer(Answer::new(401))));
    assert_eq!(canary(&bench, &[]).0["canary"]["remembered"], true);
    bench.world().lift_faults();
    bench.run(&["--limit", "0"]).with_code(3);
    assert_eq!(bench.outcomes()[0], "stara-login-rejected");
    let otherwise = bench.run_of("growers.csv", &["--stara-dialect", "form"]);
    otherwise.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end().with_code(0);
    assert_eq!(bench.outcomes(), ["attached"; 3]);
}

#[test]
fn a_line_that_is_no_row_and_a_ledger_of_other_hosts_cost_no_login() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    for line in ["1", "99"] {
        let checkup = Checkup::of(&doctor(&bench, &["--canary", line]).end());
        checkup
            .expect(&[], &["canary of stara"])
            .expect_said("canary", &format!("line {line} of the manifest is no row"));
    }
    bench.write("other.db", "shopping list: milk");
    let checkup = Checkup::of(&doctor(&bench, &["--canary", "2", "--state", "other.db"]).end());
    checkup.expect(&[], &["ledger"]).expect_said("canary", "not sent, because");
    assert_eq!(bench.calls_of(Authenticate), 0);
    bench.program().args(["doctor", "--canary", "2"]).end().with_code(2).saying("doctor needs a manifest");
    assert_eq!(bench.calls_of(Authenticate), 0);
}

/// A Stara that answers everything but a login, and a login with this status once it is told to.
fn hesitating(bench: &Bench, status: u16) -> (String, Receiver<()>, Arc<Notify>) {
    let _inside = bench.enter();
    let (listener, address) = listen();
    let ((came, logins), may_answer) = (channel(), Arc::new(Notify::new()));
    let told = Arc::clone(&may_answer);
    bench.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (came, told) = (came.clone(), Arc::clone(&told));
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let status = if request.starts_with(b"POST ") {
                    came.send(()).unwrap();
                    told.notified().await;
                    status
                } else {
                    404
                };
                let answer =
                    format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (format!("http://{address}"), logins, may_answer)
}

/// Whether a signal is still on its way to a process.
fn is_pending(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    pending.is_some_and(|mask| mask.trim().bytes().any(|digit| digit != b'0'))
}

#[test]
fn a_signal_waits_for_the_answer_so_that_a_refusal_is_not_forgotten_and_nothing_more_is_sent() {
    side_by_side([(401, "refused"), (415, "stopped")], |(status, result)| {
        let bench = Bench::new(&growers(3));
        bench.run(&["--limit", "0"]).with_code(0);
        let (stara, logins, may_answer) = hesitating(&bench, status);
        let running = doctor(&bench, &["--canary", "2"]).env("STARA_URL", stara).start();
        logins.recv().unwrap();
        running.signal(Signal::TERM);
        while is_pending(running.pid()) {
            std::thread::yield_now();
        }
        may_answer.notify_one();
        let ended = running.end().with_code(143);
        let checkup: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(checkup["canary"]["result"], result);
        assert_eq!(checkup["canary"]["remembered"], status == 401);
        assert!(logins.try_recv().is_err(), "nothing more is sent");
    });
}

#[test]
fn each_check_is_told_as_soon_as_it_is_known() {
    let bench = Bench::new(&growers(3));
    let (stara, logins, may_answer) = hesitating(&bench, 415);
    let lines = std::fs::File::create(bench.path("lines")).unwrap();
    let doctor = bench.program().args(["doctor", "growers.csv", "--canary", "2"]).env("STARA_URL", stara);
    let running = doctor.start_writing(lines);
    logins.recv().unwrap();
    let told = std::fs::read_to_string(bench.path("lines")).unwrap();
    assert!(told.starts_with("ok       clock ") && told.contains(" manifest-mode "), "{told}");
    assert!(!told.contains(" canary "), "{told}");
    may_answer.notify_one();
    logins.recv().unwrap();
    may_answer.notify_one();
    running.end().with_code(2);
    let all = std::fs::read_to_string(bench.path("lines")).unwrap();
    assert!(all.starts_with(&told) && all.contains("\nproblem  canary "), "{all}");
}
