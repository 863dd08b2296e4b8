//! Taking credentials away: only ours, after being asked, recorded and reported like any outcome, and resumable.

use std::time::Duration;

use rustix::process::Signal;
use stara_onboard::sandbox::CallKind::{
    self, CreateCredential, DeleteCredential, GetCredential, GetEvents, GetUser,
};
use stara_onboard::sandbox::{Answer, Body, Calls, Fault, SandboxOptions, Trouble, When};

use crate::support::{Bench, Ended, Grower, counts, csv_of, growers, user};

/// `detach` with a report, answered beforehand.
fn detach(bench: &Bench, arguments: &[&str]) -> Ended {
    start(bench, arguments).end()
}

fn start(bench: &Bench, arguments: &[&str]) -> crate::support::Running {
    let invocation = bench.program().args(["detach", "--yes", "--report", "results.jsonl"]);
    invocation.args(arguments).start()
}

/// A bench whose growers are all attached, by run 1.
fn attached(count: usize) -> (Bench, Vec<Grower>) {
    let rows = growers(count);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    (bench, rows)
}

fn holders(bench: &Bench, rows: &[Grower]) -> usize {
    rows.iter().filter(|row| bench.world().credential(row.id).is_some()).count()
}

fn ids(rows: &[Grower]) -> Vec<String> {
    rows.iter().map(|row| row.id.to_string()).collect()
}

#[test]
fn a_manifest_of_leavers_needs_only_their_ids_and_costs_five_calls_each() {
    let (bench, rows) = attached(4);
    bench.write("leavers.csv", format!("leafUserId\n{}\n{}\n", rows[1].id, rows[3].id));
    let before = bench.calls();
    let ended = detach(&bench, &["leavers.csv"]).with_code(0);
    let calls: Vec<CallKind> = bench.seen()[before..].iter().map(|call| call.call).collect();
    assert_eq!(calls.len(), 10, "{calls:?}");
    let mut about: Vec<CallKind> = bench.calls_about(&rows[1]);
    assert_eq!(
        about.split_off(about.len() - 5),
        [GetUser, GetEvents, GetCredential, DeleteCredential, GetCredential]
    );
    assert_eq!(holders(&bench, &rows), 2);
    let results = bench.results();
    let found: Vec<_> =
        results.iter().map(|row| (row.line, row.outcome.as_str(), row.login.clone())).collect();
    let logins = [rows[1].login.clone(), rows[3].login.clone()];
    assert_eq!(
        found,
        [(2, "detached", Some(logins[0].clone())), (3, "detached", Some(logins[1].clone()))],
        "the ledger knows whose they were"
    );
    assert!(results.iter().all(|row| row.http_status == Some(404)), "the look that saw it gone: {results:?}");
    let ended = ended.saying("2 hold a credential that this tool attached").saying("Run 2 (detach): 2 lines");
    assert!(!ended.stderr.contains("Stara h") && !ended.stderr.contains("Stara  "), "{}", ended.stderr);
    let status = bench.status(&[&rows[1].id.to_string()]);
    assert!(status["credential"].is_null() && status["openIntent"].is_null(), "{status}");
    assert_eq!(status["login"], rows[1].login);
    assert!(!status["savedEvents"].as_array().unwrap().is_empty(), "{status}");
}

#[test]
fn the_whole_manifest_serves_as_well_and_no_password_is_looked_at() {
    let (bench, rows) = attached(3);
    bench.write_manifest(&rows.iter().map(|row| row.with_password("")).collect::<Vec<_>>());
    detach(&bench, &["growers.csv"]).with_code(0);
    assert_eq!(holders(&bench, &rows), 0);
    assert_eq!(bench.outcomes(), ["detached"; 3]);
}

