//! Leaf's list of users: a hundred of them in one call, with what they hold.

use reqwest::Method;
use reqwest::header::{HeaderMap, LINK};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::answer;
use super::error::CallError;
use super::leaf::{LeafApi, USERS, UserAnswer, UserLook};
use crate::http::Reply;
use crate::model::{LeafUserId, Secret};

/// The most users that a page holds. Source: Leaf's documentation of `size`.
pub const LARGEST_PAGE: u64 = 100;

/// The most of a page that is read, in bytes. A user with a credential has about 2 KiB.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// A page of Leaf's list of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users on it, each with what it holds. What is no user isn't there.
    pub users: Vec<(LeafUserId, UserLook)>,
    /// How many entries it had, those that are no users included.
    pub entries: usize,
    /// How many users there are in all, where the answer says so (`X-Total-Count`).
    pub total: Option<u64>,
    /// Whether the answer names a next page (`Link`, rel `next`; RFC 8288).
    pub has_next: bool,
}

/// An entry of the list: a user, or whatever else stands in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    User(UserAnswer),
    Else(IgnoredAny),
}

impl LeafApi {
    /// `GET /users?page=…&size=100`: a page of all users, the first being 0.
    ///
    /// # Errors
    ///
    /// What the status means; `Unexpected` when the answer is no list.
    pub async fn users(&self, token: &Secret, page: u64) -> Result<UserPage, CallError> {
        self.page_of(token, page, LARGEST_PAGE).await
    }

    /// `GET /users?page=0&size=1`: the cheapest call that shows whether Leaf takes this token.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::users`].
    pub async fn first_user(&self, token: &Secret) -> Result<UserPage, CallError> {
        self.page_of(token, 0, 1).await
    }

    async fn page_of(&self, token: &Secret, page: u64, size: u64) -> Result<UserPage, CallError> {
        let (page, size) = (page.to_string(), size.to_string());
        let request = self.http.request(Method::GET, USERS).query(&[("page", &page), ("size", &size)]);
        let request = request.bearer_auth(token.expose_secret());
        let (reply, headers) = self.http.send_within("users", request, LARGEST_BODY).await?;
        Self::read_users(&reply, &headers)
    }

    /// What an answer to a call for a page of users means.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::users`].
    pub fn read_users(reply: &Reply, headers: &HeaderMap) -> Result<UserPage, CallError> {
        let entries: Vec<Entry> = answer::read(reply)?;
        // Where no user of a page shows a credential, a list may not show any at all.
        let shows_credentials =
            entries.iter().any(|entry| matches!(entry, Entry::User(user) if user.has_credential()));
        let user = |entry: &Entry| match entry {
            Entry::User(user) => Some((user.id()?, user.listed_look(shows_credentials))),
            Entry::Else(_) => None,
        };
        Ok(UserPage {
            users: entries.iter().filter_map(user).collect(),
            entries: entries.len(),
            total: text(headers, "x-total-count").and_then(|count| count.trim().parse().ok()),
            has_next: text(headers, LINK.as_str()).is_some_and(names_next_page),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a `Link` header has a link with the relation `next`.
fn names_next_page(links: &str) -> bool {
    let is_next = |parameter: &str| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|word| word.eq_ignore_ascii_case("next"))
    };
    links.split(',').any(|link| link.split(';').skip(1).any(is_next))
}
