//! What each outcome means and what to do about it: the one text behind `explain`, summary and report.

use super::{NextRun, OutcomeCode, Owner};

impl OutcomeCode {
    /// Who must act.
    #[must_use]
    pub const fn owner(self) -> Owner {
        match self {
            Self::Attached | Self::AlreadyAttached | Self::NotReached => Owner::Nobody,
            Self::ManifestInvalid
            | Self::ManifestDuplicate
            | Self::ManifestConflict
            | Self::LeafUserUnknown
            | Self::LeafUserForbidden
            | Self::LeafCredentialsRefused
            | Self::LeafCredentialsExist
            | Self::Detached => Owner::You,
            Self::StaraLoginRejected => Owner::Grower,
            Self::CredentialUnhealthy => Owner::GrowerOrYou,
            Self::AttachUnconfirmed
            | Self::NeedsReview
            | Self::CredentialRemoved
            | Self::DetachUnconfirmed => Owner::ToolThenYou,
            Self::StaraUnavailable | Self::LeafUnavailable | Self::Throttled | Self::TimedOut => {
                Owner::StaraOrLeaf
            }
            Self::StaraUnexpectedAnswer | Self::LeafUnexpectedAnswer | Self::Internal => Owner::Tool,
        }
    }

    /// What the next run with the same manifest does.
    #[must_use]
    pub const fn next_run(self) -> NextRun {
        match self {
            Self::Attached | Self::AlreadyAttached => NextRun::Nothing,
            Self::ManifestInvalid | Self::ManifestDuplicate | Self::ManifestConflict => NextRun::ReadsAgain,
            Self::StaraLoginRejected => NextRun::WaitsForLogin,
            Self::LeafUserForbidden | Self::LeafCredentialsRefused | Self::LeafCredentialsExist => {
                NextRun::WaitsForRow
            }
            Self::Detached => NextRun::WaitsForName,
            Self::LeafUserUnknown
            | Self::CredentialUnhealthy
            | Self::AttachUnconfirmed
            | Self::NeedsReview
            | Self::CredentialRemoved
            | Self::DetachUnconfirmed => NextRun::LooksAgain,
            Self::StaraUnavailable
            | Self::LeafUnavailable
            | Self::Throttled
            | Self::TimedOut
            | Self::StaraUnexpectedAnswer
            | Self::LeafUnexpectedAnswer
            | Self::Internal
            | Self::NotReached => NextRun::TriesAgain,
        }
    }

    /// Whether the next run looks at Leaf before it does anything for the row, even without a precheck: the user may hold a
    /// credential. An answer that nobody understands may have been to an attach that took effect.
    #[must_use]
    pub fn asks_for_look(self) -> bool {
        self.is_done() || self.next_run() == NextRun::LooksAgain || self == Self::LeafUnexpectedAnswer
    }

