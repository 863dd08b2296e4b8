//! The way to the hosts: names, connections, certificates, proxies, and their clocks.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Checkup, doctor};
use crate::support::{Bench, Invocation, growers, side_by_side};
use crate::transport::{Authority, Proxy, address_of, listen, no_tls, tls_before, without_roots, write_pem};

/// A host that answers every request with these bytes.
fn host_saying(bench: &Bench, answer: String) -> String {
    host_hearing(bench, answer).0
}

/// The same, and what was said to it.
fn host_hearing(bench: &Bench, answer: String) -> (String, Arc<Mutex<Vec<u8>>>) {
    let _inside = bench.enter();
    let (listener, address) = listen();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let remembers = Arc::clone(&heard);
    bench.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, remembers) = (answer.clone(), Arc::clone(&remembers));
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    // A connection that says nothing is only a look whether there is one.
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                remembers.lock().unwrap().extend(request);
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (format!("http://{address}"), heard)
}

#[test]
fn stara_hears_one_request_for_its_root_without_any_secret() {
    let bench = Bench::new(&growers(2));
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    let (stara, heard) = host_hearing(&bench, answer);
    let doctor = doctor(&bench, &[]).env("STARA_URL", format!("{stara}/gateway"));
    Checkup::of(&doctor.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end()).expect(&[], &[]);
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap().to_ascii_lowercase();
    assert!(heard.starts_with("get /gateway/ http/1.1\r\n") && heard.ends_with("\r\n\r\n"), "{heard}");
    let mut headers: Vec<&str> =
        heard.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    headers.sort_unstable();
    assert_eq!(headers, ["accept", "host", "user-agent"], "and nothing else");
}

