//! What goes wrong with magic links: faults, kills, a lost key, secrets.

use rustix::process::Signal;
use stara_onboard::sandbox::CallKind::{Authenticate, MagicLink};
use stara_onboard::sandbox::Fault;

use super::{given, links, one_in_twenty_refused};
use crate::support::leaks::Needles;
use crate::support::{Bench, Ended, counts, growers};

fn fault(text: &str) -> Fault {
    Fault::parse(text).unwrap()
}

fn run(bench: &Bench) -> Ended {
    bench.run(&["--magic-links", "links.csv"])
}

#[test]
fn a_link_that_could_not_be_made_changes_no_outcome_and_makes_the_run_incomplete() {
    let (bench, _, refused) = one_in_twenty_refused(80);
    bench.inject(fault("magic-link:404").for_user(refused[0].id));
    bench.inject(fault("magic-link:html-body").for_user(refused[2].id));
    let ended = run(&bench).with_code(5).saying("Magic links: 2 in links.csv (2 new, 0 from before)");
    let ended =
        ended.saying("Magic links missing: 1: Leaf answered in an unknown way (1)").saying("To go on: ");
    ended.saying("Magic links that can't be made: 1: Leaf doesn't know the user, or has no such call (1)");
    assert_eq!(counts(&bench.results())["stara-login-rejected"], 4);
    let with_link: Vec<_> = [&refused[1], &refused[3]].into_iter().cloned().collect();
    assert_eq!(links(&bench, "links.csv"), given(&bench, &with_link));
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], 5);
    let logins = bench.calls_of(Authenticate);
    bench.world().lift_faults();
    run(&bench).with_code(3).saying("Magic links: 4 in links.csv (2 new, 2 from before)");
    assert_eq!(bench.calls_of(Authenticate), logins);
}

#[test]
fn links_that_can_never_be_made_do_not_make_every_night_incomplete() {
    for (status, why) in [
        (404, "Leaf doesn't know the user, or has no such call"),
        (403, "Leaf doesn't let this account make one for the user"),
        (400, "Leaf refused to make one"),
        (422, "Leaf refused to make one"),
    ] {
        let (bench, _, refused) = one_in_twenty_refused(60);
        bench.inject(fault(&format!("magic-link:{status}")).for_user(refused[1].id));
        for new in [2, 0] {
            let ended = run(&bench).with_code(3).saying(&format!("Magic links: 2 in links.csv ({new} new"));
            let ended = ended.saying(&format!("Magic links that can't be made: 1: {why} (1)"));
            assert!(!ended.stderr.contains("Magic links missing"), "{}", ended.stderr);
            assert!(!ended.stderr.contains("To go on"), "{}", ended.stderr);
        }
        for (verb, code) in [("report", 0), ("audit", 0)] {
            let ended = bench.program().args([verb, "--magic-links", "links.csv"]).end().with_code(code);
            ended.saying(&format!("Magic links that can't be made: 1: {why} (1)"));
        }
    }
}

#[test]
fn users_without_a_way_to_a_link_keep_nobody_behind_them_from_theirs() {
    let rows = growers(30);
    let bench = Bench::new(&rows);
    let wrong: Vec<_> = rows.iter().map(|row| row.with_password("not the password")).collect();
    let flags = ["--magic-links", "links.csv", "--max-failures", "100%", "--concurrency", "1"];
    bench.write_manifest(&wrong[..1]);
    bench.run(&flags).with_code(3).saying("(1 new, 0 from before)");
    bench.write_manifest(&wrong);
    for row in &rows[1..29] {
        bench.inject(fault("magic-link:404").for_user(row.id));
    }
    // One has a link, so there is such a call, however many users it isn't for.
    let ended = bench.run(&flags).with_code(3).saying("Magic links: 2 in links.csv (1 new, 1 from before)");
    ended.saying("Magic links that can't be made: 28: Leaf doesn't know the user, or has no such call (28)");
    assert!(links(&bench, "links.csv").contains_key(&rows[29].id.to_string()));
}

