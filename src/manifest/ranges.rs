//! Bytes that lie elsewhere and come by range: a window on them for each reading.

use std::io;
use std::ops::Range;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

/// How much is fetched first, in bytes; twice as much after each block that was read to its end.
const FIRST_BLOCK: u64 = 64 * 1024;

/// The most that is fetched at once where all bytes are read in their order. More would take memory and save no time: the next
/// block comes while this one is read.
#[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "only buckets give ranges"))]
const LARGEST_BLOCK: u64 = 1024 * 1024;

/// The most that is fetched at once of a part, of which several are read side by side.
const LARGEST_BLOCK_OF_PART: u64 = 512 * 1024;

/// How much of a block is kept when the next one is entered: whoever looked ahead comes back by a few bytes.
const KEPT_BEHIND: usize = 64 * 1024;

/// What gives bytes by range, wherever they are. Every answer is of the same bytes: once they are others, it fails with
/// [`SourceChanged`].
pub trait FetchRange: Send + Sync {
    /// Begins to fetch a range, which isn't empty and lies within the source; its bytes, neither fewer nor more, come
    /// through the channel.
    fn fetch(&self, range: Range<u64>) -> Receiver<io::Result<Vec<u8>>>;
}

/// A source that isn't any longer what it was when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was replaced or removed after it had been opened")]
pub struct SourceChanged;

impl SourceChanged {
    /// Whether an error tells of it.
    #[must_use]
    pub fn is_told_by(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// One reader's window: the block that it reads, the end of the one before, and the next one on its way. A clone begins
/// anew.
pub(super) struct Window {
    source: Arc<dyn FetchRange>,
    /// The offset behind the last byte that may be fetched.
    end: u64,
    largest: u64,
    blocks: Mutex<Blocks>,
}

/// A range that is on its way.
struct Coming {
    range: Range<u64>,
    bytes: Receiver<io::Result<Vec<u8>>>,
}

#[derive(Default)]
struct Blocks {
    behind: Block,
    current: Block,
    next: Option<Coming>,
}

#[derive(Default)]
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Option<usize> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let rest = self.bytes.get(from..).filter(|rest| !rest.is_empty())?;
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Some(read)
    }
}

impl Window {
    /// A window on a source of `end` bytes.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "only buckets give ranges"))]
    pub(super) fn new(source: Arc<dyn FetchRange>, end: u64) -> Self {
        Self { source, end, largest: LARGEST_BLOCK, blocks: Mutex::default() }
    }

    /// A window of its own that never fetches anything behind `end`, for one of several parts that are read side by side.
    pub(super) fn until(&self, end: u64) -> Self {
        let (source, end) = (Arc::clone(&self.source), self.end.min(end));
        Self { source, end, largest: LARGEST_BLOCK_OF_PART, blocks: Mutex::default() }
    }

    /// Reads some bytes at `offset`; none at the end.
    pub(super) fn read_some_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if buffer.is_empty() || offset >= self.end {
            return Ok(0);
        }
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let found = blocks.current.read_at(buffer, offset);
            if let Some(read) = found.or_else(|| blocks.behind.read_at(buffer, offset)) {
                return Ok(read);
            }
            self.go_to(&mut blocks, offset)?;
        }
    }

    /// Makes the block that begins at `offset` the current one.
    fn go_to(&self, blocks: &mut Blocks, offset: u64) -> io::Result<()> {
        let is_in_order = offset == blocks.current.end() && !blocks.current.bytes.is_empty();
        let size = if is_in_order {
            (blocks.current.bytes.len() as u64 * 2).clamp(FIRST_BLOCK, self.largest)
        } else {
            FIRST_BLOCK
        };
        let next = blocks.next.take().filter(|next| next.range.start == offset);
        let Coming { range, bytes } = next.unwrap_or_else(|| self.begin(offset, size));
        let bytes = bytes.recv().map_err(|_| io::Error::other("the fetching of it ended unexpectedly"))??;
        if bytes.len() as u64 != range.end - range.start {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let block = Block { start: offset, bytes };
        blocks.behind = if is_in_order { blocks.current.last(KEPT_BEHIND) } else { Block::default() };
        blocks.current = block;
        // While one is read, the next one comes: but only for who reads on and on.
        if is_in_order && range.end < self.end {
            let size = ((range.end - range.start) * 2).clamp(FIRST_BLOCK, self.largest);
            blocks.next = Some(self.begin(range.end, size));
        }
        Ok(())
    }

    fn begin(&self, start: u64, size: u64) -> Coming {
        let range = start..start.saturating_add(size).min(self.end);
        Coming { bytes: self.source.fetch(range.clone()), range }
    }
}

impl Block {
    /// A copy of its last bytes.
    fn last(&self, most: usize) -> Self {
        let from = self.bytes.len().saturating_sub(most);
        Self { start: self.start + from as u64, bytes: self.bytes[from..].to_vec() }
    }
}

