//! What a plan says, and with which code it exits.

use serde_json::Value;
use stara_onboard::model::Login;
use stara_onboard::sandbox::Fault;

use super::{counts, files_below, plan, plan_of, read, second_night, signs};
use crate::support::leaks::Needles;
use crate::support::{Bench, Grower, growers};

#[test]
fn the_exit_code_tells_what_is_to_do_only_when_asked() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    plan_of(&bench, &[], 0);
    plan_of(&bench, &["--detailed-exitcode"], 6);
    bench.run(&[]).with_code(0);
    plan_of(&bench, &["--detailed-exitcode"], 0);
    bench.write_manifest(&rows[1..]);
    plan_of(&bench, &["--detailed-exitcode"], 0);
    let mut changed = rows.clone();
    changed[0] = rows[0].with_login("new-owner@agro.example");
    bench.write_manifest(&changed);
    plan_of(&bench, &["--detailed-exitcode"], 6);
    bench.write_manifest(&rows);
    bench.world().set_status(rows[0].id, "invalid");
    bench.world().remove_credential(rows[1].id);
    plan_of(&bench, &["--detailed-exitcode"], 0);
    // What nothing is to be done about without a look is seen with one.
    let plan = plan_of(&bench, &["--detailed-exitcode", "--refresh"], 6);
    assert_eq!(signs(&plan), [(2, "!"), (3, "+")]);
    assert_eq!(plan["calls"]["leaf"], 0, "a run leaves done rows alone");
}

#[test]
fn an_unhealthy_credential_is_something_to_do_only_where_it_may_be_replaced() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[0].id, "invalid");
    plan_of(&bench, &["--detailed-exitcode"], 0);
    plan_of(&bench, &["--detailed-exitcode", "--on-existing", "replace"], 6);
    plan_of(&bench, &["--detailed-exitcode", "--on-existing", "fail"], 0);
}

#[test]
fn a_look_that_failed_is_told_and_is_never_nothing_there() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    bench.inject(Fault::parse("user:huge-body").unwrap().for_user(rows[2].id));
    let ended = plan(&bench, &[]).with_code(5).saying("couldn't be asked about 1 row");
    let plan = read(&ended);
    assert_eq!((counts(&plan)[0], &plan["unseen"]), (4, &1.into()));
    let unseen: Vec<&Value> =
        plan["rows"].as_array().unwrap().iter().filter(|row| row["sign"].is_null()).collect();
    assert_eq!(unseen.len(), 1);
    assert_eq!(unseen[0]["line"], 4);
}

#[test]
fn a_plan_fails_as_the_run_would() {
    let bench = Bench::new(&growers(3));
    let failing = |arguments: &[&str], code: i32, saying: &str| {
        let ended = bench.program().args(["plan", "growers.csv"]).args(arguments).end();
        let ended = ended.with_code(code).saying(saying);
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    };
    failing(&["--precheck", "off", "--on-existing", "replace"], 2, "--precheck off");
    failing(&["--only", "0a1b2c3d-0000-4000-8000-0000000000ff"], 2, "--only names a user that isn't");
    bench.run(&[]).with_code(0);
    failing(&["--stara-url", "https://stara.example"], 2, "belongs to Stara at this machine");
    bench.write("growers.csv", "leafUserId,login,password\nx,y,z\n");
    failing(&["--strict"], 2, "1 of 1 lines are no rows");
    bench.write_manifest(&growers(5));
    bench.inject(Fault::parse("leaf:401").unwrap());
    failing(&[], 7, "Leaf refuses our token");
    bench.world().lift_faults();
    bench.inject(Fault::parse("leaf:503").unwrap());
    failing(&["--max-hold", "1s"], 5, "Leaf is down");
    let ended = bench.program().args(["run", "growers.csv", "--json"]).end().with_code(2);
    ended.saying("--dry-run");
}

