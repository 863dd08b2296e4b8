//! How each line is judged, and what the next run does about it.

use stara_onboard::sandbox::CallKind::{self, Authenticate, GetUser, Token};
use stara_onboard::sandbox::{Answer, Calls, Fault, Trouble, When};

use crate::support::{Bench, Grower, counts, csv_of, growers, lines_of, user};

/// Lines in their usual mix: 2 % wrong passwords, 2 % unknown users, 1 % duplicates, 2 % malformed lines.
/// Line n + 2 holds the nth of them.
struct Mix {
    bench: Bench,
    good: Vec<Grower>,
}

fn kind(number: usize) -> &'static str {
    match number % 100 {
        7 | 57 => "stara-login-rejected",
        13 | 63 => "leaf-user-unknown",
        29 => "manifest-duplicate",
        41 | 91 => "manifest-invalid",
        _ => "attached",
    }
}

impl Mix {
    const LINES: usize = 2_000;

    fn new() -> Self {
        let rows = growers(Self::LINES);
        let known = |number: &usize| matches!(kind(*number), "attached" | "stara-login-rejected");
        let bench =
            Bench::new(&(0..Self::LINES).filter(known).map(|at| rows[at].clone()).collect::<Vec<_>>());
        let mut lines: Vec<String> = csv_of(&rows).lines().map(str::to_owned).collect();
        for (number, row) in rows.iter().enumerate() {
            let line = number + 1;
            lines[line] = match kind(number) {
                "stara-login-rejected" => wrong(row),
                "manifest-duplicate" => {
                    let (id, rest) = lines[line - 1].split_at(36);
                    format!("{}{rest}", id.to_uppercase())
                }
                "manifest-invalid" => format!("{},{}", row.id, row.login),
                _ => continue,
            };
        }
        bench.write("growers.csv", lines.join("\n"));
        let good = (0..Self::LINES).filter(|number| kind(*number) == "attached").map(|at| rows[at].clone());
        Self { good: good.collect(), bench }
    }
}

fn wrong(row: &Grower) -> String {
    format!("{},{},not the password", row.id, row.login)
}

#[test]
fn every_line_of_a_usual_mix_is_judged_rightly() {
    let mix = Mix::new();
    let ended = mix.bench.run(&[]).with_code(3);
    let outcomes = mix.bench.outcomes();
    for (number, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome, kind(number), "line {}", number + 2);
    }
    assert_eq!(outcomes.len(), Mix::LINES);
    for grower in &mix.good {
        assert_eq!(mix.bench.world().attach_effects(grower.id), 1);
    }
    assert_eq!(mix.bench.world().attach_effects_in_all(), mix.good.len() as u64);
    ended.saying("40 stara-login-rejected up to the grower").saying("To go on:");
}

#[test]
fn a_second_run_looks_only_at_users_leaf_did_not_know() {
    let mix = Mix::new();
    mix.bench.run(&[]).with_code(3);
    let before = mix.bench.calls();
    let first: Vec<String> = mix.bench.outcomes();
    mix.bench.run(&[]).with_code(3);
    let calls: Vec<CallKind> = mix.bench.seen()[before..].iter().map(|call| call.call).collect();
    assert_eq!(calls, [GetUser; 40]);
    assert_eq!(mix.bench.outcomes(), first);
}

#[test]
fn an_unknown_user_costs_no_login() {
    let rows = growers(1);
    let bench = Bench::new(&[]);
    bench.write_manifest(&rows);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls_about(&rows[0]), [GetUser]);
    rows[0].join(bench.world());
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_refused_login_is_sent_again_only_when_its_row_changes() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let bad = [rows[0].with_password("not the password"), rows[1].clone()];
    bench.write_manifest(&bad);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected", "attached"]);
    let calls = bench.calls();
    for arguments in [&[][..], &["--retry-failed"]] {
        bench.run(arguments).with_code(3);
        assert_eq!(bench.outcomes(), ["stara-login-rejected", "attached"]);
    }
    assert_eq!(bench.calls(), calls, "a remembered refusal costs nothing");
    bench.write_manifest(&rows);
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls_of(Authenticate), 3);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_refused_login_is_sent_again_when_that_is_asked_for() {
    let rows = growers(1);
    let bench = Bench::new(&[]);
    bench.world().seed_credential(rows[0].id, "OK");
    bench.world().remove_credential(rows[0].id);
    bench.write_manifest(&rows);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected"]);
    // The grower sets the password at Stara to what the row says.
    rows[0].join(bench.world());
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 1);
    bench.run(&["--retry-rejected"]).with_code(0);
    bench.expect_one_effect_each(&rows);
    bench.run(&[]).with_code(0);
    assert_eq!(bench.calls_of(Authenticate), 2);
}

#[test]
fn a_login_refused_for_one_row_is_not_sent_for_another() {
    let rows: Vec<Grower> = growers(5).iter().map(|row| row.with_login("shared@agro.example")).collect();
    let rows: Vec<Grower> = rows.iter().map(|row| row.with_password("not the password")).collect();
    let bench = Bench::new(&[]);
    for row in &rows {
        bench.world().seed_credential(row.id, "OK");
        bench.world().remove_credential(row.id);
    }
    bench.write_manifest(&rows);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected"; 5]);
    assert_eq!(bench.calls_of(Authenticate), 1);
    // Another manifest with the same login and password for a new user.
    let newcomer = Grower { id: user(77), ..rows[0].clone() };
    newcomer.with_password("another").join(bench.world());
    bench.write_manifest(&[newcomer]);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-login-rejected"]);
    assert_eq!(bench.calls_of(Authenticate), 1);
}

