//! How and as whom the store is spoken to: the environment variables that AWS's own tools know, and nothing else.

use std::ffi::OsString;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use url::Url;

use super::BucketError;
use crate::http::{ExtraRoots, is_this_machine};
use crate::model::Secret;

/// Where the credentials come from.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// From the environment.
    Given {
        /// `AWS_ACCESS_KEY_ID`.
        key_id: String,
        /// `AWS_SECRET_ACCESS_KEY`.
        key: Secret,
        /// `AWS_SESSION_TOKEN`, of credentials that end.
        token: Option<Secret>,
    },
    /// From whoever gives them to this machine, container or pod, as the environment says.
    OfTheMachine,
}

/// How a store is spoken to.
#[derive(Debug, Clone)]
pub struct Access {
    pub(super) credentials: Credentials,
    pub(super) endpoint: Option<Url>,
    pub(super) allow_insecure_http: bool,
    pub(super) extra_roots: ExtraRoots,
    settings: Vec<(AmazonS3ConfigKey, String)>,
}

/// The variables that are handed on as they are. Whoever would switch checks off (`AWS_ALLOW_HTTP`,
/// `AWS_ALLOW_INVALID_CERTIFICATES`, `AWS_SKIP_SIGNATURE`) isn't among them.
const HANDED_ON: [&str; 15] = [
    // The first of two that mean the same is the weaker one.
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_REQUEST_PAYER",
    "AWS_CHECKSUM_ALGORITHM",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
];

/// Any of these says where the machine's credentials come from; without them only the metadata service is left.
const SOURCES: [&str; 3] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

impl Access {
    /// Reads the environment with `variable`, which is `std::env::var_os` but in tests.
    ///
    /// # Errors
    ///
    /// When the store's address is none, or would get passwords in clear; when half of the credentials are missing, or all
    /// of them where the metadata service isn't to be asked.
    pub fn read(
        variable: impl Fn(&str) -> Option<OsString>,
        allow_insecure_http: bool,
        extra_roots: ExtraRoots,
    ) -> Result<Self, BucketError> {
        let text = |name: &str| {
            variable(name).and_then(|value| value.into_string().ok()).filter(|text| !text.is_empty())
        };
        let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|name| Some((name, text(name)?)));
        let endpoint = endpoint.map(|(name, url)| checked(name, &url, allow_insecure_http)).transpose()?;
        let credentials = match (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY")) {
            (Some(key_id), Some(key)) => Credentials::Given {
                key_id,
                key: Secret::new(key),
                token: text("AWS_SESSION_TOKEN").map(Secret::new),
            },
            (None, None) => Credentials::OfTheMachine,
            (Some(_), None) => {
                return Err(missing("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY isn't"));
            }
            (None, Some(_)) => {
                return Err(missing("AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID isn't"));
            }
        };
        let is_metadata_off =
            text("AWS_EC2_METADATA_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let is_alone = matches!(credentials, Credentials::OfTheMachine)
            && SOURCES.iter().all(|name| text(name).is_none());
        if is_metadata_off && is_alone {
            return Err(missing("no variable names any, and AWS_EC2_METADATA_DISABLED is set"));
        }
        let mut settings = Vec::new();
        for name in HANDED_ON {
            if let Some((key, value)) = name.to_ascii_lowercase().parse().ok().zip(text(name)) {
                settings.push((key, value));
            }
        }
        Ok(Self { credentials, endpoint, allow_insecure_http, extra_roots, settings })
    }

