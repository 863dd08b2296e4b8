//! Sends one request to one host, once, and takes in a bounded answer.

use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use tokio::time::sleep;

use super::call_counts::CallCounts;
use super::classify::SendError;
use super::extra_roots::ExtraRoots;
use super::retry_after::parse_retry_after;
use crate::model::Lane;

/// The most of an answer that is read, in bytes. The answers known are under 10 KiB.
const LARGEST_BODY: usize = 256 * 1024;

/// How long an unused connection is kept. Shorter than the keep-alive of common servers (5 s is the shortest default
/// among them), because an attach sent on a connection that the server is just closing costs a settle time.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Who we are. Static, so that a request takes no copy of it.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("stara-onboard/", env!("CARGO_PKG_VERSION")));

/// How a host is to be spoken to.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Where the host is, possibly with a path prefix.
    pub base_url: Url,
    /// The time for one request in all: connecting, sending, and reading the answer.
    pub timeout: Duration,
    /// How many unused connections are kept.
    pub idle_connections: usize,
    /// Whether plain `http` may be spoken to other than this machine.
    pub allow_insecure_http: bool,
    /// What is trusted beside the system's roots.
    pub extra_roots: ExtraRoots,
}

/// Why a host can't be spoken to at all.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Neither https, nor http to this machine.
    #[error("{origin} would get passwords in clear: only https is spoken, except to this machine")]
    Insecure {
        /// The host's origin.
        origin: String,
    },
    /// The URL isn't one of a host.
    #[error("{url} is no address of a service: write https://host, without user, query or fragment")]
    NotAService {
        /// The scheme and host, without whatever else was in it.
        url: String,
    },
    /// The HTTP library couldn't be set up; mostly for want of the system's certificates.
    #[error("the HTTP client couldn't be set up (are the system's CA certificates installed?)")]
    Setup(#[source] reqwest::Error),
}

/// A host, and the pool of connections to it. It follows no redirect and never sends a request twice by itself.
#[derive(Debug, Clone)]
pub struct HttpClient {
    pools: Arc<Pools>,
    base: Url,
    timeout: Duration,
    counts: CallCounts,
    #[cfg(test)]
    network: Option<std::sync::Arc<dyn super::simulated::Network>>,
}

/// The connections, by lane: one that is used on another lane than its own wakes a thread for each request and
/// another for each answer.
#[derive(Debug)]
struct Pools {
    options: ClientOptions,
    first: Client,
    others: [OnceLock<Client>; Lane::MOST - 1],
}

/// An answer: its status, and as much of the rest as is needed. Its `Debug` hides the body.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the host asked us to wait, where it did.
    pub retry_after: Option<Duration>,
    /// The body, or why there is none. It may hold secrets: it has no way into a message.
    pub body: Result<Bytes, BodyError>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why an answer's body couldn't be taken in, though its status came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than any known answer.
    #[error("the answer is larger than any known one")]
    TooLarge,
    /// It was cut off, or didn't end in time.
    #[error("the answer was cut off")]
    CutOff,
}