#[test]
fn ids_are_named_one_by_one_and_each_counts_once() {
    let (bench, rows) = attached(3);
    let [first, second, _] = ids(&rows).try_into().unwrap();
    detach(&bench, &[&first, &second.to_uppercase(), &first]).with_code(0);
    assert_eq!(bench.outcomes(), ["detached", "detached", "manifest-duplicate"]);
    assert_eq!((holders(&bench, &rows), bench.calls_of(DeleteCredential)), (1, 2));
}

#[test]
fn what_is_detached_costs_no_call_again_and_no_changed_row_brings_it_back() {
    let (bench, rows) = attached(2);
    detach(&bench, &ids(&rows[..1]).iter().map(String::as_str).collect::<Vec<_>>()).with_code(0);
    let calls = bench.calls();
    detach(&bench, &[&rows[0].id.to_string()]).with_code(0);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls(), calls);
    assert_eq!(bench.outcomes(), ["detached", "attached"]);

    bench.write_manifest(&[rows[0].with_password("a new one"), rows[1].clone()]);
    rows[0].with_password("a new one").join(bench.world());
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["detached", "attached"]);
    bench.run(&["--retry-failed"]).with_code(3);
    assert_eq!(bench.outcomes(), ["detached", "attached"], "it isn't named");
    bench.run(&["--retry-failed", "--only", &rows[0].id.to_string()]).with_code(0);
    assert_eq!(holders(&bench, &rows), 2);
}

#[test]
fn after_a_run_was_taken_back_its_rows_wait_until_they_change() {
    let (bench, rows) = attached(2);
    detach(&bench, &["--from-run", "1"]).with_code(0);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["detached", "detached"]);
    bench.write_manifest(&[rows[0].with_password("the right one"), rows[1].clone()]);
    rows[0].with_password("the right one").join(bench.world());
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["attached", "detached"]);
}

#[test]
fn retry_failed_attaches_who_was_detached_and_is_named() {
    let (bench, rows) = attached(1);
    detach(&bench, &[&rows[0].id.to_string()]).with_code(0);
    bench.run(&["--retry-failed", "--only", &rows[0].id.to_string()]).with_code(0);
    assert_eq!((bench.outcomes(), holders(&bench, &rows)), (vec!["attached".to_owned()], 1));
}

#[test]
fn what_is_not_ours_is_left_alone_and_says_so_unless_it_is_asked_for() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    // Found by the run; exchanged after it; never met.
    bench.world().seed_credential(rows[0].id, "OK");
    bench.write_manifest(&rows[..3]);
    bench.run(&[]).with_code(0);
    bench.world().seed_credential(rows[1].id, "OK");
    bench.world().seed_credential(rows[3].id, "OK");
    let all = ids(&rows);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let ended = detach(&bench, &all).with_code(3);
    ended.saying("2 hold a credential that this tool attached").saying("1 hold one that it didn't attach");
    let kept = "leaf-credentials-exist";
    assert_eq!(bench.outcomes(), [kept, kept, "detached", kept]);
    assert_eq!(bench.calls_of(DeleteCredential), 1);

    detach(&bench, &[&all[..], &["--include-foreign"]].concat()).with_code(0);
    assert_eq!((bench.outcomes(), holders(&bench, &rows)), (vec!["detached".to_owned(); 4], 0));
}

#[test]
fn a_run_is_rolled_back_and_no_other() {
    let rows = growers(9);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[8].id, "OK");
    bench.write("first.csv", csv_of(&rows[..4]));
    bench.run_of("first.csv", &[]).end().with_code(0).saying("Run 1: 4 lines");
    // Two whose login changes are replaced by the second run, four are new, one is found.
    let mut changed = rows[..2].to_vec();
    for row in &mut changed {
        *row = row.with_login(&format!("later-{}", row.login));
        row.join(bench.world());
    }
    bench.write("second.csv", csv_of(&[&changed[..], &rows[2..]].concat()));
    bench.inject(Fault::reply_lost().for_user(rows[4].id));
    bench.run_of("second.csv", &["--settle", "1s"]).end().with_code(0).saying("Run 2: 9 lines");
    assert_eq!(bench.results()[4].origin.as_deref(), Some("recovered"));
    let text = bench.program().args(["status"]).end().with_code(0).stdout;
    assert!(text.contains("Latest run, 2:") && text.contains("    1 20"), "{text}");

    let ended = detach(&bench, &["--from-run", "2"]).with_code(0);
    let ended =
        ended.saying("credentials of run 2 away").saying("2 of them one that took another one's place");
    drop(ended);
    let left: Vec<usize> = (0..9).filter(|at| bench.world().credential(rows[*at].id).is_some()).collect();
    assert_eq!(left, [2, 3, 8], "those of the first run, and the one that was found");
    detach(&bench, &["--from-run", "2"]).with_code(0).saying("there is nothing to do");
    detach(&bench, &["--from-run", "9"]).with_code(2).saying("knows no run 9");
}

