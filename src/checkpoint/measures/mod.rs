//! What a run measures of itself: what each host was asked slot by slot, how long it took to answer, and how the run stands.
//!
//! Main types: [`RunMeasures`] with its [`MeasuredSlot`]s and [`StageLatency`]s; [`LiveState`] with its [`LiveHost`]s, for
//! whoever follows a run from another process.
//!
//! It holds counts and times only: no user, no login, nothing that a host said. It may not measure anything itself.

mod live;
mod stored;
mod timeline;

pub use live::{Hold, LiveHost, LiveState, ParseHoldError, Phase};
pub(super) use stored::write;
pub use timeline::{HostSlot, MeasuredSlot, RunMeasures, StageLatency};
