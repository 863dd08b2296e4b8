//! Arbitrary bytes as a Parquet manifest: records or an error, in bounded memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stara_onboard::manifest::{Format, Manifest, ReadOptions, Source};
use zeroize::Zeroizing;

fuzz_target!(
    init: {
        // The Parquet library's panics on damaged files are turned into errors by `manifest`; others are finds.
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/parquet-")) {
                default(panic);
            }
        }));
    },
    |bytes: &[u8]| {
        let source = Source::memory(Zeroizing::new(bytes.to_vec()), "growers.parquet");
        let options = ReadOptions { format: Some(Format::Parquet), ..ReadOptions::default() };
        let Ok(manifest) = Manifest::open(source, &options) else { return };
        let Ok(records) = manifest.records() else { return };
        // A few bytes may claim many equal rows; the first hundred thousand tell enough.
        for record in records.take(100_000) {
            if record.is_err() {
                return;
            }
        }
    }
);
