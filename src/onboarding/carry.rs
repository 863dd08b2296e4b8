//! The two readings of a manifest, one after the other: every line into the ledger, and then what is left to do.

use std::sync::Arc;

use crate::checkpoint::{Ledger, RunStart, StagingTotals};
use crate::manifest::Manifest;
use crate::pipeline::{self, Observe, RunError, RunOptions, RunResult, StagingError, StagingOptions, Stop};

/// How a manifest is carried out.
pub(crate) struct Carrying {
    pub(crate) start: RunStart,
    pub(crate) staging: StagingOptions,
    pub(crate) options: RunOptions,
    pub(crate) stop: Stop,
    pub(crate) observer: Arc<dyn Observe>,
}

/// Why a manifest wasn't carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CarryError {
    /// It wasn't staged, and nothing was sent.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// What was staged couldn't be carried out.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The thread that stages it is gone.
    #[error("staging ended unexpectedly")]
    StagingGone,
}

/// Stages the manifest, and carries out what is left to do. Whoever calls it holds the ledger's lock.
pub(crate) async fn carry(
    mut ledger: Ledger,
    manifest: Manifest,
    carrying: Carrying,
) -> Result<(StagingTotals, RunResult), CarryError> {
    let Carrying { start, staging, options, stop, observer } = carrying;
    let (watching, stopping) = (Arc::clone(&observer), stop.clone());
    let staging = tokio::task::spawn_blocking(move || {
        let staged = pipeline::stage(&mut ledger, &manifest, &start, &staging, &stopping, &*watching);
        staged.map(|staged| (staged, ledger, manifest))
    });
    let (staged, ledger, manifest) = staging.await.map_err(|_| CarryError::StagingGone)??;
    tracing::info!(run = staged.run, lines = staged.lines, to_do = staged.to_do, "staged");
    let result = pipeline::run(ledger, manifest, staged, options, stop, observer).await?;
    Ok((staged, result))
}