#[test]
fn every_passing_trouble_of_the_call_is_waited_out() {
    for text in [
        "magic-link:503:first=2",
        "magic-link:429:first=3",
        "magic-link:cut-before-effect",
        "magic-link:reply-lost",
    ] {
        let (bench, _, refused) = one_in_twenty_refused(60);
        bench.inject(fault(text));
        run(&bench).with_code(3).saying("Magic links: 3 in links.csv (3 new, 0 from before)");
        let written = links(&bench, "links.csv");
        for row in &refused {
            // A link whose answer was lost is asked for again; the last one counts.
            assert_eq!(Some(&written[&row.id.to_string()]), bench.world().links_of(row.id).last(), "{text}");
        }
        let made = bench.calls_of(MagicLink);
        run(&bench).with_code(3);
        assert_eq!(bench.calls_of(MagicLink), made, "{text}");
    }
}

#[test]
fn a_token_that_expires_meanwhile_is_renewed() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    bench.inject(fault("magic-link:401:first=1"));
    let run = bench.run_of("growers.csv", &["--magic-links", "links.csv"]);
    let run = run
        .env_remove("LEAF_TOKEN")
        .env("LEAF_USERNAME", "ops@coop.example")
        .env("LEAF_PASSWORD", "secret-of-ops");
    run.end().with_code(3);
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused));
}

#[test]
fn a_call_that_leaf_does_not_have_is_tried_for_some_users_only() {
    // Where it surely has none, another try would be in vain, too.
    for (answer, code, what) in [("404", 3, "that can't be made"), ("html-body", 5, "missing")] {
        let (bench, ..) = one_in_twenty_refused(20);
        let rows = growers(200);
        for row in &rows {
            row.join(bench.world());
        }
        let wrong: Vec<_> = rows.iter().map(|row| row.with_password("not the password")).collect();
        bench.write_manifest(&wrong);
        bench.inject(fault(&format!("magic-link:{answer}")));
        let flags = ["--magic-links", "links.csv", "--max-failures", "100%", "--concurrency", "4"];
        let ended = bench.run(&flags).with_code(code).saying(&format!("Magic links {what}: 200: "));
        ended.saying("the first ones were all asked for in vain");
        let asked = bench.calls_of(MagicLink);
        assert!((20..=24).contains(&asked), "{asked}");
        assert!(links(&bench, "links.csv").is_empty());
    }
}

#[test]
fn a_leaf_that_is_gone_by_then_ends_the_run_as_incomplete_and_what_there_is_is_written() {
    let (bench, _, refused) = one_in_twenty_refused(60);
    run(&bench).with_code(3);
    let known = given(&bench, &refused);
    bench.inject(fault("magic-link:503"));
    let ended = bench.run(&["--magic-links", "links.csv", "--new-links", "--max-hold", "1s"]).with_code(5);
    ended.saying("Magic links missing: 3");
    assert_eq!(links(&bench, "links.csv"), known, "the old ones work yet");
}

#[test]
fn a_signal_stops_the_making_and_the_same_command_goes_on() {
    let (bench, _, refused) = one_in_twenty_refused(80);
    bench.inject(fault("magic-link:hang").for_user(refused[3].id));
    let running = bench.run_of("growers.csv", &["--magic-links", "links.csv", "--grace", "0s"]).start();
    bench.until(|world| refused[..3].iter().all(|row| !world.links_of(row.id).is_empty()));
    running.signal(Signal::INT);
    running
        .end()
        .with_code(130)
        .saying("Magic links: not written, because of the signal")
        .saying("To go on: ");
    assert!(!bench.path("links.csv").exists());
    assert_eq!(counts(&bench.results())["stara-login-rejected"], 4, "the report is");
    bench.world().lift_faults();
    run(&bench).with_code(3).saying("Magic links: 4 in links.csv");
    assert!(refused.iter().all(|row| bench.world().links_of(row.id).len() <= 2));
    assert_eq!(links(&bench, "links.csv").len(), 4);
}

