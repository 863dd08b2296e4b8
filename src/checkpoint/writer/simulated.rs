//! The writer on a simulated machine: a task of its one runtime, whose commits take virtual time, so that a seed
//! always forms the same groups.

use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::{LARGEST_GROUP, Write, gather, write_group};
use crate::checkpoint::Ledger;
use crate::model::simulated::commit_time;

impl Ledger {
    /// Asks `fails` at each commit from here on whether it is to fail, as on a full disk.
    pub(crate) fn fail_commits(&mut self, fails: impl FnMut() -> bool + Send + 'static) {
        self.connection.commit_hook(Some(fails)).unwrap();
    }
}

/// What the writer's thread does otherwise.
pub(super) async fn write_until_closed(
    ledger: Ledger,
    mut queue: mpsc::Receiver<Write>,
    failure: Arc<OnceLock<String>>,
    give_back: oneshot::Sender<Ledger>,
) {
    let mut group = Vec::new();
    while queue.recv_many(&mut group, LARGEST_GROUP).await > 0 {
        sleep(commit_time()).await;
        gather(&mut queue, &mut group, false);
        let Some(waiters) = write_group(&ledger, &mut group, &failure) else { break };
        for done in waiters.into_iter().flatten() {
            let _ = done.send(());
        }
    }
    let _ = give_back.send(ledger);
}