impl HttpClient {
    /// Sets up the pool; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the URL is unfit, would send passwords in clear, or the TLS library can't be set up.
    pub fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let base = check_base(&options.base_url, options.allow_insecure_http)?;
        let pools = Pools::new(options.clone())?;
        Ok(Self {
            pools: Arc::new(pools),
            base,
            timeout: options.timeout,
            counts: CallCounts::default(),
            #[cfg(test)]
            network: None,
        })
    }

    /// A client to another host, with the same options and counts of its own. Hosts that are reached alike share what is set
    /// up for that: the trusted roots, and the connections where both are at one address.
    ///
    /// # Errors
    ///
    /// As [`HttpClient::new`].
    pub fn to_another(&self, base_url: &Url) -> Result<Self, ClientError> {
        let options = ClientOptions { base_url: base_url.clone(), ..self.pools.options.clone() };
        if !is_reached_alike(&self.base, base_url) {
            return Self::new(&options);
        }
        let base = check_base(base_url, options.allow_insecure_http)?;
        Ok(Self { base, counts: CallCounts::default(), ..self.clone() })
    }

    /// The host's origin: scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The host's name or address, and its port.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        let host = self.base.host_str().unwrap_or_default();
        (host.trim_start_matches('[').trim_end_matches(']'), self.base.port_or_known_default().unwrap_or(443))
    }

    /// Whether the host is this machine, so that nothing leaves it and no proxy is asked.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_this_machine(&self.base)
    }

    /// The time for one request in all.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The path that all paths of its requests begin with.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.base.path()
    }

    /// What the host is asked through this client and its clones, by call.
    #[must_use]
    pub fn counts(&self) -> &CallCounts {
        &self.counts
    }

    /// The address of a path below the base URL. `path` begins with a slash and holds nothing that needs escaping.
    #[must_use]
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/');
        if prefix.is_empty() {
            url.set_path(path);
        } else {
            url.set_path(&format!("{prefix}{path}"));
        }
        url
    }

    /// Begins a request to a path as in [`HttpClient::url`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to(method, self.url(path))
    }

    /// Begins a request to an address that [`HttpClient::url`] gave: whoever asks there often makes it once.
    pub fn request_to(&self, method: Method, url: Url) -> RequestBuilder {
        self.pools.here().request(method, url)
    }

    /// Sends a request once, and counts it under the name of its call.
    ///
    /// # Errors
    ///
    /// When no status came. Once there is one the call succeeds, whatever becomes of the body.
    pub async fn send(&self, call: &'static str, request: RequestBuilder) -> Result<Reply, SendError> {
        self.send_within(call, request, LARGEST_BODY).await.map(|(reply, _)| reply)
    }

    /// As [`HttpClient::send`], for an answer of at most `largest_body` bytes; gives the answer's headers, too.
    ///
    /// # Errors
    ///
    /// As [`HttpClient::send`].
    pub async fn send_within(
        &self,
        call: &'static str,
        request: RequestBuilder,
        largest_body: usize,
    ) -> Result<(Reply, HeaderMap), SendError> {
        let mut counted = self.counts.begin(call);
        // One timer for all of it, and a status that came is kept even if the time runs out in the body.
        let mut time_is_up = pin!(sleep(self.timeout));
        let mut response = tokio::select! {
            biased;
            response = self.dispatch(request) => response?,
            () = &mut time_is_up => return Err(SendError::TimedOut),
        };
        let status = response.status().as_u16();
        counted.status = Some(status);
        let headers = std::mem::take(response.headers_mut());
        let retry_after = retry_after_of(&headers);
        let body = tokio::select! {
            biased;
            body = take_in(&mut response, largest_body) => body,
            () = &mut time_is_up => Err(BodyError::CutOff),
        };
        Ok((Reply { status, retry_after, body }, headers))
    }

    async fn dispatch(&self, request: RequestBuilder) -> Result<Response, SendError> {
        #[cfg(test)]
        if let Some(network) = &self.network {
            return network.send(request).await;
        }
        request.send().await.map_err(|error| {
            let failure = SendError::from_library(&error);
            if failure.is_not_processed() {
                tracing::debug!(host = %self.origin(), reason = innermost(&error), "no connection");
            }
            failure
        })
    }
}

/// What an error began with. For one from before the request was sent it is about names, sockets and certificates only.
#[must_use]
pub fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl Pools {
    fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let first = build(&options)?;
        Ok(Self { options, first, others: std::array::from_fn(|_| OnceLock::new()) })
    }

    /// That of this thread's lane.
    fn here(&self) -> &Client {
        let Some(other) = Lane::current().index().checked_sub(1) else { return &self.first };
        // What could be set up once can be again; were it not so, the first serves all.
        self.others[other].get_or_init(|| build(&self.options).unwrap_or_else(|_| self.first.clone()))
    }
}

/// Whether what is built for one serves the other: proxies and certificates go by this.
fn is_reached_alike(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme() && is_this_machine(one) == is_this_machine(other)
}

fn build(options: &ClientOptions) -> Result<Client, ClientError> {
    let base = &options.base_url;
    let builder = Client::builder();
    // What stays on this machine needs no proxy, and a rehearsal's passwords are no business of one.
    let builder = if is_this_machine(base) { builder.no_proxy() } else { builder };
    // Where TLS is never spoken, a machine without any certificates is no hindrance: a rehearsal in a bare container.
    let builder = if is_this_machine(base) && base.scheme() == "http" {
        builder.tls_certs_only([])
    } else {
        builder.tls_certs_merge(options.extra_roots.certificates())
    };
    builder
        .user_agent(USER_AGENT)
        // A 307 would send the passwords again, to wherever the answer says.
        .redirect(reqwest::redirect::Policy::none())
        // Whether to send again is decided in one place, and not in the library, which with none allowed doesn't copy the request for it.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        // One HTTP/2 connection is one failure domain: its reset would make every attach under way ambiguous.
        .http1_only()
        .tcp_nodelay(true)
        // What is asked of a connection by whoever wants to know until when the host's certificate is good.
        .tls_info(true)
        // Shorter than the whole, so that a host that can't be connected to counts as surely not asked.
        .connect_timeout((options.timeout * 3 / 4).min(Duration::from_secs(10)))
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(options.idle_connections)
        .build()
        .map_err(|error| ClientError::Setup(error.without_url()))
}

#[cfg(test)]
impl HttpClient {
    /// The same client on a simulated network.
    pub(crate) fn on_network(self, network: std::sync::Arc<dyn super::simulated::Network>) -> Self {
        Self { network: Some(network), ..self }
    }
}

