//! Wrong starts that are common, each with an answer of its own.

use std::io::Write as _;

use stara_onboard::model::Service;
use stara_onboard::sandbox::Fault;

use super::{refused, told};
use crate::support::{Bench, Ended, growers};

/// `check` and `run` of a file with these bytes say the same of it, and nothing is sent.
#[track_caller]
fn refused_manifest(name: &str, bytes: &[u8], what: &str, hint: &str) {
    let bench = Bench::new(&[]);
    bench.write(name, bytes);
    for verb in ["check", "run", "plan"] {
        refused(bench.program().args([verb, name]).end(), what, hint);
    }
    assert_eq!(bench.calls(), 0);
}

fn without_token(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.program().env_remove("LEAF_TOKEN").args(arguments).end()
}

#[test]
fn the_manifest_without_a_verb_is_answered_with_what_can_be_done_with_it() {
    let bench = Bench::new(&growers(2));
    for arguments in [&["growers.csv"][..], &["growers.csv", "--quiet"], &["nowhere.parquet"], &["-"]] {
        let hint = format!("`stara-onboard run {}` onboards", arguments[0]);
        refused(bench.program().args(arguments).end(), "is no verb, but looks like a manifest", &hint);
    }
    refused(
        bench.program().args(["--sandbox", "growers.csv"]).end(),
        "there is no flag --sandbox before the verb",
        "the verb comes first: `stara-onboard run … --sandbox`",
    );
}

#[test]
fn a_verb_without_a_manifest_is_answered_with_one() {
    let bench = Bench::new(&[]);
    for verb in ["run", "plan", "check"] {
        let hint = format!("name it: `stara-onboard {verb} growers.csv`");
        refused(bench.program().args([verb]).end(), &format!("{verb} needs a manifest"), &hint);
    }
}

