//! Nobody is locked out: a login that Stara refused is not sent again, unless it was the asking that was wrong.

use stara_onboard::sandbox::CallKind::Authenticate;
use stara_onboard::sandbox::{Answer, Calls, Fault, RetryAfter, Trouble, When};

use crate::support::{Bench, Grower, counts, growers};

/// A Stara that answers every authentication so.
fn everybody_gets(status: u16) -> Fault {
    Fault::new(Calls::One(Authenticate), When::Always, Trouble::Answer(Answer::new(status)))
}

#[test]
fn a_wrong_password_costs_one_authentication_however_often_it_is_run_and_a_mended_one_is_tried() {
    let rows = growers(200);
    let bench = Bench::new(&rows);
    let wrong = |(place, grower): (usize, &Grower)| match place % 20 {
        7 => grower.with_password("not the password"),
        _ => grower.clone(),
    };
    let manifest: Vec<Grower> = rows.iter().enumerate().map(wrong).collect();
    bench.write_manifest(&manifest);
    for _ in 0..3 {
        bench.run(&[]).with_code(3);
        assert_eq!(counts(&bench.results())["stara-login-rejected"], 10);
        assert_eq!(bench.calls_of(Authenticate), 200, "one for each row in all");
    }

    let calls = bench.calls();
    bench.write_manifest(&rows);
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls() - calls, 10 * 5, "exactly those ten");
    bench.expect_one_effect_each(&rows);
}

#[test]
fn refusals_of_a_run_in_which_everybody_was_refused_are_open_again_when_stara_is_asked_otherwise() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    bench.inject(everybody_gets(401));
    bench.run(&[]).with_code(4).saying("31 rows in a row ended as stara-login-rejected");
    assert_eq!(bench.calls_of(Authenticate), 31);
    bench.world().lift_faults();

    // Asked in the same way they stay refused.
    bench.run(&["--limit", "0"]).with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 31);
    assert_eq!(counts(&bench.results())["stara-login-rejected"], 31);

    let otherwise = bench.run_of("growers.csv", &["--stara-dialect", "form"]);
    otherwise.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end().with_code(0);
    assert_eq!(bench.calls_of(Authenticate), 31 + 40);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn refusals_that_are_open_again_and_refused_again_stay_refused() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    bench.inject(everybody_gets(401));
    let form = || {
        let run = bench.run_of("growers.csv", &["--stara-dialect", "form", "--max-failures", "100%"]);
        run.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end()
    };
    bench.run(&[]).with_code(4);
    form().with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 31 + 40);
    for _ in 0..2 {
        form().with_code(3);
        bench.run(&[]).with_code(3);
    }
    assert_eq!(bench.calls_of(Authenticate), 31 + 40, "a run that just ends leaves ordinary refusals");
}

#[test]
fn ordinary_refusals_stay_refused_however_stara_is_asked() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    // Enough to stop the run, but one login is accepted.
    let wrong = |(place, grower): (usize, &Grower)| match place {
        0 => grower.clone(),
        _ => grower.with_password("not the password"),
    };
    let manifest: Vec<Grower> = rows.iter().enumerate().map(wrong).collect();
    bench.write_manifest(&manifest);
    bench.run(&["--max-failures", "5", "--concurrency", "1"]).with_code(4);
    let spent = bench.calls_of(Authenticate);
    let refused = counts(&bench.results())["stara-login-rejected"];
    assert_eq!((spent, refused), (7, 6));
    let otherwise = bench.run_of("growers.csv", &["--stara-dialect", "form", "--limit", "0"]);
    otherwise.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end().with_code(3);
    assert_eq!(bench.calls_of(Authenticate), spent);
    assert_eq!(counts(&bench.results())["stara-login-rejected"], refused);
}

#[test]
fn another_column_for_the_password_is_another_way_of_asking() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    // Both columns hold the right password, so that nothing but the header tells them apart.
    let lines = rows.iter().map(|row| {
        let password = row.password.replace('"', "\"\"");
        format!("{},{},\"{password}\",\"{password}\"\n", row.id, row.login)
    });
    bench.write("growers.csv", format!("leafUserId,login,password,pin\n{}", lines.collect::<String>()));
    bench.inject(everybody_gets(401));
    bench.run(&[]).with_code(4);
    bench.world().lift_faults();
    bench.run(&["--column", "password=pin"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn the_same_mistake_again_costs_six_logins_at_most_whatever_rows_it_meets() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    bench.inject(everybody_gets(401));
    bench.run(&[]).with_code(4).saying("When that is mended: ");
    assert_eq!(bench.calls_of(Authenticate), 31);
    // 29 rows are left: too few for an opening, if the run before hadn't said enough.
    bench.run(&[]).with_code(4).saying("6 rows in a row ended as stara-login-rejected");
    assert_eq!(bench.calls_of(Authenticate), 31 + 6);
    // Other passwords, and all of them wrong again.
    let others: Vec<Grower> = rows.iter().map(|row| row.with_password("wrong as well")).collect();
    bench.write_manifest(&others);
    bench.run(&[]).with_code(4);
    assert_eq!(bench.calls_of(Authenticate), 31 + 6 + 6);

    bench.world().lift_faults();
    bench.write_manifest(&rows.iter().map(|row| row.with_password(&row.password)).collect::<Vec<_>>());
    bench.run(&["--retry-rejected"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_changed_row_that_is_refused_again_counts() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    bench.inject(everybody_gets(401));
    bench.run(&["--max-failures", "100%"]).with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 60);
    let others: Vec<Grower> = rows.iter().map(|row| row.with_password("wrong as well")).collect();
    bench.write_manifest(&others);
    bench.run(&[]).with_code(4);
    assert_eq!(bench.calls_of(Authenticate), 60 + 31);
}

#[test]
fn a_login_is_sent_twice_at_most_however_often_the_way_of_asking_is_changed() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    bench.inject(everybody_gets(401));
    for dialect in ["json", "form", "json", "form", "json"] {
        let run = bench.run_of("growers.csv", &["--stara-dialect", dialect]);
        run.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end();
    }
    let most =
        rows.iter().map(|row| bench.calls_about(row).iter().filter(|call| **call == Authenticate).count());
    assert_eq!(most.max(), Some(2));
}

#[test]
fn a_login_that_is_throttled_by_itself_holds_nobody_up_and_is_left_for_later() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    let throttled = Trouble::Answer(Answer::new(429).retry_after(RetryAfter::Seconds(0)));
    bench.inject(Fault::new(Calls::One(Authenticate), When::Always, throttled).for_login(rows[0].login()));
    let running = bench.run_of("growers.csv", &[]).start();
    bench.until(|world| world.attach_effects_in_all() == 39);
    running.signal(rustix::process::Signal::INT);
    running.end().with_code(130);
    assert_eq!(bench.outcomes().iter().filter(|code| *code == "attached").count(), 39);
}
