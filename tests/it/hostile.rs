//! Answers that no well-behaved service gives, on each call of both: a coded outcome, bounded memory, and an end.

use std::net::TcpListener;
use std::time::Duration;

use stara_onboard::model::Secret;
use stara_onboard::sandbox::CallKind::{
    self, Authenticate, CreateCredential, DeleteCredential, GetCredential, GetEvents, GetUser, LeafLogin,
    Token,
};
use stara_onboard::sandbox::{
    Alteration, Answer, Body, Calls, Fault, LeafAccount, RetryAfter, SandboxOptions, SecondAttach, Trouble,
    When, Wire,
};

use crate::support::{Bench, Ended, Grower, growers, side_by_side};

/// The most memory that hostile answers may make the program hold, in bytes.
const MOST_MEMORY: u64 = 150_000_000;

const fn altered(alteration: Alteration) -> Trouble {
    Trouble::Altered(alteration)
}

const fn wire(wire: Wire) -> Trouble {
    Trouble::Altered(Alteration::Wire(wire))
}

/// What a hostile answer comes to where an answer can be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// It is odd, and as good as any.
    Good,
    /// It is an answer, and fits nothing known.
    Unexpected,
    /// It began well and never ended, which may be better the next time.
    CutOff,
    /// It is as good as none.
    None,
}

/// Every hostile answer by name.
static HOSTILE: [(&str, Worth, Trouble); 33] = [
    ("50 MB", Worth::Unexpected, altered(Alteration::Huge(50_000_000))),
    ("more than there may be memory", Worth::Unexpected, altered(Alteration::Huge(400_000_000))),
    ("slow", Worth::CutOff, altered(Alteration::Slow(Duration::from_millis(200)))),
    ("hang", Worth::None, Trouble::HangAfterEffect),
    ("truncated", Worth::Unexpected, altered(Alteration::Truncated)),
    ("HTML", Worth::Unexpected, altered(Alteration::Html)),
    ("empty 200", Worth::Unexpected, altered(Alteration::Empty)),
    ("wrong types", Worth::Unexpected, altered(Alteration::WrongTypes)),
    ("cut in the body", Worth::CutOff, altered(Alteration::CutInBody)),
    ("deep", Worth::Unexpected, altered(Alteration::Deep(100_000))),
    ("deep field", Worth::Unexpected, altered(Alteration::DeepField(100_000))),
    ("invalid UTF-8", Worth::Unexpected, altered(Alteration::InvalidUtf8)),
    ("null", Worth::Unexpected, altered(Alteration::Null)),
    ("null fields", Worth::Unexpected, altered(Alteration::NullFields)),
    ("duplicate keys", Worth::Unexpected, altered(Alteration::DuplicateKeys)),
    ("wrong content type", Worth::Good, altered(Alteration::Mislabelled)),
    ("HTTP/1.0", Worth::Good, wire(Wire::Http10)),
    ("closed unannounced", Worth::Good, wire(Wire::ClosedUnannounced)),
    ("one 1xx", Worth::Good, wire(Wire::Informational(1))),
    ("endless 1xx", Worth::None, wire(Wire::InformationalForever)),
    ("101", Worth::None, wire(Wire::Switching)),
    ("header lines", Worth::None, wire(Wire::HeaderLines(1_000))),
    ("header line", Worth::Good, wire(Wire::HeaderLine(100_000))),
    ("endless header", Worth::None, wire(Wire::HeaderLine(20_000_000))),
    ("chunked garbage", Worth::CutOff, wire(Wire::ChunkedGarbage)),
    ("two lengths", Worth::None, wire(Wire::TwoLengths)),
    ("huge length", Worth::CutOff, wire(Wire::HugeLength)),
    ("bad status", Worth::None, wire(Wire::BadStatus)),
    ("garbage", Worth::None, wire(Wire::Garbage)),
    (
        "204",
        Worth::Unexpected,
        Trouble::AnswerAfterEffect(Answer { status: 204, retry_after: None, body: Body::Empty }),
    ),
    (
        "999",
        Worth::None,
        Trouble::AnswerAfterEffect(Answer { status: 999, retry_after: None, body: Body::Html }),
    ),
    ("closed at once", Worth::None, Trouble::CutBeforeEffect),
    ("reset", Worth::None, Trouble::ResetBeforeEffect),
];

