//! Reads from a certificate until when it is good, and nothing else of it: trust is the TLS library's business.
//!
//! Source of the structure: RFC 5280, section 4.1; of its encoding: X.690, chapter 8.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::UnixMillis;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The tag `[0]` of the certificate's version, which the oldest ones lack.
const VERSION: u8 = 0xa0;

/// The end of a DER certificate's validity; `None` where it can't be read.
pub(super) fn valid_until(der: &[u8]) -> Option<UnixMillis> {
    let mut certificate = Elements(Elements(der).expect(SEQUENCE)?);
    let mut fields = Elements(certificate.expect(SEQUENCE)?);
    let (mut tag, _) = fields.next()?;
    if tag == VERSION {
        (tag, _) = fields.next()?;
    }
    if tag != INTEGER {
        return None;
    }
    // The signature's algorithm and the issuer.
    fields.expect(SEQUENCE)?;
    fields.expect(SEQUENCE)?;
    let mut validity = Elements(fields.expect(SEQUENCE)?);
    let _not_before = validity.next()?;
    let (kind, not_after) = validity.next()?;
    read_time(kind, str::from_utf8(not_after).ok()?)
}

/// Reads `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn read_time(kind: u8, text: &str) -> Option<UnixMillis> {
    let text = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let digits = match (kind, text.len()) {
        // RFC 5280: two digits from 50 on are of the last century.
        (UTC_TIME, 12) if text < "50" => format!("20{text}"),
        (UTC_TIME, 12) => format!("19{text}"),
        (GENERALIZED_TIME, 14) => text.to_owned(),
        _ => return None,
    };
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    let time = DateTime::new(
        year,
        number(4, 6)?,
        number(6, 8)?,
        number(8, 10)?,
        number(10, 12)?,
        number(12, 14)?,
        0,
    );
    let instant = time.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(UnixMillis(instant.as_millisecond()))
}

/// The elements of a DER encoding that stand one after another.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The next element's tag and contents.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            // Four bytes are more than any certificate.
            let length = bytes.iter().take(5).fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
            (usize::try_from(length).ok().filter(|_| bytes.len() <= 4)?, rest)
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, contents))
    }

    /// The contents of the next element, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(until: i32) -> Vec<u8> {
        let mut parameters = CertificateParams::new(vec!["stara.example".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(1999, 12, 31);
        parameters.not_after = date_time_ymd(until, 2, 28);
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_spellings_of_its_time() {
        for (year, expected) in [
            (2026, "2026-02-28T00:00:00.000Z"),
            (2049, "2049-02-28T00:00:00.000Z"),
            (2061, "2061-02-28T00:00:00.000Z"),
        ] {
            assert_eq!(valid_until(&certificate(year)).unwrap().to_rfc3339(), expected);
        }
        assert_eq!(read_time(UTC_TIME, "500101000000Z").unwrap().to_rfc3339(), "1950-01-01T00:00:00.000Z");
        for text in ["", "Z", "20260230000000Z", "2026022800000Z", "+0260228000000Z", "é260228000000Z"] {
            assert_eq!(read_time(GENERALIZED_TIME, text), None, "{text}");
        }
    }

    #[test]
    fn a_certificate_that_is_cut_tells_nothing() {
        let whole = certificate(2030);
        for length in 0..whole.len() {
            assert_eq!(valid_until(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, place: usize, byte: u8) {
            let _ = valid_until(&bytes);
            let mut changed = certificate(2030);
            let place = place % changed.len();
            changed[place] = byte;
            let _ = valid_until(&changed);
        }
    }
}
