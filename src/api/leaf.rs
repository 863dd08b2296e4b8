//! Leaf's calls around a user's Stara credentials.

use reqwest::{Method, RequestBuilder, Url};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::answer::{self, CredentialAnswer, SecretText};
use super::error::{CallError, CallErrorKind};
use super::stara::Tokens;
use crate::http::{HttpClient, Reply, StatusClass};
use crate::model::{Credential, CredentialId, LeafUserId, Secret};

pub(super) const USERS: &str = "/services/usermanagement/api/users";

/// The calls of Leaf's API that onboarding needs.
///
/// Source of paths and fields: Leaf's "connect Stara" tutorial and its API documentation.
#[derive(Debug, Clone)]
pub struct LeafApi {
    pub(super) http: HttpClient,
}

/// The address of a user's credential at Leaf.
#[derive(Debug, Clone)]
pub struct CredentialPlace(Url);

/// The account with which a token is got from Leaf.
#[derive(Debug, Clone)]
pub struct LeafAccount {
    /// The account's user name, mostly an e-mail address.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// What a look at a user shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLook {
    /// The user holds no Stara credential.
    NoCredential,
    /// The user holds this one.
    Credential(Credential),
    /// The answer doesn't tell the credential's id or status, or whether there is one: it takes a call of its own.
    Incomplete,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthenticateRequest<'a> {
    username: &'a str,
    password: &'a str,
    remember_me: &'static str,
}

#[derive(Deserialize)]
struct AuthenticateAnswer {
    id_token: SecretText,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachRequest<'a> {
    api_key: &'a str,
    access_token: &'a str,
    access_token_client: &'a str,
    refresh_token: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::option_option, reason = "there are three cases: not there, null, and a value")]
pub(super) struct UserAnswer {
    id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    stara_credentials: Option<Option<EmbeddedCredential>>,
}

/// Tells a field that is null from one that isn't there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The embedded object, or whatever else stands in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum EmbeddedCredential {
    Object(CredentialAnswer),
    Else(serde::de::IgnoredAny),
}

impl UserAnswer {
    /// The user that it is about.
    pub(super) fn id(&self) -> Option<LeafUserId> {
        self.id.as_ref()?.parse().ok()
    }

    /// What it shows of the user's credential.
    pub(super) fn look(&self) -> UserLook {
        match &self.stara_credentials {
            // Without an id it need not be a user's object, so that what isn't there proves nothing.
            None | Some(None) if self.id.is_none() => UserLook::Incomplete,
            None | Some(None) => UserLook::NoCredential,
            Some(Some(EmbeddedCredential::Object(CredentialAnswer(credential))))
                if credential.id.is_some() && credential.status.is_some() =>
            {
                UserLook::Credential(credential.clone())
            }
            Some(Some(_)) => UserLook::Incomplete,
        }
    }

    /// Whether it shows a credential, whole or not.
    pub(super) fn has_credential(&self) -> bool {
        matches!(self.stara_credentials, Some(Some(_)))
    }

    /// What it shows as an entry of a list: there a null says nothing, and a field that isn't there only where the list
    /// shows credentials at all.
    pub(super) fn listed_look(&self, shows_credentials: bool) -> UserLook {
        match self.stara_credentials {
            Some(None) => UserLook::Incomplete,
            None if !shows_credentials => UserLook::Incomplete,
            _ => self.look(),
        }
    }
}

impl LeafApi {
    /// The calls of the host that `http` speaks to.
    #[must_use]
    pub fn new(http: HttpClient) -> Self {
        Self { http }
    }

    /// `POST /api/authenticate`: a token for 30 days.
    ///
    /// # Errors
    ///
    /// [`CallErrorKind::Unauthorized`] when Leaf refuses the account; else what the status means.
    pub async fn authenticate(&self, account: &LeafAccount) -> Result<Secret, CallError> {
        let request = self.http.request(Method::POST, "/api/authenticate").json(&AuthenticateRequest {
            username: &account.username,
            password: account.password.expose_secret(),
            remember_me: "true",
        });
        Self::read_token(&self.http.send("log-in", request).await?)
    }

    /// What an answer to `/api/authenticate` means.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::authenticate`].
    pub fn read_token(reply: &Reply) -> Result<Secret, CallError> {
        let answer: AuthenticateAnswer = answer::read(reply)?;
        answer.id_token.into_secret().ok_or(CallError::of_reply(CallErrorKind::Unexpected, reply))
    }

