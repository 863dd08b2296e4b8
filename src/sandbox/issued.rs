//! The texts of what the sandbox issues: apiKeys and tokens, unique, the same for the same seed, and easy to grep for.
//!
//! They carry the digest of the login they belong to and a serial number, so none of them has to be stored: a million
//! growers' secrets are four bytes each.

use sha2::{Digest as _, Sha256};

use super::sharded::Key;

const API_KEY: &str = "sandbox-api-key-";
const ACCESS: &str = "sandbox-access-";
const REFRESH: &str = "sandbox-refresh-";
const CLIENT: &str = "sandbox-client-";

/// A login by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LoginKey(pub(super) Key);

impl LoginKey {
    pub(super) fn of(seed: u64, login: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(seed.to_le_bytes());
        digest.update(login);
        Self(first_half(digest))
    }

    /// The login's apiKey. It never changes.
    pub(super) fn api_key(self) -> String {
        format!("{API_KEY}{:032x}", u128::from_be_bytes(self.0))
    }

    /// The login whose apiKey `text` is, whether or not it was ever issued.
    pub(super) fn of_api_key(text: &str) -> Option<Self> {
        parse_digest(text.strip_prefix(API_KEY)?)
    }
}

/// The digest of a login with its password, under which an accepted pair is remembered.
pub(super) fn pair_key(seed: u64, login: &str, password: &str) -> Key {
    let mut digest = Sha256::new();
    digest.update(seed.to_le_bytes());
    digest.update((login.len() as u64).to_le_bytes());
    digest.update(login);
    digest.update(password);
    first_half(digest)
}

/// One answer of `/token`: the login's nth, counted from 1. Serial 0 stands for tokens that were there before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenIssue {
    pub(super) login: LoginKey,
    pub(super) serial: u32,
}

impl TokenIssue {
    pub(super) fn access_token(self) -> String {
        self.text(ACCESS)
    }

    pub(super) fn refresh_token(self) -> String {
        self.text(REFRESH)
    }

    /// The accessTokenClient that the `json` dialect answers; in `form` the partner brings one.
    pub(super) fn access_token_client(self) -> String {
        self.text(CLIENT)
    }

    pub(super) fn of_access_token(text: &str) -> Option<Self> {
        Self::parse(ACCESS, text)
    }

    pub(super) fn of_refresh_token(text: &str) -> Option<Self> {
        Self::parse(REFRESH, text)
    }

    pub(super) fn of_access_token_client(text: &str) -> Option<Self> {
        Self::parse(CLIENT, text)
    }

    fn text(self, prefix: &str) -> String {
        format!("{prefix}{:032x}-{}", u128::from_be_bytes(self.login.0), self.serial)
    }

    fn parse(prefix: &str, text: &str) -> Option<Self> {
        let (digest, serial) = text.strip_prefix(prefix)?.split_once('-')?;
        // Only the text that was issued counts, not every text that reads as the same number.
        if serial.starts_with(['0', '+']) && serial != "0" {
            return None;
        }
        Some(Self { login: parse_digest(digest)?, serial: serial.parse().ok()? })
    }
}

fn first_half(digest: Sha256) -> Key {
    let whole: [u8; 32] = digest.finalize().into();
    std::array::from_fn(|index| whole[index])
}

fn parse_digest(text: &str) -> Option<LoginKey> {
    let lower_hex = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    if text.len() != 32 || !text.bytes().all(lower_hex) {
        return None;
    }
    let number = u128::from_str_radix(text, 16).ok()?;
    Some(LoginKey(number.to_be_bytes()))
}

/// Spreads the bits of `number`, one to one; Sebastiano Vigna's `splitmix64` finaliser.
pub(super) const fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Spreads the bits of a key together with a number; the same for the same input.
pub(super) fn spread_key(key: &Key, number: u64) -> u128 {
    let whole = u128::from_be_bytes(*key);
    #[allow(clippy::cast_possible_truncation, reason = "the two halves of the key")]
    let (high, low) = ((whole >> 64) as u64, whole as u64);
    let first = spread(high ^ spread(number));
    let second = spread(low ^ first);
    (u128::from(spread(first ^ second)) << 64) | u128::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_texts_are_read_back_and_differ_by_seed_login_and_serial() {
        let login = LoginKey::of(1, "ana");
        assert_eq!(LoginKey::of_api_key(&login.api_key()), Some(login));
        assert_ne!(login, LoginKey::of(2, "ana"));
        assert_ne!(login, LoginKey::of(1, "bia"));
        let issue = TokenIssue { login, serial: 12 };
        assert_eq!(TokenIssue::of_access_token(&issue.access_token()), Some(issue));
        assert_eq!(TokenIssue::of_refresh_token(&issue.refresh_token()), Some(issue));
        assert_eq!(TokenIssue::of_access_token_client(&issue.access_token_client()), Some(issue));
        assert_eq!(TokenIssue::of_access_token(&issue.refresh_token()), None);
    }

    #[test]
    fn a_text_that_only_resembles_an_issued_one_is_refused() {
        let login = LoginKey::of(1, "ana");
        let token = TokenIssue { login, serial: 1 }.access_token();
        for text in [
            token.to_uppercase(),
            token.replace("-1", "-01"),
            format!("{token} "),
            token.replace("access", "acess"),
            String::new(),
        ] {
            assert_eq!(TokenIssue::of_access_token(&text), None, "{text}");
        }
        assert_eq!(LoginKey::of_api_key(&login.api_key().to_uppercase()), None);
    }

    #[test]
    fn login_and_password_cannot_be_shifted_into_each_other() {
        assert_ne!(pair_key(1, "ab", "c"), pair_key(1, "a", "bc"));
    }
}
