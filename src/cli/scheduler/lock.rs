//! Waits for the ledger while another run holds it.

use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::checkpoint::{LedgerError, RunLock};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::run::{internal, tell};
use crate::cli::signals::NextSignal;

/// The lock, and until the verb watches for signals by itself somebody who does.
pub(in crate::cli) struct HeldLock {
    lock: RunLock,
    watch: Option<JoinHandle<()>>,
}

impl HeldLock {
    /// The lock, for whoever watches for signals from here on.
    pub(in crate::cli) fn into_lock(self) -> RunLock {
        if let Some(watch) = self.watch {
            watch.abort();
        }
        self.lock
    }
}

/// Takes the lock of the ledger at `ledger`, at most `patience` after it was first asked for.
///
/// # Errors
///
/// When another run still has it then, a signal came, or its file can't be used.
pub(super) async fn acquire(ledger: &Path, patience: Duration, is_quiet: bool) -> Result<HeldLock, Failure> {
    let holder = match RunLock::acquire(ledger) {
        Ok(lock) => return Ok(HeldLock { lock, watch: None }),
        Err(LedgerError::Held { holder, .. }) if !patience.is_zero() => holder,
        Err(error) => return Err(error.into()),
    };
    let mut signal = NextSignal::listen()?;
    if !is_quiet {
        tell(&format!("waiting for the ledger {}, which {holder} holds\n", ledger.display()));
    }
    let path = ledger.to_owned();
    let (sender, mut waited) = oneshot::channel();
    // The system wakes it as soon as the lock is free. Where that is too late, it ends with the process.
    let spawned = std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
        // A lock that nobody wants any more is dropped, and so free again.
        _ = sender.send(RunLock::acquire_when_free(&path));
    });
    spawned.map_err(|_| internal("the thread that waits for the ledger can't be started"))?;
    tokio::select! {
        biased;
        signal = signal.next() => Err(Failure::new(
            signal.into(),
            anyhow::anyhow!("stopped by {signal} while waiting for the ledger"),
            "nothing was sent; run the same command again",
        )),
        lock = &mut waited => {
            let lock = lock.map_err(|_| internal("the wait for the ledger ended unexpectedly"))??;
            let watch = tokio::spawn(async move {
                let code = ExitCode::from(signal.next().await);
                std::process::exit(i32::from(code.number()));
            });
            Ok(HeldLock { lock, watch: Some(watch) })
        }
        () = tokio::time::sleep(patience) => {
            let lock = RunLock::acquire(ledger)?;
            Ok(HeldLock { lock, watch: None })
        }
    }
}
