//! What a subject of an audit is: a pure function of what the ledger knows and what was seen.

use crate::checkpoint::AuditedUser;
use crate::model::{Credential, CredentialId, Finding, Health, Sight};

/// What a subject of an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It holds the credential that the ledger knows, and nothing says that it is broken.
    Healthy,
    /// It isn't as the ledger expects.
    Found(Finding),
    /// It never had a credential, as far as the ledger knows, and holds none.
    NotAttached,
    /// Something that was sent isn't settled: what is there now may not be there in a minute.
    Unsettled,
    /// Nothing was seen.
    Unseen,
}

/// Judges a subject.
pub(super) fn judge(user: &AuditedUser) -> Judgement {
    if user.is_open {
        return Judgement::Unsettled;
    }
    let is_expected = user.known.is_some() || user.is_done;
    match &user.sight {
        None => Judgement::Unseen,
        Some(Sight::UnknownUser) => Judgement::Found(Finding::UnknownUser),
        // That this account may not see the user says nothing about the credential.
        Some(Sight::Forbidden) if is_expected => Judgement::Unseen,
        Some(Sight::NoCredential) if is_expected => Judgement::Found(Finding::Missing),
        Some(Sight::Forbidden | Sight::NoCredential) => Judgement::NotAttached,
        Some(Sight::Credential(credential)) => of_credential(user, credential),
    }
}

fn of_credential(user: &AuditedUser, credential: &Credential) -> Judgement {
    if !is_known(user.known.as_ref(), user.is_done, credential) {
        return Judgement::Found(Finding::Foreign);
    }
    match credential.health() {
        Health::Healthy => Judgement::Healthy,
        Health::Unhealthy => Judgement::Found(Finding::Unhealthy),
    }
}

/// Whether it is the credential that the ledger knows. One that Leaf shows without an id can't be told from it, and isn't
/// called foreign where one is expected.
fn is_known(known: Option<&CredentialId>, is_done: bool, credential: &Credential) -> bool {
    match (known, &credential.id) {
        (Some(known), Some(id)) => known == id,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => is_done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::UserKey;
    use crate::model::LeafUserId;

    /// The ledger knows this credential, or none; its last outcome is done, or it isn't.
    fn user(known: Option<&str>, is_done: bool, sight: Option<Sight>) -> AuditedUser {
        AuditedUser {
            user: UserKey::first(),
            leaf_user_id: LeafUserId::from_bytes([1; 16]),
            known: known.and_then(CredentialId::new),
            is_done,
            is_open: false,
            sight,
        }
    }

    fn credential(id: Option<&str>, status: Option<&str>) -> Sight {
        Sight::Credential(Credential::new(id, status))
    }

    #[test]
    fn a_subject_is_judged_by_this_table() {
        use Finding::{Foreign, Missing, Unhealthy, UnknownUser};
        use Judgement::{Found, Healthy, NotAttached, Unseen};
        let (ours, theirs) = (Some("a"), Some("b"));
        let healthy = |id| credential(id, Some("OK"));
        let broken = |id| credential(id, Some("Invalid"));
        let table = [
            // What is known, whether it is done, what was seen, what it is.
            (ours, true, Some(healthy(ours)), Healthy),
            (ours, false, Some(healthy(ours)), Healthy),
            (ours, true, Some(credential(ours, Some("a word nobody knows"))), Healthy),
            (ours, true, Some(credential(ours, None)), Healthy),
            (ours, true, Some(credential(None, Some("OK"))), Healthy),
            (ours, true, Some(broken(ours)), Found(Unhealthy)),
            (ours, true, Some(broken(None)), Found(Unhealthy)),
            (ours, true, Some(healthy(theirs)), Found(Foreign)),
            (ours, true, Some(broken(theirs)), Found(Foreign)),
            (None, false, Some(healthy(theirs)), Found(Foreign)),
            (None, false, Some(healthy(None)), Found(Foreign)),
            (None, true, Some(healthy(theirs)), Found(Foreign)),
            (None, true, Some(healthy(None)), Healthy),
            (ours, true, Some(Sight::NoCredential), Found(Missing)),
            (ours, false, Some(Sight::NoCredential), Found(Missing)),
            (None, true, Some(Sight::NoCredential), Found(Missing)),
            (None, false, Some(Sight::NoCredential), NotAttached),
            (ours, true, Some(Sight::UnknownUser), Found(UnknownUser)),
            (None, false, Some(Sight::UnknownUser), Found(UnknownUser)),
            (ours, true, Some(Sight::Forbidden), Unseen),
            (None, false, Some(Sight::Forbidden), NotAttached),
            (ours, true, None, Unseen),
            (None, false, None, Unseen),
        ];
        for (known, is_done, sight, expected) in table {
            let subject = user(known, is_done, sight);
            assert_eq!(judge(&subject), expected, "{subject:?}");
            let open = AuditedUser { is_open: true, ..subject };
            assert_eq!(judge(&open), Judgement::Unsettled, "{open:?}");
        }
    }
}