#[test]
fn a_run_that_is_killed_again_and_again_makes_each_link_twice_at_most_and_no_attach_twice() {
    let (bench, manifest, refused) = one_in_twenty_refused(200);
    for round in 1..=5 {
        bench.inject(fault("magic-link:hang").for_user(refused[round * 2 - 1].id));
        let running =
            bench.run_of("growers.csv", &["--magic-links", "links.csv", "--concurrency", "1"]).start();
        bench.until(|world| !world.links_of(refused[round * 2 - 2].id).is_empty());
        running.signal(Signal::KILL);
        running.end();
        bench.world().lift_faults();
    }
    run(&bench).with_code(3).saying("Magic links: 10 in links.csv");
    for row in &refused {
        let made = bench.world().links_of(row.id).len();
        assert!((1..=2).contains(&made), "{made}");
    }
    let right: Vec<_> = manifest.iter().filter(|row| row.password != "not the password").cloned().collect();
    bench.expect_one_effect_each(&right);
}

#[test]
fn without_the_ledgers_key_no_link_is_made_and_it_says_so() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    run(&bench).with_code(3);
    let known = given(&bench, &refused);
    std::fs::rename(bench.path("state/ledger.key"), bench.path("kept.key")).unwrap();
    let ended = run(&bench).with_code(5).saying("Magic links: 0 in links.csv");
    ended.saying(
        "Magic links missing: 2: the ledger's fingerprint key, under which links are kept, is missing",
    );
    assert_eq!(bench.calls_of(MagicLink), 2);
    std::fs::rename(bench.path("kept.key"), bench.path("state/ledger.key")).unwrap();
    run(&bench).with_code(3).saying("(0 new, 2 from before)");
    assert_eq!(links(&bench, "links.csv"), known);
}

