//! No secret leaves the program but to the service it belongs to: not raw, and not in any disguise.

use std::collections::BTreeSet;

use rustix::process::Signal;
use stara_onboard::model::{Dialect, Secret, Service};
use stara_onboard::sandbox::CallKind::{self, CreateCredential, GetCredential};
use stara_onboard::sandbox::{
    Alteration, Calls, Dialects, Fault, LeafAccount, SandboxOptions, Trouble, When,
};

use crate::support::leaks::{Needles, disguises};
use crate::support::{Bench, Ended, Grower, growers};

const LEAF_TOKEN: &str = "leaf-token/of+the\\environment&\"=";
const LEAF_PASSWORD: &str = "leaf account's password: é\\/+\"&=";
const CLIENT: &str = "client's token of the environment: ç?<>{}";

/// Growers whose passwords look different in every disguise.
fn secretive(count: usize) -> Vec<Grower> {
    let password = |number| format!("pässword {number} \"quoted\\\" & 50% + açúcar/{number}\u{1f33e}\ttab");
    growers(count).iter().enumerate().map(|(at, row)| row.with_password(&password(at))).collect()
}

/// Everything that may not be found, of the rows given and of what the services have issued since.
fn secrets(bench: &Bench, rows: &[Grower]) -> BTreeSet<String> {
    let ours = [LEAF_TOKEN, LEAF_PASSWORD, CLIENT].map(str::to_owned);
    rows.iter().map(|row| row.password.clone()).chain(bench.world().secrets()).chain(ours).collect()
}

#[test]
fn the_search_finds_every_planted_secret_in_every_disguise() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    let rows = secretive(3);
    let needles = Needles::new(rows.iter().map(|row| &row.password).chain([&LEAF_TOKEN.to_owned()]));
    for (number, row) in rows.iter().enumerate() {
        for (place, (name, disguised)) in disguises(&row.password).into_iter().enumerate() {
            let file = folder.path().join("below").join(format!("{number}-{place}"));
            let around = [b"\0before".as_slice(), &disguised, b"\xffbehind"].concat();
            std::fs::write(&file, around).unwrap();
            let (leaks, _) = needles.find_below(folder.path(), &[]);
            assert!(leaks.iter().any(|leak| leak.secret == row.password && leak.disguise == name), "{name}");
            assert!(leaks.iter().all(|leak| leak.secret == row.password), "another one's");
            assert_eq!(needles.find_below(folder.path(), &[&format!("below/{number}-{place}")]).0.len(), 0);
            std::fs::remove_file(&file).unwrap();
        }
    }
}

#[test]
fn the_search_knows_base64_at_every_alignment() {
    // As the base64 of RFC 4648 writes these texts; made by another program.
    for text in ["c2VjcmV0LXdvcmQ=", "eHNlY3JldC13b3Jk", "eHhzZWNyZXQtd29yZA==", "eHh4c2VjcmV0LXdvcmQ="] {
        let leaks = Needles::new(["secret-word"]).find("text", text.as_bytes());
        assert!(leaks.iter().any(|leak| leak.disguise == "base64"), "{text}");
    }
    let pieces = ["subjects?_d=~~~", "~~~?>>>?~~~"];
    assert!(!Needles::new([pieces[1]]).find("text", b"fn5-Pz4-Pj9-fn4=").is_empty());
    assert!(Needles::new(pieces).find("text", b"c2VjcmV0LXdvcmQ=").is_empty());
}

/// A run as talkative as it can be, with a log file named after it.
fn talkative(bench: &Bench, name: &str, format: &str, arguments: &[&str]) -> Ended {
    let log = format!("{name}.log");
    let reports = [format!("{name}.csv"), format!("{name}.jsonl"), format!("{name}.parquet")];
    let mut invocation = bench.program().args(["run", "growers.csv", "-vvv", "--log-format", format]);
    invocation = invocation.args(["--keep-column", "nome"]);
    for report in &reports {
        invocation = invocation.args(["--report", report]);
    }
    if format == "json" {
        invocation = invocation.args(["--log-file", &log]);
    }
    let invocation = invocation.env("LEAF_TOKEN", LEAF_TOKEN).env("STARA_ACCESS_TOKEN_CLIENT", CLIENT);
    let invocation = invocation.env("LEAF_USERNAME", "ops@coop.example").env("LEAF_PASSWORD", LEAF_PASSWORD);
    let invocation = invocation.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    invocation.args(arguments).end()
}

