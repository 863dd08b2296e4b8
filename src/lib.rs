//! Bulk-onboards growers' Stara credentials into Leaf: authenticate, token, attach, verify; rate-limited, resumable, and
//! effectively once.
//!
//! This is the map. `docs/ARCHITECTURE.md` has the reasons.
//!
//! # The floors
//!
//! A module imports only from floors below its own, and siblings don't know each other; `tests/it/layers.rs` enforces it.
//!
//! | floor | module | what lives there |
//! |---|---|---|
//! | 6 | [`cli`] | one file a subcommand, exit codes, how errors read, signals; opens files |
//! | 5 | [`settings`] | flags over environment over file over defaults, merged once |
//! | 5 | [`ui`] | shows events as bars, lines or JSON lines, and sums up; decides nothing |
//! | 5 | [`sandbox`] | the simulated Stara and Leaf; shares no wire code with the client |
//! | 4 | [`pipeline`] | what is left to do, the row's journey, the stream of rows, stopping |
//! | 4 | [`report`] | results, read from the ledger alone |
//! | 3 | [`manifest`] | CSV and Parquet as one stream of rows; the offline lint |
//! | 3 | `bucket` | objects of an S3 bucket, with the cargo feature `object-store` |
//! | 3 | [`checkpoint`] | the ledger: SQLite, one writer, the run lock |
//! | 3 | [`api`] | one typed function a call |
//! | 2 | [`http`] | sends once, paces evenly, judges purely |
//! | 1 | [`model`] | ids, secrets, stages, outcomes |
//!
//! # The life of one row
//!
//! 1. **Read.** [`manifest`] reads the manifest twice and never holds it. [`pipeline::stage`] writes every line into the
//!    ledger, without its password; [`pipeline::run`] reads again and carries the passwords to the rows that need work.
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
//! Steps 3 to 8 are [`pipeline::journey`], a state machine without I/O and without a clock. A 429 or a `Retry-After`
//! stops the whole host ([`http::HostPacer`]); a signal drains ([`pipeline::Stop`]); and an error names line and column,
//! never a cell, because whatever is secret is a [`model::Secret`].

pub mod api;
#[cfg(feature = "object-store")]
pub mod bucket;
pub mod checkpoint;
pub mod cli;
pub mod http;
pub mod manifest;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod sandbox;
pub mod settings;
pub mod ui;
