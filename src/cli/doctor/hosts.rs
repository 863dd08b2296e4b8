//! Whether the two hosts can be reached: name, connection, certificate, proxy, and an answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::check::Check;
use crate::http::{HttpClient, ProbeError, Probed, ProxyAddress, SendError, Unreached, connect, resolve};
use crate::model::{Service, UnixMillis};

const NAME: &str = "name";
const CONNECTION: &str = "connection";
const TLS: &str = "tls";
const PROXY: &str = "proxy";
const ANSWER: &str = "answer";

/// How long a name or a connection is waited for at the most.
const LONGEST_STEP: Duration = Duration::from_secs(10);

/// How long a certificate should still be good.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// What came of knocking at a host.
pub(super) struct Knocked {
    /// One check for each step.
    pub(super) checks: [Check; 5],
    /// How far our clock is before the host's in milliseconds, where it told the time.
    pub(super) ahead: Option<i64>,
    /// Whether it answered.
    pub(super) is_reached: bool,
}

/// Knocks at a host, without any secret.
pub(super) async fn knock(service: Service, client: &HttpClient) -> Knocked {
    let proxy = client.proxy();
    let route = Route { client, proxy: proxy.as_ref() };
    let within = client.timeout().min(LONGEST_STEP);
    let (host, port) = route.next();
    let (name, connection) = match resolve(host, port, within).await {
        Ok(addresses) => {
            let connected = connect(&addresses, within).await;
            (route.named(&addresses), Some(connected))
        }
        Err(error) => (
            Check::problem(
                NAME,
                format!("{} can't be resolved: {error}", route.shown()),
                format!("check {} and this machine's name servers", route.where_from(service)),
            ),
            None,
        ),
    };
    let (connection, is_connected) = match connection {
        Some(Ok(address)) => (Check::ok(CONNECTION, format!("{address} accepts connections")), true),
        Some(Err(error)) => (
            Check::problem(
                CONNECTION,
                format!("{} port {port} gives no connection: {error}", route.shown()),
                format!("check {}, the network and its firewalls", route.where_from(service)),
            ),
            false,
        ),
        None => (Check::skipped(CONNECTION, "there is no address to connect to"), false),
    };
    let proxied = route.proxied();
    let knocked = if is_connected {
        let probed = client.probe().await;
        let [tls, proxy, answer] = match &probed {
            Ok(probed) => [route.tls(probed), proxied, answered(probed)],
            Err(error) => route.failed(error, proxied),
        };
        Knocked {
            checks: [name, connection, tls, proxy, answer],
            ahead: probed.as_ref().ok().and_then(|probed| probed.ahead),
            is_reached: probed.is_ok_and(|probed| probed.status != 407),
        }
    } else {
        let unasked = |name| Check::skipped(name, "there is no connection");
        Knocked {
            checks: [name, connection, unasked(TLS), proxied, unasked(ANSWER)],
            ahead: None,
            is_reached: false,
        }
    };
    Knocked { checks: knocked.checks.map(|check| check.about(service)), ..knocked }
}

/// The way to a host.
struct Route<'a> {
    client: &'a HttpClient,
    proxy: Option<&'a ProxyAddress>,
}