/// The outcome of a row in which a call was always answered so.
fn expected(call: CallKind, name: &str, worth: Worth) -> &'static str {
    let had_no_effect = matches!(name, "closed at once" | "reset");
    match (call, worth) {
        // Leaf's log is a list of whatever stands in it; and without the user's id it takes one look more.
        (GetEvents, _) if matches!(name, "wrong types" | "null fields" | "duplicate keys") => "attached",
        (GetUser, _) if name == "null fields" => "attached",
        // A field that nobody reads may hold what it likes, and one that tells nothing is asked for again.
        (GetUser, _) if name == "deep field" => "leaf-unexpected-answer",
        (CreateCredential, _) if had_no_effect => "needs-review",
        (DeleteCredential, _) if had_no_effect => "leaf-unavailable",
        // What was done is found, whatever was said about it.
        (CreateCredential | DeleteCredential, _) | (_, Worth::Good) => "attached",
        (GetCredential, _) => "attach-unconfirmed",
        (Authenticate | Token, Worth::Unexpected) => "stara-unexpected-answer",
        (Authenticate | Token, Worth::CutOff | Worth::None) => "stara-unavailable",
        (_, Worth::Unexpected) => "leaf-unexpected-answer",
        (_, Worth::CutOff | Worth::None) => "leaf-unavailable",
    }
}

fn fault(call: CallKind, trouble: Trouble, row: &Grower) -> Fault {
    let fault = Fault::new(Calls::One(call), When::Always, trouble);
    if matches!(call, Authenticate | Token) { fault.for_login(row.login()) } else { fault.for_user(row.id) }
}

/// No defect, no echo of an answer, and bounded memory.
#[track_caller]
fn expect_calm(bench: &Bench, ended: &Ended) {
    assert!(!ended.stderr.contains("a defect of this program"), "{}", ended.stderr);
    let log = std::fs::read_to_string(bench.path("hostile.log")).unwrap();
    for text in [&ended.stderr, &ended.stdout, &log] {
        for echo in ["This is not JSON", "sandbox-", "[[[[", "xxxxxxxx", "X-Line", "ESMTP", "ogham"] {
            assert!(!text.contains(echo), "{echo} of an answer is repeated");
        }
    }
    let secrets = crate::support::leaks::Needles::new(bench.world().secrets());
    let (leaks, searched) = secrets.find_below(bench.folder(), &["growers.csv"]);
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(searched.contains("hostile.log") && searched.contains("state/ledger.db"));
    assert!(ended.peak_memory > 0, "its memory was never looked at");
    assert!(ended.peak_memory < MOST_MEMORY, "{} MB", ended.peak_memory / 1_000_000);
}

/// What a run is told that gives up no sooner than it must, and keeps a log that is searched.
const PATIENT: [&str; 8] =
    ["--settle", "3s", "--verify-wait", "1s", "--max-failures", "100%", "--log-file", "hostile.log"];

#[test]
fn every_hostile_answer_to_every_call_is_coded_in_bounded_memory_and_without_an_echo() {
    let calls = [GetUser, Authenticate, Token, CreateCredential, GetCredential, GetEvents, DeleteCredential];
    side_by_side(calls, |call| {
        let rows = growers(HOSTILE.len());
        let bench = Bench::new(&rows);
        for (row, (_, _, trouble)) in rows.iter().zip(&HOSTILE) {
            bench.inject(fault(call, trouble.clone(), row));
            if matches!(call, GetEvents | DeleteCredential) {
                bench.world().seed_credential(row.id, "OK");
            }
        }
        let replace = ["-vvv", "--timeout", "2s", "--on-existing", "replace", "--max-changes", "1000"];
        let ended = bench.run(&[&PATIENT[..], &replace].concat()).with_code(3);
        for ((result, row), (name, worth, _)) in bench.results().iter().zip(&rows).zip(&HOSTILE) {
            assert_eq!(result.outcome, expected(call, name, *worth), "{call:?}: {name}");
            assert!(bench.world().attach_effects(row.id) <= 1, "{call:?}: {name} was attached twice");
        }
        expect_calm(&bench, &ended);
    });
}