/// Expects none of the secrets in any file of the bench but the manifest, nor in what the runs said.
fn expect_silence(bench: &Bench, rows: &[Grower], ended: &[Ended], must_be_searched: &[&str]) {
    assert!(secrets(bench, rows).len() > rows.len() * 3, "apiKeys and tokens are looked for, too");
    expect_none_found(bench, rows, ended, must_be_searched);
}

/// The same, however many secrets have been issued by now.
fn expect_none_found(bench: &Bench, rows: &[Grower], ended: &[Ended], must_be_searched: &[&str]) {
    let needles = Needles::new(secrets(bench, rows));
    let (mut leaks, searched) = needles.find_below(bench.folder(), &["growers.csv"]);
    for name in must_be_searched {
        assert!(searched.contains(*name), "{name} isn't among {searched:?}");
    }
    for ended in ended {
        leaks.extend(needles.find("stdout", ended.stdout.as_bytes()));
        leaks.extend(needles.find("stderr", ended.stderr.as_bytes()));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// Every kind of bad line, and every way in which a service can go wrong for a row.
fn inject_everything(bench: &Bench, rows: &[Grower]) {
    let mut rows = rows.iter();
    for name in Fault::NAMES {
        let is_for_all = ["quota", "down", "forbidden", "revoked", "redirect", "http-1.0", "unannounced"];
        let takes_long = ["hang", "late", "slow", "lagging-time", "stara-unavailable", "before-effect"];
        if !is_for_all.iter().chain(&takes_long).any(|part| name.contains(part)) {
            let row = rows.next().unwrap();
            bench.inject(name.parse::<Fault>().unwrap().for_user(row.id));
        }
    }
    for call in [CallKind::Authenticate, CallKind::Token] {
        for alteration in [Alteration::Html, Alteration::WrongTypes, Alteration::Truncated] {
            let fault = Fault::new(Calls::One(call), When::Always, Trouble::Altered(alteration));
            bench.inject(fault.for_login(rows.next().unwrap().login()));
        }
    }
    bench.inject(Fault::token_revoked());
    bench.inject(Fault::redirect_to_other_host().for_login(rows.next().unwrap().login()));
}

fn manifest(rows: &[Grower]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["leafUserId", "login", "password", "nome"]).unwrap();
    let id = |row: &Grower| row.id.to_string();
    for row in rows {
        writer.write_record([&id(row), &row.login, &row.password, "José"]).unwrap();
    }
    let mut text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    // Shifted and spoiled lines, in which the password stands elsewhere, or the row is none.
    let password = |row: &Grower| format!("\"{}\"", row.password.replace('"', "\"\""));
    let spoiled = [
        format!("{},{},x,y", password(&rows[0]), rows[0].login),
        format!("{},{}", id(&rows[1]), password(&rows[1])),
        format!("{},,{},José", id(&rows[2]), password(&rows[2])),
        format!("{},login,{},José,and a cell more", id(&rows[3]), password(&rows[3])),
        format!("{},another login,{},José", id(&rows[4]), password(&rows[4])),
    ];
    text.push_str(&spoiled.join("\n"));
    text
}

#[test]
fn no_secret_is_found_anywhere_after_runs_full_of_faults() {
    let rows = secretive(62);
    let options = SandboxOptions {
        leaf_token: Some(Secret::new(LEAF_TOKEN.into())),
        leaf_account: Some(LeafAccount {
            username: "ops@coop.example".into(),
            password: Secret::new(LEAF_PASSWORD.into()),
        }),
        ..SandboxOptions::default()
    };
    let bench = Bench::with_options(options, &rows);
    bench.write("growers.csv", manifest(&rows));
    inject_everything(&bench, &rows);
    let mut ended = Vec::new();
    ended.push(talkative(&bench, "first", "text", &["--settle", "3s", "--progress", "json"]).with_code(3));
    bench.world().lift_faults();
    let replace = ["--on-existing", "replace", "--settle", "1s", "--retry-failed", "--progress", "lines"];
    ended.push(talkative(&bench, "second", "json", &replace));
    for arguments in [&["status"][..], &["status", "--json"], &["report", "again.jsonl"], &["explain"]] {
        ended.push(bench.program().args(arguments).end().with_code(0));
    }
    for row in rows.iter().take(3) {
        ended.push(bench.program().args(["status", &row.id.to_string()]).end().with_code(0));
    }
    let log = std::fs::read_to_string(bench.path("second.log")).unwrap();
    assert!(log.lines().count() > 30, "the log was written at its finest level");
    let searched = [
        "state/ledger.db",
        "state/ledger.key",
        "state/ledger.lock",
        "first.csv",
        "second.parquet",
        "second.log",
    ];
    expect_silence(&bench, &rows, &ended, &searched);
}

#[test]
fn a_killed_run_leaves_no_secret_behind_either() {
    for dialect in [Dialect::Json, Dialect::Form] {
        let rows = secretive(10);
        let options = SandboxOptions { dialects: Dialects::Only(dialect), ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        for row in &rows[5..] {
            bench.inject(Fault::hang_after_effect().for_user(row.id));
        }
        let arguments = ["--stara-dialect", dialect.as_str(), "-vvv", "--log-file", "killed.log"];
        let invocation = bench.run_of("growers.csv", &arguments).env("STARA_ACCESS_TOKEN_CLIENT", CLIENT);
        let running = invocation.env("LEAF_TOKEN", LEAF_TOKEN).start();
        bench.until(|world| world.attach_effects_in_all() == rows.len() as u64);
        running.signal(Signal::KILL);
        // SQLite's own files are still there, with what it hadn't tidied up.
        let killed = [running.end()];
        expect_silence(&bench, &rows, &killed, &["state/ledger.db", "state/ledger.db-wal", "killed.log"]);
    }
}

#[test]
fn runs_that_were_killed_again_and_again_leave_no_secret_behind() {
    let rows = secretive(60);
    let options = SandboxOptions {
        latency: std::time::Duration::from_millis(30),
        leaf_account: Some(LeafAccount {
            username: "ops@coop.example".into(),
            password: Secret::new(LEAF_PASSWORD.into()),
        }),
        ..SandboxOptions::default()
    };
    let bench = Bench::with_options(options, &rows);
    bench.write("growers.csv", manifest(&rows));
    // It keeps each run from its end until it is killed, however slow the killer is.
    bench.inject(Fault::parse(&format!("authenticate:hang:login={}", rows[59].login)).unwrap());
    bench.inject(Fault::replies_lost().when(When::Chance(0.2)));
    bench.inject(Fault::error_after_effect().when(When::Chance(0.1)));
    bench.inject(Fault::wrong_types().when(When::Chance(0.1)));
    let run = || {
        let run = bench.program().args(["run", "growers.csv", "-vvv", "--log-file", "killed.log"]);
        let run = run.args(["--keep-column", "nome", "--progress", "json", "--settle", "1s"]);
        let run =
            run.args(["--report", "killed.csv", "--report", "killed.jsonl", "--report", "killed.parquet"]);
        let run = run.env_remove("LEAF_TOKEN").env("LEAF_USERNAME", "ops@coop.example");
        run.env("LEAF_PASSWORD", LEAF_PASSWORD).env("RUST_BACKTRACE", "full")
    };
    let mut ended = Vec::new();
    // The last three would leave a core file behind, with every password under way in it. So would SIGQUIT, but whoever starts
    // the tests in the background of a shell makes every process below ignore it.
    let signals = [Signal::KILL, Signal::ABORT, Signal::ILL, Signal::XCPU];
    for (round, signal) in signals.into_iter().cycle().take(8).enumerate() {
        let (authentications, attaches) = (bench.calls_of(CallKind::Authenticate), round as u64 * 4);
        let running = run().start();
        bench.until(|world| {
            bench.calls_of(CallKind::Authenticate) > authentications
                && world.attach_effects_in_all() >= attaches
        });
        running.signal(signal);
        let killed = running.end();
        assert_eq!(killed.signal, Some(signal.as_raw()), "{}", killed.stderr);
        ended.push(killed);
        expect_none_found(&bench, &rows, &ended[round..], &["state/ledger.db", "killed.log"]);
    }
    bench.world().lift_faults();
    ended.push(run().end().with_code(3));
    let searched =
        ["state/ledger.db", "state/ledger.key", "killed.log", "killed.csv", "killed.jsonl", "killed.parquet"];
    expect_silence(&bench, &rows, &ended, &searched);
    let results = crate::support::read_results(&bench.path("killed.jsonl"));
    for (row, result) in rows.iter().zip(&results).skip(5) {
        // A row that was killed twice between its intent and its attach needs somebody to look at it.
        let expected = if result.outcome == "needs-review" { 0..=1 } else { 1..=1 };
        let effects = bench.world().attach_effects(row.id);
        assert!(expected.contains(&effects), "{}, attached {effects} times", result.outcome);
    }
}

#[test]
fn errors_before_the_first_call_name_no_secret() {
    let rows = secretive(4);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let good = std::fs::read_to_string(bench.path("growers.csv")).unwrap();
    let mut ended = Vec::new();
    for (broken, arguments) in [
        (good.replace("password", "unknown"), &[][..]),
        (good.split_once('\n').unwrap().1.to_owned(), &[]),
        (format!("{good}{},login,\"{}", rows[0].id, rows[0].password.replace('"', "\"\"")), &[]),
        (good.replace(&rows[0].id.to_string(), "no-uuid"), &["--strict"]),
        (good.clone(), &["--delimiter", ";"]),
        (good.clone(), &["--encoding", "utf-16"]),
        (good.clone(), &["--format", "parquet"]),
        (good.clone(), &["--keep-column", "password"]),
        (good, &["--column", "login=password"]),
    ] {
        bench.write("growers.csv", broken);
        ended.push(bench.run(&[&["-vvv"], arguments].concat()).with_code(2));
    }
    expect_silence(&bench, &rows, &ended, &["state/ledger.db"]);
}

#[test]
fn secrets_go_only_to_the_service_they_belong_to() {
    let rows = secretive(5);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    // Stara never hears of Leaf's users, and what Leaf was asked names no login.
    assert!(bench.seen().iter().all(|call| match call.service {
        Service::Stara => call.leaf_user_id.is_none() && call.login.is_some(),
        Service::Leaf =>
            call.leaf_user_id.is_some() && (call.login.is_none() || call.call == CreateCredential),
    }));
    assert_eq!(bench.calls_of(GetCredential), rows.len());
}

#[test]
fn an_audit_and_its_repair_keep_every_secret_though_leafs_log_is_full_of_them() {
    let rows = secretive(4);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let audit = |arguments: &[&str]| {
        let invocation = bench.program().args(["audit", "-vvv"]).args(arguments);
        let invocation = invocation.env("LEAF_TOKEN", LEAF_TOKEN).env("STARA_ACCESS_TOKEN_CLIENT", CLIENT);
        invocation.env("RUST_LOG", "trace").end()
    };
    for row in &rows[..2] {
        bench.world().set_status(row.id, "invalid");
    }
    let ended = [
        audit(&[]),
        audit(&["--json"]),
        audit(&["growers.csv", "--repair", "--log-file", "audit.log", "--progress", "json"]).with_code(0),
    ];
    assert!(ended[0].stdout.contains("status 401"), "the log is shown: {}", ended[0].stdout);
    assert_eq!(bench.world().attach_effects_in_all(), 6, "both are replaced");
    expect_silence(&bench, &rows, &ended, &["state/ledger.db", "audit.log", "state/growers.repair.csv"]);
}
