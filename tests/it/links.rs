//! Magic links: whoever was refused gets a page to sign in on, once, and nobody else does.

mod again;
mod audit;
mod report;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use stara_onboard::sandbox::CallKind::{Authenticate, GetUser, MagicLink};

use crate::support::{Bench, Grower, counts, growers};

/// A line of the file: leafUserId, login, link, expiresAt, and the kept columns.
type LinkLine = Vec<String>;

fn read(bench: &Bench, name: &str) -> (Vec<String>, Vec<LinkLine>) {
    let mut reader = csv::Reader::from_path(bench.path(name)).unwrap();
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = cells(reader.headers().unwrap());
    (header, reader.records().map(|record| cells(&record.unwrap())).collect())
}

/// The links in the file, by user.
fn links(bench: &Bench, name: &str) -> BTreeMap<String, String> {
    read(bench, name).1.into_iter().map(|line| (line[0].clone(), line[2].clone())).collect()
}

/// So many growers, of whom one in twenty has a wrong password in the manifest; those come second.
fn one_in_twenty_refused(count: usize) -> (Bench, Vec<Grower>, Vec<Grower>) {
    let rows = growers(count);
    let bench = Bench::new(&rows);
    let manifest: Vec<Grower> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| if place % 20 == 7 { row.with_password("not the password") } else { row.clone() })
        .collect();
    bench.write_manifest(&manifest);
    let refused = manifest.iter().skip(7).step_by(20).cloned().collect();
    (bench, manifest, refused)
}

/// What Leaf gave out for these growers, each of whom has been given exactly one.
#[track_caller]
fn given(bench: &Bench, refused: &[Grower]) -> BTreeMap<String, String> {
    let one = |row: &Grower| {
        let links = bench.world().links_of(row.id);
        assert_eq!(links.len(), 1, "{}", row.login);
        (row.id.to_string(), links[0].clone())
    };
    refused.iter().map(one).collect()
}

#[test]
fn the_file_has_exactly_those_whose_login_was_refused_and_a_second_run_makes_no_second_link() {
    let (bench, manifest, refused) = one_in_twenty_refused(200);
    let ended = bench.run(&["--magic-links", "links.csv"]).with_code(3);
    ended.saying("Magic links: 10 in links.csv (10 new, 0 from before)");
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused));
    let (header, lines) = read(&bench, "links.csv");
    assert_eq!(header, ["leafUserId", "login", "link", "expiresAt"]);
    for (line, row) in lines.iter().zip(&refused) {
        assert_eq!((&line[0], &line[1]), (&row.id.to_string(), &row.login), "in the manifest's order");
        let expires: jiff::Timestamp = line[3].parse().unwrap();
        let life = expires.duration_since(jiff::Timestamp::now()).unsigned_abs();
        assert!(
            life > Duration::from_secs(29 * 86_400) && life <= Duration::from_secs(30 * 86_400),
            "{life:?}"
        );
    }

    // Another night: the manifest has another name, and so has the file.
    bench.write("growers-2.csv", std::fs::read(bench.path("growers.csv")).unwrap());
    let asked = bench.calls_of(Authenticate);
    let night = bench.run_of("growers-2.csv", &["--magic-links", "out/links-2.csv"]).end().with_code(3);
    night.saying("Magic links: 10 in out/links-2.csv (0 new, 10 from before)");
    assert_eq!(links(&bench, "out/links-2.csv"), given(&bench, &refused));
    assert_eq!(bench.calls_of(MagicLink), 10, "no second link");
    assert_eq!(bench.calls_of(Authenticate), asked, "no refused login is sent again");
    assert_eq!(manifest.len() - refused.len(), counts(&bench.results())["attached"]);
}

#[test]
fn without_the_flag_nobody_is_given_a_link() {
    let (bench, ..) = one_in_twenty_refused(20);
    bench.run(&[]).with_code(3);
    bench.run(&["--magic-links", "none"]).with_code(3);
    assert_eq!(bench.calls_of(MagicLink), 0);
    assert!(!bench.path("none").exists());
}

#[test]
fn where_nobody_was_refused_the_file_has_a_header_only() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    bench.write("links.csv", "what was there before");
    bench.run(&["--magic-links", "links.csv"]).with_code(0).saying("Magic links: 0 in links.csv");
    assert_eq!(
        std::fs::read_to_string(bench.path("links.csv")).unwrap(),
        "leafUserId,login,link,expiresAt\n"
    );
    assert_eq!(bench.calls_of(MagicLink), 0);
}

#[test]
fn a_letter_finds_name_and_address_beside_the_link_and_no_formula() {
    let mut rows = growers(2);
    "+55@agro.example".clone_into(&mut rows[0].login);
    let bench = Bench::new(&rows);
    let line = |row: &Grower| format!("{},{},wrong,\"José, o novo\",j@x.example\n", row.id, row.login);
    let lines: Vec<String> = rows.iter().map(line).collect();
    bench.write("growers.csv", format!("leafUserId,login,password,nome,e-mail\n{}", lines.concat()));
    let kept = ["--keep-column", "e-mail", "--keep-column", "nome", "--max-failures", "100%"];
    bench.run(&[&["--magic-links", "links.csv"][..], &kept].concat()).with_code(3);
    let (header, lines) = read(&bench, "links.csv");
    assert_eq!(header[4..], ["e-mail", "nome"]);
    assert_eq!(lines[0][4..], ["j@x.example", "José, o novo"]);
    assert_eq!(lines[0][1], "'+55@agro.example");
    assert_eq!(lines[1][1], rows[1].login);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(bench.path("links.csv")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn rows_that_were_left_out_get_no_link() {
    let (bench, _, refused) = one_in_twenty_refused(60);
    let only = refused[1].id.to_string();
    bench.run(&["--magic-links", "links.csv", "--only", &only]).with_code(3);
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused[1..2]));
    assert_eq!(bench.calls_of(MagicLink), 1);
    bench.run(&["--magic-links", "links.csv"]).with_code(3);
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused));
}