#[test]
fn no_link_is_found_anywhere_but_in_the_file() {
    let (bench, _, refused) = one_in_twenty_refused(60);
    let talkative = |name: &str, arguments: &[&str]| {
        let log = format!("{name}.log");
        let program = bench.program().args(arguments).args(["--magic-links", "links.csv"]);
        let program =
            if arguments[0] == "report" { program } else { program.args(["-vvv", "--log-file", &log]) };
        program.env("RUST_LOG", "trace").end()
    };
    bench.inject(fault("magic-link:wrong-types").for_user(refused[0].id));
    let reports = ["--report", "a.csv", "--report", "a.jsonl", "--report", "a.parquet"];
    let mut ended = vec![
        talkative("run", &[&["run", "growers.csv", "--progress", "json"][..], &reports].concat())
            .with_code(5),
        talkative("audit", &["audit", "--json"]).with_code(5),
        talkative("report", &["report", "b.jsonl"]).with_code(5),
    ];
    bench.world().lift_faults();
    ended.push(talkative("again", &["run", "growers.csv", "--new-links"]).with_code(3));
    let id = refused[1].id.to_string();
    for arguments in [&["status", &id][..], &["status", &id, "--json"], &["events", &id, "--saved"]] {
        ended.push(bench.program().args(arguments).end().with_code(0));
    }
    assert!(ended[4].stdout.contains("magic link  made on"), "{}", ended[4].stdout);
    let made: Vec<String> = refused.iter().flat_map(|row| bench.world().links_of(row.id)).collect();
    assert!(made.len() >= 6, "{made:?}");
    let parts = made.iter().map(|link| link.rsplit('/').next().unwrap().to_owned());
    let needles = Needles::new(made.iter().cloned().chain(parts));
    assert!(!needles.find("links.csv", &std::fs::read(bench.path("links.csv")).unwrap()).is_empty());
    let (mut leaks, searched) = needles.find_below(bench.folder(), &["links.csv"]);
    for name in
        ["state/ledger.db", "run.log", "audit.log", "again.log", "a.csv", "a.jsonl", "a.parquet", "b.jsonl"]
    {
        assert!(searched.contains(name), "{searched:?}");
    }
    for ended in &ended {
        leaks.extend(needles.find("stdout", ended.stdout.as_bytes()));
        leaks.extend(needles.find("stderr", ended.stderr.as_bytes()));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn a_forgotten_users_link_is_forgotten_in_the_ledger_and_in_the_file_beside_it() {
    let (bench, _, refused) = one_in_twenty_refused(60);
    bench.run(&["--magic-links", "state/links.csv"]).with_code(3);
    let id = refused[1].id.to_string();
    let part = "state/.links.csv.Ab12Cd.stara-onboard.part";
    std::fs::copy(bench.path("state/links.csv"), bench.path(part)).unwrap();
    assert!(bench.status(&[&id])["magicLink"]["expiresAt"].is_string());
    let ended = bench.program().args(["state", "forget", &id, "--yes"]).end().with_code(0);
    ended.saying("1 refusal, 1 magic link.").saying("state/links.csv lost 1 record.");
    let left: Vec<String> = links(&bench, "state/links.csv").into_keys().collect();
    assert_eq!(left, [refused[0].id.to_string(), refused[2].id.to_string()]);
    assert!(!bench.path(part).exists());
}

#[test]
fn what_a_kill_left_half_written_is_gone_before_anything_is_sent() {
    let (bench, ..) = one_in_twenty_refused(20);
    std::fs::create_dir(bench.path("out")).unwrap();
    let left =
        [".links-1.csv.Ab12Cd", ".results.csv.xYz789"].map(|name| format!("out/{name}.stara-onboard.part"));
    for hang in ["user:hang", "users:hang"] {
        bench.inject(fault(hang));
    }
    for (verb, arguments) in
        [("run", &["growers.csv", "--grace", "0s"][..]), ("audit", &["growers.csv", "--grace", "0s"])]
    {
        for name in &left {
            bench.write(name, "leafUserId,login,link\nwhat was written when the process was killed\n");
        }
        let befallen = bench.world().faults_befallen("hang");
        let running =
            bench.program().args([verb]).args(arguments).args(["--magic-links", "out/links-2.csv"]).start();
        bench.until(|world| world.faults_befallen("hang") > befallen);
        assert!(left.iter().all(|name| !bench.path(name).exists()), "{verb}");
        running.signal(Signal::TERM);
        running.end().with_code(143);
    }
    bench.world().lift_faults();
    bench.run(&[]).with_code(3);
    for name in &left {
        bench.write(name, "what was written when the process was killed");
    }
    bench.program().args(["report", "out/again.csv"]).end().with_code(0);
    let names = std::fs::read_dir(bench.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["again.csv"]);
}

#[test]
fn a_place_where_nothing_can_be_written_is_told_before_anything_is_sent() {
    let (bench, ..) = one_in_twenty_refused(20);
    std::fs::create_dir(bench.path("folder.csv")).unwrap();
    for place in ["folder.csv", "growers.csv/links.csv"] {
        let ended = bench.run(&["--magic-links", place]).with_code(8);
        ended.saying("no magic links can be written to").saying("nothing was sent");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_file_that_can_not_be_written_in_the_end_costs_neither_report_nor_links() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    bench.inject(fault("magic-link:late-answer"));
    let running = bench.run_of("growers.csv", &["--magic-links", "out/links.csv"]).start();
    bench.until(|world| !world.links_of(refused[0].id).is_empty());
    std::fs::remove_dir(bench.path("out")).unwrap();
    let ended = running.end().with_code(8).saying("report --magic-links FILE");
    ended.saying("stara-login-rejected");
    assert_eq!(counts(&bench.results())["stara-login-rejected"], 2);
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], 8);
    bench.world().lift_faults();
    let again = bench.program().args(["report", "again.csv", "--magic-links", "links.csv"]);
    again.end().with_code(0).saying("Magic links: 2 in links.csv (0 new, 2 from before)");
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused));
}

#[test]
fn a_quiet_audit_says_in_one_line_which_links_are_missing() {
    let (bench, ..) = one_in_twenty_refused(40);
    bench.run(&[]).with_code(3);
    let audit = || bench.program().args(["audit", "-q", "--magic-links", "links.csv"]).end();
    bench.inject(fault("magic-link:html-body"));
    let ended = audit().with_code(5);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.saying("Magic links: 0 in links.csv; Magic links missing: 2: Leaf answered in an unknown way");
    bench.world().lift_faults();
    assert_eq!(audit().with_code(0).stderr, "");
}

