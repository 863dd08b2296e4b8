//! A run of another process, as its ledger tells how it stands.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::clock::WallClock;
use super::frame::Frame;
use super::logs::{LogWriter, lock};
use super::pace::Pace;
use super::paint::{Ink, Line};
use super::picture::{HoldPicture, HostPicture, Left, Picture, Rows};
use super::terminal::Terminal;
use super::wording::rate;
use crate::checkpoint::{Hold, LiveHost, LiveState, Phase};
use crate::model::{OutcomeCode, Service, UnixMillis};

/// The window over which rows are counted into a rate, as long as that of a run's own bars.
const ROWS_WINDOW: Duration = Duration::from_secs(30);

/// How old what a run says of itself may be, before it is said how old it is.
const FRESH: Duration = Duration::from_secs(15);

/// Shows a run that another process carries out, as its own bars would.
pub struct LiveShow {
    /// None where there is no terminal.
    frame: Option<Arc<Mutex<Frame>>>,
    wall: WallClock,
    rows: Pace,
    /// When it was looked at first.
    began: Option<UnixMillis>,
}

impl LiveShow {
    /// Draws bars on stderr where it can be drawn on, and tells `logs` so.
    #[must_use]
    pub fn on_stderr(terminal: Terminal, logs: &LogWriter) -> Self {
        let frame = terminal.is_drawable.then(|| Arc::new(Mutex::new(Frame::on_stderr(terminal))));
        logs.stand_above(frame.clone());
        Self { frame, wall: WallClock::of_system(), rows: Pace::over(ROWS_WINDOW), began: None }
    }

    /// Shows how it stands; where nothing can be drawn, gives the line that says so.
    pub fn show(
        &mut self,
        live: &LiveState,
        failures: &[(OutcomeCode, u64)],
        now: UnixMillis,
    ) -> Option<String> {
        let picture = self.picture(live, failures, now);
        let Some(frame) = &self.frame else { return Some(picture.line()) };
        let mut frame = lock(frame);
        let columns = frame.size().columns;
        frame.show(&picture.lines(columns));
        None
    }

    /// Says one thing instead; where nothing can be drawn, gives the line that says so.
    pub fn say(&mut self, text: &str) -> Option<String> {
        let Some(frame) = &self.frame else { return Some(text.to_owned()) };
        lock(frame).show(&[Line::named("", Ink::Plain, text)]);
        None
    }

    /// Begins anew, with another run.
    pub fn begin_anew(&mut self) {
        (self.rows, self.began) = (Pace::over(ROWS_WINDOW), None);
    }

    /// Takes everything from the terminal.
    pub fn end(&self) {
        if let Some(frame) = &self.frame {
            lock(frame).hide(true);
        }
    }

    fn picture(&mut self, live: &LiveState, failures: &[(OutcomeCode, u64)], now: UnixMillis) -> Picture {
        let began = *self.began.get_or_insert(live.at);
        let at = live.at.elapsed_since(began).unwrap_or_default();
        let per_second = self.rows.sample(at, live.rows_ended);
        let age = now.elapsed_since(live.at).filter(|age| *age >= FRESH);
        let aside = match (live.phase, age) {
            (Phase::List, _) => Some(("looking", "Leaf's list of users is being read".to_owned())),
            (Phase::Links, _) => Some(("links", "magic links are being made".to_owned())),
            (Phase::Rows | Phase::Ended, Some(_)) => {
                Some(("since", format!("{}: nothing has changed since then", self.wall.at(live.at))))
            }
            (Phase::Rows | Phase::Ended, None) => None,
        };
        Picture {
            rows: Some(Rows {
                ended: live.rows_ended,
                to_do: live.to_do,
                per_second: (!at.is_zero()).then_some(per_second),
                left: left(live, at, per_second, now),
            }),
            hosts: Service::ALL
                .into_iter()
                .filter(|service| live.host(*service).requests > 0)
                .map(|service| self.host(service, live.host(service), now))
                .collect(),
            failures: failures.to_vec(),
            settling: (live.parked, None),
            aside,
            stopping: live.draining.clone(),
            ..Picture::default()
        }
    }

    fn host(&self, service: Service, live: &LiveHost, now: UnixMillis) -> HostPicture {
        let hold = live.hold.map(|hold| HoldPicture {
            status: match hold {
                Hold::Throttled { status } => Some(status),
                Hold::Down => None,
            },
            why: None,
            until: live.held_until.and_then(|until| {
                let left = until.elapsed_since(now).filter(|left| !left.is_zero())?;
                Some((self.wall.at(until), left))
            }),
        });
        // A pause to slow down that is over by now is none; a host that was down is being tried.
        let hold = hold.filter(|hold| hold.until.is_some() || hold.status.is_none());
        HostPicture {
            service,
            per_second: live.per_second_now,
            allowed: live.rate,
            quota: live.rate.map(rate).unwrap_or_default(),
            throttled: live.throttled,
            hold,
        }
    }
}

