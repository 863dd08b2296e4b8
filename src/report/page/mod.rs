//! A report as one page for people: self-contained, in any browser, without a request to anybody.
//!
//! Main type: [`PageEncoder`], which counts the records as they come, keeps those that aren't fine (a bounded number of
//! them), and writes the page behind the last one. `templates/` holds the page itself, its style and its script.
//!
//! What comes from a manifest or a service may only reach the page as escaped text or as data that the script shows as
//! text. Nothing here may name a host to load something from.

mod bar;
mod encoder;
mod facts_shown;
mod groups;
mod headline;
mod latency;
mod rows;
mod tally;
mod template;
#[cfg(test)]
mod tests;
mod timeline;
mod trend;
mod wording;

pub(super) use encoder::PageEncoder;
