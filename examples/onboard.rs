//! Onboards a manifest into simulated services, and tells what happens while it goes.
//!
//! `cargo run --example onboard -- manifests/growers.csv`

#![expect(clippy::print_stdout, reason = "an example shows what it hears")]

use std::error::Error;

use stara_onboard::{Ending, Event, Manifest, Onboarding, Services};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "manifests/growers.csv".to_owned());
    // A rehearsal needs no ledger for tomorrow. A migration has one, on a local disk: "state/ledger.db".
    let folder = tempfile::tempdir()?;
    let ledger = folder.path().join("ledger.db");

    let mut ended = 0;
    let run =
        Onboarding::new(Manifest::open(path)?, Services::sandbox(), ledger).run(move |event| match event {
            Event::Started { lines, to_do, .. } => println!("{lines} lines, {to_do} rows to do"),
            Event::RowEnded { .. } => {
                ended += 1;
                if ended % 50 == 0 {
                    println!("{ended} rows have ended");
                }
            }
            Event::Waiting { service, wait, .. } => println!("{service} is asked nothing for {wait:?}"),
            Event::Warned { text } => println!("warning: {text}"),
            _ => {}
        });
    let finished = run.wait()?;

    for (code, lines) in finished.results().counts() {
        println!("{code}: {lines}");
    }
    match finished.ending() {
        Ending::Done => println!("everybody is attached"),
        Ending::RowsFailed => println!("some rows need somebody"),
        _ => println!("not through: {}", finished.stopped_by().unwrap_or_default()),
    }
    Ok(())
}
