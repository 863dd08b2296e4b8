//! Encodes records on a thread of their own while the next ones are being read.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};

use super::encode::Encode;
use super::record::ResultRecord;

/// How many records go over at a time: waking a thread for each would cost more than it gains.
const BATCH: usize = 512;

/// How many batches may lie ready.
const READY: usize = 2;

/// Encodes the records in their order and answers how many they were. The first error, of either side, ends it; `failed`
/// makes the caller's of one of the encoder's.
pub(super) fn encode_behind<E>(
    encoder: Box<dyn Encode + Send + '_>,
    records: impl Iterator<Item = Result<ResultRecord, E>>,
    failed: impl Fn(io::Error) -> E,
) -> Result<u64, E> {
    std::thread::scope(|scope| {
        // It lives in here, so that an error ends the encoder's waiting, too.
        let (ready, batches) = sync_channel(READY);
        let encoding = scope.spawn(move || encode(encoder, &batches));
        let mut batch = Vec::with_capacity(BATCH);
        for record in records {
            batch.push(record?);
            if batch.len() == BATCH {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                if ready.send(Part::Records(full)).is_err() {
                    break;
                }
            }
        }
        // Where nobody takes them any more the encoder has failed, and says why.
        let _ = ready.send(Part::Records(batch)).and_then(|()| ready.send(Part::End));
        drop(ready);
        encoding.join().unwrap_or_else(|panic| resume_unwind(panic)).map_err(failed)
    })
}

/// What goes over.
enum Part {
    /// The next records.
    Records(Vec<ResultRecord>),
    /// There are no more. Without it the reading failed, and what is there is no report.
    End,
}

fn encode(mut encoder: Box<dyn Encode + Send + '_>, batches: &Receiver<Part>) -> io::Result<u64> {
    let mut count = 0;
    for part in batches {
        match part {
            Part::Records(records) => {
                for record in &records {
                    encoder.encode(record)?;
                    count += 1;
                }
            }
            Part::End => encoder.finish()?,
        }
    }
    Ok(count)
}