#[test]
fn without_a_token_each_verb_says_how_to_give_one_and_only_those_that_rehearse_speak_of_it() {
    let bench = Bench::new(&growers(2));
    let id = "0b6f3a52-9a7e-4a43-8f3e-0f1d2c3b4a5e";
    for arguments in [&["run", "growers.csv"][..], &["plan", "growers.csv"]] {
        refused(
            without_token(&bench, arguments),
            "there is no token for Leaf",
            "to rehearse without any, add --sandbox",
        );
    }
    for arguments in [&["audit"][..], &["detach", "growers.csv"], &["events", id]] {
        let ended = without_token(&bench, arguments);
        assert!(!ended.stderr.contains("--sandbox"), "{}", ended.stderr);
        refused(ended, "there is no token for Leaf", "set LEAF_TOKEN, or LEAF_USERNAME and LEAF_PASSWORD");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn events_without_a_ledger_says_that_nothing_can_have_been_saved() {
    let bench = Bench::new(&growers(1));
    let id = growers(1)[0].id.to_string();
    refused(
        without_token(&bench, &["events", &id]),
        "there is no token",
        "there is no ledger at state/ledger.db",
    );
    let ended = bench.program().args(["events", &id]).end().with_code(0);
    assert!(ended.stdout.contains("no event at Leaf; there is no ledger"), "{}", ended.stdout);
    bench.run(&[]).with_code(0);
    refused(without_token(&bench, &["events", &id]), "there is no token", "or add --saved");
}

#[test]
fn a_token_of_another_account_is_suspected_when_leaf_knows_nobody() {
    // Enough rows for an opening: the run stops.
    let bench = Bench::new(&growers(40));
    bench.world().inject(Fault::parse("user:404").unwrap());
    let ended = bench.run(&[]).with_code(4);
    ended.saying(
        "is Leaf's token another account's, --leaf-url another Leaf, or the leafUserId column the wrong one?",
    );
    // Too few: it just ends, and says so all the same.
    let bench = Bench::new(&growers(3));
    bench.world().inject(Fault::parse("user:403").unwrap());
    let ended = bench.run(&[]).with_code(3);
    let ended = ended.saying("hint: Leaf knows or shows none of the 3 users: is the token another account's");
    assert_eq!(
        bench.seen().iter().filter(|call| call.service == Service::Stara).count(),
        0,
        "{}",
        ended.stderr
    );
}

#[test]
fn one_user_that_leaf_does_not_know_is_no_reason_to_doubt_the_account() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.world().inject(Fault::parse("user:404").unwrap().for_user(rows[0].id));
    let ended = bench.run(&[]).with_code(3);
    assert!(!ended.stderr.contains("another account"), "{}", ended.stderr);
}

#[test]
fn a_workbook_is_told_from_a_table_whatever_it_is_called() {
    let mut workbook = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    workbook.extend(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml");
    for name in ["growers.xlsx", "growers.csv"] {
        refused_manifest(
            name,
            &workbook,
            "looks like an Excel workbook; save it as CSV UTF-8",
            "a manifest is CSV",
        );
    }
    refused_manifest(
        "old.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....",
        "looks like an Excel workbook",
        "CSV",
    );
    refused_manifest("all.zip", b"PK\x03\x04......growers.csv", "looks like a ZIP archive; unpack it", "CSV");
}

#[test]
fn an_encrypted_file_is_told_with_how_to_decrypt_it_into_a_pipe() {
    for (name, bytes, what) in [
        ("g.csv.gpg", &b"\x85\x01\x0c\x03...."[..], "is encrypted with OpenPGP"),
        ("g.asc", b"-----BEGIN PGP MESSAGE-----\n\nx\n", "is encrypted with OpenPGP"),
        (
            "g.csv",
            b"leafUserId: ENC[AES256_GCM,data:x]\nsops:\n",
            "encrypted with sops; say --decrypt-command 'sops -d {}'",
        ),
    ] {
        refused_manifest(name, bytes, what, "nothing was sent");
    }
}

#[test]
fn what_other_tools_write_is_told_by_its_name() {
    let collection = br#"{"info":{"_postman_id":"x"},"item":[]}"#;
    for (name, bytes, what) in [
        ("c.json", &collection[..], "looks like a Postman collection"),
        ("u.json", br#"[{"id":"x","externalId":null}]"#, "looks like Leaf's own list of users as JSON"),
        (
            "g.json",
            br#"[{"login":"a"}]"#,
            "looks like JSON; write one line a grower: leafUserId,login,password",
        ),
        ("g.csv", b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "looks like a web page"),
    ] {
        refused_manifest(name, bytes, what, "nothing was sent");
    }
    let mut packed = flate2_gzip(collection);
    refused_manifest("c.csv.gz", &packed, "looks like a Postman collection", "nothing was sent");
    packed.truncate(20);
    refused_manifest("d.csv.gz", &packed, "its gzip data is damaged or cut off", "copy or compress it anew");
}

#[test]
fn a_table_without_our_columns_is_listed_by_the_names_that_are_no_secrets() {
    refused_manifest(
        "export.csv",
        b"id,name,email,externalId\n0b6f3a52-9a7e-4a43-8f3e-0f1d2c3b4a5e,Ana,ana@a.example,1\n",
        "the header has \"id\", \"name\", \"email\", \"externalId\"; it looks like Leaf's own list of users",
        "--column leafUserId=id",
    );
    refused_manifest(
        "farms.csv",
        b"Farm,Acres,Crop,x7\nA,1,soy,2\n",
        "the header has \"Farm\", \"Acres\", \"Crop\", 1 name not shown here; say --column leafUserId=HEADER",
        "name its columns",
    );
    refused_manifest(
        "growers.results.csv",
        b"line,leafUserId,login,outcome,nextRun\n2,x,ana,attached,nothing\n",
        "it looks like a report of this program",
        "give the manifest itself",
    );
    refused_manifest(
        "slip.csv",
        b"leafUserId,login,passwrod\nx,y,z\n",
        "column 3 is nearly called so; say --column password=HEADER",
        "name its columns",
    );
}

#[test]
fn nothing_in_a_file_is_told_as_what_is_the_matter_with_it() {
    refused_manifest("empty.csv", b"", "empty.csv: it is empty", "a manifest has a line of column names");
    refused_manifest(
        "header.csv",
        b"leafUserId,login,password\n",
        "it has no rows below its header",
        "one line for each grower",
    );
    let bench = Bench::new(&[]);
    std::fs::create_dir(bench.path("folder")).unwrap();
    refused(
        bench.program().args(["run", "folder"]).end(),
        "the manifest folder can't be opened",
        "it is a folder: name a file in it",
    );
    bench.write("growers.csv", "x");
    refused(
        bench.program().args(["run", "grower.csv"]).end(),
        "can't be opened",
        "did you mean growers.csv?",
    );
    refused(bench.program().args(["run", "in/nowhere.csv"]).end(), "can't be opened", "it is looked for in ");
}

#[test]
fn a_url_that_would_carry_passwords_in_clear_is_refused_by_who_named_it() {
    let bench = Bench::new(&growers(2));
    let plain = "http://leaf.example";
    let what = "http://leaf.example would get passwords in clear";
    let ended =
        bench.program().env_remove("LEAF_URL").args(["run", "growers.csv", "--leaf-url", plain]).end();
    assert!(!ended.stderr.contains("environment"), "{}", ended.stderr);
    refused(ended, what, "write https://");
    let ended = bench.program().env("LEAF_URL", plain).args(["run", "growers.csv"]).end();
    assert!(!ended.stderr.contains("--leaf-url"), "{}", ended.stderr);
    refused(ended, what, "it comes from the environment: correct or unset LEAF_URL");
    for variable in ["LEAF_URL", "STARA_URL"] {
        let ended = bench.program().env(variable, "api").args(["run", "growers.csv"]).end();
        assert!(!ended.stderr.contains("--leaf-url") && !ended.stderr.contains("--stara-url"), "{ended:?}");
        let hint = format!("it comes from the environment: correct or unset {variable}");
        refused(ended, &format!("{variable} is no http or https URL"), &hint);
    }
    let doctor = bench.program().env("LEAF_URL", "api").args(["doctor"]).end();
    assert!(doctor.stdout.contains("LEAF_URL is no http or https URL"), "{doctor:?}");
    for url in ["leaf.example", "leaf.example:443", "ftp://leaf.example"] {
        let ended = bench.program().args(["run", "growers.csv", "--leaf-url", url]).end();
        refused(ended, "--leaf-url is no http or https URL", "write https:// and the host");
    }
}

#[test]
fn a_report_is_answered_with_the_ending_that_was_meant() {
    let bench = Bench::new(&growers(1));
    let report = |path: &str| bench.program().args(["run", "growers.csv", "--report", path]).end();
    refused(report("out.cvs"), "names no report format", "did you mean out.csv?");
    refused(report("out.xlsx"), "names no report format", "Excel opens .csv");
    refused(report("out"), "names no report format", "write --report FILE.csv");
}

#[test]
fn a_report_made_after_a_detach_writes_no_empty_file_of_links() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.program().args(["detach", "growers.csv", "--yes"]).end().with_code(0);
    let asked = bench.calls();
    let ended = bench.program().args(["report", "again.csv", "--magic-links", "links.csv"]).end();
    refused(ended, "run 2 took credentials away", "run the manifest with --magic-links");
    assert!(!bench.path("links.csv").exists() && !bench.path("again.csv").exists());
    assert_eq!(bench.calls(), asked);
    bench.program().args(["report", "again.csv"]).end().with_code(0);
}

#[test]
fn a_ledger_named_as_another_shards_is_refused_before_anything_is_made() {
    let bench = Bench::new(&growers(4));
    let named = ["run", "growers.csv", "--shard", "1/4", "--state", "new/ledger.0-of-4.db"];
    refused(
        bench.program().args(named).end(),
        "is named as the ledger of shard 0/4, and --shard says 1/4",
        "name the ledger without its shard",
    );
    assert!(!bench.path("new").exists());
    let named = ["run", "growers.csv", "--shard", "1/4", "--state", "new/ledger.1-of-4.db"];
    bench.program().args(named).end().with_code(0);
    assert!(bench.path("new/ledger.1-of-4.db").exists());
}

#[test]
fn one_user_and_several_hold_credentials_in_good_grammar() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let forget = |ids: &[String]| bench.program().args(["state", "forget"]).args(ids).end();
    let hint = "nothing was forgotten; detach them first";
    told(&forget(&ids[..1]).with_code(2), "1 user still holds a credential that we attached", hint);
    told(&forget(&ids).with_code(2), "2 users still hold a credential that we attached", hint);
}

fn flate2_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
