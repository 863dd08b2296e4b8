//! Whatever happens between two nights, the next one is foreseen.

use stara_onboard::sandbox::{MagicWord, SandboxOptions};

use super::foreseen;
use crate::support::{Bench, Grower, growers, side_by_side};

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