    /// `GET /users/{id}`: whether the user exists, and whether it holds a Stara credential.
    ///
    /// # Errors
    ///
    /// [`CallErrorKind::NotFound`] when Leaf doesn't know the user; else what the status means.
    pub async fn user(&self, token: &Secret, id: LeafUserId) -> Result<UserLook, CallError> {
        let request = self.http.request(Method::GET, &format!("{USERS}/{id}"));
        Self::read_user(&self.authorized("user", request, token).await?, id)
    }

    /// What an answer to a look at this user means.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::user`].
    pub fn read_user(reply: &Reply, id: LeafUserId) -> Result<UserLook, CallError> {
        let answer: UserAnswer = answer::read(reply)?;
        if answer.id.is_some() && answer.id() != Some(id) {
            return Err(CallError::of_reply(CallErrorKind::Unexpected, reply));
        }
        Ok(answer.look())
    }

    /// Where the credential of this user is looked at, attached and removed. A row that does more than one of these makes it
    /// once.
    #[must_use]
    pub fn credential_place(&self, id: LeafUserId) -> CredentialPlace {
        CredentialPlace(self.http.url(&credentials_path(id)))
    }

    /// `GET …/stara-credentials`: the user's credential; `None` when there is none (404, whose body isn't read).
    ///
    /// # Errors
    ///
    /// What the status means; [`CallErrorKind::Unexpected`] when a 200 shows neither an id nor a status.
    pub async fn credential(
        &self,
        token: &Secret,
        place: &CredentialPlace,
    ) -> Result<Option<Credential>, CallError> {
        let request = self.http.request_to(Method::GET, place.0.clone());
        Self::read_credential(&self.authorized("look", request, token).await?)
    }

    /// What an answer to a look at a user's credential means.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::credential`].
    pub fn read_credential(reply: &Reply) -> Result<Option<Credential>, CallError> {
        if reply.status == 404 {
            return Ok(None);
        }
        let CredentialAnswer(credential) = answer::read(reply)?;
        if credential.id.is_none() && credential.status.is_none() {
            return Err(CallError::of_reply(CallErrorKind::Unexpected, reply));
        }
        Ok(Some(credential))
    }

    /// `POST …/stara-credentials`: attaches a credential. Not idempotent.
    ///
    /// Any 2xx means that Leaf processed it, whatever became of the body: the credential is `None` when it can't be read.
    ///
    /// # Errors
    ///
    /// What the status means.
    pub async fn attach(
        &self,
        token: &Secret,
        place: &CredentialPlace,
        api_key: &Secret,
        tokens: &Tokens,
    ) -> Result<(u16, Option<Credential>), CallError> {
        let request = self.http.request_to(Method::POST, place.0.clone()).json(&AttachRequest {
            api_key: api_key.expose_secret(),
            access_token: tokens.access_token.expose_secret(),
            access_token_client: tokens.access_token_client.expose_secret(),
            refresh_token: tokens.refresh_token.expose_secret(),
        });
        Self::read_attached(&self.authorized("attach", request, token).await?)
    }

    /// What an answer to an attach means.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::attach`].
    pub fn read_attached(reply: &Reply) -> Result<(u16, Option<Credential>), CallError> {
        if StatusClass::of(reply.status) != StatusClass::Success {
            return Err(CallError::of_status(reply));
        }
        let credential = answer::parse(reply).map(|CredentialAnswer(credential)| credential);
        // Source of the form: Leaf's tutorial. Whatever else stands there isn't what a later look will show.
        let is_uuid = |id: &CredentialId| Uuid::try_parse(id.as_str()).is_ok();
        let credential = credential.map(|found| Credential { id: found.id.filter(is_uuid), ..found });
        Ok((reply.status, credential))
    }

    /// `DELETE …/stara-credentials`: takes the credential away; having none already (404) is as good.
    ///
    /// # Errors
    ///
    /// What the status means.
    pub async fn remove(&self, token: &Secret, place: &CredentialPlace) -> Result<u16, CallError> {
        let request = self.http.request_to(Method::DELETE, place.0.clone());
        let reply = self.authorized("remove", request, token).await?;
        match StatusClass::of(reply.status) {
            StatusClass::Success | StatusClass::NotFound => Ok(reply.status),
            _ => Err(CallError::of_status(&reply)),
        }
    }

    pub(super) async fn authorized(
        &self,
        call: &'static str,
        request: RequestBuilder,
        token: &Secret,
    ) -> Result<Reply, CallError> {
        // `bearer_auth` marks the header sensitive, so that no log of the library shows it.
        Ok(self.http.send(call, request.bearer_auth(token.expose_secret())).await?)
    }
}

pub(super) fn credentials_path(id: LeafUserId) -> String {
    format!("{USERS}/{id}/stara-credentials")
}