#[test]
fn a_dry_run_is_a_plan() {
    let (bench, _) = second_night();
    let plan = plan_of(&bench, &[], 0);
    let before = files_below(&bench.path("state"));
    let dry = bench.program().args(["run", "growers.csv", "--dry-run", "--json"]).end().with_code(0);
    assert_eq!(read(&dry), plan);
    let progress = ["run", "growers.csv", "--dry-run", "--json", "--progress", "json"];
    assert_eq!(read(&bench.program().args(progress).end().with_code(0)), plan, "stdout is the plan");
    assert_eq!(files_below(&bench.path("state")), before);
    let rehearsed = bench.program().args(["run", "growers.csv", "--dry-run", "--json", "--sandbox"]).end();
    let rehearsed = read(&rehearsed.with_code(0));
    assert_eq!(counts(&rehearsed).iter().sum::<u64>(), 39);
    assert_eq!(files_below(&bench.path("state")), before);
}

#[test]
fn a_plan_for_people_names_the_rows_the_calls_and_the_command() {
    let (bench, _) = second_night();
    let arguments = ["plan", "growers.csv", "--stara-rate", "2/s", "--leaf-rate", "100/s"];
    let text = bench.program().args(arguments).end().with_code(0).stdout;
    for expected in [
        "39 lines of the manifest, against Leaf at http://127.0.0.1:",
        "         10  +  to be attached\n",
        "         22  =  done, or healthy at Leaf\n",
        "          1  -  in the ledger, but gone from the manifest; never touched by run\n",
        "the login changed: the credential is replaced",
        "new-owner-6@agro.example",
        "leaf-user-forbidden: Leaf doesn't let this account see the user",
        "Stara would get 24 requests, among them 12 logins.",
        "At the known rates that takes about 12s.",
        "Nothing was changed.",
        " run growers.csv --stara-rate 2/s --leaf-rate 100/s\n",
    ] {
        assert!(text.contains(expected), "{expected:?} isn't in:\n{text}");
    }
    assert!(!text.contains("grower20@"), "what is done isn't listed:\n{text}");
}

#[test]
fn what_somebody_chose_as_a_login_commands_no_terminal() {
    let rows = vec![growers(1)[0].with_login("a\u{1b}[2Jb\u{9b}31m")];
    let bench = Bench::new(&rows);
    let text = bench.program().args(["plan", "growers.csv"]).end().with_code(0).stdout;
    assert!(text.contains('b') && text.lines().all(|line| !line.contains(char::is_control)), "{text:?}");
    assert_eq!(plan_of(&bench, &[], 0)["rows"][0]["login"], rows[0].login.as_str());
    assert_eq!(rows[0].login(), Login::new(&rows[0].login));
}

#[test]
fn no_password_is_told_by_a_plan() {
    let rows: Vec<Grower> =
        growers(20).iter().map(|row| row.with_password(&format!("{}-is-a-secret", row.login))).collect();
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[0].id, "OK");
    let text =
        bench.program().args(["plan", "growers.csv", "-vvv", "--log-file", "plan.log"]).end().with_code(0);
    let json = bench.program().args(["plan", "growers.csv", "--json", "-vvv"]).end().with_code(0);
    let secrets: Vec<String> =
        rows.iter().map(|row| row.password.clone()).chain(bench.world().secrets()).collect();
    let secrets =
        secrets.into_iter().chain(["leaf-token-of-the-bench".to_owned()]).filter(|secret| secret.len() >= 8);
    let needles = Needles::new(secrets);
    for told in [&text.stdout, &text.stderr, &json.stdout, &json.stderr] {
        assert!(needles.find("output", told.as_bytes()).is_empty());
    }
    let log = std::fs::read(bench.path("plan.log")).unwrap();
    assert!(!log.is_empty() && needles.find("log", &log).is_empty());
    assert!(!needles.find("manifest", &std::fs::read(bench.path("growers.csv")).unwrap()).is_empty());
}