#[test]
fn links_are_written_over_nothing_else() {
    let (bench, ..) = one_in_twenty_refused(20);
    let manifest = std::fs::read(bench.path("growers.csv")).unwrap();
    for arguments in [
        &["--magic-links", "growers.csv"][..],
        &["--magic-links", "./growers.csv"],
        &["--magic-links", "same.csv", "--report", "same.csv"],
        &["--magic-links", "same.csv", "--report", "./same.csv"],
        &["--magic-links", "links.jsonl"],
        &["--magic-links", "-"],
        &["--magic-links", "links.csv", "--keep-column", "link"],
        &["--magic-links", "links.csv", "--link-expires", "5m"],
        &["--magic-links", "links.csv", "--link-expires", "366d"],
        &["--new-links"],
    ] {
        bench.program().args(["run", "growers.csv"]).args(arguments).end().with_code(2);
    }
    assert_eq!(bench.calls(), 0);
    assert_eq!(std::fs::read(bench.path("growers.csv")).unwrap(), manifest);
}

#[test]
fn links_are_asked_for_within_leafs_quota() {
    let rows = crate::support::growers(30);
    let bench = Bench::new(&rows);
    let wrong: Vec<_> = rows.iter().map(|row| row.with_password("not the password")).collect();
    bench.write_manifest(&wrong);
    bench.run(&["--max-failures", "100%"]).with_code(3);
    let began = std::time::Instant::now();
    let report = bench.program().env("STARA_ONBOARD_LEAF_RATE", "20/s");
    let ended = report.args(["report", "again.csv", "--magic-links", "links.csv"]).end().with_code(0);
    ended.saying("Magic links: 30 in links.csv (30 new");
    // 29 periods of 50 ms lie between the first and the last.
    assert!(began.elapsed() >= std::time::Duration::from_millis(1_400), "{:?}", began.elapsed());
}

#[test]
fn a_look_after_a_link_that_ends_otherwise_lets_no_refused_login_be_sent_when_the_key_is_lost() {
    for trouble in ["user:404", "user:html-body"] {
        let is_unknown = trouble == "user:404";
        let (bench, ..) = one_in_twenty_refused(40);
        run(&bench).with_code(3);
        let logins = bench.calls_of(Authenticate);
        bench.inject(fault(trouble));
        bench.run(&["--magic-links", "links.csv", "--precheck", "row"]);
        let refused = counts(&bench.results()).get("stara-login-rejected").copied();
        assert_eq!(refused, (!is_unknown).then_some(2), "{trouble}");
        bench.world().lift_faults();
        std::fs::remove_file(bench.path("state/ledger.key")).unwrap();
        run(&bench).with_code(5);
        assert_eq!(bench.calls_of(Authenticate), logins, "{trouble}");
        assert_eq!(counts(&bench.results())["stara-login-rejected"], 2, "{trouble}");
    }
}

#[test]
fn a_look_that_shows_nothing_takes_nobodys_link_away() {
    for trouble in ["user:502", "user:403", "user:reset-before-effect", "user:html-body"] {
        let (bench, _, refused) = one_in_twenty_refused(40);
        run(&bench).with_code(3);
        let first = given(&bench, &refused);
        let logins = bench.calls_of(Authenticate);
        bench.inject(fault(trouble));
        let ended = bench.run(&["--magic-links", "links.csv", "--precheck", "row", "--max-hold", "1s"]);
        assert!([Some(3), Some(5)].contains(&ended.code), "{trouble}: {}", ended.stderr);
        assert_eq!(counts(&bench.results())["stara-login-rejected"], 2, "{trouble}");
        assert_eq!(links(&bench, "links.csv"), first, "{trouble}");
        bench.world().lift_faults();
        run(&bench).with_code(3).saying("(0 new, 2 from before)");
        assert_eq!(bench.calls_of(Authenticate), logins, "{trouble}");
    }
}
