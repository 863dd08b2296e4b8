//! A run's events on their way to a show.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::bars::Bars;
use super::choice::Progress;
use super::clock::{Clock, MonotonicClock};
use super::feed::Feed;
use super::json::Json;
use super::lines::Lines;
use super::logs::LogWriter;
use super::notes::{End, Notes};
use super::show::Show;
use super::tally::{Tally, Totals};
use super::terminal::Terminal;
use super::watch::Watch;
use crate::pipeline::{Event, Observe};

/// How long the end of a run waits for a reader of its progress.
const PATIENCE: Duration = Duration::from_secs(2);

/// Observes a run and shows it.
///
/// Observing counts, and for the few events that are told one by one it fills a queue; it never waits for a terminal or
/// a pipe. A thread of its own does the showing, at its own pace.
pub struct ProgressDisplay {
    feed: Feed,
    /// Disconnected when the thread that shows has come to its end; `None` once that was waited for.
    showing: Mutex<Option<Receiver<()>>>,
}

impl ProgressDisplay {
    /// Begins to show progress as asked. Bars are told to `logs`, so that no log line tears them.
    #[must_use]
    pub fn start(progress: Progress, terminal: Terminal, logs: &LogWriter) -> Self {
        let clock = Arc::new(MonotonicClock::start());
        let show: Option<Box<dyn Show>> = match progress.resolve(terminal.is_drawable) {
            Progress::Bar => Some(Box::new(Bars::on_stderr(terminal, logs))),
            Progress::Json => Some(Box::new(Json::new(io::stdout()))),
            Progress::Lines | Progress::Auto => Some(Box::new(Lines::new(io::stderr()))),
            Progress::None => None,
        };
        Self::with(clock, show)
    }

    /// Begins with this show, timed by this clock. Where no thread can be had, there is counting but no show.
    fn with(clock: Arc<dyn Clock>, show: Option<Box<dyn Show>>) -> Self {
        let feed = Feed {
            tally: Arc::new(Tally::new(clock)),
            notes: Arc::new(Notes::default()),
            tells_rows: show.as_ref().is_some_and(|show| show.tells_rows()),
        };
        let showing = show.and_then(|mut show| {
            let watch = Watch::new(&feed, show.interval());
            let (ends, showing) = channel();
            let show = move || {
                // Dropped with the thread, however it ends.
                let _ends: Sender<()> = ends;
                watch.run(&mut *show);
            };
            thread::Builder::new().name("progress".to_owned()).spawn(show).ok().map(|_| showing)
        });
        if showing.is_none() {
            feed.notes.end(End::Abandoned);
        }
        Self { feed, showing: Mutex::new(showing) }
    }

    /// The counts so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.feed.tally.totals()
    }

    /// Waits until everything has been shown and cleared away, so that what is printed next stands below it. A reader that
    /// has stopped reading is waited for only so long: the run isn't concerned.
    pub fn finish(&self) -> Totals {
        self.feed.notes.end(End::Abandoned);
        let showing = self.showing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(showing) = showing {
            _ = showing.recv_timeout(PATIENCE);
        }
        self.totals()
    }
}

impl Observe for ProgressDisplay {
    fn observe(&self, event: &Event) {
        self.feed.observe(event);
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Sender};
    use std::time::Duration;

    use super::*;
    use crate::model::{OutcomeCode, Service};
    use crate::ui::notes::Note;
    use crate::ui::rehearsal::{ended, finished, script};
    use crate::ui::show::View;

    /// Tells over a channel what it was told.
    struct Recorder {
        interval: Duration,
        told: Sender<String>,
    }

    impl Show for Recorder {
        fn interval(&self) -> Duration {
            self.interval
        }

        fn tells_rows(&self) -> bool {
            true
        }

        fn tell(&mut self, note: &Note, _: &View<'_>) {
            let name = match note {
                Note::StagingStarted(_) => "staging",
                Note::Linted(_) => "linted",
                Note::LookChosen { .. } => "looking",
                Note::Started(_) => "started",
                Note::Held { .. } => "held",
                Note::Draining(_) => "draining",
                Note::LinksBegun(_) => "links",
                Note::RowFailed { .. } => "row",
            };
            _ = self.told.send(name.to_owned());
        }

        fn tick(&mut self, view: &View<'_>) {
            _ = self.told.send(format!("tick, {} finished", view.totals.finished()));
        }

        fn end(&mut self, end: End, view: &View<'_>) {
            _ = self.told.send(format!("{end:?}, {} finished", view.totals.finished()));
        }
    }

    fn recorded(interval: Duration) -> (ProgressDisplay, mpsc::Receiver<String>) {
        let (told, heard) = mpsc::channel();
        let show = Box::new(Recorder { interval, told });
        let display = ProgressDisplay::with(Arc::new(MonotonicClock::start()), Some(show));
        (display, heard)
    }

    const A_LONG_TIME: Duration = Duration::from_secs(86_400);

    #[test]
    fn what_happens_is_told_in_its_order_and_the_end_is_not_waited_for() {
        let (display, heard) = recorded(A_LONG_TIME);
        for (_, event) in script() {
            display.observe(&event);
        }
        let totals = display.finish();
        assert_eq!((totals.finished(), totals.failed()), (3, 1));
        drop(display);
        let told: Vec<String> = heard.iter().collect();
        assert_eq!(
            told,
            ["staging", "linted", "started", "looking", "held", "row", "draining", "Ended, 3 finished"]
        );
    }

    #[test]
    fn a_display_that_is_dropped_stops_at_once_and_does_not_claim_an_end() {
        let (display, heard) = recorded(A_LONG_TIME);
        drop(display);
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["Abandoned, 0 finished"]);
    }

    #[test]
    fn ticks_come_without_any_event() {
        let (display, heard) = recorded(Duration::from_millis(1));
        display.observe(&finished(2, OutcomeCode::Attached));
        assert!(heard.recv().unwrap().starts_with("tick"));
        assert!(heard.iter().any(|told| told == "tick, 1 finished"));
    }

    #[test]
    fn threads_that_observe_at_once_lose_no_count() {
        let (display, _heard) = recorded(A_LONG_TIME);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for line in 0..1_000 {
                        display.observe(&finished(line, OutcomeCode::Attached));
                        display.observe(&ended(Service::Leaf, Some(201), None));
                    }
                });
            }
        });
        let totals = display.finish();
        assert_eq!((totals.finished(), totals.leaf.requests), (4_000, 4_000));
    }

    #[test]
    fn without_a_show_everything_is_still_counted() {
        let display = ProgressDisplay::start(Progress::None, Terminal::of_stderr(), &LogWriter::default());
        for (_, event) in script() {
            display.observe(&event);
        }
        assert_eq!(display.totals().stara.requests, 1);
        assert_eq!(display.finish().finished(), 3);
    }
}
