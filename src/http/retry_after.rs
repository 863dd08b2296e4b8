//! The `Retry-After` header in both its forms.

use std::time::{Duration, SystemTime};

/// The longest wait that is told from others, a century or so: no arithmetic with it overflows.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// Reads a `Retry-After` value (RFC 9110, section 10.2.3): seconds, or an HTTP date compared with `now`.
///
/// A date in the past is a wait of zero. What is neither form is `None`: then the host named no time.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too long for 64 bits is still a very long wait.
        return Some(value.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now).unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 14:00:00 GMT").unwrap();
        assert_eq!(parse_retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("0", now), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("Sat, 21 Nov 2026 14:03:20 GMT", now), Some(Duration::from_secs(200)));
        assert_eq!(parse_retry_after("Sat, 21 Nov 2026 13:00:00 GMT", now), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_neither_form_names_no_time() {
        let now = SystemTime::UNIX_EPOCH;
        for value in ["", "soon", "-5", "1.5", "+3", "99 bottles"] {
            assert_eq!(parse_retry_after(value, now), None, "{value}");
        }
    }

    #[test]
    fn an_absurd_number_is_a_long_wait_and_no_overflow() {
        for value in ["99999999999999999999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let wait = parse_retry_after(value, SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(wait, LONGEST, "{value}");
        }
    }
}
