//! What lies between the program and the services: TLS, proxies, and plain http where it is allowed.

use std::net::{SocketAddr, TcpListener as PlainListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::support::leaks::Needles;
use crate::support::{Bench, Invocation, growers, side_by_side};

/// Somebody who signs certificates, and whom nobody trusts without being told to.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// The file that tells of it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's side of TLS as `host`, whose certificate is good until that year.
    pub(crate) fn certify(&self, host: &str, until: i32) -> TlsAcceptor {
        self.certify_until(host, (until, 1, 1))
    }

    /// The same with a certificate that is good until that day.
    pub(crate) fn certify_until(&self, host: &str, (year, month, day): (i32, u8, u8)) -> TlsAcceptor {
        let mut parameters = CertificateParams::new(vec![host.to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = PlainListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (TcpListener::from_std(listener).unwrap(), address)
}

pub(crate) fn address_of(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Speaks TLS before a plain server, and answers with its own port.
pub(crate) fn tls_before(bench: &Bench, plain: SocketAddr, acceptor: TlsAcceptor) -> u16 {
    let _inside = bench.enter();
    let (listener, address) = listen();
    bench.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that trusts us not goes away, and that is what it should do.
                let Ok(mut tls) = acceptor.accept(stream).await else { return };
                let mut server = TcpStream::connect(plain).await.unwrap();
                let _ = copy_bidirectional(&mut tls, &mut server).await;
            });
        }
    });
    address.port()
}