fn host_at(bench: &Bench, time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    host_saying(
        bench,
        format!("HTTP/1.1 404 Not Found\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    )
}

#[test]
fn a_clock_that_is_off_is_a_warning_and_says_whose_it_probably_is() {
    let hour = Duration::from_secs(3_600);
    side_by_side([(true, true), (true, false), (false, false)], |(is_stara_off, is_leaf_off)| {
        let bench = Bench::new(&growers(1));
        let now = SystemTime::now();
        let time = |is_off| if is_off { now + hour } else { now };
        let stara = host_at(&bench, time(is_stara_off));
        let leaf = host_at(&bench, time(is_leaf_off));
        let checkup = Checkup::of(&doctor(&bench, &[]).env("STARA_URL", stara).env("LEAF_URL", leaf).end());
        match (is_stara_off, is_leaf_off) {
            (true, true) => checkup
                .expect_said("clock", "this machine's clock is wrong")
                .expect_said("clock", "s behind Leaf's"),
            (true, false) => checkup
                .expect_said("clock", "the clocks don't agree")
                .expect_said("clock", "the same as Leaf's"),
            _ => checkup.expect_said("clock", "this machine's clock agrees"),
        };
        assert_eq!(checkup.with("warning").contains(&"clock".to_owned()), is_stara_off);
    });
}

#[test]
fn a_name_that_cannot_be_resolved_and_a_port_without_a_host_are_problems() {
    let bench = Bench::new(&growers(1));
    let unknown = doctor(&bench, &["--allow-insecure-http"]).env("STARA_URL", "http://stara.invalid");
    let checkup = Checkup::of(&unknown.end());
    checkup.expect(&[], &["name of stara"]).expect_said("name of stara", "check --stara-url");
    let port = {
        let _inside = bench.enter();
        listen().1.port()
    };
    let nobody = doctor(&bench, &[]).env("LEAF_URL", format!("http://127.0.0.1:{port}"));
    let checkup = Checkup::of(&nobody.end());
    checkup.expect(&[], &["connection of leaf"]).expect_said("connection of leaf", "refused");
    assert!(checkup.with("skipped").contains(&"leaf-token of leaf".to_owned()));
}

#[test]
fn a_host_that_does_not_answer_is_a_problem_and_one_with_an_error_a_warning() {
    let bench = Bench::new(&growers(1));
    let port = {
        // It listens on, and nobody ever accepts.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        bench.spawn(async move {
            std::future::pending::<()>().await;
            drop(silent);
        });
        port
    };
    let silent = doctor(&bench, &["--timeout", "1s"]).env("STARA_URL", format!("http://127.0.0.1:{port}"));
    Checkup::of(&silent.end())
        .expect(&[], &["answer of stara"])
        .expect_said("answer of stara", "no answer came in time");
    let down =
        host_saying(&bench, "HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
    let checkup = Checkup::of(&doctor(&bench, &[]).env("STARA_URL", down).end());
    checkup.expect(&["answer of stara"], &[]).expect_said("answer of stara", "(503)");
}

/// Stara behind TLS.
fn behind_tls(bench: &Bench, acceptor: tokio_rustls::TlsAcceptor, arguments: &[&str]) -> Invocation {
    let port = tls_before(bench, address_of(bench.urls()[0]), acceptor);
    doctor(bench, arguments).env("STARA_URL", format!("https://localhost:{port}"))
}

#[test]
fn a_certificate_is_judged_by_who_vouches_for_it_whose_it_is_and_until_when() {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let soon = now.checked_add(jiff::Span::new().days(5)).unwrap().date();
    let day = |date: jiff::civil::Date| {
        (i32::from(date.year()), u8::try_from(date.month()).unwrap(), u8::try_from(date.day()).unwrap())
    };
    let cases = [
        ("localhost", (2100, 1, 1), true, "ok", "good until 2100-01-01"),
        ("localhost", day(soon), true, "warning", "only until 20"),
        ("localhost", (2024, 1, 1), true, "problem", "expired"),
        ("other.example", (2100, 1, 1), true, "problem", "isn't trusted"),
        ("localhost", (2100, 1, 1), false, "problem", "--ca-cert"),
    ];
    side_by_side(cases, |(host, until, is_given, standing, words)| {
        let bench = Bench::new(&growers(1));
        let authority = Authority::new();
        let pem = write_pem(&bench, "roots.pem", &[&authority]);
        let given = if is_given { vec!["--ca-cert", "roots.pem"] } else { vec![] };
        assert!(pem.exists());
        let checkup = Checkup::of(&behind_tls(&bench, authority.certify_until(host, until), &given).end());
        checkup
            .expect_said("tls of stara", words)
            .expect_said("certificates", if is_given { "roots.pem" } else { "the system's" });
        assert!(checkup.with(standing).contains(&"tls of stara".to_owned()), "{:#}", checkup.0);
        let heard = bench.seen().iter().filter(|call| call.service.as_str() == "Stara").count();
        assert_eq!(heard, usize::from(standing != "problem"), "what isn't trusted hears nothing");
    });
}

#[test]
fn a_host_that_speaks_no_tls_is_a_problem_of_tls() {
    let cases: [Option<&[u8]>; 2] =
        [Some(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), Some(b"")];
    side_by_side(cases, |says| {
        let bench = Bench::new(&growers(1));
        let port = no_tls(&bench, says);
        let checkup =
            Checkup::of(&doctor(&bench, &[]).env("LEAF_URL", format!("https://localhost:{port}")).end());
        checkup.expect(&[], &["tls of leaf"]);
    });
}

#[test]
fn a_machine_without_certificates_and_a_file_without_any_are_problems_of_the_certificates() {
    let bench = Bench::new(&growers(1));
    let authority = Authority::new();
    let bare = without_roots(behind_tls(&bench, authority.certify("localhost", 2100), &[]));
    Checkup::of(&bare.end())
        .expect(&[], &["certificates of stara"])
        .expect_said("certificates of stara", "ca-certificates");
    bench.write("empty.pem", "");
    let empty = Checkup::of(&doctor(&bench, &["--ca-cert", "empty.pem"]).end());
    empty.expect(&[], &["certificates"]).expect_said("certificates", "holds no certificate");
}

#[test]
fn a_proxy_is_named_without_its_credentials_and_told_from_what_lies_behind_it() {
    let bench = Bench::new(&growers(1));
    let [stara, leaf] = bench.urls().map(address_of);
    let proxy = Proxy::start(&bench, vec![("stara.invalid", stara), ("leaf.invalid", leaf)]);
    let elsewhere = || {
        let doctor = doctor(&bench, &["--allow-insecure-http"]);
        doctor.env("STARA_URL", "http://stara.invalid").env("LEAF_URL", "http://leaf.invalid")
    };
    let ended = elsewhere().env("HTTP_PROXY", &proxy.url).end();
    let checkup = Checkup::of(&ended);
    checkup.expect(&["tls of stara", "tls of leaf"], &[]);
    checkup.expect_said("proxy of stara", "reached through http proxy 127.0.0.1:");
    assert!(
        !ended.stdout.contains("proxy-password") && !ended.stdout.contains("proxy-user"),
        "{}",
        ended.stdout
    );
    assert!(
        proxy.heard().iter().any(|line| line.starts_with("GET http://stara.invalid/ ")),
        "{:?}",
        proxy.heard()
    );

    let wanting = host_saying(
        &bench,
        "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
    );
    let checkup = Checkup::of(&elsewhere().env("HTTP_PROXY", &wanting).end());
    checkup.expect_said("answer of stara", "(407)");
    let tunnel = doctor(&bench, &[]).env("LEAF_URL", "https://leaf.invalid").env("HTTPS_PROXY", &wanting);
    Checkup::of(&tunnel.end()).expect(&[], &["proxy of leaf"]);
    let gone = elsewhere().env("HTTP_PROXY", "http://proxy.invalid:3128").env("NO_PROXY", "stara.invalid");
    let checkup = Checkup::of(&gone.end());
    checkup.expect(&[], &["name of stara", "name of leaf"]);
    checkup
        .expect_said("name of leaf", "the proxy proxy.invalid")
        .expect_said("name of stara", "--stara-url");
}

#[test]
fn whatever_a_host_answers_with_the_checkup_comes_to_its_end_and_echoes_none_of_it() {
    let line = "X-Filler: the-hosts-own-words\r\n";
    let list = format!("[{}", "{\"id\":\"the-hosts-own-words\"},".repeat(400_000));
    let answers = [
        "the-hosts-own-words, which are no HTTP\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{}", line.repeat(20_000)),
        "HTTP/1.1 200 the-hosts-own-words\r\nDate: the-hosts-own-words\r\nContent-Length: 99\r\n\r\n<html>the-hosts-own-words".to_owned(),
        format!("HTTP/1.1 200 OK\r\nX-Total-Count: the-hosts-own-words\r\n\r\n{list}"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nthe-hosts-own-words\r\n".to_owned(),
        "HTTP/1.1 307 Elsewhere\r\nLocation: http://the-hosts-own-words.invalid/\r\nContent-Length: 0\r\n\r\n".to_owned(),
        String::new(),
    ];
    side_by_side(answers, |answer| {
        let bench = Bench::new(&growers(1));
        let host = host_saying(&bench, answer);
        let doctor =
            doctor(&bench, &["--canary", "2", "-vvv"]).env("STARA_URL", &host).env("LEAF_URL", &host);
        let ended = doctor.end().with_code(2);
        Checkup::of(&ended);
        assert!(!ended.stdout.contains("the-hosts-own-words"), "{}", ended.stdout);
        assert!(!ended.stderr.contains("the-hosts-own-words"), "{}", ended.stderr);
    });
}
