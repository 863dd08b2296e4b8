//! What a scheduler relies on: metrics of every end, silence until somebody is needed, a wait for the ledger, and codes
//! that count as zero.
#![allow(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "the format has floats only, and counts and milliseconds of this age are exact in them"
)]

mod lock;
mod measured;
mod pardoned;
mod prometheus;
mod told;

use crate::support::{Bench, Grower, growers};
use prometheus::Page;

/// The metrics that a call left behind, read as strictly as Prometheus reads them.
fn metrics(bench: &Bench) -> Page {
    let text = std::fs::read_to_string(bench.path("night.prom")).unwrap();
    prometheus::read(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// Growers of whom the first has a password that Stara refuses.
fn with_a_refused_one(count: usize) -> Vec<Grower> {
    let mut rows = growers(count);
    rows[0] = rows[0].with_password("sandbox:wrong-password");
    rows
}