#[test]
fn whoever_signed_in_by_themselves_is_done_without_a_word_to_stara_and_their_link_is_forgotten() {
    for precheck in ["row", "auto", "off"] {
        let (bench, manifest, refused) = one_in_twenty_refused(80);
        let run = || {
            let run = bench.run_of("growers.csv", &["--magic-links", "links.csv"]);
            run.env("STARA_ONBOARD_PRECHECK", precheck).end()
        };
        run().with_code(3);
        let asked = bench.calls_of(Authenticate);
        bench.world().seed_credential(refused[0].id, "OK");
        bench.world().seed_credential(refused[2].id, "OK");
        let before = bench.calls_of(GetUser);
        run().with_code(3).saying("Magic links: 2 in links.csv (0 new, 2 from before)");
        assert_eq!(bench.calls_of(Authenticate), asked, "{precheck}");
        let looks = bench.calls_of(GetUser) - before;
        assert!(looks <= refused.len(), "one call for each who has a link: {looks}, {precheck}");
        let results = bench.results();
        for (place, expected) in
            ["already-attached", "stara-login-rejected", "already-attached", "stara-login-rejected"]
                .into_iter()
                .enumerate()
        {
            let result = &results[place * 20 + 7];
            assert_eq!(result.outcome, expected, "{precheck}");
            assert_eq!(result.origin.as_deref(), (expected == "already-attached").then_some("found"));
            let status = bench.status(&[&refused[place].id.to_string()]);
            assert_eq!(status["magicLink"].is_null(), expected == "already-attached", "{precheck}");
        }
        let left: Vec<Grower> = [&refused[1], &refused[3]].into_iter().cloned().collect();
        assert_eq!(links(&bench, "links.csv"), given(&bench, &left));
        assert_eq!(manifest.len(), results.len());

        // They are done for good, with or without links.
        let before = bench.calls();
        bench.run(&[]).with_code(3);
        assert_eq!(bench.calls(), before, "{precheck}");
    }
}

#[test]
fn without_the_flag_nobody_is_looked_at_again() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    bench.run(&["--magic-links", "links.csv"]).with_code(3);
    bench.world().seed_credential(refused[0].id, "OK");
    let before = bench.calls();
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls(), before);
    assert_eq!(counts(&bench.results())["stara-login-rejected"], 2);
}

#[test]
fn a_corrected_password_needs_no_link_any_more() {
    let (bench, manifest, refused) = one_in_twenty_refused(40);
    bench.run(&["--magic-links", "links.csv"]).with_code(3);
    bench.write_manifest(&growers(manifest.len()));
    bench.run(&["--magic-links", "links.csv"]).with_code(0);
    assert!(links(&bench, "links.csv").is_empty());
    assert_eq!(bench.calls_of(MagicLink), refused.len());
    assert!(bench.status(&[&refused[0].id.to_string()])["magicLink"].is_null());
}

#[test]
fn new_links_are_made_where_they_are_asked_for() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    bench.run(&["--magic-links", "links.csv"]).with_code(3);
    let first = links(&bench, "links.csv");
    bench.run(&["--magic-links", "links.csv", "--new-links"]).with_code(3).saying("(2 new, 0 from before)");
    let second = links(&bench, "links.csv");
    for row in &refused {
        let id = row.id.to_string();
        assert_eq!([first[&id].clone(), second[&id].clone()], bench.world().links_of(row.id)[..]);
    }
}

#[test]
fn a_rehearsal_makes_links_too() {
    let rows = growers(20);
    let bench = Bench::new(&rows);
    let manifest = rows.iter().map(|row| row.with_password("sandbox:wrong-password")).take(2);
    let manifest: Vec<Grower> = manifest.chain(rows[2..].iter().cloned()).collect();
    bench.write_manifest(&manifest);
    let run = || {
        let run = bench.program().args(["run", "growers.csv", "--sandbox", "--magic-links", "links.csv"]);
        run.end().with_code(3)
    };
    run().saying("Magic links: 2 in links.csv (2 new, 0 from before)");
    let first = links(&bench, "links.csv");
    run().saying("Magic links: 2 in links.csv (0 new, 2 from before)");
    assert_eq!((links(&bench, "links.csv"), first.len()), (first, 2));
    assert_eq!(bench.calls(), 0, "the real services hear nothing of a rehearsal");
    let ended =
        bench.program().args(["report", "--sandbox", "--magic-links", "links.csv"]).end().with_code(2);
    ended.saying("gone with its run").saying("run --sandbox --magic-links");
}