#[test]
fn an_attach_in_the_open_of_that_run_is_settled_and_taken_back() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang_after_effect().for_user(rows[1].id));
    bench.inject(Fault::hang().on_call(CreateCredential).for_user(rows[2].id));
    let running = bench.run_of("growers.csv", &[]).start();
    bench.until(|world| world.attach_effects_in_all() == 2 && world.faults_befallen("hang") == 1);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();
    let ended = detach(&bench, &["--from-run", "1", "--settle", "1s"]).with_code(0);
    ended.saying("have something in the open");
    assert_eq!((bench.outcomes(), holders(&bench, &rows)), (vec!["detached".to_owned(); 3], 0));
    assert_eq!(bench.calls_of(DeleteCredential), 2, "one of them had never taken effect");
}

#[test]
fn interrupted_and_run_again_it_finishes() {
    const ROWS: usize = 60;
    for signal in [Signal::INT, Signal::KILL] {
        let rows = growers(ROWS);
        let bench = Bench::slow(&rows);
        bench.run(&[]).with_code(0);
        let arguments = ["--from-run", "1", "--max-changes", "100", "--concurrency", "4", "--settle", "1s"];
        let running = start(&bench, &arguments);
        bench.until(|world| rows.iter().filter(|row| world.credential(row.id).is_none()).count() >= ROWS / 3);
        running.signal(signal);
        let ended = running.end();
        if signal == Signal::INT {
            ended.with_code(130).saying("To go on: ");
            let results = bench.results();
            let counted = counts(&results);
            assert_eq!(counted["detached"] + counted["not-reached"], ROWS);
            assert_eq!(holders(&bench, &rows), counted["not-reached"], "what was begun was ended");
        }
        assert!(holders(&bench, &rows) > 0);
        detach(&bench, &arguments).with_code(0);
        assert_eq!(holders(&bench, &rows), 0);
        let status = bench.status(&[]);
        assert_eq!(
            (&status["runs"][0]["kind"], &status["runs"][0]["exitCode"]),
            (&"detach".into(), &0.into())
        );
        bench.run(&[]).with_code(3);
        assert_eq!(bench.outcomes(), vec!["detached"; ROWS]);
        assert_eq!(bench.world().attach_effects_in_all(), ROWS as u64, "nothing is attached again");
    }
}

#[test]
fn a_deletion_without_an_answer_settles_before_anything_else() {
    let (bench, rows) = attached(4);
    let lost = |at: usize, trouble| {
        Fault::new(Calls::One(DeleteCredential), When::First(1), trouble).for_user(rows[at].id)
    };
    bench.inject(lost(0, Trouble::ReplyLost));
    bench.inject(lost(1, Trouble::CutBeforeEffect));
    bench.inject(lost(2, Trouble::CutThenLateEffect(Duration::from_millis(300))));
    bench.inject(lost(3, Trouble::AnswerAfterEffect(Answer::new(500))));
    detach(&bench, &["growers.csv", "--settle", "2s"]).with_code(0);
    assert_eq!((bench.outcomes(), holders(&bench, &rows)), (vec!["detached".to_owned(); 4], 0));
    let deletions =
        |row: &Grower| bench.calls_about(row).iter().filter(|call| **call == DeleteCredential).count();
    let sent: Vec<usize> = rows.iter().map(deletions).collect();
    assert_eq!(sent, [1, 2, 1, 1], "a second one only where the first one had settled without effect");
}

