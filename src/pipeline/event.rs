//! What happens in a run, told to whoever shows it.

use std::time::Duration;

use crate::http::Unreached;
use crate::manifest::LintReport;
use crate::model::{LeafUserId, OutcomeCode, Service, Shard, Stage};

/// Hears every event of a run, in the order in which it happened to each row.
///
/// It is called from many threads, on the path of every request: it must return at once and must not block.
pub trait Observe: Send + Sync {
    /// Takes note of one event.
    fn observe(&self, event: &Event);
}

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// The first reading of the manifest began.
    StagingStarted {
        /// The manifest's size on disk in bytes, where it is known.
        total_bytes: Option<u64>,
    },
    /// So much of the manifest has been staged so far.
    StagingProgressed {
        /// Lines staged.
        lines: u64,
        /// Bytes of the source consumed.
        bytes: u64,
    },
    /// The lint of the manifest found something: how much of each kind, and no places.
    Linted(Box<LintReport>),
    /// Logins of this shard stand in rows of other shards, too, which are carried out at the same time.
    LoginsDivided {
        /// How many.
        logins: u64,
        /// Whether there may be more: there were too many to be compared.
        is_at_least: bool,
    },
    /// The manifest is staged, every row is decided, and rows begin to be carried out.
    Started(Box<Plan>),
    /// How Leaf is looked at was chosen.
    LookChosen {
        /// Whether by its list of users; else user by user.
        list: bool,
        /// How many pages the list has, where that is known.
        pages: Option<u64>,
        /// How many users are to be seen.
        users: u64,
    },
    /// A page of Leaf's list of users was read.
    ListRead {
        /// Pages read so far.
        pages: u64,
    },
    /// A user was looked at, to see what Leaf holds.
    UserSeen,
    /// A request ended, with an answer or without.
    RequestEnded {
        /// The service it went to.
        service: Service,
        /// The stage of the row that it was sent for; `None` where it was sent for no row, as Leaf's login and its list are.
        stage: Option<Stage>,
        /// How long it took from sending it to the whole answer, or to giving it up.
        took: Duration,
        /// The answer's status; `None` when there was no answer.
        status: Option<u16>,
        /// Whether it asked us to slow down.
        throttled: bool,
        /// Requests a second that are let through from here on, where the quota is being looked for.
        rate: Option<f64>,
    },
    /// Everybody is to wait before asking a service again.
    Held {
        /// The service.
        service: Service,
        /// For how long from now.
        wait: Duration,
        /// Why.
        reason: HoldReason,
    },
    /// A row whose attach has an unknown result was parked until it can be judged.
    Parked {
        /// For how long from now.
        wait: Duration,
    },
    /// A parked row goes on.
    Unparked,
    /// A row ended, and its outcome is durable.
    RowFinished {
        /// Its line in the manifest.
        line: u64,
        /// Its user.
        leaf_user_id: LeafUserId,
        /// How it ended.
        code: OutcomeCode,
        /// Where it ended.
        stage: Stage,
    },
    /// Nothing new is started from here on; what is under way is brought to its end.
    Draining {
        /// Why, as a clause for people: `Leaf asked for a pause of 20m`.
        reason: String,
    },
    /// The rows have ended, and magic links begin to be made.
    LinksBegun {
        /// For how many users, one call each.
        users: u64,
    },
    /// Every row that was started has ended. No event follows.
    Ended,
}

/// Why everybody is to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// The service wants us to slow down.
    Throttled {
        /// The status that said so.
        status: u16,
    },
    /// The service is down: it can't be reached, or answers with server errors.
    Down {
        /// Why there is no connection, where there is none.
        why: Option<Unreached>,
    },
}

/// What a run is about to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Stara's part.
    pub stara: HostPlan,
    /// Whether Stara is asked at all.
    pub asks_stara: bool,
    /// Leaf's part.
    pub leaf: HostPlan,
    /// Whose Leaf account it is, in words for people: `as ops@example.com`, `with LEAF_TOKEN`.
    pub account: String,
    /// Which part of the manifest it is about; `None` where it is about the whole.
    pub shard: Option<Shard>,
    /// Lines in the manifest, or of its part.
    pub lines: u64,
    /// Rows this run will try.
    pub to_do: u64,
    /// Rows that were done before this run and cost nothing.
    pub done_before: u64,
    /// Lines that are no rows.
    pub invalid: u64,
    /// Lines that repeat an earlier one.
    pub duplicate: u64,
    /// Lines that contradict another one.
    pub conflict: u64,
    /// The most rows in flight at a time.
    pub concurrency: usize,
    /// About how long the run will take, where the quotas tell.
    pub expected: Option<Duration>,
}

/// What a run may ask of one host.
#[derive(Debug, Clone)]
pub struct HostPlan {
    /// Scheme, host and port.
    pub origin: String,
    /// The rate in the words of its flag: `10/s`, `none`, `auto`; a shard has its part of it.
    pub rate: String,
    /// The quota in requests per second, or the shard's part of it; `None` without one.
    pub per_second: Option<f64>,
}
