//! Stara's two calls, in both dialects.

use reqwest::{Method, RequestBuilder, Url};
use serde::{Deserialize, Serialize};

use super::answer::{self, SecretText};
use super::error::{CallError, CallErrorKind};
use crate::http::{HttpClient, Reply, StatusClass};
use crate::model::{Dialect, Login, Secret};

/// The calls of Stara's telemetry platform.
///
/// Source of paths and fields: Leaf's "connect Stara" tutorial (dialect `json`) and Leaf's published Postman
/// collection (dialect `form`). Stara's error answers are documented nowhere.
#[derive(Debug, Clone)]
pub struct StaraApi {
    http: HttpClient,
    dialect: Dialect,
    authentication: Url,
    tokens: Url,
}

/// What `/token` gives for an apiKey, and what Leaf needs beside it.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The client's token: from the answer, or in its absence what the caller held already.
    pub access_token_client: Secret,
    /// The refresh token.
    pub refresh_token: Secret,
}

#[derive(Serialize)]
struct AuthenticateJson<'a> {
    login: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct AuthenticateForm<'a> {
    user: &'a str,
    pwd: &'a str,
}

/// `apiKey` in the tutorial, `key` in the collection.
#[derive(Deserialize)]
struct AuthenticateAnswer {
    #[serde(rename = "apiKey")]
    api_key: Option<SecretText>,
    key: Option<SecretText>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenJson<'a> {
    api_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenForm<'a> {
    access_token_client: &'a str,
    api_key: &'a str,
}

/// The first three fields are the tutorial's spelling, the last two the collection's.
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(rename = "accessToken")]
    access_token: Option<SecretText>,
    #[serde(rename = "accessTokenClient")]
    access_token_client: Option<SecretText>,
    #[serde(rename = "refreshToken")]
    refresh_token: Option<SecretText>,
    #[serde(rename = "X_access_token")]
    x_access_token: Option<SecretText>,
    #[serde(rename = "refresh_Token")]
    refresh_token_form: Option<SecretText>,
}

impl StaraApi {
    /// The calls of the host that `http` speaks to, written in `dialect`.
    #[must_use]
    pub fn new(http: HttpClient, dialect: Dialect) -> Self {
        let (authentication, tokens) = (http.url("/autenticacao"), http.url("/token"));
        Self { http, dialect, authentication, tokens }
    }

    /// The dialect requests are written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// `POST /autenticacao`: trades login and password for the apiKey.
    ///
    /// # Errors
    ///
    /// [`CallErrorKind::LoginRejected`] on 401; [`CallErrorKind::LoginDoubtful`] on a short 400, 403 or 422 that is no
    /// web page, which is a refusal only if this host and dialect are known to work; else what the status means.
    pub async fn authenticate(&self, login: &Login, password: &Secret) -> Result<Secret, CallError> {
        let (login, password) = (login.as_str(), password.expose_secret());
        let request = self.http.request_to(Method::POST, self.authentication.clone());
        let request = self.body(
            request,
            &AuthenticateJson { login, password },
            &AuthenticateForm { user: login, pwd: password },
        );
        Self::read_api_key(&self.http.send("authenticate", request).await?)
    }

    /// What an answer to `/autenticacao` means.
    ///
    /// # Errors
    ///
    /// As [`StaraApi::authenticate`].
    pub fn read_api_key(reply: &Reply) -> Result<Secret, CallError> {
        let kind = match (StatusClass::of(reply.status), reply.status) {
            (StatusClass::Unauthorized, _) => CallErrorKind::LoginRejected,
            (_, 400 | 403 | 422) if answer::is_short_refusal(reply) => CallErrorKind::LoginDoubtful,
            (StatusClass::Success, _) => {
                let answer: AuthenticateAnswer = answer::read(reply)?;
                return either(answer.api_key, answer.key)
                    .ok_or(CallError::of_reply(CallErrorKind::Unexpected, reply));
            }
            (
                StatusClass::Throttled
                | StatusClass::ServerError
                | StatusClass::RequestTimedOut
                | StatusClass::Other,
                _,
            ) => {
                return Err(CallError::of_status(reply));
            }
            _ => CallErrorKind::Unexpected,
        };
        Err(CallError::of_reply(kind, reply))
    }

    /// `POST /token`: trades the apiKey for tokens. In dialect `form` the `client` token is part of the request.
    ///
    /// # Errors
    ///
    /// What the status means; [`CallErrorKind::Unexpected`] when the answer lacks a token, or the client's token is
    /// neither in the answer nor given.
    pub async fn token(&self, api_key: &Secret, client: Option<&Secret>) -> Result<Tokens, CallError> {
        let key = api_key.expose_secret();
        let client_text = client.map_or("", Secret::expose_secret);
        let request = self.http.request_to(Method::POST, self.tokens.clone());
        let request = self.body(
            request,
            &TokenJson { api_key: key },
            &TokenForm { access_token_client: client_text, api_key: key },
        );
        Self::read_tokens(&self.http.send("token", request).await?, self.dialect, client)
    }

    /// What an answer to `/token` means in this dialect, with the `client` token that the caller held already.
    ///
    /// # Errors
    ///
    /// As [`StaraApi::token`].
    pub fn read_tokens(
        reply: &Reply,
        dialect: Dialect,
        client: Option<&Secret>,
    ) -> Result<Tokens, CallError> {
        let answer: TokenAnswer = answer::read(reply)?;
        let from_answer = answer.access_token_client.and_then(SecretText::into_secret);
        let access_token_client = match dialect {
            Dialect::Json => from_answer.or_else(|| client.cloned()),
            // The partner holds it and passes it on to Leaf unchanged.
            Dialect::Form => client.cloned().or(from_answer),
        };
        let access_token = either(answer.access_token, answer.x_access_token);
        let refresh_token = either(answer.refresh_token, answer.refresh_token_form);
        match (access_token, access_token_client, refresh_token) {
            (Some(access_token), Some(access_token_client), Some(refresh_token)) => {
                Ok(Tokens { access_token, access_token_client, refresh_token })
            }
            _ => Err(CallError::of_reply(CallErrorKind::Unexpected, reply)),
        }
    }

    fn body(&self, request: RequestBuilder, json: &impl Serialize, form: &impl Serialize) -> RequestBuilder {
        match self.dialect {
            Dialect::Json => request.json(json),
            Dialect::Form => request.form(form),
        }
    }
}

fn either(first: Option<SecretText>, second: Option<SecretText>) -> Option<Secret> {
    first.and_then(SecretText::into_secret).or_else(|| second.and_then(SecretText::into_secret))
}
