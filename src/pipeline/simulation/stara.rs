//! The simulated Stara.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::arrived::Asked;
use super::manifest::{Line, is_right};
use super::world::Answer;
use crate::model::Dialect;

/// What Stara knows.
#[derive(Debug)]
pub(super) struct Stara {
    pub(super) dialect: Dialect,
    /// The logins that it knows.
    pub(super) logins: BTreeSet<String>,
    /// How a login is refused.
    pub(super) refusal: u16,
    /// How many token sets were given out for each login; only the newest one is good.
    pub(super) given: BTreeMap<String, u32>,
    /// The logins and passwords that it refused.
    pub(super) refused: BTreeSet<(String, String)>,
}

impl Stara {
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        match asked {
            Asked::Authenticate { login, password } => {
                if !self.logins.contains(login) || !is_right(login, password) {
                    self.refused.insert((login.clone(), password.clone()));
                    return Answer::json(self.refusal, json!({"message": "usuário ou senha inválidos"}));
                }
                let field = if self.dialect == Dialect::Json { "apiKey" } else { "key" };
                Answer::json(200, json!({ field: api_key(login) }))
            }
            Asked::Tokens { api_key } => {
                let Some(login) = self.login_of(api_key) else {
                    return Answer::json(401, json!({}));
                };
                *self.given.entry(login.clone()).or_default() += 1;
                let token = self.newest_token(&login);
                Answer::json(
                    200,
                    match self.dialect {
                        Dialect::Json => json!({
                            "accessToken": token, "accessTokenClient": "hush-client", "refreshToken": "hush-refresh",
                        }),
                        Dialect::Form => json!({"X_access_token": token, "refresh_Token": "hush-refresh"}),
                    },
                )
            }
            _ => Answer::json(404, json!({})),
        }
    }

    /// Whether it refused what this line says.
    pub(super) fn has_refused(&self, line: &Line) -> bool {
        self.refused.contains(&(line.login.clone(), line.password.clone()))
    }

    /// Whose apiKey this is.
    pub(super) fn login_of(&self, key: &str) -> Option<String> {
        self.logins.iter().find(|login| api_key(login) == key).cloned()
    }

    /// The only access token that is good for a login.
    pub(super) fn newest_token(&self, login: &str) -> String {
        format!("hush-access-{login}-{}", self.given.get(login).copied().unwrap_or_default())
    }
}

fn api_key(login: &str) -> String {
    format!("hush-key-{login}")
}
