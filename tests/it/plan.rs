//! `plan` foresees what `run` does with the same flags, to the call, and touches nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use rustix::process::Signal;
use serde_json::Value;
use stara_onboard::model::{Login, Secret};
use stara_onboard::sandbox::{CallKind, Fault, LeafAccount, MagicWord, SandboxOptions};

use crate::support::leaks::Needles;
use crate::support::{Bench, Ended, Grower, growers, side_by_side};

/// Every file below a folder, with its bytes and the time of its last change.
fn files_below(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let changed = path.metadata().unwrap().modified().unwrap();
        files.insert(path.display().to_string(), (std::fs::read(&path).unwrap(), changed));
    }
    files
}

/// The plan of `growers.csv` with these flags, after which everything must be as it was.
#[track_caller]
fn plan_of(bench: &Bench, flags: &[&str], code: i32) -> Value {
    let before = files_below(&bench.path("state"));
    let plan = read(&plan(bench, flags).with_code(code));
    assert_eq!(files_below(&bench.path("state")), before, "{flags:?}");
    plan
}

fn plan(bench: &Bench, flags: &[&str]) -> Ended {
    bench.program().args(["plan", "growers.csv", "--json"]).args(flags).end()
}

#[track_caller]
fn read(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

/// What a plan counts, in the order of its signs: + = ~ ! ? x -
fn counts(plan: &Value) -> [u64; 7] {
    ["+", "=", "~", "!", "?", "x", "-"].map(|sign| plan["counts"][sign].as_u64().unwrap())
}

/// The sign of each line that has one and isn't `=`.
fn signs(plan: &Value) -> Vec<(u64, &str)> {
    let rows = plan["rows"].as_array().unwrap().iter();
    rows.filter_map(|row| Some((row["line"].as_u64()?, row["sign"].as_str()?))).collect()
}

/// Requests to Stara, those of them that put a login to it, and requests to Leaf, so far.
fn asked(bench: &Bench) -> [u64; 3] {
    let mut asked = [0; 3];
    for call in bench.seen() {
        match call.call {
            CallKind::Authenticate => (asked[0], asked[1]) = (asked[0] + 1, asked[1] + 1),
            CallKind::Token => asked[0] += 1,
            _ => asked[2] += 1,
        }
    }
    asked
}

/// Plans and runs with these flags: the plan must have foreseen the calls exactly.
#[track_caller]
fn foreseen(bench: &Bench, flags: &[&str]) -> Value {
    foreseen_by(bench, flags, |program| program)
}

#[track_caller]
fn foreseen_by(
    bench: &Bench,
    flags: &[&str],
    set_up: impl Fn(crate::support::Invocation) -> crate::support::Invocation,
) -> Value {
    let state = files_below(&bench.path("state"));
    let ended =
        set_up(bench.program()).args(["plan", "growers.csv", "--json"]).args(flags).end().with_code(0);
    assert_eq!(files_below(&bench.path("state")), state, "{flags:?}");
    let plan = read(&ended);
    let before = asked(bench);
    let ended = set_up(bench.run_of("growers.csv", flags)).end();
    let after = asked(bench);
    let expected = [&plan["calls"]["stara"], &plan["staraLogins"], &plan["calls"]["leaf"]];
    let counted: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let expected: Vec<u64> = expected.into_iter().map(|number| number.as_u64().unwrap()).collect();
    assert_eq!(expected, counted, "{flags:?}: {plan:#}\n{}", ended.stderr);
    let lines: u64 = counts(&plan)[..6].iter().sum::<u64>()
        + ["invalid", "duplicate", "conflict", "notSelected"]
            .iter()
            .map(|kind| plan["lines"][kind].as_u64().unwrap())
            .sum::<u64>();
    assert_eq!(plan["lines"]["manifest"].as_u64().unwrap(), lines + plan["unseen"].as_u64().unwrap());
    plan
}

#[test]
fn a_first_night_is_foreseen_whatever_the_look() {
    side_by_side(["auto", "list", "row", "off"], |precheck| {
        let rows = growers(230);
        let bench = Bench::new(&rows);
        let plan = foreseen(&bench, &["--precheck", precheck]);
        assert_eq!(counts(&plan), [230, 0, 0, 0, 0, 0, 0]);
        let pages = if matches!(precheck, "auto" | "list") { Value::from(3) } else { Value::Null };
        assert_eq!(plan["listPages"], pages);
        assert_eq!(plan["staraLogins"], 230);
        bench.expect_one_effect_each(&rows);
        let plan = foreseen(&bench, &["--precheck", precheck]);
        assert_eq!(counts(&plan), [0, 230, 0, 0, 0, 0, 0]);
        assert_eq!((&plan["calls"]["stara"], &plan["calls"]["leaf"]), (&0.into(), &0.into()));
    });
}

#[test]
fn a_night_with_a_lost_ledger_is_foreseen() {
    for precheck in ["auto", "list", "row", "off"] {
        let rows = growers(320);
        let bench = Bench::new(&rows);
        for row in &rows[5..] {
            bench.world().seed_credential(row.id, "OK");
        }
        bench.world().set_status(rows[200].id, "invalid");
        if precheck == "off" {
            // Nobody can foresee what nobody looks at.
            assert_eq!(counts(&plan_of(&bench, &["--precheck", "off"], 0))[0], 320);
            continue;
        }
        let plan = foreseen(&bench, &["--precheck", precheck]);
        assert_eq!(counts(&plan), [5, 314, 0, 1, 0, 0, 0]);
        assert_eq!(plan["staraLogins"], 5);
        if precheck != "row" {
            assert_eq!(plan["calls"]["leaf"], 4 + 6 + 5 + 5);
        }
    }
}

#[test]
fn a_list_and_looks_that_leave_something_open_are_foreseen_with_the_calls_that_close_it() {
    let flaws = [
        "embedded-without-status",
        "embedded-without-id",
        "embedded-null",
        "embedded-empty",
        "list-without-total",
        "list-small-pages",
        "list-user-twice",
    ];
    side_by_side(flaws, |flaw| {
        let rows = growers(130);
        let bench = Bench::new(&rows);
        for row in &rows[4..] {
            bench.world().seed_credential(row.id, "OK");
        }
        bench.inject(Fault::parse(flaw).unwrap());
        let plan = foreseen(&bench, &["--precheck", "auto"]);
        assert_eq!(plan["counts"]["+"].as_u64().unwrap(), bench.world().attach_effects_in_all(), "{flaw}");
    });
}

/// Rows of every kind, in their second night: `growers.csv` is what it has become.
fn second_night() -> (Bench, Vec<Grower>) {
    let mut rows = growers(40);
    for (row, word) in
        [(0, MagicWord::ForbiddenUser), (1, MagicWord::UnknownUser), (2, MagicWord::WrongPassword)]
    {
        word.as_str().clone_into(&mut rows[row].password);
    }
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[3].id, "invalid");
    bench.world().seed_credential(rows[4].id, "OK");
    bench.write_manifest(&rows[..30]);
    bench.run(&[]).with_code(3);
    let mut tonight = rows.clone();
    tonight[5] = rows[5].with_password("another password");
    for at in [6, 7, 8] {
        tonight[at] = rows[at].with_login(&format!("new-owner-{at}@agro.example"));
        tonight[at].join(bench.world());
    }
    bench.world().remove_credential(rows[8].id);
    // A new row with the login that was refused, and one whose password changed.
    tonight[30] = Grower { id: rows[30].id, ..rows[2].clone() };
    tonight.remove(9);
    bench.write_manifest(&tonight);
    (bench, tonight)
}