/// How long the rows that are left will take, by what was seen of them while they were watched.
fn left(live: &LiveState, watched: Duration, per_second: f64, now: UnixMillis) -> Left {
    let rows = live.to_do.saturating_sub(live.rows_ended);
    let unknown = |why: &str| Left::Unknown(why.to_owned());
    if rows == 0 {
        return Left::Nothing;
    }
    if live.draining.is_some() {
        return unknown("stopping");
    }
    let down = Service::ALL.into_iter().find(|service| live.host(*service).hold == Some(Hold::Down));
    if let Some(service) = down {
        return Left::Unknown(format!("{service} is down"));
    }
    let is_held = |service: &Service| {
        let until = live.host(*service).held_until;
        until.and_then(|until| until.elapsed_since(now)).is_some_and(|left| left >= Duration::from_secs(10))
    };
    if let Some(service) = Service::ALL.into_iter().find(is_held) {
        return Left::Unknown(format!("{service} asked for a pause"));
    }
    if live.parked >= rows {
        return unknown("the last rows settle");
    }
    if watched < Duration::from_secs(4) {
        return unknown("watched too short to say");
    }
    #[allow(clippy::cast_precision_loss, reason = "an estimate needs no 53 bits")]
    let seconds = rows as f64 / per_second;
    match Duration::try_from_secs_f64(seconds.ceil()) {
        Ok(span) => Left::About(span),
        Err(_) => unknown("no row has ended of late"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: i64 = 1_795_269_800_000;

    fn live(seconds: i64, rows_ended: u64) -> LiveState {
        let host = LiveHost {
            requests: 40,
            throttled: 0,
            per_second_now: 9.9,
            rate: Some(10.0),
            held_until: None,
            hold: None,
        };
        LiveState {
            at: UnixMillis(BEGAN + seconds * 1_000),
            phase: Phase::Rows,
            rows_ended,
            to_do: 1_000,
            parked: 0,
            stara: host,
            leaf: LiveHost { per_second_now: 2.0, ..host },
            draining: None,
        }
    }

    fn show() -> LiveShow {
        LiveShow { frame: None, wall: WallClock::standing(), rows: Pace::over(ROWS_WINDOW), began: None }
    }

    fn said(show: &mut LiveShow, live: &LiveState, failures: &[(OutcomeCode, u64)]) -> String {
        show.show(live, failures, live.at).unwrap()
    }

    #[test]
    fn without_a_terminal_each_look_is_a_line() {
        let mut show = show();
        let failures = [(OutcomeCode::LeafUserUnknown, 2), (OutcomeCode::StaraLoginRejected, 3)];
        assert_eq!(
            said(&mut show, &live(0, 100), &failures),
            "100 of 1,000, — left (watched too short to say); Stara 9.9/s of 10.0/s, sets the pace; Leaf 2.0/s of 10.0/s; \
             failed 5: stara-login-rejected ×3, leaf-user-unknown ×2"
        );
        assert_eq!(
            said(&mut show, &live(10, 200), &[]),
            "200 of 1,000, 10.0/s, ~1m 20s left; Stara 9.9/s of 10.0/s, sets the pace; Leaf 2.0/s of 10.0/s"
        );
    }

    #[test]
    fn what_the_run_waits_for_is_said() {
        let state = live(0, 100);
        let held = LiveHost {
            held_until: Some(UnixMillis(BEGAN + 12_000)),
            hold: Some(Hold::Throttled { status: 429 }),
            throttled: 1,
            ..state.leaf
        };
        let line = said(&mut show(), &LiveState { leaf: held, ..state.clone() }, &[]);
        assert!(line.contains("— left (Leaf asked for a pause)"), "{line}");
        assert!(
            line.contains("; Leaf 429: waits until 14:03:32 (12s), 1 throttled, 2.0/s of 10.0/s"),
            "{line}"
        );
        let over =
            show().show(&LiveState { leaf: held, ..state.clone() }, &[], UnixMillis(BEGAN + 13_000)).unwrap();
        assert!(!over.contains("429"), "{over}");
        let down = LiveHost { hold: Some(Hold::Down), ..held };
        let line = said(&mut show(), &LiveState { stara: down, ..state }, &[]);
        assert!(
            line.contains("— left (Stara is down)") && line.contains("Stara down: tried again at"),
            "{line}"
        );
    }

    #[test]
    fn a_run_that_says_nothing_any_more_is_said_to() {
        let state = live(0, 100);
        let line = show().show(&state, &[], UnixMillis(BEGAN + 60_000)).unwrap();
        assert!(line.contains("14:03:20: nothing has changed since then"), "{line}");
    }
}
