//! One reading of a manifest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::csv::CsvRecords;
use super::open::Contents;
use super::parquet::ParquetRecords;
use super::{ManifestError, ManifestProblem, Record, Source};

/// The records of a manifest in their order. After an error there are no more.
pub struct Records {
    name: Arc<str>,
    position: Arc<AtomicU64>,
    reading: Reading,
}

enum Reading {
    Csv(Box<CsvRecords>),
    Parquet(Box<ParquetRecords>),
    Ended,
}

impl Records {
    pub(super) fn open(contents: &Contents, source: &Source) -> Result<Self, ManifestProblem> {
        let position = Arc::default();
        let reading = match contents {
            Contents::Csv(layout) => Reading::Csv(Box::new(CsvRecords::open(layout, Arc::clone(&position))?)),
            Contents::Parquet(file) => {
                Reading::Parquet(Box::new(ParquetRecords::open(file, Arc::clone(&position))?))
            }
        };
        Ok(Self { name: source.name().into(), position, reading })
    }

    /// How much of the source was used so far, in bytes of [`Manifest::size_bytes`](super::Manifest::size_bytes).
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }
}

impl Iterator for Records {
    type Item = Result<Record, ManifestError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.reading {
            Reading::Csv(records) => records.next(),
            Reading::Parquet(records) => records.next(),
            Reading::Ended => return None,
        };
        if !matches!(next, Ok(Some(_))) {
            self.reading = Reading::Ended;
        }
        next.map_err(|problem| problem.of(&self.name)).transpose()
    }
}

impl std::iter::FusedIterator for Records {}

impl std::fmt::Debug for Records {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Records")
            .field("name", &self.name)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