/// The body of an answer, which mostly comes in one piece and then isn't copied.
async fn take_in(response: &mut Response, largest: usize) -> Result<Bytes, BodyError> {
    let mut body = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::CutOff)? {
        if body.len() + pieces.len() + chunk.len() > largest {
            return Err(BodyError::TooLarge);
        }
        if body.is_empty() && pieces.is_empty() {
            body = chunk;
            continue;
        }
        pieces.extend_from_slice(&std::mem::take(&mut body));
        pieces.extend_from_slice(&chunk);
    }
    Ok(if pieces.is_empty() { body } else { pieces.freeze() })
}

fn retry_after_of(headers: &HeaderMap) -> Option<Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

fn check_base(url: &Url, allow_insecure_http: bool) -> Result<Url, ClientError> {
    let origin = url.origin().ascii_serialization();
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !plain || url.fragment().is_some() || !matches!(url.scheme(), "http" | "https") || url.host().is_none()
    {
        return Err(ClientError::NotAService { url: origin });
    }
    if url.scheme() == "http" && !allow_insecure_http && !is_this_machine(url) {
        return Err(ClientError::Insecure { origin });
    }
    Ok(url.clone())
}

/// Whether a URL's host is this machine, so that nobody on a network sees what is sent.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn client(url: &str, allow_insecure_http: bool) -> Result<HttpClient, ClientError> {
        HttpClient::new(&ClientOptions {
            base_url: url.parse().unwrap(),
            timeout: Duration::from_secs(1),
            idle_connections: 1,
            allow_insecure_http,
            extra_roots: ExtraRoots::default(),
        })
    }

    #[test]
    fn passwords_are_not_sent_in_clear_over_a_network() {
        assert!(matches!(client("http://example.com", false), Err(ClientError::Insecure { .. })));
        assert!(client("http://example.com", true).is_ok());
        for url in ["https://example.com", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"] {
            assert!(client(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_without_showing_it() {
        let error = client("https://ana:hunter2@example.com/", false).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn another_host_is_refused_like_the_first_one() {
        for first in ["https://example.com", "http://127.0.0.1:9"] {
            let client = client(first, false).unwrap();
            let to = |url: &str| client.to_another(&url.parse().unwrap());
            assert!(matches!(to("http://example.org"), Err(ClientError::Insecure { .. })), "{first}");
            assert!(matches!(to("https://ana:hunter2@example.org"), Err(ClientError::NotAService { .. })));
            assert_eq!(to("https://example.org:444/leaf").unwrap().address(), ("example.org", 444));
        }
    }

    #[test]
    fn hosts_that_are_reached_alike_share_what_is_set_up() {
        for (first, other, expected) in [
            ("https://example.com", "https://example.org", true),
            ("http://127.0.0.1:9", "http://localhost:10", true),
            ("http://127.0.0.1:9", "https://example.org", false),
            ("http://127.0.0.1:9", "https://127.0.0.1:10", false),
            ("https://127.0.0.1:9", "https://example.org", false),
        ] {
            let first = client(first, false).unwrap();
            let other = first.to_another(&other.parse().unwrap()).unwrap();
            assert_eq!(Arc::ptr_eq(&first.pools, &other.pools), expected, "{other:?}");
        }
    }

    #[test]
    fn each_host_has_counts_of_its_own() {
        let stara = client("https://example.com", false).unwrap();
        let leaf = stara.to_another(&"https://example.org".parse().unwrap()).unwrap();
        drop(leaf.counts().begin("attach"));
        assert_eq!([&stara, &leaf].map(|client| client.counts().so_far().len()), [0, 1]);
    }

    #[tokio::test]
    async fn two_services_at_one_address_are_asked_over_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stara = client(&url, false).unwrap();
        let leaf = stara.to_another(&format!("{url}/leaf").parse().unwrap()).unwrap();
        let asked = std::thread::spawn(move || {
            let mut connection = BufReader::new(listener.accept().unwrap().0);
            [(); 3].map(|()| {
                let path = read_path(&mut connection);
                connection.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                path
            })
        });
        for client in [&stara, &leaf, &stara] {
            // On a connection of its own it would never be answered.
            let answer = client.send("look", client.request(Method::GET, "/users")).await.unwrap();
            assert_eq!(answer.status, 200);
        }
        assert_eq!(asked.join().unwrap(), ["/users", "/leaf/users", "/users"]);
    }

    /// The path of the next request, which has no body.
    fn read_path(connection: &mut BufReader<TcpStream>) -> String {
        let head = connection.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
        head.collect::<Vec<_>>()[0].split(' ').nth(1).unwrap().to_owned()
    }

    #[test]
    fn a_base_path_is_kept_before_the_calls_path() {
        let client = client("https://example.com/gateway/", false).unwrap();
        let request = client.request(Method::GET, "/token").build().unwrap();
        assert_eq!(request.url().as_str(), "https://example.com/gateway/token");
    }
}
