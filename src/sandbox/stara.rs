//! The simulated Stara: `/autenticacao` and `/token`, in both dialects.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::Dialect;

use super::arrived::Arrived;
use super::call::CallKind;
use super::issued::LoginKey;
use super::magic::MagicWord;
use super::options::SandboxOptions;
use super::record::CallLogin;
use super::reply::Reply;
use super::world::World;

#[derive(Deserialize)]
struct JsonAuthentication<'a> {
    #[serde(borrow)]
    login: Cow<'a, str>,
    #[serde(borrow)]
    password: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonTokenRequest<'a> {
    #[serde(borrow)]
    api_key: Cow<'a, str>,
}

struct Authentication<'a> {
    login: Cow<'a, str>,
    password: Cow<'a, str>,
}

struct TokenRequest<'a> {
    api_key: Cow<'a, str>,
    /// Brought by the partner, in the `form` dialect only.
    access_token_client: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonApiKey {
    api_key: String,
}

#[derive(Serialize)]
struct FormApiKey {
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonTokens {
    access_token: String,
    access_token_client: String,
    refresh_token: String,
}

#[derive(Serialize)]
struct FormTokens {
    #[serde(rename = "X_access_token")]
    access_token: String,
    #[serde(rename = "refresh_Token")]
    refresh_token: String,
}

#[derive(Serialize)]
struct Refusal {
    message: &'static str,
}

/// The login that a call is about.
pub(super) fn login(world: &World, arrived: &Arrived) -> Option<CallLogin> {
    let dialect = arrived.dialect()?;
    match arrived.call {
        CallKind::Authenticate => {
            let login = read_authentication(dialect, &arrived.body)?.login;
            Some(CallLogin { key: world.logins().key(&login), text: Some(login.into_owned()) })
        }
        CallKind::Token => {
            let request = read_token_request(dialect, &arrived.body)?;
            Some(CallLogin { key: LoginKey::of_api_key(&request.api_key)?, text: None })
        }
        _ => None,
    }
}

/// Notes that a login was refused where a fault answered for Stara.
pub(super) fn note_refusal(world: &World, arrived: &Arrived, status: u16) {
    let refuses = arrived.call == CallKind::Authenticate && matches!(status, 401 | 403 | 422);
    if let Some(login) = refuses.then(|| login(world, arrived)).flatten() {
        world.logins().refused(login.key);
    }
}

/// The answer to a login that is locked.
pub(super) fn locked() -> Reply {
    refuse(403, "Usuário bloqueado")
}

/// Carries out a call.
pub(super) fn carry_out(world: &World, options: &SandboxOptions, arrived: &Arrived) -> Reply {
    if !matches!(arrived.call, CallKind::Authenticate | CallKind::Token) {
        return Reply::page(404);
    }
    let Some(dialect) = arrived.dialect().filter(|&dialect| options.dialects.understand(dialect)) else {
        return refuse(415, "Tipo de conteúdo não suportado");
    };
    if arrived.call == CallKind::Authenticate {
        authenticate(world, dialect, &arrived.body)
    } else {
        issue_tokens(world, dialect, &arrived.body)
    }
}

fn authenticate(world: &World, dialect: Dialect, body: &[u8]) -> Reply {
    let Some(Authentication { login, password }) = read_authentication(dialect, body) else {
        return refuse(400, "Requisição inválida");
    };
    let magic = MagicWord::of_password(&password);
    match magic {
        Some(MagicWord::StaraHtml) => return Reply::page(200),
        Some(MagicWord::StaraDown) => return Reply::page(503),
        _ => {}
    }
    let key = world.logins().key(&login);
    if magic == Some(MagicWord::WrongPassword)
        || !(world.is_open() || world.logins().accepts(&login, &password))
    {
        world.logins().refused(key);
        return refuse(401, "Usuário ou senha inválidos");
    }
    world.logins().authenticated(key, magic);
    let api_key = key.api_key();
    match dialect {
        Dialect::Json => Reply::json(200, &JsonApiKey { api_key }),
        Dialect::Form => Reply::json(200, &FormApiKey { key: api_key }),
    }
}

fn issue_tokens(world: &World, dialect: Dialect, body: &[u8]) -> Reply {
    let Some(request) = read_token_request(dialect, body) else {
        return refuse(400, "Requisição inválida");
    };
    let brought = request.access_token_client.as_deref();
    let issue =
        LoginKey::of_api_key(&request.api_key).and_then(|key| world.logins().issue_tokens(key, brought));
    let Some(issue) = issue else {
        return refuse(401, "Chave inválida");
    };
    let (access_token, refresh_token) = (issue.access_token(), issue.refresh_token());
    let reply = match dialect {
        Dialect::Json => Reply::json(
            200,
            &JsonTokens { access_token, access_token_client: issue.access_token_client(), refresh_token },
        ),
        Dialect::Form => Reply::json(200, &FormTokens { access_token, refresh_token }),
    };
    reply.with_effect(true)
}

fn refuse(status: u16, message: &'static str) -> Reply {
    Reply::json(status, &Refusal { message })
}

fn read_authentication(dialect: Dialect, body: &[u8]) -> Option<Authentication<'_>> {
    let (login, password) = match dialect {
        Dialect::Json => {
            let read: JsonAuthentication<'_> = serde_json::from_slice(body).ok()?;
            (read.login, read.password)
        }
        Dialect::Form => (form_field(body, "user")?, form_field(body, "pwd")?),
    };
    Some(Authentication { login, password })
}

fn read_token_request(dialect: Dialect, body: &[u8]) -> Option<TokenRequest<'_>> {
    match dialect {
        Dialect::Json => {
            let read: JsonTokenRequest<'_> = serde_json::from_slice(body).ok()?;
            Some(TokenRequest { api_key: read.api_key, access_token_client: None })
        }
        Dialect::Form => Some(TokenRequest {
            api_key: form_field(body, "apiKey")?,
            access_token_client: Some(form_field(body, "accessTokenClient").filter(|text| !text.is_empty())?),
        }),
    }
}

fn form_field<'a>(body: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let mut of_name = url::form_urlencoded::parse(body).filter(|(key, _)| key == name);
    of_name.next().map(|(_, value)| value)
}
