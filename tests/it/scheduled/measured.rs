//! `--metrics`: what is written is what the report, the sandbox's record and the ledger say, at whatever end.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::Value;
use stara_onboard::model::{LeafUserId, UnixMillis};
use stara_onboard::sandbox::{Answer, CallKind, Calls, Fault, RetryAfter, Trouble, When};

use super::{Page, metrics, with_a_refused_one};
use crate::support::{Bench, Invocation, csv_of, growers, user};

const METRICS: [&str; 2] = ["--metrics", "night.prom"];

/// What the simulated services saw, by service, call and status.
fn seen(bench: &Bench) -> BTreeMap<[String; 3], f64> {
    let mut seen = BTreeMap::new();
    for call in bench.seen() {
        let status = call.status.map_or("none".to_owned(), |status| status.to_string());
        let of = [call.service.as_str().to_lowercase(), call.call.as_str().to_owned(), status];
        *seen.entry(of).or_default() += 1.0;
    }
    seen
}

/// What the metrics say was asked.
fn asked(page: &Page) -> BTreeMap<[String; 3], f64> {
    let samples = page.samples("requests").iter();
    samples
        .map(|(of, value)| (["service", "call", "status"].map(|label| of[label].clone()), *value))
        .collect()
}

/// The report's lines by outcome.
fn reported(bench: &Bench) -> BTreeMap<String, f64> {
    let mut reported = BTreeMap::new();
    for outcome in bench.outcomes() {
        *reported.entry(outcome).or_default() += 1.0;
    }
    reported
}

fn rows(page: &Page) -> BTreeMap<String, f64> {
    page.by("rows", "outcome").into_iter().map(|(code, rows)| (code.to_owned(), rows)).collect()
}

#[test]
fn the_metrics_of_a_stormy_run_equal_the_report_and_what_the_services_saw() {
    let mut manifest = with_a_refused_one(40);
    let bench = Bench::new(&manifest[..38]);
    // One that Leaf doesn't know, and a line that is repeated.
    manifest.truncate(39);
    manifest.push(manifest[5].clone());
    bench.write_manifest(&manifest);
    bench.inject(Fault::new(Calls::One(CallKind::GetUser), When::Nth(4), Trouble::ReplyLost));
    let busy = Answer::new(503);
    bench.inject(Fault::new(Calls::One(CallKind::Token), When::Nth(3), Trouble::Answer(busy)));
    let throttled = Answer::new(429).retry_after(RetryAfter::Seconds(0));
    bench.inject(Fault::new(
        Calls::One(CallKind::CreateCredential),
        When::Nth(6),
        Trouble::Answer(throttled),
    ));
    bench.inject(Fault::new(Calls::One(CallKind::CreateCredential), When::Nth(9), Trouble::ReplyLost));
    let settling = ["--settle", "1s", "--metrics", "night.prom"];
    let account = |invocation: Invocation| {
        invocation.env_remove("LEAF_TOKEN").env("LEAF_USERNAME", "ops").env("LEAF_PASSWORD", "secret")
    };
    account(bench.run_of("growers.csv", &settling)).end().with_code(3);
    let page = metrics(&bench);
    assert_eq!(rows(&page), reported(&bench));
    assert_eq!(rows(&page)["attached"], 37.0);
    assert_eq!(page.samples("rows").values().sum::<f64>(), 40.0);
    let (asked, seen) = (asked(&page), seen(&bench));
    assert_eq!(asked, seen);
    let of = |service: &str, call: &str, status: &str| asked[&[service, call, status].map(str::to_owned)];
    assert_eq!((of("stara", "authenticate", "401"), of("leaf", "user", "404")), (1.0, 1.0));
    assert_eq!((of("leaf", "attach", "429"), of("leaf", "attach", "none")), (1.0, 1.0));
    assert!(asked.keys().any(|[_, call, _]| call == "log-in"), "{asked:?}");
    let status = bench.status(&[]);
    for service in ["stara", "leaf"] {
        let recorded = status["runs"][0]["hosts"][service]["throttled"].as_f64().unwrap();
        assert_eq!(page.value("throttled_requests", &[("service", service)]), recorded);
    }
    assert!(page.value("throttled_requests", &[("service", "leaf")]) >= 1.0);
    assert_eq!((page.value("exit_code", &[]), page.value("run_number", &[])), (3.0, 1.0));
    assert_eq!(page.value("success_timestamp_seconds", &[("verb", "run")]), 0.0, "it never went well");
    assert_eq!(page.value("rows_decided_earlier", &[]), 0.0);
}

