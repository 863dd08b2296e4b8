//! Arbitrary bytes as the answer to every call of both services. The first two bytes are its status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stara_onboard::api::{LeafApi, StaraApi};
use stara_onboard::http::Reply;
use stara_onboard::model::{Dialect, LeafUserId};

fuzz_target!(|bytes: &[u8]| {
    let Some((status, body)) = bytes.split_first_chunk::<2>() else { return };
    // Mostly a success, for that is where the body is read.
    let status = match u16::from_be_bytes(*status) {
        small if small < 0xe000 => 200,
        other => other % 1_000,
    };
    let reply = Reply { status, retry_after: None, body: Ok(body.to_vec().into()) };
    let shown = format!("{:?}", reply);
    assert!(shown.len() < 64, "an answer's Debug shows its status alone");
    let _ = StaraApi::read_api_key(&reply);
    for dialect in [Dialect::Json, Dialect::Form] {
        let _ = StaraApi::read_tokens(&reply, dialect, None);
    }
    let _ = LeafApi::read_token(&reply);
    let _ = LeafApi::read_user(&reply, LeafUserId::from_bytes([0; 16]));
    if let Ok(Some(credential)) = LeafApi::read_credential(&reply) {
        let words = credential.id.iter().map(|id| id.as_str().chars().count());
        let words = words.chain(credential.status.iter().map(|status| status.chars().count()));
        assert!(words.max().unwrap_or_default() <= 64, "what is kept of a credential is short");
        let _ = credential.health();
    }
    let _ = LeafApi::read_attached(&reply);
    let _ = LeafApi::read_events(&reply);
});
