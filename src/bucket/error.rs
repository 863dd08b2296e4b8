//! What went wrong with an object, in words of our own: the store's may quote what it was asked.

use std::fmt;
use std::io;

use super::heard::Heard;

/// Why an object can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// The store can't be spoken to as it is set up.
    #[error("{0}")]
    Setup(String),
    /// There is no such object, or no such bucket.
    #[error("the store has no such {}", missing(.code.as_deref()))]
    Missing {
        /// The code that the store gave.
        code: Option<String>,
    },
    /// The object isn't what it was when it was opened.
    #[error("it was replaced or removed after it had been opened")]
    Changed,
    /// The store doesn't let us.
    #[error("the store refuses it ({status}{})", shown(.code.as_deref()))]
    Refused {
        /// 401 or 403.
        status: u16,
        /// The code that the store gave.
        code: Option<String>,
    },
    /// The bucket lies in another region.
    #[error("the bucket lies in another region: {region}")]
    OtherRegion {
        /// The region that the store names.
        region: String,
    },
    /// There are no credentials.
    #[error("there are no credentials for the store: {0}")]
    NoCredentials(String),
    /// No status came.
    #[error("the store wasn't reached, or didn't answer: {0}")]
    Unreached(String),
    /// Any other status.
    #[error("the store answered with {status}{}", shown(.code.as_deref()))]
    Answered {
        /// The status.
        status: u16,
        /// The code that the store gave.
        code: Option<String>,
    },
    /// An answer that fits nothing.
    #[error("the store's answer {0}")]
    Unsound(&'static str),
}

fn missing(code: Option<&str>) -> &'static str {
    match code {
        Some("NoSuchBucket") => "bucket",
        Some("NoSuchUpload") => "upload any more",
        _ => "object",
    }
}

fn shown(code: Option<&str>) -> impl fmt::Display {
    code.map_or_else(String::new, |code| format!(" {code}"))
}

impl BucketError {
    /// What a failed call comes to, by what was heard of it. What the library says is looked at and never shown: it holds
    /// addresses, and may hold what the store wrote.
    pub(super) fn new(error: &object_store::Error, heard: Heard) -> Self {
        let Heard { status, code, region, trouble, is_about_credentials } = heard;
        if is_about_credentials {
            let why =
                trouble.or_else(|| status.map(|status| format!("who gives them answered with {status}")));
            return Self::NoCredentials(
                why.unwrap_or_else(|| "who gives them couldn't be understood".to_owned()),
            );
        }
        match (status, region) {
            (Some(301 | 307 | 308 | 400), Some(region)) => Self::OtherRegion { region },
            (Some(404), _) => Self::Missing { code },
            (Some(412 | 416), _) => Self::Changed,
            (Some(status @ (401 | 403)), _) => Self::Refused { status, code },
            (Some(status), _) => Self::Answered { status, code },
            (None, _) => match (trouble, error) {
                (Some(trouble), _) => Self::Unreached(trouble),
                // The file of a web identity is read before anything is sent.
                (None, object_store::Error::Generic { source, .. }) if source.is::<io::Error>() => {
                    Self::NoCredentials("the file that holds them can't be read".to_owned())
                }
                (None, _) => Self::Unsound("can't be understood"),
            },
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Setup(_) => {
                "check AWS_ENDPOINT_URL, AWS_REGION and the certificates; docs/OBJECT_STORES.md has the variables"
            }
            Self::Missing { .. } => "check the address and AWS_ENDPOINT_URL",
            Self::Changed => "run the same command again",
            Self::Refused { .. } => {
                "check the credentials and what they permit (s3:GetObject, s3:PutObject, s3:AbortMultipartUpload); without \
                 s3:ListBucket a missing object is refused, too"
            }
            Self::OtherRegion { .. } => "set AWS_REGION to it",
            Self::NoCredentials(_) => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or give the machine a role; profiles \
                 in ~/.aws aren't read"
            }
            Self::Unreached(_) => {
                "check AWS_ENDPOINT_URL, the network and the proxy, and run the same command again"
            }
            Self::Answered { .. } | Self::Unsound(_) => {
                "check AWS_ENDPOINT_URL, and run the same command again"
            }
        }
    }
}

impl From<BucketError> for io::Error {
    fn from(error: BucketError) -> Self {
        Self::other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(heard: Heard) -> BucketError {
        let source = "SECRET in <Body>https://store/secret</Body>".into();
        BucketError::new(&object_store::Error::Generic { store: "S3", source }, heard)
    }

    #[test]
    fn what_the_library_says_is_never_shown() {
        let statuses = [None, Some(301), Some(400), Some(401), Some(403), Some(404), Some(412), Some(500)];
        for status in statuses {
            for code in [None, Some("AccessDenied".to_owned())] {
                let heard = Heard { status, code, ..Heard::default() };
                let error = error(heard);
                let said = format!("{error} {error:?} {}", error.hint());
                assert!(!said.contains("SECRET") && !said.contains("https://store"), "{said}");
            }
        }
    }

    #[test]
    fn a_failure_is_told_by_what_was_heard() {
        let heard = |status| Heard { status: Some(status), ..Heard::default() };
        assert_eq!(error(heard(412)), BucketError::Changed);
        assert_eq!(error(heard(404)).to_string(), "the store has no such object");
        let bucket = Heard { code: Some("NoSuchBucket".to_owned()), ..heard(404) };
        assert_eq!(error(bucket).to_string(), "the store has no such bucket");
        let denied = Heard { code: Some("AccessDenied".to_owned()), ..heard(403) };
        assert_eq!(error(denied).to_string(), "the store refuses it (403 AccessDenied)");
        let moved = Heard { region: Some("sa-east-1".to_owned()), ..heard(301) };
        assert_eq!(error(moved).to_string(), "the bucket lies in another region: sa-east-1");
        let silent = Heard { trouble: Some("Connection refused".to_owned()), ..Heard::default() };
        assert!(error(silent.clone()).to_string().ends_with("didn't answer: Connection refused"));
        let lonely = Heard { is_about_credentials: true, ..silent };
        assert!(matches!(error(lonely), BucketError::NoCredentials(_)));
    }
}
