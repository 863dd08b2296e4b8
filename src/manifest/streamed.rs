//! Bytes that come as a stream, and for every reading anew: those of a manifest that is decrypted while it is read.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use super::SourceChanged;

/// How much of the beginning is kept in memory. Whatever only looks at the beginning starts no stream, and a whole manifest that
/// isn't longer is streamed once.
const HEAD_BYTES: usize = 1024 * 1024;

/// What gives the same bytes as a stream again and again.
pub trait OpenStream: Send + Sync {
    /// Begins at the first byte. The stream ends with an error unless it is known to be whole.
    ///
    /// # Errors
    ///
    /// When it can't be begun.
    fn open_stream(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// What became of a stream whose beginning was read.
pub(super) enum Found {
    /// All of it is in memory.
    Memory(Zeroizing<Vec<u8>>),
    /// It is read anew each time.
    Streamed(Streamed),
}

/// A source that is streamed anew for each reading.
#[derive(Clone)]
pub(super) struct Streamed {
    opener: Arc<dyn OpenStream>,
    head: Arc<Zeroizing<Vec<u8>>>,
    /// How many bytes there are; 0 until a reading came to the end.
    len: Arc<AtomicU64>,
}

impl Streamed {
    /// Reads the beginning. What is short, or has to be read out of its order, goes into memory as a whole, at most `cap` bytes.
    pub(super) fn find(opener: Arc<dyn OpenStream>, cap: usize) -> io::Result<Found> {
        let mut stream = opener.open_stream()?;
        let head = read_to_memory(stream.by_ref().take(HEAD_BYTES as u64), HEAD_BYTES)?;
        // Only Parquet is read out of its order.
        if head.len() < HEAD_BYTES || head.starts_with(b"PAR1") {
            return Ok(Found::Memory(read_to_memory(Cursor::new(&head[..]).chain(stream), cap)?));
        }
        Ok(Found::Streamed(Self { opener, head: Arc::new(head), len: Arc::default() }))
    }

    /// How many bytes there are, as far as is known.
    pub(super) fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed).max(self.head.len() as u64)
    }

    /// Reads within the beginning, which is all that can be read out of its order.
    pub(super) fn read_some_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.head.get(start..));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a stream can't be read out of its order",
            ));
        };
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    /// A reading of its own from the first byte on.
    pub(super) fn reader(&self) -> StreamedReader {
        StreamedReader { source: self.clone(), offset: 0, rest: Rest::Unopened }
    }
}

/// What comes behind the beginning.
enum Rest {
    Unopened,
    Open(Box<dyn Read + Send>),
    Ended,
}

/// Reads a streamed source from its first byte to its last.
pub(super) struct StreamedReader {
    source: Streamed,
    offset: u64,
    rest: Rest,
}

impl StreamedReader {
    /// A stream behind the beginning, which must be the one that is known.
    fn open_rest(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut stream = self.source.opener.open_stream()?;
        let mut block = Zeroizing::new(vec![0; 64 * 1024]);
        let mut known = &self.source.head[..];
        while !known.is_empty() {
            let wanted = known.len().min(block.len());
            let read = match stream.read(&mut block[..wanted]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read == 0 || block[..read] != known[..read] {
                return Err(io::Error::other(SourceChanged));
            }
            known = &known[read..];
        }
        Ok(stream)
    }
}

impl Read for StreamedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.offset < self.source.head.len() as u64 {
            let read = self.source.read_some_at(buffer, self.offset)?;
            self.offset += read as u64;
            return Ok(read);
        }
        if matches!(self.rest, Rest::Unopened) {
            self.rest = Rest::Open(self.open_rest()?);
        }
        let Rest::Open(stream) = &mut self.rest else { return Ok(0) };
        let read = stream.read(buffer)?;
        self.offset += read as u64;
        if read == 0 {
            self.source.len.store(self.offset, Ordering::Relaxed);
            self.rest = Rest::Ended;
        }
        Ok(read)
    }
}