#[test]
fn every_hostile_answer_to_leafs_login_ends_the_run_and_blames_no_row() {
    side_by_side(&HOSTILE, |(name, worth, trouble)| {
        let rows = growers(1);
        let account = LeafAccount { username: "ops".into(), password: Secret::new("leaf password".into()) };
        let options = SandboxOptions { leaf_account: Some(account), ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        bench.inject(Fault::new(Calls::One(LeafLogin), When::Always, trouble.clone()));
        let run = bench.run_of("growers.csv", &PATIENT).env_remove("LEAF_TOKEN");
        let run = run.env("LEAF_USERNAME", "ops").env("LEAF_PASSWORD", "leaf password");
        // The login is asked for more patiently than anything else, so that what never comes is waited for briefly; what
        // comes may take its time on a busy machine.
        let timeout = if matches!(worth, Worth::CutOff | Worth::None) { "1s" } else { "20s" };
        let ended = run.args(["-vvv", "--timeout", timeout]).end();
        let outcome = match worth {
            Worth::Good => (0, "attached"),
            Worth::Unexpected => (7, "not-reached"),
            Worth::CutOff | Worth::None => (5, "not-reached"),
        };
        assert_eq!((ended.code.unwrap(), bench.outcomes()[0].as_str()), outcome, "{name}");
        expect_calm(&bench, &ended);
    });
}

#[test]
fn no_other_host_hears_of_a_redirect_and_a_loop_ends_at_its_first_step() {
    let calls = [GetUser, Authenticate, Token, CreateCredential, GetCredential];
    side_by_side(calls, |call| {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let other = format!("http://{}/stolen", elsewhere.local_addr().unwrap());
        for to in [other.as_str(), "//127.0.0.1:1/", "/autenticacao", "/token", "", "javascript:alert(1)"] {
            let rows = growers(1);
            let bench = Bench::new(&rows);
            bench.inject(Fault::new(Calls::One(call), When::Always, Trouble::Redirect(to.to_owned())));
            let (code, outcome) = match call {
                Authenticate | Token => (3, "stara-unexpected-answer"),
                GetCredential => (7, "attach-unconfirmed"),
                _ => (7, "not-reached"),
            };
            bench.run(&["--timeout", "5s"]).with_code(code);
            assert_eq!(bench.outcomes(), [outcome], "{call:?} to {to:?}");
            assert_eq!(bench.calls_of(call), 1, "{call:?} to {to:?}");
            assert!(bench.world().attach_effects_in_all() <= 1);
        }
        assert!(elsewhere.accept().is_err(), "the other host was asked");
    });
}

#[test]
fn an_endless_body_gives_its_place_back_when_its_time_is_up() {
    // `auto` lets four requests be under way at Stara, and these four bodies would never end.
    let rows = growers(12);
    let bench = Bench::new(&rows);
    for row in &rows[..4] {
        let never = Trouble::Altered(Alteration::Slow(Duration::from_hours(1)));
        bench.inject(Fault::new(Calls::One(Authenticate), When::Always, never).for_login(row.login()));
    }
    bench.run(&["--stara-rate", "auto", "--timeout", "2s"]).with_code(3);
    let outcomes = bench.outcomes();
    assert_eq!(outcomes[..4], ["stara-unavailable"; 4]);
    assert_eq!(outcomes[4..], ["attached"; 8]);
}

#[test]
fn a_host_that_closes_every_connection_unannounced_costs_no_row() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    let closed = Trouble::Altered(Alteration::Wire(Wire::ClosedUnannounced));
    bench.inject(Fault::new(Calls::All, When::Always, closed));
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_status_that_is_no_verdict_is_looked_into_and_the_attach_never_sent_again() {
    side_by_side([101, 600, 999], |status| {
        let rows = growers(2);
        let options =
            SandboxOptions { on_second_attach: SecondAttach::SecondObject, ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        let answer = Answer { status, retry_after: None, body: Body::Empty };
        bench.inject(Fault::new(
            Calls::One(CreateCredential),
            When::Always,
            Trouble::AnswerAfterEffect(answer),
        ));
        for _ in 0..2 {
            bench.run(&["--precheck", "off", "--settle", "3s"]).with_code(0);
        }
        assert_eq!(bench.calls_of(CreateCredential), 2, "{status}");
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_pause_of_ages_drains_instead_of_overflowing() {
    side_by_side([Authenticate, GetUser, CreateCredential], |call| {
        let rows = growers(3);
        let bench = Bench::new(&rows);
        let ages = Answer::new(429).retry_after(RetryAfter::Seconds(u64::MAX));
        bench.inject(Fault::new(Calls::One(call), When::Always, Trouble::Answer(ages)));
        bench.run(&[]).with_code(5).saying("longer than --max-hold");
        assert!(bench.calls_of(call) <= 3);
        bench.world().lift_faults();
        bench.run(&[]).with_code(0);
        bench.expect_one_effect_each(&rows);
    });
}