    /// What the code means, in one sentence or two.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Attached => "We attached the grower's Stara credential to the Leaf user and saw it there.",
            Self::AlreadyAttached => "The Leaf user already held a healthy Stara credential; it was kept.",
            Self::ManifestInvalid => {
                "The line can't be read as a row: a wrong number of cells, an empty cell, or a leafUserId that is no UUID."
            }
            Self::ManifestDuplicate => {
                "An earlier line has the same leafUserId, login and password; that one counts."
            }
            Self::ManifestConflict => {
                "Several lines name this leafUserId with different logins or passwords, so none of them was sent."
            }
            Self::StaraLoginRejected => "Stara refused this login and password.",
            Self::LeafUserUnknown => {
                "Leaf knows no user with this leafUserId; no Stara login was spent on it."
            }
            Self::LeafUserForbidden => "Leaf doesn't let our account touch this user.",
            Self::LeafCredentialsRefused => "Leaf refused the credential, and the user holds none.",
            Self::LeafCredentialsExist => {
                "The user holds a Stara credential that we didn't attach; it was left alone."
            }
            Self::CredentialUnhealthy => {
                "The user holds a Stara credential, but Leaf says that it can't use it."
            }
            Self::AttachUnconfirmed => {
                "The attach was sent and may have taken effect, but the credential wasn't seen within this run."
            }
            Self::NeedsReview => {
                "The attach was sent twice, both results are unknown, and no credential was seen after either."
            }
            Self::CredentialRemoved => {
                "The old credential was deleted to be replaced, and the new one isn't attached yet."
            }
            Self::Detached => {
                "We deleted the user's Stara credential because `detach` asked for it, and saw it gone."
            }
            Self::DetachUnconfirmed => {
                "The deletion that `detach` asked for was sent, and it isn't known yet whether it took effect."
            }
            Self::StaraUnavailable => {
                "Stara couldn't be reached or answered with server errors, on every attempt."
            }
            Self::LeafUnavailable => {
                "Leaf couldn't be reached or answered with server errors, on every attempt."
            }
            Self::Throttled => "A host asked for a longer pause than this run may make.",
            Self::TimedOut => "The row's own requests used up the time a row may take.",
            Self::StaraUnexpectedAnswer => {
                "Stara answered in a way that fits nothing known of it; nothing was concluded from it."
            }
            Self::LeafUnexpectedAnswer => {
                "Leaf answered in a way that fits nothing known of it; nothing was concluded from it."
            }
            Self::Internal => "A defect of this program ended the row; other rows were not affected.",
            Self::NotReached => "The run ended before it came to this row, or the row wasn't selected.",
        }
    }

    /// What to do, in one sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Attached | Self::AlreadyAttached => "Nothing to do.",
            Self::ManifestInvalid => "Correct the line the message names, then run again.",
            Self::ManifestDuplicate => "Nothing to do; remove the repeated line if you like.",
            Self::ManifestConflict => "Keep the one line that is right, then run again.",
            Self::StaraLoginRejected => {
                "Ask the grower for the right login and password and correct the row, or let them sign in by themselves \
                 (--magic-links); it won't be sent again before that."
            }
            Self::LeafUserUnknown => {
                "Check the leafUserId, or create the user at Leaf; the next run looks again."
            }
            Self::LeafUserForbidden => {
                "Check that the Leaf account owns this user, then run with --retry-failed."
            }
            Self::LeafCredentialsRefused => "Ask Leaf why it refuses them, then run with --retry-failed.",
            Self::LeafCredentialsExist => {
                "Find out who attached it; run --retry-failed --on-existing replace --only ID puts this login in its place, detach \
                 ID --include-foreign takes it away."
            }
            Self::CredentialUnhealthy => {
                "Let the grower check the Stara account; audit --repair attaches anew what is ours, run with --on-existing \
                 replace whatever is there."
            }
            Self::AttachUnconfirmed => "Run again: it looks first and attaches only what isn't there.",
            Self::NeedsReview => "Look at the user at Leaf, and run again after 15 minutes: it looks first.",
            Self::CredentialRemoved => "Run again soon: until then the grower has no credential.",
            Self::Detached => {
                "Take the row out of the manifest; --retry-failed --only ID attaches it again, and after a roll-back a changed row does."
            }
            Self::DetachUnconfirmed => "Run the same detach again: it looks first.",
            Self::StaraUnavailable => "Run again when Stara answers.",
            Self::LeafUnavailable => "Run again when Leaf answers.",
            Self::Throttled => "Run again later, or with a lower rate.",
            Self::TimedOut => "Run again; if it stays so, the host is too slow for --row-deadline.",
            Self::StaraUnexpectedAnswer => {
                "Check --stara-url and --stara-dialect, then run again; if it stays so, report it."
            }
            Self::LeafUnexpectedAnswer => "Check --leaf-url, then run again; if it stays so, report it.",
            Self::Internal => "Run again, and report it with the log.",
            Self::NotReached => "Run the same command again to go on.",
        }
    }
}
