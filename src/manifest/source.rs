//! The bytes of a manifest, wherever they are.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use super::ranges::{FetchRange, Window};
use super::stream::StreamFault;
use super::streamed::{Found, OpenStream, Streamed, StreamedReader, read_to_memory};

/// A manifest's bytes, which can be read several times, independently and from several threads.
#[derive(Clone)]
pub struct Source {
    bytes: Bytes,
    name: Arc<str>,
    len: u64,
}

#[derive(Clone)]
enum Bytes {
    File(Arc<File>),
    Memory(Arc<Zeroizing<Vec<u8>>>),
    #[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "only buckets give ranges"))]
    Ranges(Window),
    Streamed(Streamed),
}

impl Source {
    /// Takes an open file. `name` is what messages call it, and its ending may tell the format.
    ///
    /// The file's cursor is neither used nor moved: every read names its own offset.
    ///
    /// # Errors
    ///
    /// When the file's size can't be learned, or when it isn't a regular file: a pipe can't be read twice, so it has to
    /// come through [`Source::read_to_memory`].
    pub fn file(file: File, name: impl Into<String>) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it isn't a regular file, so it can't be read twice",
            ));
        }
        Ok(Self { bytes: Bytes::File(Arc::new(file)), name: name.into().into(), len: metadata.len() })
    }

    /// Takes bytes that are in memory already. They hold passwords, so they are wiped when the last user lets go.
    #[must_use]
    pub fn memory(bytes: Zeroizing<Vec<u8>>, name: impl Into<String>) -> Self {
        Self { len: bytes.len() as u64, bytes: Bytes::Memory(Arc::new(bytes)), name: name.into().into() }
    }

    /// Takes `len` bytes that lie elsewhere and come by range. Each reading keeps a few mebibytes of them at most.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "only buckets give ranges"))]
    #[must_use]
    pub fn ranges(ranges: Arc<dyn FetchRange>, len: u64, name: impl Into<String>) -> Self {
        Self { len, bytes: Bytes::Ranges(Window::new(ranges, len)), name: name.into().into() }
    }

    /// Takes bytes that come as a stream, which begins anew for each reading. What is short, or is Parquet, is kept in memory
    /// instead, at most `cap` bytes.
    ///
    /// # Errors
    ///
    /// When the beginning can't be read, or when there are more than `cap` bytes to keep (kind
    /// [`io::ErrorKind::FileTooLarge`]).
    pub fn streamed(opener: Arc<dyn OpenStream>, cap: usize, name: impl Into<String>) -> io::Result<Self> {
        Ok(match Streamed::find(opener, cap)? {
            Found::Memory(bytes) => Self::memory(bytes, name),
            Found::Streamed(streamed) => {
                Self { len: streamed.len(), bytes: Bytes::Streamed(streamed), name: name.into().into() }
            }
        })
    }

    /// The same source for whoever reads nothing behind `end`, beside others who read other parts.
    pub(super) fn until(&self, end: u64) -> Self {
        match &self.bytes {
            Bytes::Ranges(window) => Self { bytes: Bytes::Ranges(window.until(end)), ..self.clone() },
            Bytes::File(_) | Bytes::Memory(_) | Bytes::Streamed(_) => self.clone(),
        }
    }

    /// Reads all of `reader` into memory that is wiped when it is let go, also where the buffer had to grow.
    ///
    /// # Errors
    ///
    /// When reading fails, or when there are more than `cap` bytes (kind [`io::ErrorKind::FileTooLarge`]).
    pub fn read_to_memory(reader: impl Read, cap: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        read_to_memory(reader, cap)
    }

    /// What messages call the source.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The source's size in bytes, when it was opened; of a stream as much as is known, which is all once it was read to its end.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.bytes {
            Bytes::Streamed(streamed) => streamed.len(),
            Bytes::File(_) | Bytes::Memory(_) | Bytes::Ranges(_) => self.len,
        }
    }

    /// Whether the source held no bytes when it was opened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first bytes, at most `most`.
    ///
    /// # Errors
    ///
    /// When they can't be read.
    pub fn beginning(&self, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(vec![0; most]);
        let read = self.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// All bytes in their order, for whoever makes another source of them.
    #[must_use]
    pub fn stream(&self) -> Box<dyn Read + Send> {
        Box::new(self.reader(Arc::default()))
    }

    /// Reads at `offset` into `buffer`; fewer bytes only at the end.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = match self.read_some_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            filled += read;
        }
        Ok(filled)
    }

    fn read_some_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.bytes {
            #[cfg(unix)]
            Bytes::File(file) => std::os::unix::fs::FileExt::read_at(&**file, buffer, offset),
            #[cfg(windows)]
            Bytes::File(file) => std::os::windows::fs::FileExt::seek_read(&**file, buffer, offset),
            Bytes::Memory(bytes) => {
                let start = usize::try_from(offset).map_or(bytes.len(), |start| start.min(bytes.len()));
                let rest = &bytes[start..];
                let read = rest.len().min(buffer.len());
                buffer[..read].copy_from_slice(&rest[..read]);
                Ok(read)
            }
            Bytes::Ranges(window) => window.read_some_at(buffer, offset),
            Bytes::Streamed(streamed) => streamed.read_some_at(buffer, offset),
        }
    }

    /// A reader of its own from the first byte on; `position` follows how far it came.
    pub(super) fn reader(&self, position: Arc<AtomicU64>) -> SourceReader {
        let streamed = match &self.bytes {
            Bytes::Streamed(streamed) => Some(streamed.reader()),
            Bytes::File(_) | Bytes::Memory(_) | Bytes::Ranges(_) => None,
        };
        SourceReader { source: self.clone(), streamed, offset: 0, position }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Source")
            .field("name", &self.name)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Reads a source from its first byte to its last, without a cursor that others could move.
pub(super) struct SourceReader {
    source: Source,
    /// What is read where the source is a stream.
    streamed: Option<StreamedReader>,
    offset: u64,
    position: Arc<AtomicU64>,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.streamed {
            Some(streamed) => streamed.read(buffer),
            None => self.source.read_at(buffer, self.offset),
        };
        let read = match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read.map_err(StreamFault::wrap_read)?,
        };
        self.offset += read as u64;
        self.position.store(self.offset, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_all(source: &Source) -> Vec<u8> {
        let mut bytes = Vec::new();
        source.reader(Arc::default()).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn two_readers_of_one_file_do_not_move_each_other() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        let source = Source::file(file, "letters").unwrap();
        let (mut first, mut second) = (source.reader(Arc::default()), source.reader(Arc::default()));
        let mut buffer = [0; 2];
        first.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"ab");
        second.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"ab");
        first.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"cd");
        assert_eq!(read_all(&source), b"abcdef");
        assert_eq!(source.len(), 6);
    }

    #[test]
    fn memory_is_read_like_a_file_and_never_beyond_its_cap() {
        let bytes = vec![7; 200_000];
        let kept = Source::read_to_memory(&bytes[..], 200_000).unwrap();
        assert_eq!(read_all(&Source::memory(kept, "-")), bytes);
        let error = Source::read_to_memory(&bytes[..], 199_999).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let error = Source::file(File::open(directory.path()).unwrap(), "growers").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_source_shows_no_bytes_when_debugged() {
        let source = Source::memory(Zeroizing::new(b"hunter2".to_vec()), "-");
        assert!(!format!("{source:?}").contains("104"));
    }
}