    /// What the library needs to know for `bucket`.
    pub(super) fn builder(&self, bucket: &str) -> AmazonS3Builder {
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
        for (key, value) in &self.settings {
            builder = match key {
                // Both mean the region to the library, and the one that is set last counts.
                AmazonS3ConfigKey::DefaultRegion => builder.with_region(value),
                _ => builder.with_config(*key, value),
            };
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        match &self.credentials {
            Credentials::OfTheMachine => builder,
            Credentials::Given { key_id, key, token } => {
                let builder = builder.with_access_key_id(key_id).with_secret_access_key(key.expose_secret());
                match token {
                    Some(token) => builder.with_token(token.expose_secret()),
                    None => builder,
                }
            }
        }
    }
}

fn missing(what: &str) -> BucketError {
    BucketError::NoCredentials(what.to_owned())
}

/// The store's address, if it is one that may get passwords.
fn checked(name: &str, text: &str, allow_insecure_http: bool) -> Result<Url, BucketError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let is_plain = |url: &Url| {
        url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let url = url.filter(is_plain).ok_or_else(|| {
        BucketError::Setup(format!(
            "{name} is no address of a store: write https://host, without user, query or fragment"
        ))
    })?;
    if url.scheme() == "http" && !allow_insecure_http && !is_this_machine(&url) {
        let origin = url.origin().ascii_serialization();
        return Err(BucketError::Setup(format!(
            "{name}: {origin} would get passwords in clear: only https is spoken, except to this machine (to do it on purpose, \
             add --allow-insecure-http)"
        )));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], allow_insecure_http: bool) -> Result<Access, BucketError> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Access::read(variable, allow_insecure_http, ExtraRoots::default())
    }

    #[test]
    fn passwords_go_in_clear_to_this_machine_only_whatever_the_environment_allows() {
        for (url, is_fine) in [
            ("https://minio.example", true),
            ("http://127.0.0.1:9000", true),
            ("http://localhost:9000", true),
            ("http://minio.example", false),
            ("http://169.254.169.254", false),
            ("ftp://minio.example", false),
            ("https://ana:hunter2@minio.example", false),
            ("https://minio.example/?token=hunter2", false),
            ("minio.example", false),
        ] {
            let variables = [("AWS_ENDPOINT_URL", url), ("AWS_ALLOW_HTTP", "true")];
            let access = read(&variables, false);
            assert_eq!(access.is_ok(), is_fine, "{url}");
            assert!(access.err().is_none_or(|error| !error.to_string().contains("hunter2")));
        }
        assert!(read(&[("AWS_ENDPOINT_URL", "http://minio.example")], true).is_ok());
    }

    #[test]
    fn the_stores_own_address_goes_before_that_of_all_services() {
        let variables =
            [("AWS_ENDPOINT_URL", "https://all.example"), ("AWS_ENDPOINT_URL_S3", "https://s3.example")];
        assert_eq!(read(&variables, false).unwrap().endpoint.unwrap().as_str(), "https://s3.example/");
    }

    #[test]
    fn half_of_the_credentials_is_a_mistake_and_no_secret_is_shown() {
        let id = ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
        let key = ("AWS_SECRET_ACCESS_KEY", "hunter2hunter2");
        assert!(matches!(read(&[id], false), Err(BucketError::NoCredentials(_))));
        assert!(matches!(read(&[key], false), Err(BucketError::NoCredentials(_))));
        let access = read(&[id, key, ("AWS_SESSION_TOKEN", "session-hunter2")], false).unwrap();
        assert!(!format!("{access:?}").contains("hunter2"));
        assert!(read(&[], false).is_ok());
        assert!(read(&[("AWS_EC2_METADATA_DISABLED", "true")], false).is_err());
    }

    #[test]
    fn every_variable_that_is_handed_on_is_one_the_library_knows() {
        for name in HANDED_ON {
            assert!(name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().is_ok(), "{name}");
        }
    }

    #[test]
    fn the_region_is_aws_region_before_the_default_one() {
        let region = |variables: &[(&str, &str)]| {
            let builder = read(variables, false).unwrap().builder("growers");
            builder.get_config_value(&AmazonS3ConfigKey::Region)
        };
        let default = ("AWS_DEFAULT_REGION", "us-west-2");
        assert_eq!(region(&[default]).as_deref(), Some("us-west-2"));
        assert_eq!(region(&[default, ("AWS_REGION", "sa-east-1")]).as_deref(), Some("sa-east-1"));
    }
}
