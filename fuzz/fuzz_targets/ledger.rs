//! Arbitrary bytes in the place of a ledger: everything that can be read of it, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stara_onboard::checkpoint::{Approach, Ledger, LedgerAccess, LineCursor, Target};
use stara_onboard::model::{Dialect, LeafUserId};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, bytes).expect("a file");
    if let Ok(ledger) = Ledger::open(&path, LedgerAccess::Read) {
        let _ = ledger.runs(100);
        let id = LeafUserId::from_bytes([7; 16]);
        let _ = (ledger.user(id), ledger.lines_of(id), ledger.events_of(id), ledger.target());
        if let Ok(Some(run)) = ledger.latest_run() {
            let _ = ledger.count_outcomes(run.run);
            let _ = ledger.with_results(run.run, |results| results.take(10_000).count());
        }
        drop(ledger);
        let approach =
            Approach::new(Dialect::Json, "http://127.0.0.1:1", "/", ["login", "password"]);
        if let Ok(mut cursor) = LineCursor::open(&path, approach, 1) {
            for _ in 0..10_000 {
                let Ok(Some(_)) = cursor.next_line() else { break };
            }
        }
    }
    let target = Target::new("http://127.0.0.1:1", "http://127.0.0.1:2");
    let _ = Ledger::open(&path, LedgerAccess::Run(&target));
});
