//! Who may speak to a store, and what is told of a refusal.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::server::{KEY, KEY_ID, Store, pointed};
use crate::support::{Bench, csv_of, growers};

/// What stands between two tags of an answer.
fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    let rest = text.split_once(&format!("<{tag}>")).expect(text).1;
    rest.split_once(&format!("</{tag}>")).expect(text).0
}

#[test]
fn requests_are_signed_as_the_server_demands_and_a_wrong_key_is_refused_and_never_shown() {
    // Whoever comes after these five has to show a valid signature: moto computes it by itself.
    let Some(store) = Store::start_with(&[("INITIAL_NO_AUTH_ACTION_COUNT", "5")]) else { return };
    let growers = growers(3);
    let bench = Bench::new(&growers);
    store.put("g.csv", csv_of(&growers));
    store.ask_iam("Action=CreateUser&UserName=onboarder");
    let made = store.ask_iam("Action=CreateAccessKey&UserName=onboarder");
    let (id, key) = (between(&made, "AccessKeyId"), between(&made, "SecretAccessKey"));
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B\
                  %22s3%3AGetObject%22%2C%22s3%3AHeadObject%22%2C%22s3%3APutObject%22%2C%22s3%3AAbortMultipartUpload%22%5D%2C\
                  %22Resource%22%3A%22*%22%7D%5D%7D";
    store.ask_iam(&format!("Action=PutUserPolicy&UserName=onboarder&PolicyName=s3&PolicyDocument={policy}"));
    let run = |key: &str| {
        let program = pointed(bench.program(), &store.url)
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", key);
        program.args(["run", "s3://growers/g.csv", "--report", "s3://growers/results.csv", "-vvv"]).end()
    };
    let ended = run(KEY).with_code(2).saying("the store refuses it (403").saying("check the credentials");
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(KEY));
    assert_eq!(bench.calls(), 0);
    let ended = run(key).with_code(0);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(key));
    bench.expect_one_effect_each(&growers);
}

#[test]
fn without_credentials_nothing_is_asked() {
    let bench = Bench::new(&[]);
    let run = || pointed(bench.program(), "http://127.0.0.1:1").args(["run", "s3://growers/g.csv"]);
    run().end().with_code(2).saying("there are no credentials for the store").saying("set AWS_ACCESS_KEY_ID");
    let half = run().env("AWS_ACCESS_KEY_ID", KEY_ID).end().with_code(2);
    half.saying("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY isn't");
}

#[test]
fn passwords_are_never_fetched_in_clear_over_a_network() {
    let bench = Bench::new(&[]);
    let run = |arguments: &[&str]| {
        let program = pointed(bench.program(), "http://store.example").env("AWS_ALLOW_HTTP", "true");
        program.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", KEY).args(arguments).end()
    };
    for arguments in [
        &["run", "s3://growers/g.csv"][..],
        &["check", "s3://growers/g.csv"],
        &["run", "growers.csv", "--report", "s3://growers/results.csv"],
    ] {
        run(arguments).with_code(2).saying("http://store.example would get passwords in clear");
    }
}

#[test]
fn of_what_a_hostile_store_writes_nothing_is_told_but_its_code() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hostile =
        "<Error><Code>AccessDenied</Code><Message>\u{1b}[2Jhunter2</Message><Key>hunter2</Key></Error>";
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 8192];
            let read = stream.read(&mut request).unwrap();
            let is_head = request[..read].starts_with(b"HEAD");
            let body = if is_head { "" } else { hostile };
            let length = hostile.len();
            // The test may be over.
            let _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\nx-amz-error-message: hunter2\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    let bench = Bench::new(&growers(1));
    let run = |arguments: &[&str]| {
        let program =
            pointed(bench.program(), &url).env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", KEY);
        program.args(arguments).args(["-vvv"]).end()
    };
    let manifest = run(&["run", "s3://growers/g.csv"]).with_code(2).saying("the store refuses it (403)");
    let report = run(&["run", "growers.csv", "--report", "s3://growers/r.csv"]).with_code(8);
    let report = report.saying("the store refuses it (403 AccessDenied)");
    for ended in [manifest, report] {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains("hunter2") && !said.contains('\u{1b}') && !said.contains(KEY), "{said}");
    }
}
