//! Tells events to a function that somebody else wrote.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::Event;
use crate::pipeline::{self, Observe};

/// What events are told to.
type Listener = Box<dyn FnMut(Event) + Send>;

/// Tells one event at a time, in their order. Events come from several threads, and from the function itself where it stops the run;
/// whoever finds it busy leaves the event to it.
pub(super) struct Teller {
    telling: Mutex<Telling>,
    when_broken: Box<dyn Fn() + Send + Sync>,
}

struct Telling {
    /// `None` while it is busy, and for good once it has panicked.
    listener: Option<Listener>,
    waiting: VecDeque<Event>,
    is_broken: bool,
}

impl Teller {
    /// Tells `listener`, and calls `when_broken` should it panic: nothing is told any more then.
    pub(super) fn new(
        listener: impl FnMut(Event) + Send + 'static,
        when_broken: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let listener: Listener = Box::new(listener);
        let telling = Telling { listener: Some(listener), waiting: VecDeque::new(), is_broken: false };
        Self { telling: Mutex::new(telling), when_broken: Box::new(when_broken) }
    }

    /// Whether the function panicked.
    pub(super) fn is_broken(&self) -> bool {
        self.lock().is_broken
    }

    /// Tells one more.
    pub(super) fn tell(&self, event: Event) {
        let mut telling = self.lock();
        if telling.is_broken {
            return;
        }
        telling.waiting.push_back(event);
        let Some(mut listener) = telling.listener.take() else { return };
        while let Some(event) = telling.waiting.pop_front() {
            drop(telling);
            let told = catch_unwind(AssertUnwindSafe(|| listener(event)));
            telling = self.lock();
            if told.is_err() {
                telling.is_broken = true;
                telling.waiting.clear();
                drop(telling);
                (self.when_broken)();
                return;
            }
        }
        telling.listener = Some(listener);
    }

    fn lock(&self) -> MutexGuard<'_, Telling> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observe for Teller {
    fn observe(&self, event: &pipeline::Event) {
        if let Some(event) = Event::of(event) {
            self.tell(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, OnceLock};

    use super::*;

    fn read(lines: u64) -> Event {
        Event::Read { lines }
    }

    #[test]
    fn an_event_that_the_function_causes_itself_is_told_after_it_has_returned() {
        let own = Arc::new(OnceLock::<Arc<Teller>>::new());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (cause, hearing) = (Arc::clone(&own), Arc::clone(&heard));
        let teller = Teller::new(
            move |event| {
                if event == read(1) {
                    cause.get().unwrap().tell(read(2));
                }
                hearing.lock().unwrap().push(event);
            },
            || {},
        );
        let teller = Arc::new(teller);
        own.set(Arc::clone(&teller)).ok().unwrap();
        teller.tell(read(1));
        teller.tell(read(3));
        assert_eq!(*heard.lock().unwrap(), [read(1), read(2), read(3)]);
    }

    #[test]
    fn a_function_that_panics_is_told_nothing_more() {
        let broken = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&broken);
        let teller =
            Teller::new(|_| panic!("as planned"), move || _ = counted.fetch_add(1, Ordering::Relaxed));
        teller.tell(read(1));
        teller.tell(read(2));
        assert_eq!((teller.is_broken(), broken.load(Ordering::Relaxed)), (true, 1));
    }
}
