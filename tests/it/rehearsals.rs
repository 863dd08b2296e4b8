//! Rehearsals against services of each kind, and what every kind is to show.

use stara_onboard::sandbox::{CallKind, Profile, SandboxOptions, SecondAttach, World};

use crate::support::{Bench, Ended, Grower, Invocation, csv_of, growers, side_by_side};

/// The rows of most rehearsals: enough that every fault of a profile befalls somebody, and few enough to be quick.
const ROWS: usize = 60;

/// Services of this kind that can be looked into, for these growers.
fn bench(profile: Profile, growers: &[Grower]) -> Bench {
    // Where a second attach takes effect, nobody can be attached twice unseen.
    let on_second_attach = SecondAttach::SecondObject;
    let mut options = SandboxOptions { on_second_attach, ..SandboxOptions::default() };
    profile.apply(&mut options, &World::open());
    let bench = Bench::with_options(options, growers);
    profile.apply(&mut SandboxOptions::default(), bench.world());
    bench
}

/// Runs as a rehearsal does, with an account that renews the token and a short settle time.
fn run(bench: &Bench, arguments: &[&str]) -> Ended {
    let program = bench.run_of("growers.csv", &["--settle", "5s"]).args(arguments);
    program.env("LEAF_USERNAME", "anybody").env("LEAF_PASSWORD", "anything").end()
}

/// A folder with a manifest, and the program in it, told nothing of any service.
fn folder(growers: &[Grower]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("growers.csv"), csv_of(growers)).unwrap();
    folder
}

fn rehearse(folder: &tempfile::TempDir, arguments: &[&str]) -> Ended {
    Invocation::new(folder.path()).args(["run", "growers.csv"]).args(arguments).end()
}

#[test]
fn a_second_rehearsal_that_finds_all_done_says_so_and_how_to_begin_anew() {
    let rows = growers(3);
    let folder = folder(&rows);
    let anew = "hint: nothing was rehearsed: an earlier rehearsal with state/sandbox.db did all of it";
    let first = rehearse(&folder, &["--sandbox"]).with_code(0);
    assert!(!first.stderr.contains("nothing was rehearsed"), "{}", first.stderr);
    let second = rehearse(&folder, &["--sandbox"]).with_code(0).saying(anew);
    let state = second.stderr.rsplit("--state ").next().unwrap().trim().to_owned();
    let third = rehearse(&folder, &["--sandbox", "--state", &state]).with_code(0);
    assert!(third.stderr.contains("3 to do of 3 lines"), "{}", third.stderr);
    assert!(!third.stderr.contains("nothing was rehearsed"), "{}", third.stderr);
}

