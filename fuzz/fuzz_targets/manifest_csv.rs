//! Arbitrary bytes as a CSV manifest, plain or compressed: records or an error, in bounded memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stara_onboard::manifest::{Manifest, ReadOptions, Record, Source};
use zeroize::Zeroizing;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::memory(Zeroizing::new(bytes.to_vec()), "growers.csv");
    let Ok(manifest) = Manifest::open(source, &ReadOptions::default()) else { return };
    let Ok(records) = manifest.records() else { return };
    let mut last = 0;
    for record in records {
        let line = match record {
            Ok(Record::Row(row)) => row.line,
            Ok(Record::User(user)) => user.line,
            Ok(Record::Invalid(invalid)) => invalid.line,
            Err(_) => return,
        };
        assert!(line > last, "lines only grow");
        last = line;
    }
});
