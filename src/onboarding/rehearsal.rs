//! A run against simulated services inside this process, which know the manifest's growers.

use std::path::Path;
use std::time::Duration;

use crate::api::LeafAccount;
use crate::checkpoint::{Ledger, LedgerAccess};
use crate::manifest::{Manifest, ManifestError, Record};
use crate::model::Secret;
use crate::sandbox::World;

/// How old an attach or a deletion with a lost reply must be in a rehearsal before it counts as not having happened. The
/// profiles let nothing take effect, and show itself, later than three seconds after they cut a connection.
pub(crate) const REHEARSAL_SETTLE: Duration = Duration::from_secs(5);

/// A world that knows the growers of a manifest, and nobody else.
pub(crate) fn world_of(manifest: &Manifest, seed: u64) -> Result<World, ManifestError> {
    let world = World::closed().seeded(seed);
    for record in manifest.records()? {
        if let Record::Row(row) = record? {
            world.add_grower(row.leaf_user_id, &row.login, &row.password);
        }
    }
    Ok(world)
}

/// How many runs a ledger has seen. One that can't be read says so later.
pub(crate) fn runs_in(ledger: &Path) -> u64 {
    let latest = Ledger::open(ledger, LedgerAccess::Read).and_then(|ledger| ledger.latest_run());
    latest.ok().flatten().map_or(0, |record| record.run.unsigned_abs())
}

/// What the simulated services take for a token: anything.
pub(crate) fn rehearsal_secret() -> Secret {
    Secret::new("sandbox".to_owned())
}

/// The account with which the token is renewed where the simulated Leaf lets it expire: any is as good.
pub(crate) fn rehearsal_account() -> LeafAccount {
    LeafAccount { username: "sandbox".to_owned(), password: rehearsal_secret() }
}
