//! What one attempt came to, judged without knowing what it was for.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

/// Why an attempt has no answer. It holds no URL, header or body, so it can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request can't have reached the host: it wasn't built, resolved, connected or hand-shaken.
    #[error("the host couldn't be reached")]
    NotSent(Unreached),
    /// The connection was there, but no answer came in time.
    #[error("no answer came in time")]
    TimedOut,
    /// The connection broke before the answer's status.
    #[error("the connection broke before an answer")]
    Broken,
}

impl SendError {
    /// Judges an error of the HTTP library. Whatever isn't surely *not sent* may have taken effect.
    pub(super) fn from_library(error: &reqwest::Error) -> Self {
        if error.is_builder() || error.is_connect() {
            Self::NotSent(Unreached::from_library(error))
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Broken
        }
    }

    /// Whether the host surely didn't process the request.
    #[must_use]
    pub const fn is_not_processed(self) -> bool {
        matches!(self, Self::NotSent(_))
    }
}

/// Why there is no connection to a host, as far as that is known. It is said in words of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreached {
    /// Its name, or that of the proxy before it, leads to no address.
    NameUnknown,
    /// Nobody listens there.
    Refused,
    /// What answers there doesn't speak TLS, or hangs up on it.
    NoTls,
    /// Its certificate isn't trusted, or isn't the host's, so that nothing was said to it.
    Untrusted,
    /// Something else, or nobody answered in time.
    Other,
}

impl Unreached {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NameUnknown, Self::Refused, Self::NoTls, Self::Untrusted, Self::Other];

    /// The first cause in the chain of an error from before the request was sent.
    fn from_library(error: &(dyn Error + 'static)) -> Self {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return match error {
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                    Self::Untrusted
                }
                rustls::Error::InvalidMessage(_) => Self::NoTls,
                _ => Self::Other,
            };
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                ErrorKind::ConnectionRefused => return Self::Refused,
                // There was somebody: what is cut off before anything is sent is the handshake.
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                    return Self::NoTls;
                }
                _ => {}
            }
            // An I/O error hides what it was made of from its chain of sources.
            if let Some(inner) = error.get_ref() {
                return Self::from_library(inner);
            }
        }
        // The connector's error has no public type to tell it by.
        if error.to_string().starts_with("dns error") {
            return Self::NameUnknown;
        }
        error.source().map_or(Self::Other, Self::from_library)
    }

    /// Whether it stays as it is until somebody mends it on our side: the URL, the name servers, or whom we trust.
    #[must_use]
    pub const fn is_to_be_mended(self) -> bool {
        matches!(self, Self::NameUnknown | Self::NoTls | Self::Untrusted)
    }

    /// In two or three words.
    #[must_use]
    pub const fn in_short(self) -> &'static str {
        match self {
            Self::NameUnknown => "name not resolved",
            Self::Refused => "connection refused",
            Self::NoTls => "no TLS there",
            Self::Untrusted => "certificate not trusted",
            Self::Other => "no connection",
        }
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NameUnknown => "its host name can't be resolved (is the URL right, and DNS at work?)",
            Self::Refused => "it refuses connections (are the URL's host and port right?)",
            Self::NoTls => {
                "no TLS came about with what answers there (is the URL one of http, or the port another?)"
            }
            Self::Untrusted => "its certificate isn't trusted (--ca-cert adds a root, if it should be)",
            Self::Other => "no connection to it could be made",
        })
    }
}

/// The families of statuses that are treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// 2xx.
    Success,
    /// 3xx: never followed.
    Redirect,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 400, 409 and 422.
    Refused,
    /// 408: the host gave up waiting for the request.
    RequestTimedOut,
    /// 429.
    Throttled,
    /// 5xx.
    ServerError,
    /// Everything else.
    Other,
}

impl StatusClass {
    /// The class of a status.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Success,
            300..=399 => Self::Redirect,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            400 | 409 | 422 => Self::Refused,
            408 => Self::RequestTimedOut,
            429 => Self::Throttled,
            500..=599 => Self::ServerError,
            _ => Self::Other,
        }
    }
}
