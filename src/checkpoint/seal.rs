//! Seals a text so that only whoever has the ledger's key, too, can read it.
//!
//! ChaCha20-Poly1305 (RFC 8439) under a key that is derived from the fingerprint key for this one purpose, with a random
//! nonce of 96 bits. What a text is about is bound to it, so that none can be put in another one's place.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::fingerprint::FingerprintKey;
use crate::model::{LeafUserId, Secret};

/// What the key is derived for.
const PURPOSE: &[u8] = b"seal magic links";

/// The length of the tag behind a sealed text, in bytes.
const TAG_LEN: usize = 16;

/// Seals a text that is about a user: nonce, sealed text, tag. `None` where the system gives no random bytes.
pub(super) fn seal(key: &FingerprintKey, about: LeafUserId, text: &Secret) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).ok()?;
    let text = text.expose_secret().as_bytes();
    let mut sealed = Vec::with_capacity(NONCE_LEN + text.len() + TAG_LEN);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(text);
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(about.as_bytes()),
            sealed.get_mut(NONCE_LEN..)?,
        )
        .ok()?;
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

/// Opens what [`seal`] made; `None` where another key, another user, or other bytes were sealed.
pub(super) fn open(key: &FingerprintKey, about: LeafUserId, sealed: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let text = cipher(key)?.open_in_place(nonce, Aad::from(about.as_bytes()), &mut text).ok()?;
    // Copied once into a string of exactly its length, which isn't copied again.
    std::str::from_utf8(text).ok().map(|text| Secret::new(text.to_owned()))
}

fn cipher(key: &FingerprintKey) -> Option<LessSafeKey> {
    let derived = key.derive(PURPOSE);
    UnboundKey::new(&CHACHA20_POLY1305, &*derived).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u8) -> LeafUserId {
        LeafUserId::from_bytes([number; 16])
    }

    fn secret() -> Secret {
        Secret::new("https://leaf.example/connect?t=abc".to_owned())
    }

    #[test]
    fn what_was_sealed_is_opened_with_the_same_key_for_the_same_user_and_in_no_other_way() {
        let key = FingerprintKey::temporary().unwrap();
        let sealed = seal(&key, user(1), &secret()).unwrap();
        assert_eq!(open(&key, user(1), &sealed).unwrap().expose_secret(), secret().expose_secret());
        assert!(open(&key, user(2), &sealed).is_none());
        assert!(open(&FingerprintKey::temporary().unwrap(), user(1), &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(open(&key, user(1), &sealed[..length]).is_none(), "{length}");
        }
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert!(open(&key, user(1), &damaged).is_none(), "{place}");
        }
    }

    #[test]
    fn the_same_text_is_sealed_otherwise_each_time_and_never_readable() {
        let key = FingerprintKey::temporary().unwrap();
        let [one, other] = [(); 2].map(|()| seal(&key, user(1), &secret()).unwrap());
        assert_ne!(one, other);
        assert!(
            one.windows(4).all(|window| !secret().expose_secret().as_bytes().windows(4).any(|w| w == window))
        );
    }
}
