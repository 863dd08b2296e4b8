//! Logins that stand in rows of several shards: nobody can keep their rows from running side by side, so it is said.

use super::{all, run_as};
use crate::support::{Bench, Grower, csv_of, growers};

const WARNING: &str = "logins of this shard that stand in rows of other shards, too:";

#[test]
fn a_login_in_rows_of_several_shards_is_told_before_anything_is_sent_even_when_quiet() {
    let mut rows = growers(40);
    let shards: Vec<_> = all(2).collect();
    let [first, second] =
        [0, 1].map(|index: usize| rows.iter().positions(|grower: &Grower| shards[index].takes(grower.id)));
    // One login of both, and one of the first shard alone.
    for (from, to) in [(first[0], second[0]), (first[1], first[2])] {
        rows[to] = Grower {
            login: rows[from].login.clone(),
            password: rows[from].password.clone(),
            ..rows[to].clone()
        };
    }
    let bench = Bench::new(&rows);
    for shard in &shards {
        let ended = run_as(&bench, *shard, "growers.csv", &["-q"]).end().with_code(0);
        ended.saying(&format!("{WARNING} 1. Stara is asked for them side by side"));
    }
    bench.expect_one_effect_each(&rows);
    // Where nothing is left to be sent, there is nothing to warn of; nor where nothing is divided.
    let again = run_as(&bench, shards[0], "growers.csv", &[]).end().with_code(0);
    assert!(!again.stderr.contains(WARNING), "{again:?}");
    let whole = Bench::new(&rows);
    whole.write("growers.csv", csv_of(&rows));
    let ended = run_as(&whole, "0/1".parse().unwrap(), "growers.csv", &[]).end().with_code(0);
    assert!(!ended.stderr.contains(WARNING), "{ended:?}");
}

/// The places of those that fit.
trait Positions {
    fn positions(self, fits: impl Fn(&Grower) -> bool) -> Vec<usize>;
}

impl<'a, I: Iterator<Item = &'a Grower>> Positions for I {
    fn positions(self, fits: impl Fn(&Grower) -> bool) -> Vec<usize> {
        self.enumerate().filter(|(_, grower)| fits(grower)).map(|(place, _)| place).collect()
    }
}