#[test]
fn a_killed_deletion_is_only_looked_at_by_a_run_which_attaches_nothing() {
    let (bench, rows) = attached(2);
    let after = |at: usize, trouble| {
        Fault::new(Calls::One(DeleteCredential), When::Always, trouble).for_user(rows[at].id)
    };
    bench.inject(after(0, Trouble::HangAfterEffect));
    bench.inject(after(1, Trouble::Hang));
    let running = start(&bench, &["growers.csv"]);
    bench.until(|world| world.faults_befallen("custom") == 2);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();
    bench.program().args(["report", "killed.jsonl"]).end().with_code(0);
    let killed = crate::support::read_results(&bench.path("killed.jsonl"));
    assert!(killed.iter().all(|row| row.outcome == "detach-unconfirmed"), "{killed:?}");

    let before = bench.calls();
    bench.run(&["--settle", "1s"]).with_code(3);
    assert_eq!(bench.outcomes(), ["detached", "attached"], "one is gone, the other is as it was");
    assert!(bench.seen()[before..].iter().all(|call| matches!(call.call, GetUser | GetCredential)));
    assert_eq!(bench.world().attach_effects_in_all(), 2);
    // The one that is still there is still ours.
    detach(&bench, &["growers.csv"]).with_code(0);
    assert_eq!(holders(&bench, &rows), 0);
}

#[test]
fn a_deletion_that_is_confirmed_and_has_no_effect_stays_open() {
    let (bench, rows) = attached(1);
    let pretended = Trouble::Answer(Answer::new(204).body(Body::Empty));
    bench.inject(Fault::new(Calls::One(DeleteCredential), When::First(1), pretended));
    detach(&bench, &["growers.csv", "--verify-wait", "1s"]).with_code(3);
    assert_eq!(bench.outcomes(), ["detach-unconfirmed"]);
    assert!(!bench.status(&[&rows[0].id.to_string()])["openIntent"].is_null());
    detach(&bench, &["growers.csv", "--settle", "1s"]).with_code(0);
    assert_eq!(holders(&bench, &rows), 0);
}

#[test]
fn beyond_max_changes_rows_keep_their_standing_and_name_the_flag() {
    let (bench, rows) = attached(5);
    let ended = detach(&bench, &["growers.csv", "--max-changes", "2"]).with_code(3);
    ended.saying("At most 2 credentials");
    let results = bench.results();
    assert_eq!(counts(&results)["detached"], 2);
    let left: Vec<_> = results.iter().filter(|row| row.outcome == "not-reached").collect();
    assert_eq!((left.len(), holders(&bench, &rows)), (3, 3));
    assert!(left.iter().all(|row| row.message.contains("--max-changes")), "{left:?}");
    let standing = bench.status(&[left[0].leaf_user_id.as_ref().unwrap()]);
    assert_eq!(standing["outcome"]["outcome"], "attached");
    let calls = bench.calls();
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls(), calls, "those that keep theirs are done");
    detach(&bench, &["growers.csv"]).with_code(0);
    assert_eq!(holders(&bench, &rows), 0);
}

#[test]
fn without_a_terminal_and_without_yes_it_says_what_it_would_do_and_sends_nothing() {
    let (bench, _) = attached(2);
    let calls = bench.calls();
    let runs = bench.status(&[])["runs"].as_array().unwrap().len();
    let ended = bench.program().args(["detach", "growers.csv"]).stdin("yes\n").end().with_code(2);
    ended.saying("2 hold a credential that this tool attached").saying(bench.urls()[1]).saying("--yes");
    assert_eq!((bench.calls(), bench.status(&[])["runs"].as_array().unwrap().len()), (calls, runs));
}

