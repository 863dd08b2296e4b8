//! The simulated Leaf: its tokens, and what it answers about users.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::arrived::{Arrived, Asked};
use super::setting::{Climate, SecondAttach, Setting, Standing};
use super::user::{Change, Held, User, name};
use super::world::Answer;
use crate::model::LeafUserId;
use crate::model::simulated::Dice;
use crate::pipeline::OnExisting;

/// What Leaf knows.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) users: BTreeMap<LeafUserId, User>,
    /// How many tokens were given out; only the newest one is good.
    pub(super) tokens: u32,
    /// After how many requests a token dies; never without.
    pub(super) token_uses: Option<u64>,
    pub(super) uses_left: u64,
    pub(super) second: SecondAttach,
    /// How many magic links were made.
    pub(super) links: u32,
    /// With which status it refuses to make any.
    pub(super) link_refusal: Option<u16>,
}

impl Leaf {
    pub(super) fn new(setting: &Setting) -> Self {
        let (users, climate) = (&setting.users, &setting.climate);
        let may_make_way = setting.on_existing == OnExisting::Replace;
        let user = |(number, (id, standing)): (usize, (&LeafUserId, &Standing))| {
            // Their numbers are out of the way of those of requests.
            (*id, User::new(*standing, 1_000_000 + u32::try_from(number).unwrap(), may_make_way))
        };
        Self {
            users: users.iter().enumerate().map(user).collect(),
            tokens: 0,
            token_uses: climate.token_uses,
            uses_left: climate.token_uses.unwrap_or(u64::MAX),
            second: climate.second,
            links: 0,
            link_refusal: setting.links.and_then(|habits| habits.refusal),
        }
    }

    pub(super) fn good_bearer(&self) -> String {
        format!("hush-leaf-{}", self.tokens)
    }

    /// Whether a request bears a token that is good, which uses it up a little.
    fn takes(&mut self, arrived: &Arrived) -> bool {
        let is_good = self.is_good(arrived);
        if is_good {
            self.uses_left -= 1;
        }
        is_good
    }

    pub(super) fn is_good(&self, arrived: &Arrived) -> bool {
        self.uses_left > 0 && arrived.bearer.as_deref() == Some(self.good_bearer().as_str())
    }

    pub(super) fn answer(
        &mut self,
        arrived: &Arrived,
        number: u32,
        change: Option<&Change>,
        now: Duration,
        climate: &Climate,
        dice: &mut Dice,
    ) -> Answer {
        if arrived.asked == Asked::LeafToken {
            self.tokens += 1;
            self.uses_left = self.token_uses.unwrap_or(u64::MAX);
            return Answer::json(200, json!({"id_token": self.good_bearer()}));
        }
        if !self.takes(arrived) {
            return Answer::json(401, json!({"title": "Unauthorized"}));
        }
        if let Asked::List { page } = arrived.asked {
            return self.list(page, now, climate, dice);
        }
        if let Asked::MagicLink { seconds } = arrived.asked {
            return self.magic_link(arrived.user, seconds, now, dice);
        }
        let second = self.second;
        let id = arrived.user;
        let Some(user) = id.and_then(|id| self.users.get_mut(&id)) else {
            return Answer::json(404, json!({}));
        };
        match user.standing {
            Standing::Unknown => {
                let body = json!({"title": "Not Found"});
                return Answer { shows_nothing: true, ..Answer::json(404, body) };
            }
            Standing::Forbidden => return Answer::json(403, json!({})),
            Standing::Bare | Standing::Held { .. } => {}
        }
        user.held(now, second, dice);
        if let Some(change) = change {
            let had_effect = user.apply(change, number, now, second, dice);
            return match (change, had_effect) {
                (Change::Remove { .. }, true) => Answer::json(204, Value::Null),
                (Change::Remove { .. }, false) => Answer::json(404, json!({})),
                (Change::Attach { .. }, false) => {
                    let SecondAttach::Refused(status) = second else { return Answer::json(500, json!({})) };
                    Answer::json(status, json!({"title": "exists"}))
                }
                (Change::Attach { .. }, true) => {
                    let created = credential(&name(number), true);
                    Answer::json(201, if dice.chance(90) { created } else { Value::Null })
                }
            };
        }
        // Where a look lags behind nobody could notice in time.
        if climate.most_troubles > 0 && climate.lag.is_zero() && dice.chance(2) {
            user.exchange(number, now);
        }
        let lag = dice.time(climate.lag);
        let seen = user.look(now, lag);
        look(&arrived.asked, id, seen, dice)
    }
}

pub(super) fn look(
    asked: &Asked,
    id: Option<LeafUserId>,
    seen: Option<(Held, bool)>,
    dice: &mut Dice,
) -> Answer {
    let id = id.map(|id| id.to_string());
    match (asked, seen) {
        (Asked::Events, _) => {
            let event =
                json!({"id": "e1", "createdDate": "2026-11-01", "statusCode": 401, "body": "hush-body"});
            Answer::json(200, json!([event]))
        }
        (Asked::User, None) => Answer { shows_nothing: true, ..Answer::json(200, json!({"id": id})) },
        (Asked::User, Some(_)) if dice.chance(20) => {
            Answer::json(200, json!({"id": id, "staraCredentials": {}}))
        }
        (Asked::User, Some((held, is_healthy))) => {
            let shown = credential(&name(held.id), is_healthy);
            Answer::json(200, json!({"id": id, "staraCredentials": shown}))
        }
        (_, None) => Answer { shows_nothing: true, ..Answer::json(404, json!({})) },
        (_, Some((held, is_healthy))) => Answer::json(200, credential(&name(held.id), is_healthy)),
    }
}

fn credential(id: &str, is_healthy: bool) -> Value {
    json!({
        "id": id, "status": if is_healthy { "OK" } else { "invalid" },
        "apiKey": "hush-key", "accessToken": "hush-access", "refreshToken": "hush-refresh",
    })
}
