//! `audit --magic-links`: links for everybody in the ledger whose login was refused last.

use stara_onboard::sandbox::CallKind::{Authenticate, MagicLink};

use super::{given, links, one_in_twenty_refused, read};
use crate::support::{Bench, Ended, Grower, growers};

fn audit(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.program().args(["audit"]).args(arguments).end()
}

#[test]
fn an_audit_gives_links_to_the_refused_of_all_manifests() {
    let (bench, manifest, refused) = one_in_twenty_refused(60);
    let (first, second) = manifest.split_at(30);
    for rows in [first, second] {
        bench.write_manifest(rows);
        bench.run(&[]).with_code(3);
    }
    let logins = bench.calls_of(Authenticate);
    audit(&bench, &["--magic-links", "links.csv"]).with_code(0).saying("Magic links: 3 in links.csv (3 new");
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused));
    assert_eq!(read(&bench, "links.csv").1[0][1], refused[0].login);
    let json = audit(&bench, &["--magic-links", "links.csv", "--json", "-q"]).with_code(0);
    assert_eq!(json.stderr, "");
    let told: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        told["magicLinks"],
        serde_json::json!({ "file": "links.csv", "written": 3, "new": 0, "kept": 3, "missing": {}, "impossible": {} })
    );
    assert_eq!(bench.calls_of(MagicLink), 3);
    assert_eq!(bench.calls_of(Authenticate), logins);
}

#[test]
fn an_audit_of_a_manifest_gives_links_to_its_users_only() {
    let (bench, manifest, refused) = one_in_twenty_refused(60);
    bench.run(&[]).with_code(3);
    bench.write_manifest(&manifest[20..40]);
    audit(&bench, &["growers.csv", "--magic-links", "links.csv"]).with_code(0);
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused[1..2]));
    assert_eq!(bench.calls_of(MagicLink), 1);
}

#[test]
fn whom_the_audit_saw_signed_in_or_gone_gets_no_link() {
    let (bench, _, refused) = one_in_twenty_refused(80);
    bench.run(&[]).with_code(3);
    bench.world().seed_credential(refused[0].id, "OK");
    bench.world().seed_credential(refused[1].id, "invalid");
    assert!(bench.world().delete_user(refused[2].id));
    audit(&bench, &["--magic-links", "links.csv"]).with_code(0);
    let needed: Vec<Grower> = [&refused[1], &refused[3]].into_iter().cloned().collect();
    assert_eq!(links(&bench, "links.csv"), given(&bench, &needed));
    assert_eq!(bench.calls_of(MagicLink), 2);
}

#[test]
fn a_repair_whose_login_is_refused_ends_with_a_link() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.world().set_status(rows[1].id, "invalid");
    let mut manifest = rows.clone();
    manifest[1] = rows[1].with_password("not the password");
    bench.write_manifest(&manifest);
    let flags = ["growers.csv", "--repair", "--now", "--magic-links", "links.csv"];
    audit(&bench, &flags).with_code(3).saying("Magic links: 1 in links.csv (1 new");
    assert_eq!(links(&bench, "links.csv"), given(&bench, &rows[1..2]));
}
