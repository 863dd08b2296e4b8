//! What the parts of a run cost by themselves: reading a manifest, the lint, staging, deciding, commits, reports, and the steps of
//! a row. All of it goes through the library's public functions, over real files.
//!
//! ```sh
//! cargo bench --bench micro              # all, in a minute or two
//! cargo bench --bench micro -- commit    # those whose name contains it
//! ```
//!
//! These tell where time goes and whether a change helped; what a whole run does, `throughput` tells.
#![allow(clippy::expect_used, reason = "a bench stops when it can't measure")]

mod commit;
#[path = "../growers/mod.rs"]
mod growers;
mod journey;
mod lint;
mod manifest;
mod place;
mod report;
mod staging;

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}