impl Route<'_> {
    /// Whom we connect to: the host, or the proxy before it.
    fn next(&self) -> (&str, u16) {
        self.proxy.map_or_else(|| self.client.address(), |proxy| (&proxy.host, proxy.port))
    }

    fn shown(&self) -> String {
        let (host, _) = self.next();
        if self.proxy.is_some() { format!("the proxy {host}") } else { host.to_owned() }
    }

    fn where_from(&self, service: Service) -> &'static str {
        match (self.proxy, service) {
            (Some(_), _) => "HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY)",
            (None, Service::Stara) => "--stara-url",
            (None, Service::Leaf) => "--leaf-url",
        }
    }

    fn named(&self, addresses: &[SocketAddr]) -> Check {
        let (host, _) = self.next();
        if host.parse::<IpAddr>().is_ok() {
            return Check::skipped(NAME, format!("{} is an address already", self.shown()));
        }
        let first = addresses.first().map(|address| address.ip().to_string()).unwrap_or_default();
        let more = match addresses.len() {
            0 | 1 => String::new(),
            all => format!(" and {} more", all - 1),
        };
        Check::ok(NAME, format!("{} is {first}{more}", self.shown()))
    }

    fn proxied(&self) -> Check {
        match self.proxy {
            Some(proxy) => Check::ok(PROXY, format!("reached through {} proxy {proxy}", proxy.scheme)),
            None if self.client.is_local() => Check::ok(PROXY, "none: this machine is reached directly"),
            None => Check::ok(PROXY, "none: reached directly"),
        }
    }

    fn is_tls(&self) -> bool {
        self.client.origin().starts_with("https:")
    }

    fn tls(&self, probed: &Probed) -> Check {
        if !self.is_tls() {
            return if self.client.is_local() {
                Check::skipped(TLS, "plain http to this machine")
            } else {
                Check::warning(TLS, "plain http: passwords go over the network in clear", "write https://")
            };
        }
        let Some(until) = probed.certificate_until else {
            return Check::ok(TLS, "its certificate is trusted");
        };
        let day = until.to_rfc3339().split('T').next().unwrap_or_default().to_owned();
        match until.elapsed_since(UnixMillis::now()) {
            Some(left) if left < SOON => Check::warning(
                TLS,
                format!("its certificate is trusted, but only until {day}"),
                "from then on nothing is sent to it; whoever runs the host must renew it",
            ),
            _ => Check::ok(TLS, format!("its certificate is trusted, and good until {day}")),
        }
    }

    /// What a knock without an answer means for TLS, the proxy and the answer.
    fn failed(&self, error: &ProbeError, proxied: Check) -> [Check; 3] {
        let reason = error.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
        let no_answer = || Check::skipped(ANSWER, "nothing was asked");
        let skipped = || Check::skipped(TLS, "it didn't get as far");
        match error.error {
            SendError::NotSent(Unreached::Untrusted) => {
                let advice = "nothing was said to it; where a company's proxy or authority stands in between, name its \
                              certificate with --ca-cert; else check the URL and this machine's clock";
                [
                    Check::problem(TLS, format!("its certificate isn't trusted{reason}"), advice),
                    proxied,
                    no_answer(),
                ]
            }
            SendError::NotSent(_) if self.proxy.is_some() => {
                let advice = "check its address, and the user and password in its URL; hosts that need none belong in NO_PROXY";
                let found = format!("{} gives no way to the host{reason}", self.shown());
                [skipped(), Check::problem(PROXY, found, advice), no_answer()]
            }
            SendError::NotSent(_) if self.is_tls() => {
                let advice = "check that the URL is one of https, and that no firewall breaks TLS";
                [Check::problem(TLS, format!("TLS isn't spoken{reason}"), advice), proxied, no_answer()]
            }
            SendError::NotSent(_) | SendError::TimedOut | SendError::Broken => {
                let found = format!("it doesn't answer: {error}{reason}");
                let advice = "check the URL, and whether the service is down; --timeout gives it longer";
                [skipped(), proxied, Check::problem(ANSWER, found, advice)]
            }
        }
    }
}

fn answered(probed: &Probed) -> Check {
    let Probed { status, took, .. } = probed;
    let found = format!("it answers ({status}) within {} ms", took.as_millis());
    match status {
        407 => Check::problem(
            ANSWER,
            "the proxy wants a user and a password (407)",
            "write them into its URL: HTTPS_PROXY=http://user:password@host:port",
        ),
        500.. => Check::warning(
            ANSWER,
            found,
            "that is an error of the host's; if calls are answered so, too, a run pauses and stops with exit 5",
        ),
        _ => Check::ok(ANSWER, found),
    }
}