#[test]
fn a_second_night_with_every_kind_of_row_is_foreseen() {
    let (bench, _) = second_night();
    let plan = foreseen(&bench, &["--precheck", "auto"]);
    assert_eq!(counts(&plan), [10, 22, 2, 1, 1, 3, 1]);
}

#[test]
fn replacements_are_foreseen_within_their_bound() {
    for bound in ["0", "1", "50"] {
        let (bench, _) = second_night();
        let plan = foreseen(&bench, &["--max-changes", bound, "--concurrency", "1"]);
        assert_eq!(counts(&plan)[2], 2, "they stay listed: {plan:#}");
        assert_eq!(plan["notReplaced"], 2_u64.saturating_sub(bound.parse().unwrap()));
    }
    let rows = growers(4);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[0].id, "invalid");
    bench.world().seed_credential(rows[1].id, "OK");
    let plan = foreseen(&bench, &["--on-existing", "replace"]);
    assert_eq!(counts(&plan), [2, 0, 1, 1, 0, 0, 0]);
    assert_eq!(signs(&plan), [(2, "!"), (3, "~"), (4, "+"), (5, "+")]);
}

#[test]
fn rows_that_share_a_login_and_lines_that_are_left_out_are_foreseen() {
    let mut rows = growers(30);
    for at in 0..20 {
        rows[at] = Grower { id: rows[at].id, ..rows[at - at % 5].clone() };
    }
    for flags in [&["--share-logins"][..], &[], &["--share-logins", "--limit", "7"], &["--limit", "12"]] {
        let options = SandboxOptions { tokens_voided_by_next: false, ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        let text = crate::support::csv_of(&rows);
        let repeated = text.lines().nth(3).unwrap();
        let contrary = format!("{},someone@agro.example,else", rows[25].id);
        bench.write("growers.csv", format!("{text}{repeated}\n{contrary}\nno-uuid,x,y\n"));
        let plan = foreseen(&bench, flags);
        assert_eq!(plan["lines"]["manifest"], 33);
        assert_eq!(
            ["invalid", "duplicate", "conflict"].map(|kind| plan["lines"][kind].as_u64().unwrap()),
            [1, 1, 2]
        );
        let only = rows[29].id.to_string();
        let plan = foreseen(&bench, &["--only", &only]);
        assert_eq!(plan["lines"]["notSelected"], 28);
    }
}

#[test]
fn the_login_to_leaf_is_among_the_calls() {
    let rows = growers(3);
    let password = Secret::new("the account's password".to_owned());
    let account = LeafAccount { username: "ops@coop.example".into(), password };
    let options = SandboxOptions { leaf_account: Some(account), ..SandboxOptions::default() };
    let bench = Bench::with_options(options, &rows);
    let plan = foreseen_by(&bench, &[], |program| {
        let program = program.env_remove("LEAF_TOKEN").env("LEAF_USERNAME", "ops@coop.example");
        program.env("LEAF_PASSWORD", "the account's password")
    });
    assert_eq!(plan["calls"]["leaf"], 3 * 3 + 1);
}

/// Three growers and a run that was killed: the first one's attach took effect unseen, the second one's was never begun,
/// and the third one's old credential was deleted.
fn killed() -> (Bench, Vec<Grower>) {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.world().seed_credential(rows[2].id, "OK");
    bench.inject(Fault::hang_after_effect().for_user(rows[0].id));
    bench.inject(Fault::parse("attach:hang").unwrap().for_user(rows[2].id));
    bench.inject(Fault::parse("user:hang").unwrap().for_user(rows[1].id));
    let running = bench.run_of("growers.csv", &["--on-existing", "replace"]).start();
    bench.until(|world| world.attach_effects(rows[0].id) == 1 && world.credential(rows[2].id).is_none());
    bench.until(|world| world.faults_befallen("hang") == 2);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();
    (bench, rows)
}

#[test]
fn what_a_killed_run_left_open_is_foreseen_from_its_log_and_the_log_is_left_alone() {
    let (bench, rows) = killed();
    assert!(bench.path("state").join("ledger.db-wal").exists(), "or nothing is shown");
    let plan = foreseen(&bench, &["--settle", "1s"]);
    assert_eq!(counts(&plan), [2, 1, 0, 0, 0, 0, 0]);
    assert_eq!(plan["openIntents"], 2);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn where_there_is_no_ledger_none_is_made() {
    let bench = Bench::new(&growers(2));
    let plan = plan_of(&bench, &[], 0);
    assert_eq!(counts(&plan)[0], 2);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 0);
    let names = |folder: &Path| -> Vec<_> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    assert_eq!(names(bench.folder()), ["growers.csv"], "nothing is made beside the manifest");
    std::fs::create_dir(bench.path("state")).unwrap();
    plan_of(&bench, &[], 0);
    assert!(names(&bench.path("state")).is_empty());
}

#[test]
fn no_copy_of_the_ledger_is_left_behind_even_by_a_plan_that_is_killed() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.write_manifest(&growers(3));
    let temporary = bench.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let program = || bench.program().env("TMPDIR", &temporary).args(["plan", "growers.csv", "--json"]);
    program().end().with_code(0);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    bench.inject(Fault::parse("user:hang").unwrap());
    let running = program().start();
    bench.until(|world| world.faults_befallen("hang") == 1);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "it has no name while it is used");
    running.signal(Signal::KILL);
    running.end();
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn a_plan_is_made_while_a_run_holds_and_writes_the_ledger() {
    let rows = growers(120);
    let bench = Bench::slow(&rows);
    let running = bench.run_of("growers.csv", &["--concurrency", "4"]).start();
    for attached in [10, 30, 60, 90] {
        bench.until(|world| world.attach_effects_in_all() >= attached);
        let plan = read(&plan(&bench, &[]).with_code(0));
        let [attach, healthy, rest @ ..] = counts(&plan);
        assert_eq!((attach + healthy, rest), (120, [0; 5]));
        assert!(healthy >= attached - 4, "{healthy} of {attached}");
    }
    running.end().with_code(0);
    bench.expect_one_effect_each(&rows);
    assert!(!bench.path("state").join("ledger.db-wal").exists(), "the run tidied up after itself");
}

