//! Which proxy stands between us and a host, by the rules of the HTTP library.

use std::fmt;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::client::HttpClient;

/// Where a proxy is, without the user and password that it may want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyAddress {
    /// How it is spoken to: `http`, `https`, or a kind of `socks`.
    pub scheme: String,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

impl HttpClient {
    /// The proxy through which this host is reached; `None` when it is reached directly.
    #[must_use]
    pub fn proxy(&self) -> Option<ProxyAddress> {
        if self.is_local() {
            return None;
        }
        let host: Uri = self.origin().parse().ok()?;
        // The library reads the environment in the same way when it makes a client.
        let proxy = Matcher::from_system().intercept(&host)?;
        let uri = proxy.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => 1080,
        };
        Some(ProxyAddress {
            scheme: scheme.to_owned(),
            host: uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(port),
        })
    }
}