/// A proxy on this machine, which leads each host where it is told, and remembers the first line of each connection.
pub(crate) struct Proxy {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start(bench: &Bench, routes: Vec<(&'static str, SocketAddr)>) -> Self {
        let _inside = bench.enter();
        let (listener, address) = listen();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let remembers = Arc::clone(&heard);
        bench.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(stream, routes.clone(), Arc::clone(&remembers)));
            }
        });
        Self { url: format!("http://proxy-user:proxy-password-of-the-test@{address}"), heard }
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn pass_on(
    mut client: TcpStream,
    routes: Vec<(&'static str, SocketAddr)>,
    heard: Arc<Mutex<Vec<String>>>,
) {
    let mut start = Vec::new();
    while !start.windows(2).any(|end| end == b"\r\n") {
        if client.read_buf(&mut start).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let is_tunnel = start.starts_with(b"CONNECT ");
    while is_tunnel && !start.ends_with(b"\r\n\r\n") {
        client.read_buf(&mut start).await.unwrap();
    }
    let line = String::from_utf8_lossy(&start).lines().next().unwrap().to_owned();
    let (_, to) = *routes.iter().find(|(host, _)| line.contains(host)).expect("a host that the test knows");
    heard.lock().unwrap().push(line);
    let mut server = TcpStream::connect(to).await.unwrap();
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    } else {
        server.write_all(&start).await.unwrap();
    }
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// Both services behind TLS, certified by these two, and the run that is pointed at them.
fn behind_tls(bench: &Bench, stara: TlsAcceptor, leaf: TlsAcceptor) -> Invocation {
    let [stara_url, leaf_url] = bench.urls().map(address_of);
    let stara = tls_before(bench, stara_url, stara);
    let leaf = tls_before(bench, leaf_url, leaf);
    let run = bench.run_of("growers.csv", &["-vvv"]);
    run.env("STARA_URL", format!("https://localhost:{stara}"))
        .env("LEAF_URL", format!("https://127.0.0.1:{leaf}"))
}

pub(crate) fn write_pem(bench: &Bench, name: &str, authorities: &[&Authority]) -> PathBuf {
    let pem: Vec<String> = authorities.iter().map(|authority| authority.pem()).collect();
    bench.write(name, pem.concat());
    bench.path(name)
}

#[test]
fn a_root_of_your_own_is_trusted_by_flag_or_environment_and_beside_the_systems() {
    side_by_side(0..4, |case| {
        let rows = growers(3);
        let bench = Bench::new(&rows);
        let (one, other) = (Authority::new(), Authority::new());
        let run = behind_tls(&bench, one.certify("localhost", 2100), other.certify("127.0.0.1", 2100));
        let run = match case {
            0 => run.args(["--ca-cert"]).args([write_pem(&bench, "both.pem", &[&one, &other])]),
            1 => run.env("STARA_ONBOARD_CA_CERT", write_pem(&bench, "both.pem", &[&one, &other])),
            // OpenSSL's variable names the system's roots on Linux: they are really used, and added to.
            2 => run.env("SSL_CERT_FILE", write_pem(&bench, "system.pem", &[&one, &other])),
            _ => run
                .env("SSL_CERT_FILE", write_pem(&bench, "system.pem", &[&one]))
                .args(["--ca-cert"])
                .args([write_pem(&bench, "other.pem", &[&other])]),
        };
        let ended = run.env("RUST_LOG", "trace").end().with_code(0);
        bench.expect_one_effect_each(&rows);
        let passwords = rows.iter().map(|row| row.password.clone());
        let secrets = Needles::new(bench.world().secrets().into_iter().chain(passwords));
        assert!(ended.stderr.lines().count() > 15, "it said all it can say");
        assert_eq!(secrets.find("stderr", ended.stderr.as_bytes()).len(), 0);
    });
}

#[test]
fn a_certificate_that_is_not_trusted_hears_nothing_and_the_report_says_that_it_is_about_it() {
    let cases = [
        ("nobody vouches for it", "localhost", 2100, false),
        ("another host's", "other.example", 2100, true),
        ("expired", "localhost", 2024, true),
    ];
    side_by_side(cases, |(name, host, until, is_given)| {
        let rows = growers(2);
        let bench = Bench::new(&rows);
        let authority = Authority::new();
        let run = behind_tls(&bench, authority.certify(host, until), authority.certify("127.0.0.1", 2100));
        let pem = write_pem(&bench, "roots.pem", &[&authority]);
        let run = if is_given { run.args(["--ca-cert"]).args([pem]) } else { run };
        run.args(["--max-hold", "1s"]).end().with_code(5);
        let service = if is_given { "stara" } else { "leaf" };
        for result in bench.results() {
            assert_eq!(result.outcome, format!("{service}-unavailable"), "{name}");
            assert!(result.message.contains("certificate isn't trusted"), "{name}: {}", result.message);
            assert!(result.message.contains("--ca-cert"), "{name}: {}", result.message);
        }
        let heard =
            bench.seen().iter().filter(|call| call.service.as_str().eq_ignore_ascii_case(service)).count();
        assert_eq!(heard, 0, "{name}");
    });
}

#[test]
fn a_host_that_is_not_trusted_counts_as_down_and_is_not_hammered() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    let strangers = Authority::new();
    let [_, leaf] = bench.urls().map(address_of);
    let (port, met) = counted_before(&bench, tls_before(&bench, leaf, strangers.certify("127.0.0.1", 2100)));
    let run = bench.run_of("growers.csv", &["--max-hold", "1s", "--leaf-rate", "auto"]);
    let ended = run.env("LEAF_URL", format!("https://127.0.0.1:{port}")).end().with_code(5);
    ended.saying("certificate isn't trusted").saying("--ca-cert");
    let met = met.load(Ordering::Relaxed);
    assert!((5..=12).contains(&met), "{met} connections to a host that isn't trusted");
    let outcomes = bench.outcomes();
    let blamed = outcomes.iter().filter(|code| *code == "leaf-unavailable").count();
    let not_reached = outcomes.iter().filter(|code| *code == "not-reached").count();
    assert_eq!(blamed + not_reached, rows.len(), "{outcomes:?}");
    assert!(blamed <= 6, "{blamed}");
}

/// Counts the connections to a port of this machine, and answers with its own.
fn counted_before(bench: &Bench, port: u16) -> (u16, Arc<AtomicUsize>) {
    let _inside = bench.enter();
    let (listener, address) = listen();
    let met = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&met);
    bench.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address.port(), met)
}