#[test]
fn at_a_terminal_only_yes_is_a_yes() {
    let (bench, rows) = attached(1);
    for (answer, code, left) in [("y", 2, 1), ("", 2, 1), ("yes", 0, 0)] {
        let program = env!("CARGO_BIN_EXE_stara-onboard");
        let command = format!("'{program}' detach growers.csv --progress none --report none");
        let mut script = std::process::Command::new("script");
        script.current_dir(bench.folder()).args(["-q", "-e", "-c", &command, "/dev/null"]);
        script.envs(bench.environment()).stdin(std::process::Stdio::piped());
        let mut child = script.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{answer}\n").as_bytes())
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{answer:?}");
        assert_eq!(holders(&bench, &rows), left, "{answer:?}");
    }
}

#[test]
fn with_its_key_lost_nothing_is_taken_away() {
    let (bench, rows) = attached(1);
    let mut files = std::fs::read_dir(bench.path("state")).unwrap().map(|entry| entry.unwrap().path());
    let key = files.find(|path| path.to_string_lossy().contains("key")).unwrap();
    std::fs::remove_file(key).unwrap();
    let calls = bench.calls();
    detach(&bench, &["growers.csv"]).with_code(2).saying("fingerprint key");
    assert_eq!((bench.calls(), holders(&bench, &rows)), (calls, 1));
}

#[test]
fn a_user_that_leaf_does_not_know_is_named() {
    let (bench, rows) = attached(2);
    bench.world().delete_user(rows[0].id);
    detach(&bench, &["growers.csv"]).with_code(3);
    assert_eq!(bench.outcomes(), ["leaf-user-unknown", "detached"]);
    detach(&bench, &[&user(77).to_string()]).with_code(3).saying("1 hold none that the ledger knows of");
    assert_eq!(bench.outcomes(), ["leaf-user-unknown"]);
}

#[test]
fn without_a_ledger_nothing_is_known_to_be_ours_so_nothing_is_taken_away() {
    let (bench, rows) = attached(2);
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    let calls = bench.calls();
    detach(&bench, &["growers.csv"]).with_code(2).saying("there is no ledger");
    assert_eq!((bench.calls(), holders(&bench, &rows)), (calls, 2));
    assert!(!bench.path("state").exists());
    detach(&bench, &["growers.csv", "--include-foreign"]).with_code(0);
    assert_eq!(holders(&bench, &rows), 0);
}

#[test]
fn a_run_that_attached_nobody_cannot_be_taken_back() {
    let (bench, rows) = attached(2);
    detach(&bench, &[&rows[0].id.to_string()]).with_code(0);
    detach(&bench, &["--from-run", "2"]).with_code(2).saying("run 2 was a detach");
    assert_eq!(holders(&bench, &rows), 1);
}

#[test]
fn a_mistyped_id_is_no_missing_manifest() {
    let (bench, rows) = attached(1);
    let short = &rows[0].id.to_string()[1..];
    detach(&bench, &[short]).with_code(2).saying("is neither a leafUserId nor a file");
    assert_eq!(holders(&bench, &rows), 1);
}

#[test]
fn whom_it_is_about_must_be_clear() {
    let (bench, rows) = attached(2);
    let calls = bench.calls();
    let first = rows[0].id.to_string();
    for arguments in [
        &[][..],
        &["growers.csv", "growers.csv"],
        &[&first, "growers.csv"],
        &[&first, "--from-run", "1"],
        &["--from-run", "latest"],
        &["nowhere.csv"],
        &["growers.csv", "--report", "growers.csv"],
    ] {
        bench.program().args(["detach", "--yes"]).args(arguments).end().with_code(2);
    }
    assert_eq!(bench.calls(), calls);
    bench.write("empty.csv", "leafUserId,login\nno-uuid,ana\n");
    detach(&bench, &["empty.csv", "--strict"]).with_code(2).saying("line 2");
}

