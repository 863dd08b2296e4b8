//! Hands rows from the thread that reads them to the one that carries them.
//!
//! Waking a thread costs as much as a good part of a row, so rows go over in batches. A batch is handed over as soon as
//! nothing else is on its way, so that a row that comes alone isn't kept waiting for company.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::task::RowTask;

/// The most rows in a batch, where many are in flight. They hold their passwords in memory.
const LARGEST_BATCH: usize = 32;

/// Where rows are handed over.
pub(super) struct RowSender {
    batches: mpsc::Sender<Vec<RowTask>>,
    largest: usize,
    gathered: Vec<RowTask>,
}

/// Where rows are taken.
pub(super) struct RowReceiver {
    batches: mpsc::Receiver<Vec<RowTask>>,
    taken: VecDeque<RowTask>,
}

/// Nobody takes rows any more.
#[derive(Debug)]
pub(super) struct Closed;

/// A way for rows from one thread to another, for so many in flight: it holds no more than three batches of half as many.
pub(super) fn handover(concurrency: usize) -> (RowSender, RowReceiver) {
    let (sender, receiver) = mpsc::channel(1);
    let largest = (concurrency / 2).clamp(1, LARGEST_BATCH);
    let sender = RowSender { batches: sender, largest, gathered: Vec::new() };
    (sender, RowReceiver { batches: receiver, taken: VecDeque::new() })
}

impl RowSender {
    /// Whether nobody takes rows any more.
    pub(super) fn is_closed(&self) -> bool {
        self.batches.is_closed()
    }

    /// Hands a row over, now or with the next ones. [`RowSender::end`] hands over what is left.
    pub(super) async fn send(&mut self, task: RowTask) -> Result<(), Closed> {
        self.gathered.push(task);
        if self.gathered.len() >= self.largest || self.batches.capacity() > 0 {
            return self.hand_over().await;
        }
        Ok(())
    }

    /// Hands over what is left.
    pub(super) async fn end(mut self) -> Result<(), Closed> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.hand_over().await
    }

    async fn hand_over(&mut self) -> Result<(), Closed> {
        let batch = std::mem::take(&mut self.gathered);
        self.batches.send(batch).await.map_err(|_| Closed)
    }
}

impl RowReceiver {
    /// The next row, if it is here already.
    pub(super) fn try_recv(&mut self) -> Option<RowTask> {
        if self.taken.is_empty() {
            self.taken = self.batches.try_recv().ok()?.into();
        }
        self.taken.pop_front()
    }

    /// The next row; `None` behind the last. Losing the future loses no row.
    pub(super) async fn recv(&mut self) -> Option<RowTask> {
        loop {
            if let Some(task) = self.taken.pop_front() {
                return Some(task);
            }
            self.taken = self.batches.recv().await?.into();
        }
    }
}