#[test]
fn the_last_success_stays_through_the_nights_that_fail() {
    let rows = growers(4);
    let (manifest, another) = rows.split_at(3);
    let bench = Bench::new(&rows);
    bench.write_manifest(manifest);
    let before = UnixMillis::now();
    bench.run(&METRICS).with_code(0);
    let page = metrics(&bench);
    let (started, ended) =
        (page.value("start_timestamp_seconds", &[]), page.value("end_timestamp_seconds", &[]));
    let succeeded = page.value("success_timestamp_seconds", &[]);
    assert_eq!(succeeded, ended);
    assert!(
        before.0 as f64 / 1e3 <= started && started <= ended && ended <= UnixMillis::now().0 as f64 / 1e3
    );
    assert!(page.value("duration_seconds", &[]) > 0.0);

    // A refused manifest, which isn't even staged.
    bench.write("growers.csv", "leafUserId,login\n");
    bench.run(&METRICS).with_code(2);
    let page = metrics(&bench);
    assert_eq!(
        (page.value("exit_code", &[]), page.value("success_timestamp_seconds", &[])),
        (2.0, succeeded)
    );
    assert!(!page.has("rows") && !page.has("run_number"), "nothing was read: {page:?}");

    // Leaf refuses everything.
    bench.write_manifest(another);
    bench.inject(Fault::redirect());
    bench.run(&METRICS).with_code(7);
    let page = metrics(&bench);
    assert_eq!(
        (page.value("exit_code", &[]), page.value("success_timestamp_seconds", &[])),
        (7.0, succeeded)
    );
    assert_eq!(page.by("rows", "outcome"), BTreeMap::from([("not-reached", 1.0)]));

    bench.world().lift_faults();
    bench.write_manifest(manifest);
    bench.run(&METRICS).with_code(0);
    assert!(metrics(&bench).value("success_timestamp_seconds", &[]) > succeeded);
}

#[test]
fn a_run_that_is_stopped_by_a_signal_leaves_its_metrics() {
    let manifest = growers(60);
    let bench = Bench::slow(&manifest);
    let running = bench.run_of("growers.csv", &[&METRICS[..], &["--concurrency", "2"]].concat()).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    running.signal(Signal::TERM);
    running.end().with_code(143);
    let page = metrics(&bench);
    assert_eq!(page.value("exit_code", &[]), 143.0);
    assert_eq!((rows(&page), asked(&page)), (reported(&bench), seen(&bench)));
}

#[test]
fn a_second_signal_counts_what_it_cut_off() {
    let manifest = growers(3);
    let bench = Bench::new(&manifest);
    bench.inject(Fault::hang().for_user(manifest[0].id));
    let running = bench.run_of("growers.csv", &METRICS).start();
    bench.until(|world| world.faults_befallen("hang") == 1 && world.attach_effects_in_all() == 2);
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    assert!([Some(130), Some(143)].contains(&running.end().code));
    let page = metrics(&bench);
    let of_attach = asked(&page).into_iter().filter(|([_, call, _], _)| call == "attach");
    let attaches: BTreeMap<String, f64> = of_attach.map(|([_, _, status], value)| (status, value)).collect();
    // What hangs is cut off in any case; answers to the others may still be under way.
    assert!(attaches["none"] >= 1.0 && attaches.values().sum::<f64>() == 3.0, "{attaches:?}");
    let told = &bench.status(&[])["outcomes"];
    assert_eq!(rows(&page).get("attached").copied(), told["attached"].as_f64());
    assert_eq!(page.samples("rows").values().sum::<f64>(), 3.0);
}

#[test]
fn a_run_that_stops_by_its_failure_budget_or_can_not_have_the_ledger_leaves_its_metrics() {
    let manifest: Vec<_> =
        growers(40).iter().map(|grower| grower.with_password("sandbox:wrong-password")).collect();
    let bench = Bench::new(&manifest);
    bench.run(&METRICS).with_code(4);
    let page = metrics(&bench);
    assert_eq!((page.value("exit_code", &[]), rows(&page)), (4.0, reported(&bench)));
    bench.write("file", "");
    bench.run(&[&METRICS[..], &["--state", "file/ledger.db"]].concat()).with_code(8);
    assert_eq!(metrics(&bench).value("exit_code", &[]), 8.0);
}

