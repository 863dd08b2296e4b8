//! Shows people and programs how a run goes: terminal bars, plain lines, or JSON lines, and a summary at its end.
//!
//! Main types: [`ProgressDisplay`], which observes the pipeline's events for one of three shows ([`Progress`] says which);
//! [`Tally`] and [`Totals`], the counts behind all of them; [`LogWriter`], through which logs never tear the bars;
//! [`Summary`], what is said when a run has ended; and [`ForecastText`], what is said when one is foreseen.
//!
//! This floor decides nothing: a run goes the same way whoever watches it, and whether anything can be shown at all.

mod bars;
mod choice;
mod clock;
mod display;
mod feed;
mod forecast_text;
mod json;
mod lines;
mod logs;
mod notes;
mod output;
mod pace;
mod rehearsed;
mod show;
mod summary;
mod summary_line;
mod tally;
mod watch;
mod wording;

#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod screen;

pub use choice::{ParseProgressError, Progress};
pub use clock::{Clock, MonotonicClock};
pub use display::ProgressDisplay;
pub use forecast_text::ForecastText;
pub use logs::{LogLine, LogWriter};
pub use rehearsed::Rehearsed;
pub use summary::{HostUse, Summary};
pub use tally::{HostTotals, Tally, Totals};
pub use wording::{count, duration};
