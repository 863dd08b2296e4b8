//! A run that goes wrong for everybody costs all shards together about what it costs one process.

use stara_onboard::sandbox::CallKind;

use super::{all, run_as, taken_by};
use crate::support::{Bench, Grower, growers, side_by_side};

const WRONG: &str = "sandbox:wrong-password";

fn refused(count: usize) -> Vec<Grower> {
    growers(count).iter().map(|grower| grower.with_password(WRONG)).collect()
}

#[test]
fn a_wrong_password_column_stops_every_shard_after_its_part_of_the_opening() {
    let rows = refused(200);
    side_by_side([(2, 16), (8, 6)], |(shards, opening)| {
        let bench = Bench::new(&rows);
        for (before, shard) in all(shards).enumerate() {
            assert!(taken_by(shard, &rows).len() > opening, "{shard}");
            let said =
                format!("{opening} rows in a row ended as stara-login-rejected: is the password column");
            run_as(&bench, shard, "growers.csv", &[]).end().with_code(4).saying(&said);
            assert_eq!(bench.calls_of(CallKind::Authenticate), (before + 1) * opening);
        }
    });
}

#[test]
fn a_shard_with_fewer_rows_than_its_opening_ends_with_4_where_all_of_them_are_refused() {
    let rows = refused(40);
    let bench = Bench::new(&rows);
    let small = all(16).find(|shard| (2..6).contains(&taken_by(*shard, &rows).len())).unwrap();
    let own = taken_by(small, &rows);
    let said = format!("{} rows in a row ended as stara-login-rejected: is the password column", own.len());
    run_as(&bench, small, "growers.csv", &[]).end().with_code(4).saying(&said);
    assert_eq!(bench.calls_of(CallKind::Authenticate), own.len());

    // One of them is accepted, so that it is the growers.
    let mixed: Vec<Grower> = growers(40)
        .into_iter()
        .map(|grower| if grower.id == own[0].id { grower } else { grower.with_password(WRONG) })
        .collect();
    let bench = Bench::new(&mixed);
    run_as(&bench, small, "growers.csv", &[]).end().with_code(3);

    // A few rows of a manifest that is small itself.
    let few = refused(30);
    let bench = Bench::new(&few);
    for shard in all(3) {
        run_as(&bench, shard, "growers.csv", &[]).end().with_code(3);
    }
    assert_eq!(bench.calls_of(CallKind::Authenticate), 30);
}