#[test]
fn an_audit_counts_users_and_a_detach_counts_rows() {
    let manifest = growers(6);
    let bench = Bench::new(&manifest);
    bench.run(&[]).with_code(0);
    bench.world().set_status(manifest[0].id, "invalid");
    bench.world().set_status(manifest[1].id, "invalid");
    let audit = |arguments: &[&str]| bench.program().args(["audit"]).args(METRICS).args(arguments).end();
    let before = seen(&bench);
    let ended = audit(&["--json", "--detailed-exitcode"]).with_code(6);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    let page = metrics(&bench);
    for finding in ["healthy", "missing", "unhealthy", "foreign", "unknownUser"] {
        let users = page.value("users", &[("verb", "audit"), ("finding", finding)]);
        assert_eq!(Some(users), told["counts"][finding].as_f64(), "{finding}");
    }
    assert_eq!(page.value("exit_code", &[("verb", "audit")]), 6.0);
    assert!(!page.has("rows"));
    let mut sum = before;
    for (of, value) in asked(&page) {
        *sum.entry(of).or_default() += value;
    }
    assert_eq!(sum, seen(&bench));

    audit(&["growers.csv", "--repair", "--now"]).with_code(0);
    let page = metrics(&bench);
    assert_eq!(page.value("users", &[("finding", "unhealthy")]), 2.0);
    assert_eq!(page.samples("rows").values().sum::<f64>(), 6.0);

    let id = manifest[2].id.to_string();
    bench.program().args(["detach", &id, "--yes", "--report", "none"]).args(METRICS).end().with_code(0);
    let page = metrics(&bench);
    assert_eq!(page.by("rows", "outcome"), BTreeMap::from([("detached", 1.0)]));
    assert_eq!(page.value("info", &[("verb", "detach"), ("manifest", "1 user")]), 1.0);
}

#[test]
fn magic_links_are_counted_as_the_services_saw_them() {
    let bench = Bench::new(&with_a_refused_one(4));
    bench.run(&[&METRICS[..], &["--magic-links", "links.csv"]].concat()).with_code(3);
    let page = metrics(&bench);
    assert_eq!(asked(&page), seen(&bench));
    assert_eq!(page.value("requests", &[("call", "magic-link")]), 1.0);
    // An audit makes its links with the same counts.
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    bench.run(&[]).with_code(3);
    let mut before = seen(&bench);
    let audit = ["audit", "--magic-links", "links.csv", "--metrics", "night.prom"];
    bench.program().args(audit).end().with_code(0);
    let page = metrics(&bench);
    assert_eq!(page.value("requests", &[("call", "magic-link")]), 1.0);
    for (of, value) in asked(&page) {
        *before.entry(of).or_default() += value;
    }
    assert_eq!(before, seen(&bench));
}

#[test]
fn a_rehearsal_is_no_success_and_a_plan_leaves_no_metrics() {
    let bench = Bench::new(&growers(2));
    bench.run(&METRICS).with_code(0);
    let succeeded = metrics(&bench).value("success_timestamp_seconds", &[]);
    bench.run(&[&METRICS[..], &["--sandbox"]].concat()).with_code(0);
    let page = metrics(&bench);
    assert_eq!(page.value("info", &[("rehearsal", "true"), ("ledger", "state/sandbox.db")]), 1.0);
    assert_eq!(
        (page.value("exit_code", &[]), page.value("success_timestamp_seconds", &[])),
        (0.0, succeeded)
    );
    std::fs::remove_file(bench.path("night.prom")).unwrap();
    bench.run(&[&METRICS[..], &["--dry-run"]].concat()).with_code(0);
    assert!(!bench.path("night.prom").exists());
}

#[test]
fn rows_that_were_not_selected_are_counted_as_the_report_counts_them() {
    let bench = Bench::new(&growers(5));
    bench.run(&[&METRICS[..], &["--limit", "2"]].concat()).with_code(0);
    let page = metrics(&bench);
    assert_eq!((rows(&page), page.samples("rows").values().sum::<f64>()), (reported(&bench), 5.0));
    bench.run(&METRICS).with_code(0);
    let page = metrics(&bench);
    assert_eq!((rows(&page), page.value("rows_decided_earlier", &[])), (reported(&bench), 2.0));
}

#[test]
fn the_manual_names_exactly_the_families_and_labels_that_are_written() {
    let manual = include_str!("../../../docs/METRICS.md");
    let mut documented = BTreeMap::new();
    for line in manual.lines().filter(|line| line.starts_with("| `stara_onboard_")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let labels =
            cells[1].split(", ").map(|label| label.trim_matches('`')).filter(|label| !label.is_empty());
        let labels: BTreeSet<String> = labels.chain(["verb"]).map(str::to_owned).collect();
        documented.insert(cells[0].trim_matches('`').trim_start_matches("stara_onboard_").to_owned(), labels);
    }
    let bench = Bench::new(&growers(2));
    bench.run(&METRICS).with_code(0);
    let mut written = metrics(&bench).labels();
    bench.program().args(["audit"]).args(METRICS).end().with_code(0);
    written.extend(metrics(&bench).labels());
    assert_eq!(written, documented);
    for used in manual.split("stara_onboard_").skip(1) {
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let name = used.split(|letter| !is_of_name(letter)).next().unwrap();
        assert!(documented.contains_key(name), "{name}");
    }
}