#[test]
fn leafs_login_tells_of_an_untrusted_certificate_too() {
    let bench = Bench::new(&growers(1));
    let authority = Authority::new();
    let run = behind_tls(&bench, authority.certify("localhost", 2100), authority.certify("127.0.0.1", 2100));
    let run = run.env_remove("LEAF_TOKEN").env("LEAF_USERNAME", "ops").env("LEAF_PASSWORD", "leaf password");
    let run = run.args(["--max-hold", "1s"]);
    run.end().with_code(5).saying("certificate isn't trusted").saying("--ca-cert");
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_file_that_adds_no_root_is_told_of_before_anything_is_sent() {
    let bench = Bench::new(&growers(1));
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap().serialize_pem();
    bench.write("empty.pem", "");
    bench.write("text.pem", "shopping list: milk");
    bench.write("key.pem", key);
    bench.write("cut.pem", &authority.pem()[..200]);
    bench.write("damaged.pem", authority.pem().replacen("MII", "AAA", 1));
    bench.write("binary.pem", [0xff; 3_000]);
    std::fs::create_dir(bench.path("folder.pem")).unwrap();
    for (name, expected) in [
        ("missing.pem", "No such file"),
        ("folder.pem", "directory"),
        ("empty.pem", "holds no certificate"),
        ("text.pem", "holds no certificate"),
        ("key.pem", "holds no certificate"),
        ("binary.pem", "holds no certificate"),
        ("cut.pem", "a certificate that can't be read"),
        ("damaged.pem", "a certificate that can't be read"),
    ] {
        let ended = bench.run(&["--ca-cert", name]).with_code(2);
        ended.saying(expected).saying(name).saying("hint: nothing was sent");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn plain_http_goes_to_this_machine_only_unless_that_is_asked_for() {
    let bench = Bench::new(&growers(1));
    for (flag, url) in [("--stara-url", "http://stara.invalid"), ("--leaf-url", "http://192.0.2.1:8080/api")]
    {
        let ended = bench.run(&[flag, url]).with_code(2);
        ended.saying("would get passwords in clear").saying("--allow-insecure-http").saying(flag);
    }
    for url in
        ["ftp://stara.example", "https://ana:hunter2@stara.example", "https://stara.example?x=1", "stara"]
    {
        let ended = bench.run(&["--stara-url", url]).with_code(2);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn other_hosts_are_reached_through_the_environments_proxy_and_this_machine_never() {
    side_by_side([["http_proxy", "https_proxy"], ["HTTP_PROXY", "HTTPS_PROXY"]], |names| {
        let rows = growers(4);
        let bench = Bench::new(&rows);
        let [stara, leaf] = bench.urls().map(address_of);
        let proxy = Proxy::start(&bench, vec![("stara.invalid", stara), ("leaf.invalid", leaf)]);
        let through = |run: Invocation| names.iter().fold(run, |run, name| run.env(name, &proxy.url));
        let direct = through(bench.run_of("growers.csv", &["--limit", "1"])).end().with_code(0);
        assert_eq!(proxy.heard(), Vec::<String>::new(), "what goes to this machine takes no proxy");
        let elsewhere = |run: Invocation| {
            let run = run.args(["--allow-insecure-http", "--state", "elsewhere.db", "-vvv"]);
            run.env("STARA_URL", "http://stara.invalid").env("LEAF_URL", "http://leaf.invalid:8443")
        };
        bench.world().remove_credential(rows[0].id);
        let run = elsewhere(bench.run_of("growers.csv", &["--log-file", "proxy.log"]));
        let proxied = through(run).end().with_code(0);
        assert_eq!(bench.outcomes(), ["attached"; 4]);
        let heard = proxy.heard();
        assert!(
            heard.iter().any(|line| line.starts_with("POST http://stara.invalid/autenticacao")),
            "{heard:?}"
        );
        assert!(heard.iter().any(|line| line.contains(" http://leaf.invalid:8443/services/")), "{heard:?}");
        let log = std::fs::read_to_string(bench.path("proxy.log")).unwrap();
        for text in [&direct.stderr, &proxied.stderr, &log] {
            assert!(!text.contains("proxy-password"), "{text}");
        }
        // What NO_PROXY names is asked directly, and nobody is there.
        bench.write_manifest(&growers(5)[4..]);
        let excepted = elsewhere(bench.run_of("growers.csv", &["--timeout", "2s"]));
        let excepted = excepted.env("NO_PROXY", "leaf.invalid").env("no_proxy", "leaf.invalid");
        let before = proxy.heard().len();
        through(excepted).end().with_code(3);
        assert_eq!((bench.outcomes(), proxy.heard().len()), (vec!["leaf-unavailable".to_owned()], before));
    });
}

#[test]
fn https_goes_through_a_proxy_as_a_tunnel_that_it_cannot_look_into() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let authority = Authority::new();
    let [stara, leaf] = bench.urls().map(address_of);
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let stara = tls_before(&bench, stara, authority.certify("stara.invalid", 2100));
    let leaf = tls_before(&bench, leaf, authority.certify("leaf.invalid", 2100));
    let proxy = Proxy::start(&bench, vec![("stara.invalid", local(stara)), ("leaf.invalid", local(leaf))]);
    let run =
        bench.run_of("growers.csv", &["--ca-cert"]).args([write_pem(&bench, "roots.pem", &[&authority])]);
    let run = run.env("STARA_URL", "https://stara.invalid").env("LEAF_URL", "https://leaf.invalid");
    run.env("HTTPS_PROXY", &proxy.url).end().with_code(0);
    bench.expect_one_effect_each(&rows);
    let heard = proxy.heard();
    assert!(!heard.is_empty() && heard.iter().all(|line| line.starts_with("CONNECT ")), "{heard:?}");
}

#[test]
fn a_rehearsal_needs_no_certificates_on_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/growers.csv");
    let run = Invocation::new(folder.path()).args(["run", "--sandbox"]).args([manifest]);
    without_roots(run).end().with_code(0);
}

/// The run on a machine that has no certificates.
pub(crate) fn without_roots(run: Invocation) -> Invocation {
    run.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent")
}

#[test]
fn a_machine_without_certificates_is_told_of_and_does_with_a_file_of_them() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let authority = Authority::new();
    let tls =
        |bench| behind_tls(bench, authority.certify("localhost", 2100), authority.certify("127.0.0.1", 2100));
    without_roots(tls(&bench)).end().with_code(2).saying("ca-certificates").saying("--ca-cert");
    let pem = write_pem(&bench, "roots.pem", &[&authority]);
    without_roots(tls(&bench)).args(["--ca-cert"]).args([pem]).end().with_code(0);
    bench.expect_one_effect_each(&rows);
}

/// A host that accepts connections and, instead of TLS, says this; nothing at all for `None`.
pub(crate) fn no_tls(bench: &Bench, says: Option<&'static [u8]>) -> u16 {
    let _inside = bench.enter();
    let (listener, address) = listen();
    bench.spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            match says {
                // A client that has seen enough may be gone already.
                Some(bytes) => drop(stream.write_all(bytes).await),
                None => silent.push(stream),
            }
        }
    });
    address.port()
}

#[test]
fn a_host_that_does_not_get_as_far_as_tls_was_surely_not_asked() {
    let cases: [(&str, Option<&[u8]>); 4] = [
        ("says nothing", None),
        ("hangs up", Some(b"")),
        ("speaks plain HTTP", Some(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
        ("says something", Some(b"\x16\x03\x01\xff\xff garbage that is no handshake \0\0\0\0")),
    ];
    side_by_side(cases, |(name, says)| {
        // One row, whose attempts are too few for the host to count as down.
        let bench = Bench::new(&growers(1));
        let port = no_tls(&bench, says);
        let run = bench.run_of("growers.csv", &["--timeout", "2s", "--precheck", "off"]);
        run.env("LEAF_URL", format!("https://localhost:{port}")).end().with_code(3);
        for result in bench.results() {
            assert_eq!(
                (result.outcome.as_str(), result.stage.as_deref()),
                ("leaf-unavailable", Some("attach")),
                "{name}"
            );
            let message = &result.message;
            assert!(message.starts_with("Leaf couldn't be reached for the attach: "), "{name}: {message}");
        }
        // Nothing is left to be settled, so that the next run attaches at once.
        bench.run(&["--settle", "1h", "--precheck", "off"]).with_code(0);
    });
}