impl Clone for Window {
    fn clone(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            end: self.end,
            largest: self.largest,
            blocks: Mutex::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use proptest::prelude::*;

    use super::*;

    /// Bytes that know which ranges were asked for.
    struct Asked {
        bytes: Vec<u8>,
        ranges: Mutex<Vec<Range<u64>>>,
    }

    impl Asked {
        fn new(length: usize) -> Arc<Self> {
            // Neighbours differ, and no block is like another.
            let bytes = (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect();
            Arc::new(Self { bytes, ranges: Mutex::default() })
        }

        fn window(self: &Arc<Self>) -> Window {
            Window::new(Arc::clone(self) as Arc<dyn FetchRange>, self.bytes.len() as u64)
        }

        fn asked(&self) -> Vec<Range<u64>> {
            std::mem::take(&mut self.ranges.lock().unwrap())
        }
    }

    impl FetchRange for Asked {
        fn fetch(&self, range: Range<u64>) -> Receiver<io::Result<Vec<u8>>> {
            self.ranges.lock().unwrap().push(range.clone());
            let (sender, receiver) = channel();
            let at = |offset| usize::try_from(offset).unwrap();
            sender.send(Ok(self.bytes[at(range.start)..at(range.end)].to_vec())).unwrap();
            receiver
        }
    }

    fn read(window: &Window, offset: u64, length: usize) -> Vec<u8> {
        let (mut bytes, mut filled) = (vec![0; length], 0);
        while filled < length {
            match window.read_some_at(&mut bytes[filled..], offset + filled as u64).unwrap() {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        bytes
    }

    #[test]
    fn whoever_reads_on_and_on_fetches_every_byte_once_in_ever_larger_blocks_ahead_of_need() {
        let source = Asked::new(20_000_000);
        let window = source.window();
        let all =
            (0..).map(|block| read(&window, block * 10_000, 10_000)).take_while(|read| !read.is_empty());
        assert!(all.flatten().eq(source.bytes.iter().copied()));
        let asked = source.asked();
        assert!(asked.windows(2).all(|pair| pair[0].end == pair[1].start), "{asked:?}");
        assert_eq!((asked[0].clone(), asked.last().unwrap().end), (0..FIRST_BLOCK, 20_000_000));
        assert_eq!(asked.iter().map(|range| range.end - range.start).max(), Some(LARGEST_BLOCK));
        assert!(asked.len() < 26, "{asked:?}");
    }

    #[test]
    fn a_look_here_and_there_fetches_little() {
        let source = Asked::new(20_000_000);
        let window = source.window();
        for offset in [19_999_992, 0, 7_000_000, 3_000_000] {
            let at = usize::try_from(offset).unwrap();
            assert_eq!(read(&window, offset, 8), source.bytes[at..at + 8]);
        }
        assert!(source.asked().iter().all(|range| range.end - range.start <= FIRST_BLOCK));
    }

    #[test]
    fn a_part_is_never_left_and_a_step_back_costs_nothing() {
        let source = Asked::new(5_000_000);
        let window = source.window().until(3_000_000);
        let mut offset = 1_000_000;
        while offset < 3_000_000 {
            let at = usize::try_from(offset).unwrap();
            let length = 1_024.min(3_000_000 - at);
            assert_eq!(read(&window, offset, length), source.bytes[at..at + length]);
            // As a page's header is looked for further than it goes.
            offset += 700;
        }
        let asked = source.asked();
        assert!(asked.windows(2).all(|pair| pair[0].end == pair[1].start), "{asked:?}");
        assert_eq!(asked.last().unwrap().end, 3_000_000);
        assert!(asked.iter().all(|range| range.end - range.start <= LARGEST_BLOCK_OF_PART));
        assert_eq!(read(&window, 3_000_000, 8), Vec::<u8>::new());
    }

    #[test]
    fn fewer_bytes_than_were_asked_for_are_no_end() {
        struct Short;
        impl FetchRange for Short {
            fn fetch(&self, _: Range<u64>) -> Receiver<io::Result<Vec<u8>>> {
                let (sender, receiver) = channel();
                sender.send(Ok(vec![7])).unwrap();
                receiver
            }
        }
        let error = Window::new(Arc::new(Short), 10).read_some_at(&mut [0; 4], 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn whatever_is_read_where_is_what_stands_there(
            length in 1_usize..400_000,
            looks in prop::collection::vec((0_u64..500_000, 1_usize..200_000), 1..20),
        ) {
            let source = Asked::new(length);
            let window = source.window();
            for (offset, wanted) in looks {
                let from = usize::try_from(offset).unwrap().min(length);
                prop_assert_eq!(read(&window, offset, wanted), &source.bytes[from..(from + wanted).min(length)]);
            }
            prop_assert!(source.asked().iter().all(|range| range.start < range.end && range.end <= length as u64));
        }
    }
}