/// Reads all of `reader` into memory that is wiped when it is let go, also where the buffer had to grow.
///
/// # Errors
///
/// When reading fails, or when there are more than `cap` bytes (kind [`io::ErrorKind::FileTooLarge`]).
pub(super) fn read_to_memory(reader: impl Read, cap: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut reader = reader.take((cap as u64).saturating_add(1));
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut block = Zeroizing::new(vec![0; 64 * 1024]);
    loop {
        let read = match reader.read(&mut block) {
            Ok(0) => return Ok(bytes),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read > cap - bytes.len() {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it holds more than {cap} bytes, too many to keep in memory; put it into a file"),
            ));
        }
        if read > bytes.capacity() - bytes.len() {
            // A vector that grows by itself leaves its old bytes behind unwiped.
            let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity() * 2));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&block[..read]);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Mutex;

    use super::super::{Manifest, ReadOptions, Source};
    use super::*;

    /// Streams of the same bytes, counted; from the `worse_from`th on they are others.
    struct Streams {
        bytes: Vec<u8>,
        opened: Mutex<usize>,
        worse_from: usize,
    }

    impl Streams {
        fn of(bytes: Vec<u8>) -> Arc<Self> {
            Arc::new(Self { bytes, opened: Mutex::new(0), worse_from: usize::MAX })
        }

        fn opened(&self) -> usize {
            *self.opened.lock().unwrap()
        }
    }

    impl OpenStream for Streams {
        fn open_stream(&self) -> io::Result<Box<dyn Read + Send>> {
            let mut opened = self.opened.lock().unwrap();
            *opened += 1;
            let mut bytes = self.bytes.clone();
            if *opened >= self.worse_from {
                bytes[HEAD_BYTES / 2] ^= 1;
            }
            Ok(Box::new(Cursor::new(bytes)))
        }
    }

    fn growers(rows: u64) -> Vec<u8> {
        let mut text = String::from("leafUserId,login,password\n");
        for row in 0..rows {
            writeln!(text, "{:032x},grower{row},password {row}", row + 1).unwrap();
        }
        text.into_bytes()
    }

    #[test]
    fn a_short_stream_is_streamed_once() {
        let streams = Streams::of(growers(100));
        let source = Source::streamed(Arc::clone(&streams) as _, 1 << 20, "growers.csv.age").unwrap();
        let manifest = Manifest::open(source, &ReadOptions::default()).unwrap();
        assert_eq!(manifest.records().unwrap().flatten().count(), 100);
        assert_eq!(streams.opened(), 1);
    }

    #[test]
    fn a_long_stream_is_streamed_again_for_each_whole_reading_and_never_for_its_beginning() {
        let streams = Streams::of(growers(60_000));
        assert!(streams.bytes.len() > 3 * HEAD_BYTES);
        let source = Source::streamed(Arc::clone(&streams) as _, 1 << 20, "growers.csv.age").unwrap();
        let manifest = Manifest::open(source, &ReadOptions::default()).unwrap();
        assert_eq!(streams.opened(), 2, "the beginning, and the look for the encoding");
        assert_eq!(manifest.size_bytes(), streams.bytes.len() as u64, "known once it was read");
        let mut records = manifest.records().unwrap();
        assert_eq!(records.by_ref().take(10).flatten().count(), 10);
        assert_eq!(streams.opened(), 2);
        assert_eq!(records.by_ref().flatten().count(), 59_990);
        assert_eq!(streams.opened(), 3);
        assert_eq!(records.bytes_read(), manifest.size_bytes());
    }

    #[test]
    fn a_stream_that_becomes_another_one_is_a_changed_source() {
        let streams =
            Arc::new(Streams { worse_from: 3, ..Arc::into_inner(Streams::of(growers(60_000))).unwrap() });
        let source = Source::streamed(streams, 1 << 20, "growers.csv.age").unwrap();
        let manifest = Manifest::open(source, &ReadOptions::default()).unwrap();
        let error = manifest.records().unwrap().find_map(Result::err).unwrap();
        assert!(error.is_of_changed_source(), "{error}");
    }

    #[test]
    fn what_must_be_in_memory_and_is_too_long_for_it_is_refused() {
        let mut bytes = vec![0; 3 * HEAD_BYTES];
        bytes[..4].copy_from_slice(b"PAR1");
        let streams = Streams::of(bytes);
        let error = Source::streamed(Arc::clone(&streams) as _, 2 * HEAD_BYTES, "x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(Source::streamed(streams, 3 * HEAD_BYTES, "x").is_ok());
    }
}
