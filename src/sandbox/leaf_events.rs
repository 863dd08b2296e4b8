//! The simulated Leaf's log of one credential.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::credential::Shown;
use super::issued::spread_key;
use super::leaf_objects::written_time;
use super::world::World;

/// One entry of the log. What `headers` and `body` are isn't published: here they are texts or objects, and full of secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventObject {
    #[serde(serialize_with = "as_text")]
    id: Uuid,
    created_date: String,
    status_code: u16,
    headers: Value,
    body: Value,
}

/// The log of a credential, the oldest entry first: Leaf renewed its tokens, read the fields, and read them again, the
/// last time in vain if the credential is broken.
pub(super) fn log_of(world: &World, shown: &Shown) -> Vec<EventObject> {
    let (access, refresh) = (shown.issue.access_token(), shown.issue.refresh_token());
    let (api_key, client) = (shown.issue.login.api_key(), world.client_text(shown));
    let bearer = format!("Bearer {access}");
    let renewal = json!({"accessToken": access, "accessTokenClient": *client, "refreshToken": refresh});
    let last = if shown.status == "OK" {
        (200, json!({"fields": []}))
    } else {
        let message = format!("{}: the token {access} of the key {api_key} is refused", shown.status);
        (401, json!({"message": message}))
    };
    let entries = [
        (200, json!({"apiKey": api_key, "Content-Type": ["application/json"]}).to_string().into(), renewal),
        (200, json!({"Authorization": [bearer], "accessTokenClient": *client}), json!("")),
        (
            last.0,
            format!("Authorization: {bearer}\r\nX-Api-Key: {api_key}").into(),
            last.1.to_string().into(),
        ),
    ];
    let event = |(number, (status_code, headers, body)): (i64, (u16, Value, Value))| EventObject {
        id: id_of(shown.id, number),
        created_date: written_time(shown.created_micros + number * 1_000),
        status_code,
        headers,
        body,
    };
    (1..).zip(entries).map(event).collect()
}

fn id_of(credential: Uuid, number: i64) -> Uuid {
    let random = spread_key(credential.as_bytes(), number.unsigned_abs());
    uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid()
}

fn as_text<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
