//! One line of the results.

use std::fmt;

use crate::model::{LeafUserId, Login, Origin, OutcomeCode, Stage, UnixMillis};

/// What became of one line of the manifest.
///
/// Advice, owner and what the next run does aren't part of it: they follow from the outcome.
#[derive(Clone, PartialEq, Eq)]
pub struct ResultRecord {
    /// The physical line on which the row starts; in Parquet the row's number, from 1.
    pub line: u64,
    /// The user; `None` on an invalid line whose cell holds no UUID.
    pub leaf_user_id: Option<LeafUserId>,
    /// The login; `None` on an invalid line, where a password may stand in its place.
    pub login: Option<Login>,
    /// How the row ended.
    pub outcome: OutcomeCode,
    /// Where the credential came from, for rows that have one.
    pub origin: Option<Origin>,
    /// Where the row ended; `None` for a row that was not reached.
    pub stage: Option<Stage>,
    /// The HTTP status of that stage's last answer, where there was one.
    pub http_status: Option<u16>,
    /// How often that stage's call was sent.
    pub attempts: Option<u32>,
    /// The id of the credential at Leaf, where one was seen.
    pub credential_id: Option<String>,
    /// The credential's status, word for word as Leaf gave it.
    pub credential_status: Option<String>,
    /// When the outcome was recorded.
    pub finished_at: Option<UnixMillis>,
    /// What happened, in our own words.
    pub message: String,
    /// The cells of the kept manifest columns, in the order of their names.
    pub kept: Vec<String>,
    /// Whether `--limit` or `--only` left the row out.
    pub not_selected: bool,
}

impl ResultRecord {
    /// Whether nobody wanted the row to be reached, and nothing is known of it from earlier.
    pub(super) fn is_left_out(&self) -> bool {
        self.not_selected && self.outcome == OutcomeCode::NotReached
    }
}

impl fmt::Debug for ResultRecord {
    /// Masks the login, and the kept cells too: which columns of the manifest are kept is the user's choice.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResultRecord")
            .field("line", &self.line)
            .field("leaf_user_id", &self.leaf_user_id)
            .field("login", &self.login)
            .field("outcome", &self.outcome)
            .field("origin", &self.origin)
            .field("stage", &self.stage)
            .field("http_status", &self.http_status)
            .field("attempts", &self.attempts)
            .field("credential_id", &self.credential_id)
            .field("credential_status", &self.credential_status)
            .field("finished_at", &self.finished_at)
            .field("message", &self.message)
            .field("kept", &format_args!("{} cells", self.kept.len()))
            .field("not_selected", &self.not_selected)
            .finish()
    }
}
