//! Knocks at a host: one GET of its root, to see whether it answers, what its clock says, and how long its certificate is
//! good.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use reqwest::header::DATE;
use reqwest::tls::TlsInfo;
use tokio::time::{Instant, timeout};

use super::certificate::valid_until;
use super::classify::SendError;
use super::client::{HttpClient, innermost};
use crate::model::UnixMillis;

/// What knocking at a host showed.
#[derive(Debug, Clone, Copy)]
pub struct Probed {
    /// The status of its answer, whatever that is.
    pub status: u16,
    /// How far our clock is before the host's in milliseconds, negative when it is behind; `None` when the answer has no
    /// time. The host's clock is read to the second.
    pub ahead: Option<i64>,
    /// From the beginning of the connection to the answer's status.
    pub took: Duration,
    /// Until when its certificate is good, where TLS is spoken and it could be read.
    pub certificate_until: Option<UnixMillis>,
}

/// Why a host didn't answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct ProbeError {
    /// How far it got.
    pub error: SendError,
    /// What is said of it by whoever failed. It is about names, sockets and certificates only.
    pub reason: Option<String>,
}

impl HttpClient {
    /// Sends one GET of `/`, without any secret, and leaves the answer's body where it is.
    ///
    /// # Errors
    ///
    /// When no status came.
    pub async fn probe(&self) -> Result<Probed, ProbeError> {
        let began = Instant::now();
        let before = SystemTime::now();
        let sending = timeout(self.timeout(), self.request(Method::GET, "/").send()).await;
        let timed_out = |_| ProbeError { error: SendError::TimedOut, reason: None };
        let response = sending.map_err(timed_out)?.map_err(|error| {
            let failure = SendError::from_library(&error);
            let reason = failure.is_not_processed().then(|| innermost(&error.without_url()));
            ProbeError { error: failure, reason }
        })?;
        let took = began.elapsed();
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let info = response.extensions().get::<TlsInfo>();
        Ok(Probed {
            status: response.status().as_u16(),
            ahead: date
                .and_then(|date| httpdate::parse_http_date(date).ok())
                .map(|theirs| ahead(before, took, theirs)),
            took,
            certificate_until: info.and_then(TlsInfo::peer_certificate).and_then(valid_until),
        })
    }
}

/// How far the middle of a request lies before the host's clock, in milliseconds.
fn ahead(before: SystemTime, took: Duration, theirs: SystemTime) -> i64 {
    // A clock that is read to the second is half a second behind on average.
    let (ours, theirs) = (before + took / 2, theirs + Duration::from_millis(500));
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    match ours.duration_since(theirs) {
        Ok(span) => millis(span),
        Err(error) => -millis(error.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_compared_with_the_middle_of_the_request() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(ahead(at(1_000), Duration::from_secs(3), at(1_001)), 0);
        assert_eq!(ahead(at(1_100), Duration::from_secs(1), at(1_000)), 100_000);
        assert_eq!(ahead(at(900), Duration::from_secs(1), at(1_000)), -100_000);
    }
}