#[test]
fn signals_end_a_plan_at_once() {
    let bench = Bench::new(&growers(2));
    bench.inject(Fault::parse("user:hang").unwrap());
    let running = bench.program().args(["plan", "growers.csv"]).start();
    bench.until(|world| world.faults_befallen("hang") == 2);
    running.signal(Signal::TERM);
    let ended = running.end().with_code(143).saying("stopped by SIGTERM");
    assert!(ended.stdout.is_empty());
    assert!(!bench.path("state").exists());
}

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
fn without_its_key_a_plan_replaces_nothing_and_says_so() {
    let (bench, _) = second_night();
    std::fs::remove_file(bench.path("state").join("ledger.key")).unwrap();
    let ended = plan(&bench, &[]).with_code(0).saying("fingerprint key beside the ledger is missing");
    assert_eq!(counts(&read(&ended))[2], 0);
    foreseen(&bench, &[]);
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
fn what_an_audit_found_is_foreseen_as_the_next_run_takes_it() {
    let rows = growers(8);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.world().remove_credential(rows[0].id);
    bench.world().set_status(rows[1].id, "invalid");
    bench.world().delete_user(rows[2].id);
    bench.world().remove_credential(rows[3].id);
    bench.world().seed_credential(rows[3].id, "OK");
    assert_eq!(counts(&plan_of(&bench, &[], 0)), [0, 8, 0, 0, 0, 0, 0], "before anybody looks");
    bench.program().args(["audit", "--json"]).end().with_code(0);
    let plan = foreseen(&bench, &[]);
    assert_eq!(signs(&plan), [(2, "+"), (3, "!"), (4, "?")]);
    let plan = foreseen(&bench, &["--on-existing", "replace"]);
    assert_eq!(counts(&plan), [0, 6, 0, 1, 1, 0, 0]);
}

/// Numbers that follow from a seed (the multiplier is that of PCG).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// Growers of whom some are unknown, foreign to the account, or attached already, and some share a login.
fn any_growers(dice: &mut Dice) -> Vec<Grower> {
    let mut rows = growers(usize::try_from(3 + dice.below(140)).unwrap());
    for at in 0..rows.len() {
        let words =
            [MagicWord::UnknownUser, MagicWord::ForbiddenUser, MagicWord::Healthy, MagicWord::Unhealthy];
        if dice.one_in(6) {
            dice.pick(&words).as_str().clone_into(&mut rows[at].password);
        } else if at > 0 && dice.one_in(5) {
            rows[at] = Grower { id: rows[at].id, ..rows[at - 1].clone() };
        }
    }
    rows
}

/// What becomes of the rows, and of what Leaf holds, until the next night.
fn another_day(dice: &mut Dice, bench: &Bench, rows: &mut Vec<Grower>) {
    for (at, row) in rows.iter_mut().enumerate() {
        match dice.below(14) {
            0 => *row = row.with_password("another password"),
            1 => *row = row.with_login(&format!("new-owner-{at}-{}@agro.example", dice.below(100))),
            2 => drop(bench.world().remove_credential(row.id)),
            3 => drop(bench.world().set_status(row.id, "invalid")),
            4 => drop(bench.world().delete_user(row.id)),
            5 => {
                bench.world().remove_credential(row.id);
                bench.world().seed_credential(row.id, "OK");
            }
            _ => {}
        }
        if row.login.starts_with("new-owner") || row.password == "another password" {
            row.join(bench.world());
        }
    }
    let gone = usize::try_from(dice.below(rows.len() as u64)).unwrap();
    if rows.len() > 3 {
        rows.remove(gone);
    }
}

#[test]
fn whatever_happens_by_day_the_night_is_foreseen() {
    side_by_side([0, 1, 2], |part| {
        for seed in part * 8..part * 8 + 8 {
            let mut dice = Dice(seed);
            let mut rows = any_growers(&mut dice);
            let options = SandboxOptions { tokens_voided_by_next: false, ..SandboxOptions::default() };
            let bench = Bench::with_options(options, &rows);
            for _night in 0..3 {
                bench.write_manifest(&rows);
                let mut flags =
                    vec!["--max-failures", "100%", "--precheck", dice.pick(&["auto", "list", "row"])];
                flags.extend(["--on-existing", dice.pick(&["keep", "keep", "replace", "fail"])]);
                // Side by side, whichever rows come first take what may be replaced.
                let (changes, at_once) = dice.pick(&[("0", "1"), ("3", "1"), ("1000", "8")]);
                flags.extend(["--max-changes", changes, "--concurrency", at_once]);
                for (chance, flag) in
                    [(2, &["--share-logins"][..]), (4, &["--limit", "9"]), (4, &["--retry-failed"])]
                {
                    if dice.one_in(chance) {
                        flags.extend(flag);
                    }
                }
                if dice.one_in(4) {
                    bench.program().args(["audit", "--json"]).end();
                }
                if dice.one_in(6) {
                    let _ = std::fs::remove_dir_all(bench.path("state"));
                }
                foreseen(&bench, &flags);
                another_day(&mut dice, &bench, &mut rows);
            }
        }
    });
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

#[test]
fn who_was_detached_waits_and_is_not_missed_once_gone_from_the_manifest() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.program().args(["detach", &rows[0].id.to_string(), "--yes"]).end().with_code(0);
    let plan = foreseen(&bench, &[]);
    assert_eq!(counts(&plan), [0, 2, 0, 0, 0, 1, 0]);
    assert!(plan["rows"][0]["why"].as_str().unwrap().starts_with("detached"), "{plan:#}");
    assert_eq!(counts(&foreseen(&bench, &["--retry-failed"]))[0], 1);
    bench.program().args(["detach", &rows[0].id.to_string(), "--yes"]).end().with_code(0);
    bench.write_manifest(&rows[1..]);
    assert_eq!(counts(&foreseen(&bench, &[])), [0, 2, 0, 0, 0, 0, 0]);
}

#[test]
fn a_detachment_that_was_cut_short_is_foreseen() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.inject(Fault::parse("remove:hang").unwrap());
    let ids = rows.iter().map(|row| row.id.to_string());
    let running = bench.program().args(["detach", "--yes"]).args(ids).start();
    bench.until(|world| world.faults_befallen("hang") == 2);
    running.signal(Signal::KILL);
    running.end();
    bench.world().lift_faults();
    bench.world().remove_credential(rows[0].id);
    let plan = foreseen(&bench, &["--settle", "1s"]);
    assert_eq!(plan["openIntents"], 2);
}
