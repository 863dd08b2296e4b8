//! Bulk-onboards growers' Stara credentials into Leaf: authenticate, token, attach, verify; rate-limited, resumable, and
//! effectively once.
//!
//! What this page lists is the interface: a [`Manifest`] and [`Services`] make an [`Onboarding`], whose [`Run`] tells [`Event`]s
//! and ends as [`Finished`], with [`Results`]. `docs/LIBRARY.md` shows how. Everything else is private.
//!
//! The rest of this page is the map. `docs/ARCHITECTURE.md` has the reasons.
//!
//! # The floors
//!
//! A module imports only from floors below its own, and siblings don't know each other; `tests/it/layers.rs` enforces it.
//!
//! | floor | module | what lives there |
//! |---|---|---|
//! | 7 | `cli` | one file a subcommand, exit codes, how errors read, signals; opens files |
//! | 6 | `onboarding` | a run as other programs have it: the public interface; how a run ends |
//! | 5 | `settings` | flags over environment over file over defaults, merged once |
//! | 5 | `ui` | shows events as bars, lines or JSON lines, and sums up; decides nothing |
//! | 5 | `sandbox` | the simulated Stara and Leaf; shares no wire code with the client |
//! | 4 | `pipeline` | what is left to do, the row's journey, the stream of rows, stopping |
//! | 4 | `report` | results, read from the ledger alone |
//! | 3 | `manifest` | CSV and Parquet as one stream of rows; the offline lint |
//! | 3 | `bucket` | objects of an S3 bucket, with the cargo feature `object-store` |
//! | 3 | `checkpoint` | the ledger: SQLite, one writer, the run lock |
//! | 3 | `api` | one typed function a call |
//! | 2 | `http` | sends once, paces evenly, judges purely |
//! | 1 | `model` | ids, secrets, stages, outcomes |
//!
//! # The life of one row
//!
//! 1. **Read.** `manifest` reads the manifest twice and never holds it. `pipeline::stage` writes every line into the
//!    ledger, without its password; `pipeline::run` reads again and carries the passwords to the rows that need work.
//!    A row that differs between the two stops the run.
//! 2. **Decide.** What is left to do is a pure function of the row, the ledger and the flags. A row that is done and
//!    unchanged costs no call; a login that Stara refused is not sent again.
//! 3. **Look.** One call tells whether Leaf knows the user and whether it holds a credential.
//! 4. **Authenticate, token.** Two calls to Stara. What they give stays in memory; after a crash they are made again.
//! 5. **Intent.** Leaf's permit first, then the intent, waited for until it is durable, then the request at once.
//! 6. **Attach.** One POST. Its verdict is *processed*, *refused*, *not processed* or *unknown*. An unknown one is
//!    looked for, and repeated only when it can't be under way any more.
//! 7. **Verify.** Looks until the credential is there and not unhealthy.
//! 8. **Record.** Exactly one outcome for each line, durable before it is counted, shown or reported.
//!
//! Steps 3 to 8 are `pipeline::journey`, a state machine without I/O and without a clock. A 429 or a `Retry-After`
//! stops the whole host (`http::HostPacer`); a signal drains (`pipeline::Stop`); and an error names line and column,
//! never a cell, because whatever is secret is a `model::Secret`.

#![cfg_attr(
    not(feature = "internals"),
    allow(
        unreachable_pub,
        unused_imports,
        reason = "what floors show each other and the tests is `pub`, too"
    )
)]

// The floors are private. What the binary needs beside the interface is `main`; the tests, benches and fuzz targets of this package
// are crates of their own and see the floors by the feature `internals`, which nothing else may switch on.
#[cfg(not(feature = "internals"))]
mod api;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod api;
#[cfg(all(feature = "object-store", not(feature = "internals")))]
mod bucket;
#[cfg(all(feature = "object-store", feature = "internals"))]
#[doc(hidden)]
pub mod bucket;
#[cfg(not(feature = "internals"))]
mod checkpoint;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod checkpoint;
#[cfg(not(feature = "internals"))]
#[allow(rustdoc::invalid_html_tags, reason = "the doc comment of a flag is its help, which is plain text")]
mod cli;
#[cfg(feature = "internals")]
#[doc(hidden)]
#[allow(rustdoc::invalid_html_tags, reason = "the doc comment of a flag is its help, which is plain text")]
pub mod cli;
#[cfg(not(feature = "internals"))]
mod http;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod http;
#[cfg(not(feature = "internals"))]
mod manifest;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod manifest;
#[cfg(not(feature = "internals"))]
mod model;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod model;
#[cfg(not(feature = "internals"))]
mod onboarding;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod onboarding;
#[cfg(not(feature = "internals"))]
mod pipeline;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod pipeline;
#[cfg(not(feature = "internals"))]
mod report;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod report;
#[cfg(not(feature = "internals"))]
#[allow(dead_code, reason = "what the tests alone steer")]
mod sandbox;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod sandbox;
#[cfg(not(feature = "internals"))]
mod settings;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod settings;
#[cfg(not(feature = "internals"))]
mod ui;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod ui;

#[cfg(doctest)]
#[doc = include_str!("../docs/LIBRARY.md")]
struct Page;

#[doc(hidden)]
pub use crate::cli::main;
pub use crate::http::{Frequency, ParseRateError, Rate};
pub use crate::model::{
    LeafUserId, Login, NextRun, Origin, OutcomeCode, Owner, ParseLeafUserIdError, Secret, Service, Stage,
    UnknownCodeError,
};
pub use crate::onboarding::{
    Ending, Error, ErrorKind, Event, Finished, LeafToken, Manifest, Onboarding, Results, RowResult, Run,
    Services, StopHandle,
};
