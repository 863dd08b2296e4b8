//! `plan` foresees what `run` does with the same flags, to the call, and touches nothing.

mod calls;
mod days;
mod told;
mod untouched;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use rustix::process::Signal;
use serde_json::Value;
use stara_onboard::sandbox::{CallKind, Fault, MagicWord};

use crate::support::{Bench, Ended, Grower, Invocation, growers};

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
fn foreseen_by(bench: &Bench, flags: &[&str], set_up: impl Fn(Invocation) -> Invocation) -> Value {
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