#[test]
fn whatever_a_manifest_is_called_the_metrics_can_be_read_by_everybody() {
    let bench = Bench::new(&growers(1));
    let name = "São \"João\" \\ {a=\"b\"}\n.csv";
    std::fs::rename(bench.path("growers.csv"), bench.path(name)).unwrap();
    bench.write("night.prom", "an older file");
    std::fs::set_permissions(bench.path("night.prom"), std::fs::Permissions::from_mode(0o600)).unwrap();
    bench.run_of(name, &METRICS).end().with_code(0);
    let page = metrics(&bench);
    assert_eq!(page.value("info", &[("manifest", name), ("ledger", "state/ledger.db")]), 1.0);
    let mode = std::fs::metadata(bench.path("night.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let left: Vec<_> =
        std::fs::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");
}

#[test]
fn metrics_that_can_not_be_written_are_told_before_anything_is_sent() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.write("file", "");
    for name in ["leaf-token", "log.prom", "ledger.prom"] {
        bench.write(name, "what stood there");
    }
    bench.run(&["--metrics", "file/night.prom"]).with_code(8).saying("the metrics can't be written");
    std::fs::create_dir(bench.path("folder.prom")).unwrap();
    bench.run(&["--metrics", "folder.prom"]).with_code(8);
    for ending in ["state/ledger.key", "growers.csv", "leaf-token", ".", ".prom"] {
        bench.run(&["--metrics", ending]).with_code(2).saying("doesn't end with .prom");
    }
    std::fs::copy(bench.path("growers.csv"), bench.path("growers.prom")).unwrap();
    let others = ["--log-file", "log.prom", "--state", "ledger.prom"];
    for taken in ["growers.prom", "./log.prom", "ledger.prom"] {
        let arguments = [&others[..], &["--metrics", taken]].concat();
        bench.run_of("growers.prom", &arguments).end().with_code(2).saying("would be written over");
    }
    // What was refused isn't done at the end all the same.
    for name in ["growers.csv", "growers.prom"] {
        assert_eq!(std::fs::read_to_string(bench.path(name)).unwrap(), csv_of(&rows), "{name}");
    }
    for name in ["leaf-token", "log.prom", "ledger.prom"] {
        assert_eq!(std::fs::read_to_string(bench.path(name)).unwrap(), "what stood there");
    }
    assert_eq!(bench.calls(), 0);
    let none = bench.run_of("growers.csv", &["--metrics", "none", "--log-file", "none"]);
    let none = none.env("STARA_ONBOARD_METRICS", "night.prom").env("STARA_ONBOARD_LOG_FILE", "night.log");
    none.end().with_code(0);
    for name in ["night.prom", "night.log", "none"] {
        assert!(!bench.path(name).exists(), "{name}");
    }
}

#[test]
fn metrics_that_can_not_be_written_in_the_end_cost_nothing_else() {
    let manifest = growers(40);
    let bench = Bench::slow(&manifest);
    let running = bench.run_of("growers.csv", &["--metrics", "metrics/night.prom", "-q"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    std::fs::rename(bench.path("metrics"), bench.path("elsewhere")).unwrap();
    let ended = running.end().with_code(8).saying("everything else was done");
    assert!(
        ended.stderr.starts_with("error: the metrics can't be written to metrics/night.prom"),
        "{ended:?}"
    );
    bench.expect_one_effect_each(&manifest);
    assert_eq!(bench.outcomes(), vec!["attached"; 40]);
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], 0);
}

#[test]
fn whoever_collects_metrics_finds_the_older_file_or_the_newer_one_and_never_a_part() {
    let bench = Bench::new(&growers(3));
    bench.run(&METRICS).with_code(0);
    let mut reads = 0;
    std::thread::scope(|scope| {
        let nights = scope.spawn(|| (0..8).for_each(|_| drop(bench.run(&METRICS).with_code(0))));
        while !nights.is_finished() {
            assert!(metrics(&bench).has("requests"));
            reads += 1;
        }
    });
    assert!(reads > 8);
}

#[test]
fn no_secret_and_no_grower_stands_in_the_metrics() {
    let manifest = with_a_refused_one(5);
    let bench = Bench::new(&manifest);
    bench.run(&METRICS).with_code(3);
    let text = std::fs::read_to_string(bench.path("night.prom")).unwrap();
    let ids = manifest.iter().map(|grower| grower.id).map(|id: LeafUserId| id.to_string());
    let logins = manifest.iter().map(|grower| grower.login().as_str().to_owned());
    for unwanted in ids.chain(logins).chain(bench.world().secrets()).chain([user(1).to_string()]) {
        assert!(!text.contains(&unwanted), "{unwanted}");
    }
}
