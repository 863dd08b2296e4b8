//! Reads the results of a run out of its ledger, and groups them by who must act.
//!
//! `cargo run --example results -- state/ledger.db`; without a ledger it rehearses first, with services that refuse some logins.

#![expect(clippy::print_stdout, reason = "an example shows what it hears")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use stara_onboard::{Manifest, Onboarding, Owner, Results, Services};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ledger = match std::env::args().nth(1) {
        Some(ledger) => ledger.into(),
        None => folder.path().join("ledger.db"),
    };
    if !ledger.exists() {
        rehearse(&ledger)?;
    }

    // Any process may read them, at any time, also while a run is at work.
    let results = Results::of_latest_run(&ledger)?;
    let mut by_owner: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in results.rows()? {
        let row = row?;
        if row.owner() != Owner::Nobody {
            let user = row.leaf_user_id.map_or_else(String::new, |user| format!(" {user}"));
            let text = format!("line {}{user}: {}. {}", row.line, row.code, row.advice());
            by_owner.entry(row.owner().as_str()).or_default().push(text);
        }
    }

    println!("run {}: {} lines", results.run(), results.lines());
    for (owner, rows) in by_owner {
        println!("{owner} must act on {}:", rows.len());
        for row in rows {
            println!("  {row}");
        }
    }
    Ok(())
}

fn rehearse(ledger: &Path) -> Result<(), stara_onboard::Error> {
    let manifest = Manifest::open("manifests/growers.csv")?;
    Onboarding::new(manifest, Services::sandbox_of_kind("lockout")?, ledger).run(|_| {}).wait()?;
    Ok(())
}
