//! What `s3://bucket/key` names.

use std::fmt;
use std::str::FromStr;

use object_store::path::Path;

/// An object's bucket and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    bucket: String,
    pub(super) key: Path,
}

/// A text that names no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseAddressError {
    /// The bucket's name can't be one.
    #[error("write s3://bucket/key, with 3 to 63 of a-z, 0-9, - and . for the bucket")]
    Bucket,
    /// The key can't be one that we use.
    #[error("write s3://bucket/key, with a key that has no empty part, no . and no .. between its slashes")]
    Key,
}

impl Address {
    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scheme = text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("s3://"));
        let rest = scheme.and_then(|_| text.get(5..)).ok_or(ParseAddressError::Bucket)?;
        let (bucket, key) = rest.split_once('/').ok_or(ParseAddressError::Key)?;
        // Source: Amazon S3 user guide, "General purpose bucket naming rules". What fits them needs no escaping in a URL.
        let is_named = (3..=63).contains(&bucket.len())
            && bucket
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
            && !bucket.starts_with(['-', '.'])
            && !bucket.ends_with(['-', '.'])
            && !bucket.contains("..");
        if !is_named {
            return Err(ParseAddressError::Bucket);
        }
        let is_usual = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let path = Path::parse(key).ok().filter(|path| is_usual && path.as_ref() == key);
        let key = path.ok_or(ParseAddressError::Key)?;
        Ok(Self { bucket: bucket.to_owned(), key })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_key_and_shows_as_it_was_written() {
        for text in
            ["s3://growers/g.csv", "s3://my.co-op-7/night/2026-11-22/growers.csv.gz", "s3://abc/a b/é=1.csv"]
        {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let address: Address = "S3://growers/a/b.csv".parse().unwrap();
        assert_eq!((address.bucket.as_str(), address.key.as_ref()), ("growers", "a/b.csv"));
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_address() {
        use ParseAddressError::{Bucket, Key};
        for (text, expected) in [
            ("s3:/growers/x", Bucket),
            ("s4://growers/x", Bucket),
            ("", Bucket),
            ("s3://é/x", Bucket),
            ("s3://Growers/x", Bucket),
            ("s3://user:pass@host/x", Bucket),
            ("s3://a/x", Bucket),
            ("s3://-abc/x", Bucket),
            ("s3://a..b/x", Bucket),
            ("s3://growers", Key),
            ("s3://growers/", Key),
            ("s3://growers//x", Key),
            ("s3://growers/x/", Key),
            ("s3://growers/../other/x", Key),
            ("s3://growers/./x", Key),
            ("s3://growers/x\ny", Key),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err(), expected, "{text:?}");
        }
    }
}