#[test]
fn a_doubtful_refusal_counts_only_once_a_login_has_succeeded() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let refusal = Trouble::Answer(Answer::new(400));
    let fault = Fault::new(Calls::One(Authenticate), When::Always, refusal);
    bench.inject(fault.clone());
    bench.run(&["--only", &rows[0].id.to_string()]).with_code(3);
    assert_eq!(bench.outcomes()[0], "stara-unexpected-answer");
    bench.world().lift_faults();
    bench.run(&["--only", &rows[1].id.to_string()]).with_code(0);
    bench.inject(fault);
    bench.run(&["--only", &rows[2].id.to_string()]).with_code(3);
    assert_eq!(bench.outcomes()[2], "stara-login-rejected");
    assert_eq!(bench.results()[2].http_status, Some(400));
}

#[test]
fn a_token_call_refused_is_never_a_refused_login() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.inject(Fault::token_refused());
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-unexpected-answer"]);
    assert_eq!(bench.calls_about(&rows[0]), [GetUser, Authenticate, Token, Authenticate, Token]);
    bench.world().lift_faults();
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn rows_that_contradict_each_other_are_not_sent_and_equal_ones_once() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    let manifest = [
        rows[0].clone(),
        rows[1].clone(),
        rows[0].clone(),
        rows[1].with_password("another password"),
        rows[2].clone(),
        rows[2].with_login("another@agro.example"),
        rows[3].clone(),
        rows[0].clone(),
    ];
    bench.write_manifest(&manifest);
    bench.run(&[]).with_code(3);
    let results = bench.results();
    assert_eq!(lines_of(&results, "attached"), [2, 8]);
    assert_eq!(lines_of(&results, "manifest-duplicate"), [4, 9]);
    assert_eq!(lines_of(&results, "manifest-conflict"), [3, 5, 6, 7]);
    assert_eq!(counts(&results).values().sum::<usize>(), manifest.len());
    assert_eq!(bench.calls(), 10);
}

#[test]
fn identical_duplicates_alone_are_no_failure() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.write_manifest(&[rows[0].clone(), rows[1].clone(), rows[1].clone()]);
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn what_leaf_refused_is_tried_again_only_on_request_or_when_the_row_changes() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let attach = Calls::One(CallKind::CreateCredential);
    for (row, status) in rows.iter().zip([403, 422, 404]) {
        let answer = Trouble::Answer(Answer::new(status));
        bench.inject(Fault::new(attach, When::Always, answer).for_user(row.id));
    }
    let expected = ["leaf-user-forbidden", "leaf-credentials-refused", "leaf-user-unknown"];
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), expected);
    bench.world().lift_faults();
    let calls = bench.calls();
    // The third is looked at again, is there, and goes on.
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), [expected[0], expected[1], "attached"]);
    assert_eq!(bench.calls() - calls, 5);
    bench.run(&["--retry-failed"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn only_the_selected_rows_are_carried_out() {
    let rows = growers(6);
    let bench = Bench::new(&rows);
    let ids = |numbers: &[usize]| -> String {
        let ids: Vec<String> = numbers.iter().map(|&at| rows[at].id.to_string().to_uppercase()).collect();
        ids.join(",")
    };
    bench.run(&["--only", &ids(&[1]), "--only", &ids(&[4])]).with_code(0);
    let attached = |bench: &Bench| lines_of(&bench.results(), "attached");
    assert_eq!(attached(&bench), [3, 6]);
    assert_eq!(lines_of(&bench.results(), "not-reached"), [2, 4, 5, 7]);
    bench.run(&["--limit", "1"]).with_code(0);
    assert_eq!(attached(&bench), [2, 3, 6], "--limit counts rows that have work left");
    bench.run(&["--limit", "1", "--only", &ids(&[4, 5])]).with_code(0);
    assert_eq!(attached(&bench), [2, 3, 6, 7]);
    let calls = bench.calls();
    let stranger = user(99).to_string();
    bench.run(&["--only", &stranger]).with_code(2).saying(&stranger);
    assert_eq!(bench.calls(), calls);
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn rows_left_out_by_only_do_not_count_as_failed() {
    let mut rows = growers(3);
    rows[0] = rows[0].with_password("sandbox:wrong-password");
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(3);
    let id = rows[1].id.to_string();
    bench.run(&["--only", &id]).with_code(0);
    assert_eq!(bench.outcomes(), ["stara-login-rejected", "attached", "attached"]);
}

#[test]
fn a_refused_login_stays_refused_when_the_key_is_lost() {
    let rows = growers(2);
    let refused = rows[0].with_password("sandbox:wrong-password");
    let bench = Bench::new(&[refused.clone(), rows[1].clone()]);
    bench.run(&[]).with_code(3);
    let same_login = rows[1].with_login(&refused.login).with_password(&refused.password);
    let another = crate::support::Grower { id: crate::support::user(7), ..same_login };
    another.join(bench.world());
    bench.write_manifest(&[refused, rows[1].clone(), another]);
    std::fs::remove_file(bench.path("state/ledger.key")).unwrap();
    let before = bench.calls();
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls(), before, "nobody is asked about a refused login");
}
