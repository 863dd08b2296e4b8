//! Which rows a repair carries out: those whose credential is ours, and was found unhealthy often enough.

use std::cell::Cell;

use crate::checkpoint::{LineDecision, StagedUser};
use crate::model::Finding;

/// By which rule a run repairs (`audit --repair`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairRule {
    /// In how many audits in a row a credential must have been found unhealthy.
    pub audits: u64,
    /// The most credentials that are replaced. What is due beyond that is left as it stands.
    pub most: u64,
}

/// Decides row after row by a rule.
#[derive(Debug)]
pub(crate) struct RepairDecider {
    rule: RepairRule,
    left: Cell<u64>,
}

impl RepairDecider {
    pub(crate) fn new(rule: RepairRule) -> Self {
        Self { rule, left: Cell::new(rule.most) }
    }

    /// The decision for the row of this user. A replacement that was begun is completed, however many there are: the user
    /// may have no credential until then.
    pub(crate) fn decide(&self, user: &StagedUser) -> LineDecision {
        let intent = user.record.as_ref().and_then(|record| record.intent.as_ref());
        match intent {
            Some(intent) if intent.replacing => LineDecision::ToDo,
            Some(_) => LineDecision::NotSelected,
            None if !self.is_due(user) => LineDecision::NotSelected,
            None if user.refusal.is_some() => LineDecision::Refused,
            None => match self.left.get().checked_sub(1) {
                Some(left) => {
                    self.left.set(left);
                    LineDecision::ToDo
                }
                None => LineDecision::NotSelected,
            },
        }
    }

    fn is_due(&self, user: &StagedUser) -> bool {
        user.finding.is_some_and(|found| {
            found.finding == Finding::Unhealthy && found.is_of_ours && found.audits >= self.rule.audits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Fingerprint, Intent, Refusal, StandingFinding, UserRecord};
    use crate::model::UnixMillis;

    fn user(finding: Finding, audits: u64, is_of_ours: bool) -> StagedUser {
        let record =
            UserRecord { login: None, row: None, login_print: None, outcome: None, intent: None, held: None };
        StagedUser {
            record: Some(record),
            refusal: None,
            is_reopened: false,
            finding: Some(StandingFinding { finding, audits, is_of_ours }),
            has_link: false,
        }
    }

    fn decide(user: &StagedUser) -> LineDecision {
        RepairDecider::new(RepairRule { audits: 2, most: 9 }).decide(user)
    }

    #[test]
    fn only_what_is_ours_and_unhealthy_in_two_audits_in_a_row_is_due() {
        assert_eq!(decide(&user(Finding::Unhealthy, 2, true)), LineDecision::ToDo);
        assert_eq!(decide(&user(Finding::Unhealthy, 1, true)), LineDecision::NotSelected);
        assert_eq!(decide(&user(Finding::Unhealthy, 9, false)), LineDecision::NotSelected);
        for finding in [Finding::Missing, Finding::Foreign, Finding::UnknownUser] {
            assert_eq!(decide(&user(finding, 9, true)), LineDecision::NotSelected);
        }
        let well = StagedUser { finding: None, ..user(Finding::Missing, 1, true) };
        assert_eq!(decide(&well), LineDecision::NotSelected);
    }

    #[test]
    fn what_is_due_beyond_the_bound_stands_as_it_is() {
        let decider = RepairDecider::new(RepairRule { audits: 1, most: 2 });
        let due = user(Finding::Unhealthy, 1, true);
        let decisions = [0; 4].map(|_| decider.decide(&due));
        let (to_do, left) = (LineDecision::ToDo, LineDecision::NotSelected);
        assert_eq!(decisions, [to_do, to_do, left, left]);
    }

    #[test]
    fn a_login_that_was_refused_is_not_tried_again_and_uses_nothing_up() {
        let decider = RepairDecider::new(RepairRule { audits: 1, most: 1 });
        let refusal = Refusal { login: Fingerprint(1), http_status: Some(401), at: UnixMillis(0) };
        let refused = StagedUser { refusal: Some(refusal), ..user(Finding::Unhealthy, 1, true) };
        assert_eq!(decider.decide(&refused), LineDecision::Refused);
        assert_eq!(decider.decide(&user(Finding::Unhealthy, 1, true)), LineDecision::ToDo);
    }

    #[test]
    fn a_replacement_that_was_begun_is_completed_and_nothing_else_that_is_open() {
        let intent = |replacing| Intent {
            at: UnixMillis(0),
            attaches: 0,
            acknowledged: false,
            over_nothing: false,
            replacing,
            removing: None,
            login: None,
            run: None,
        };
        for (replacing, expected) in [(true, LineDecision::ToDo), (false, LineDecision::NotSelected)] {
            let mut user = user(Finding::Unhealthy, 9, true);
            if let Some(record) = &mut user.record {
                record.intent = Some(intent(replacing));
            }
            let decider = RepairDecider::new(RepairRule { audits: 2, most: 0 });
            assert_eq!(decider.decide(&user), expected);
        }
    }
}