#[test]
fn whatever_comes_together_everybody_is_attached_once() {
    let profiles =
        [Profile::Clean, Profile::Flaky, Profile::Storm, Profile::LostReplies, Profile::TokenExpiry];
    side_by_side(profiles, |profile| {
        let rows = growers(ROWS);
        let bench = bench(profile, &rows);
        run(&bench, &[]).with_code(0);
        assert_eq!(bench.outcomes(), vec!["attached"; ROWS], "{profile}");
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_storm_is_one_and_stopping_in_it_attaches_nobody_twice() {
    let rows = growers(ROWS);
    let bench = bench(Profile::Storm, &rows);
    let started = bench.run_of("growers.csv", &["--settle", "5s"]);
    let started = started.env("LEAF_USERNAME", "anybody").env("LEAF_PASSWORD", "anything").start();
    bench.until(|world| world.attach_effects_in_all() >= 5);
    started.signal(rustix::process::Signal::INT);
    started.end().with_code(130);
    run(&bench, &[]).with_code(0);
    bench.expect_one_effect_each(&rows);
    let (seen, world) = (bench.seen(), bench.world());
    assert!(seen.iter().any(|call| call.status == Some(429)));
    assert!(world.faults_befallen("replies-lost") > 0);
    assert!(world.faults_befallen("cut-then-late-effect") > 0);
    assert!(world.faults_befallen("stara-errors") > 0);
}

#[test]
fn a_refused_login_gets_one_refusal_however_many_rows_and_runs_have_it() {
    let mut rows = growers(ROWS);
    let ended = |bench: &Bench| {
        let rejected = bench.outcomes().iter().filter(|outcome| *outcome == "stara-login-rejected").count();
        assert!(rejected > 0 && bench.outcomes().len() == ROWS);
        rejected
    };
    // Whichever login it is that the profile refuses: let ten more rows have it.
    let first = bench(Profile::Lockout, &rows);
    run(&first, &[]).with_code(3);
    let refused = first.results().into_iter().find(|row| row.outcome == "stara-login-rejected").unwrap();
    let refused = rows.iter().find(|row| Some(&row.login) == refused.login.as_ref()).unwrap().clone();
    for row in &mut rows[..10] {
        row.login.clone_from(&refused.login);
        row.password.clone_from(&refused.password);
    }
    let bench = bench(Profile::Lockout, &rows);
    run(&bench, &[]).with_code(3);
    assert!(ended(&bench) >= 10);
    assert_eq!(bench.world().most_refusals(), 1);
    let calls = bench.calls_of(CallKind::Authenticate);
    run(&bench, &[]).with_code(3);
    assert_eq!(bench.calls_of(CallKind::Authenticate), calls, "no refused login is sent again");
    assert_eq!(bench.world().most_refusals(), 1, "nobody was locked out");
}

#[test]
fn whoever_insists_is_locked_out_and_the_rehearsal_would_show_it() {
    let rows = growers(ROWS);
    let bench = bench(Profile::Lockout, &rows);
    run(&bench, &[]).with_code(3);
    for _ in 0..3 {
        run(&bench, &["--retry-rejected"]).with_code(3);
    }
    assert_eq!(bench.world().most_refusals(), 4);
    assert!(bench.seen().iter().any(|call| call.call == CallKind::Authenticate && call.status == Some(403)));
}

#[test]
fn slow_services_are_waited_for_and_asked_once() {
    let rows = growers(6);
    let bench = bench(Profile::Slow, &rows);
    // Without canaries, so that all six are in flight at once.
    run(&bench, &["--max-failures", "100%"]).with_code(0);
    bench.expect_one_effect_each(&rows);
    let seen = bench.seen();
    assert!(seen.iter().all(|call| call.status.is_some_and(|status| status < 500)), "{seen:?}");
    for kind in [CallKind::Authenticate, CallKind::Token, CallKind::CreateCredential] {
        assert_eq!(bench.calls_of(kind), rows.len(), "{kind:?}");
    }
}

#[test]
fn tokens_that_expire_are_renewed_as_often_as_it_takes() {
    let rows = growers(ROWS);
    let bench = bench(Profile::TokenExpiry, &rows);
    run(&bench, &[]).with_code(0);
    let expired = bench.seen().iter().filter(|call| call.status == Some(401)).count();
    let renewals = bench.calls_of(CallKind::LeafLogin);
    assert!(expired > 0 && (3..=20).contains(&renewals), "{expired} expired, {renewals} renewals");
}

#[test]
fn a_rehearsal_says_what_the_real_run_would_take() {
    side_by_side(
        [
            (vec!["--sandbox"], 0, "against such services (clean) would take about"),
            (vec!["--sandbox=token-expiry"], 0, "against such services (token-expiry) would take about"),
            (vec!["--sandbox=lockout"], 3, "these services lock a login at 3, so nobody was locked out."),
            (
                vec!["--sandbox", "--stara-rate", "60/s", "--leaf-rate", "none"],
                0,
                "120 requests to Stara at 60/s in about 2s, 181 requests to Leaf. No row would wait for a person.",
            ),
        ],
        |(flags, code, told)| {
            let folder = folder(&growers(ROWS));
            rehearse(&folder, &flags).with_code(code).saying(told);
            let again = rehearse(&folder, &flags).with_code(code);
            assert!(!again.stderr.contains("A real run"), "nobody was asked anything: {}", again.stderr);
        },
    );
}

#[test]
fn lost_replies_settle_quickly_in_a_rehearsal_and_are_foretold_for_the_real_run() {
    let folder = folder(&growers(ROWS));
    let ended = rehearse(&folder, &["--sandbox=lost-replies", "--settle", "4s"]).with_code(0);
    ended.saying("4s for lost replies to settle");
    let other = rehearse(&folder, &["--sandbox=lost-replies", "--state", "other.db"]).with_code(0);
    other.saying("2m for lost replies to settle");
}

#[test]
fn which_rows_are_hit_follows_from_the_seed() {
    let refused = |seed: &str| {
        let folder = folder(&growers(ROWS));
        let arguments = ["--sandbox=lockout", "--sandbox-seed", seed, "--report", "results.jsonl"];
        rehearse(&folder, &arguments).with_code(3);
        let results = crate::support::read_results(&folder.path().join("results.jsonl"));
        let refused = results.iter().filter(|row| row.outcome == "stara-login-rejected");
        refused.map(|row| row.line).collect::<Vec<_>>()
    };
    assert_eq!(refused("1"), refused("1"));
    assert_ne!(refused("1"), refused("2"));
}

#[test]
fn a_profile_may_stand_wherever_the_ledger_of_rehearsals_is_meant() {
    let rows = growers(3);
    let folder = folder(&rows);
    let with = |profile: &str, arguments: &[&str]| {
        Invocation::new(folder.path()).env("STARA_ONBOARD_SANDBOX", profile).args(arguments).end()
    };
    with("token-expiry", &["run", "growers.csv"]).with_code(0).saying("such services (token-expiry)");
    for profile in ["true", "1", "clean", "storm"] {
        let status = with(profile, &["status", "--json"]).with_code(0).stdout;
        assert!(status.contains("\"attached\": 3"), "{profile}: {status}");
    }
    with("storm", &["report", "again.jsonl"]).with_code(0);
    with("storm", &["plan", "growers.csv"]).with_code(0);
    let id = rows[0].id.to_string();
    with("flaky", &["state", "forget", &id, "--yes", "--even-if-attached"]).with_code(0);
    // The real ledger isn't there, and isn't made.
    with("false", &["status"]).with_code(2);
    assert!(!folder.path().join("state/ledger.db").exists());
    let ended = with("strom", &["status"]).with_code(2);
    ended
        .saying("neither true nor false, and is no profile")
        .saying("did you mean storm? write clean, flaky,");
}

#[test]
fn a_flag_beats_the_environment() {
    let folder = folder(&growers(2));
    let invocation = Invocation::new(folder.path()).env("STARA_ONBOARD_SANDBOX", "storm");
    let ended = invocation.args(["run", "growers.csv", "--sandbox=clean"]).end().with_code(0);
    ended.saying("such services (clean)");
}