#[test]
fn only_one_run_holds_the_ledger() {
    let rows = growers(30);
    let bench = Bench::slow(&rows);
    let running = bench.run_of("growers.csv", &["--concurrency", "2"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    detach(&bench, &["growers.csv"]).with_code(11);
    running.signal(Signal::INT);
    running.end();
}

#[test]
fn when_leaf_refuses_everything_it_stops() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let forbidden = Trouble::Answer(Answer::new(403));
    bench.inject(Fault::new(Calls::One(DeleteCredential), When::Always, forbidden));
    detach(&bench, &["growers.csv"]).with_code(7);
    assert_eq!(holders(&bench, &rows), 40);
    assert!(bench.calls_of(DeleteCredential) <= 31, "no more than the opening");
}

#[test]
fn foreign_credentials_on_many_users_do_not_stop_it() {
    let rows = growers(80);
    let options = SandboxOptions::default();
    let bench = Bench::with_options(options, &rows);
    for row in &rows[..50] {
        bench.world().seed_credential(row.id, "OK");
    }
    bench.run(&[]).with_code(0);
    detach(&bench, &["growers.csv"]).with_code(3);
    let results = bench.results();
    let counted = counts(&results);
    assert_eq!((counted["leaf-credentials-exist"], counted["detached"]), (50, 30));
    assert_eq!(bench.calls_of(DeleteCredential), 30);
}

#[test]
fn what_a_detach_could_not_look_at_is_looked_at_before_anything_is_attached_even_without_a_precheck() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.write("other.csv", csv_of(&rows[1..]));
    bench.run_of("other.csv", &[]).end().with_code(0);
    bench.world().seed_credential(rows[0].id, "OK");
    let failing = Trouble::Answer(Answer::new(500));
    bench.inject(Fault::new(Calls::One(GetUser), When::Always, failing));
    detach(&bench, &[&rows[0].id.to_string()]).with_code(3);
    assert_eq!(bench.outcomes(), ["leaf-unavailable"]);
    bench.world().lift_faults();
    bench.run(&["--precheck", "off"]).with_code(0);
    assert_eq!(bench.outcomes(), ["already-attached", "attached"]);
    assert_eq!(bench.calls_of(CreateCredential), 1, "that of the other row's run");
}

#[test]
fn a_roll_back_that_was_killed_while_it_took_back_what_was_in_the_open_finishes() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang_after_effect());
    let running = bench.run_of("growers.csv", &[]).start();
    bench.until(|world| world.attach_effects_in_all() == 2);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();

    // Nobody knows of these credentials but the intents. Now the deletions hang, one of them after its effect.
    let hang = |at: usize, trouble| {
        Fault::new(Calls::One(DeleteCredential), When::Always, trouble).for_user(rows[at].id)
    };
    bench.inject(hang(0, Trouble::Hang));
    bench.inject(hang(1, Trouble::HangAfterEffect));
    let arguments = ["--from-run", "1", "--settle", "1s"];
    let running = start(&bench, &arguments);
    bench.until(|world| world.faults_befallen("custom") == 2);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();

    detach(&bench, &arguments).with_code(0);
    assert_eq!((bench.outcomes(), holders(&bench, &rows)), (vec!["detached".to_owned(); 2], 0));
    assert_eq!(bench.calls_of(DeleteCredential), 3, "one had no effect, and was sent once more");
    detach(&bench, &arguments).with_code(0).saying("there is nothing to do");
}

#[test]
fn no_variable_of_runs_makes_it_write_over_the_runs_report() {
    let (bench, rows) = attached(1);
    let report = std::fs::read(bench.path("results.jsonl")).unwrap();
    let id = rows[0].id.to_string();
    let detach = bench.program().args(["detach", &id, "--yes"]).env("STARA_ONBOARD_REPORT", "results.jsonl");
    detach.end().with_code(0);
    assert_eq!(std::fs::read(bench.path("results.jsonl")).unwrap(), report);
    assert!(bench.path("state/detach.results.csv").is_file());
}
