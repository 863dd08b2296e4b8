//! The simulated Leaf's call for magic links.

use std::time::Duration;

use serde_json::json;

use super::leaf::Leaf;
use super::setting::Standing;
use super::world::{Answer, leaf_clock};
use crate::model::LeafUserId;
use crate::model::simulated::Dice;

impl Leaf {
    /// Makes a link, with what such an answer may lack.
    pub(super) fn magic_link(
        &mut self,
        id: Option<LeafUserId>,
        seconds: u64,
        now: Duration,
        dice: &mut Dice,
    ) -> Answer {
        let standing = id.and_then(|id| self.users.get(&id)).map(|user| user.standing);
        let refusal = match standing {
            None | Some(Standing::Unknown) => Some(404),
            Some(Standing::Forbidden) => Some(403),
            Some(_) => self.link_refusal,
        };
        if let Some(status) = refusal {
            return Answer::json(status, json!({"title": "no link"}));
        }
        self.links += 1;
        let expires_at = leaf_clock(now + Duration::from_secs(seconds));
        let mut body = json!({"link": format!("https://connect.leaf.example/hush-link-{}", self.links)});
        if dice.chance(80) {
            body["expiresAt"] = json!(expires_at.to_rfc3339());
        }
        if dice.chance(80) {
            body["leafUserId"] = json!(id.map(|id| id.to_string()));
        }
        Answer::json(dice.pick(&[200, 201]), body)
    }
}
