//! Arbitrary text as a `Retry-After` header: a wait of at most a century or so, or none.

#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use stara_onboard::http::parse_retry_after;

fuzz_target!(|bytes: &[u8]| {
    let Some((clock, text)) = bytes.split_first_chunk::<5>() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut seconds = [0; 8];
    seconds[3..].copy_from_slice(clock);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from_be_bytes(seconds));
    if let Some(wait) = parse_retry_after(text, now) {
        assert!(wait <= Duration::from_secs(u64::from(u32::MAX)));
    }
});
