//! What happens in a run, for other programs.

use std::time::Duration;

use crate::model::{LeafUserId, OutcomeCode, Service, Stage};
use crate::pipeline;

/// Something that happened in a run. More kinds may come.
///
/// ```
/// use stara_onboard::Event;
///
/// fn tell(event: &Event) {
///     match event {
///         Event::Started { to_do, .. } => println!("{to_do} rows to do"),
///         Event::RowEnded { line, code, .. } => println!("line {line}: {code}"),
///         Event::Waiting { service, wait, .. } => println!("{service} is given {wait:?}"),
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Something that somebody should know before it goes on; a sentence.
    Warned {
        /// The sentence.
        text: String,
    },
    /// So many lines of the manifest have been read and judged so far. Nothing has been sent yet.
    Read {
        /// How many.
        lines: u64,
    },
    /// Every line is judged, and rows begin to be carried out.
    #[non_exhaustive]
    Started {
        /// Lines in the manifest.
        lines: u64,
        /// Rows that this run will try.
        to_do: u64,
        /// Rows that earlier runs had done. They cost nothing.
        done_before: u64,
    },
    /// A row ended, and that is durable.
    #[non_exhaustive]
    RowEnded {
        /// Its line in the manifest.
        line: u64,
        /// Its user at Leaf.
        leaf_user_id: LeafUserId,
        /// How it ended.
        code: OutcomeCode,
        /// Where it ended.
        stage: Stage,
    },
    /// A service is asked nothing for a while.
    #[non_exhaustive]
    Waiting {
        /// The service.
        service: Service,
        /// For how long from now.
        wait: Duration,
        /// Whether it asked for it; else it is down.
        is_throttled: bool,
    },
    /// Nothing new is started from here on, and what is under way is brought to its end.
    Stopping {
        /// Why, as a clause: `Leaf asked for a pause of 20m, longer than --max-hold`.
        reason: String,
    },
}

impl Event {
    /// What others are told of an event of the pipeline, if anything.
    pub(super) fn of(event: &pipeline::Event) -> Option<Self> {
        Some(match event {
            pipeline::Event::StagingProgressed { lines, .. } => Self::Read { lines: *lines },
            pipeline::Event::Started(plan) => {
                Self::Started { lines: plan.lines, to_do: plan.to_do, done_before: plan.done_before }
            }
            pipeline::Event::RowFinished { line, leaf_user_id, code, stage } => {
                Self::RowEnded { line: *line, leaf_user_id: *leaf_user_id, code: *code, stage: *stage }
            }
            pipeline::Event::Held { service, wait, reason } => Self::Waiting {
                service: *service,
                wait: *wait,
                is_throttled: matches!(reason, pipeline::HoldReason::Throttled { .. }),
            },
            pipeline::Event::Draining { reason } => Self::Stopping { reason: reason.clone() },
            _ => return None,
        })
    }
}
