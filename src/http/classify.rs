//! What one attempt came to, judged without knowing what it was for.

use std::error::Error;

/// Why an attempt has no answer. It holds no URL, header or body, so it can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request can't have reached the host: it wasn't built, resolved, connected or hand-shaken.
    #[error("the host couldn't be reached")]
    NotSent,
    /// The host's certificate isn't trusted, or isn't the host's, so that nothing was said to it.
    #[error("the host's certificate isn't trusted")]
    Untrusted,
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
            if is_about_certificate(error) { Self::Untrusted } else { Self::NotSent }
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Broken
        }
    }

    /// Whether the host surely didn't process the request.
    #[must_use]
    pub const fn is_not_processed(self) -> bool {
        matches!(self, Self::NotSent | Self::Untrusted)
    }
}

/// Whether a certificate is what a connection failed for.
fn is_about_certificate(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(
            error,
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
        );
    }
    // An I/O error hides what it was made of from its chain of sources.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => is_about_certificate(inner),
        None => error.source().is_some_and(is_about_certificate),
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
