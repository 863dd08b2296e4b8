//! Stops a run in its middle, and resumes it with the same ledger: whoever is done costs no call again.
//!
//! `cargo run --example resume -- manifests/growers.csv`

#![expect(clippy::print_stdout, reason = "an example shows what it hears")]

use std::error::Error;
use std::path::Path;

use stara_onboard::{Event, Finished, Manifest, Onboarding, OutcomeCode, Services};

/// After how many rows the first run is stopped.
const FIRST: u32 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "manifests/growers.csv".to_owned());
    let folder = tempfile::tempdir()?;
    let ledger = folder.path().join("ledger.db");

    let first = onboarding(&path, &ledger)?;
    let stop = first.stop_handle();
    let mut ended = 0;
    let first = first.run(move |event| {
        if matches!(event, Event::RowEnded { .. }) {
            ended += 1;
            if ended == FIRST {
                stop.stop();
            }
        }
    });
    let first = first.wait()?;
    println!("first run: {}; {} attached", first.stopped_by().unwrap_or("finished"), attached(&first));

    let second = onboarding(&path, &ledger)?.run(|event| {
        if let Event::Started { to_do, done_before, .. } = event {
            println!("second run: {done_before} done before, {to_do} to do");
        }
    });
    let second = second.wait()?;
    println!("second run: {}; {} attached", second.stopped_by().unwrap_or("finished"), attached(&second));
    Ok(())
}

fn onboarding(path: &str, ledger: &Path) -> Result<Onboarding, stara_onboard::Error> {
    Ok(Onboarding::new(Manifest::open(path)?, Services::sandbox(), ledger))
}

/// How many growers hold a credential.
fn attached(finished: &Finished) -> u64 {
    let counts = finished.results().counts();
    counts.filter(|(code, _)| *code == OutcomeCode::Attached).map(|(_, lines)| lines).sum()
}
