//! Shows people and programs how a run goes: terminal bars, plain lines, or JSON lines, and a summary at its end.
//!
//! Main types: [`ProgressDisplay`], which observes the pipeline's events for one of three shows ([`Progress`] says which);
//! [`Tally`] and [`Totals`], the counts behind all of them; [`LogWriter`], through which logs never tear the bars;
//! [`LiveShow`], a run of another process as its ledger tells it; [`Summary`], what is said when a run has ended; and [`ForecastText`], what is said when one is foreseen.
//!
//! This floor decides nothing: a run goes the same way whoever watches it, and whether anything can be shown at all.

mod bars;
mod canvas;
mod choice;
mod clock;
mod display;
mod feed;
mod forecast_text;
mod frame;
mod json;
mod lines;
mod live;
mod logs;
mod notes;
mod output;
mod pace;
mod paint;
mod picture;
mod rehearsed;
mod show;
mod summary;
mod summary_line;
mod tally;
mod terminal;
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
pub use live::LiveShow;
pub use logs::{LogLine, LogWriter};
pub use rehearsed::Rehearsed;
pub use summary::{HostUse, Summary};
pub use tally::{HostTotals, Tally, Totals};
pub use terminal::{Size, Terminal, text_columns};
pub use wording::{count, duration, printable};
