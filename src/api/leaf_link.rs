//! Leaf's call for a magic link: a page on which a grower connects their Stara account by themselves.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use url::Url;

use super::answer::{self, SecretText};
use super::error::{CallError, CallErrorKind};
use super::leaf::LeafApi;
use crate::http::Reply;
use crate::model::{LeafUserId, MagicLink, Secret, UnixMillis};

/// Source of path and fields: Leaf's documentation of magic links.
const MAGIC_LINKS: &str = "/services/widgets/api/magic-link/users";

/// The longest address that is taken for a link, in bytes. Browsers and mail programs cut longer ones.
const LONGEST_LINK: usize = 8 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkRequest {
    provider: &'static str,
    /// Seconds.
    expires_in: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkAnswer {
    link: SecretText,
    expires_at: Option<Time>,
    leaf_user_id: Option<String>,
}

/// A time in an answer, or whatever else stands in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Text(String),
    Else(IgnoredAny),
}

impl Time {
    /// The instant, where the text is one; without an offset it is in UTC, as all of Leaf's times are.
    fn instant(&self) -> Option<UnixMillis> {
        let Self::Text(text) = self else { return None };
        let with_offset = text.parse::<Timestamp>().ok();
        let without = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
        with_offset.or_else(without).map(|at| UnixMillis(at.as_millisecond()))
    }
}

impl LeafApi {
    /// `POST …/magic-link/users/{id}/authentication`: a page on which this user signs in at Stara, and which works for
    /// `lifetime` (Leaf takes 15 minutes to a year). Asked for twice, there are two, and either works.
    ///
    /// # Errors
    ///
    /// [`CallErrorKind::NotFound`] when Leaf doesn't know the user; else what the status means;
    /// [`CallErrorKind::Unexpected`] when a 2xx holds no address of a page, or is about another user.
    pub async fn magic_link(
        &self,
        token: &Secret,
        id: LeafUserId,
        lifetime: Duration,
    ) -> Result<MagicLink, CallError> {
        let asked_at = UnixMillis::now();
        let body = LinkRequest { provider: "Stara", expires_in: lifetime.as_secs() };
        let path = format!("{MAGIC_LINKS}/{id}/authentication");
        let request = self.http.request(Method::POST, &path).json(&body);
        let millis = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        let due = UnixMillis(asked_at.0.saturating_add(millis));
        Self::read_magic_link(&self.authorized("magic-link", request, token).await?, id, due)
    }

    /// What an answer to a request for a magic link means, which was to expire at `due`; that counts where the answer
    /// doesn't tell.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::magic_link`].
    pub fn read_magic_link(reply: &Reply, id: LeafUserId, due: UnixMillis) -> Result<MagicLink, CallError> {
        let unexpected = || CallError::of_reply(CallErrorKind::Unexpected, reply);
        let answer: LinkAnswer = answer::read(reply)?;
        let is_of_another = answer.leaf_user_id.is_some_and(|named| named.parse() != Ok(id));
        let link = answer.link.into_secret().filter(is_address).ok_or_else(unexpected)?;
        if is_of_another {
            return Err(unexpected());
        }
        let expires_at = answer.expires_at.as_ref().and_then(Time::instant).unwrap_or(due);
        Ok(MagicLink { link, expires_at })
    }
}

/// Whether a text is the address of a page that a grower may be sent to: whole, and not in clear.
fn is_address(link: &Secret) -> bool {
    let text = link.expose_secret();
    let is_plain = |letter: char| !letter.is_control() && !letter.is_whitespace();
    text.len() <= LONGEST_LINK
        && text.chars().all(is_plain)
        && Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host())
}
