//! The pages of one column chunk, one at a time, each checked before memory is taken for it and before it is decoded.

use std::ops::Range;

use parquet::basic::{Compression, Encoding};

use super::super::{ManifestProblem, Source};
use super::buffers::Buffers;
use super::codec::decompress;
use super::delta;
use super::dictionary::Dictionary;
use super::file::ChunkRange;
use super::guard::unsound;
use super::page_header::{PageHeader, PageKind};
use super::schema::ValueType;

/// The largest page read, in bytes, decompressed or not. Writers make them of one megabyte, `DuckDB` of a few.
const LARGEST_PAGE: usize = 64 * 1024 * 1024;

/// The most values in a dictionary. Each takes four bytes in memory, however short it is in the file.
const MOST_DICTIONARY_VALUES: u32 = 4 << 20;

/// The most delta-encoded values in a page. They may take no bit in the file.
const MOST_DELTA_VALUES: u64 = 4 << 20;

/// How many bytes are read at first and at most to get hold of a page header; statistics can make it long.
const HEADER_WINDOWS: [usize; 2] = [1024, 1024 * 1024];

/// Reads the pages of a column chunk. It hands out no more values than the row group has rows.
pub(super) struct Pages {
    source: Source,
    range: ChunkRange,
    compression: Compression,
    values: ValueType,
    is_nullable: bool,
    is_prefix_allowed: bool,
    /// Where the dictionary lies, once it was met.
    dictionary: Option<u64>,
    rows_left: u64,
}

/// A data page in memory, decompressed.
#[derive(Default)]
pub(super) struct DataPage {
    /// All of it.
    pub(super) bytes: Vec<u8>,
    /// Where its definition levels stand, if a value may be null.
    pub(super) levels: Option<Range<usize>>,
    /// Where its values begin.
    pub(super) section: usize,
}

/// The header of a data page whose contents are to be read.
#[derive(Debug)]
pub(super) struct DataHeader {
    header: PageHeader,
    /// How many values there are, nulls included.
    pub(super) values: u32,
    /// How they are encoded.
    pub(super) encoding: Encoding,
}

impl DataHeader {
    /// Whether its values are places in a dictionary.
    pub(super) fn needs_dictionary(&self) -> bool {
        matches!(self.encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY)
    }
}

/// What [`Pages`] is told about its chunk.
pub(super) struct ChunkFacts {
    /// Where it lies.
    pub(super) range: ChunkRange,
    /// How its pages are compressed.
    pub(super) compression: Compression,
    /// What its values are.
    pub(super) values: ValueType,
    /// Whether a value may be null.
    pub(super) is_nullable: bool,
    /// Whether the footer says that values share prefixes. Such values can be far larger than their page, so they are
    /// only decoded by a reader that knows it and takes them one by one.
    pub(super) is_prefix_shared: bool,
    /// How many rows the row group has.
    pub(super) rows: u64,
}

impl Pages {
    /// Begins at the chunk's first page.
    pub(super) fn new(source: Source, facts: &ChunkFacts) -> Self {
        Self {
            source,
            range: facts.range,
            compression: facts.compression,
            values: facts.values,
            is_nullable: facts.is_nullable,
            is_prefix_allowed: facts.is_prefix_shared,
            dictionary: None,
            rows_left: facts.rows,
        }
    }

    /// The header of the next data page; none at the end. A dictionary before it is put into `dictionary`.
    pub(super) fn next_header(
        &mut self,
        dictionary: &mut Dictionary,
        buffers: &mut Buffers,
    ) -> Result<Option<DataHeader>, ManifestProblem> {
        while self.rows_left > 0 {
            let start = self.range.start;
            let header = self.read_header()?;
            match header.kind {
                PageKind::Dictionary { .. } if self.dictionary.is_some() => {
                    return Err(unsound("a column has two dictionaries"));
                }
                PageKind::Dictionary { values } => {
                    self.dictionary = Some(start);
                    self.read_dictionary(&header, values, dictionary, buffers)?;
                }
                PageKind::Index | PageKind::DataV1 { values: 0, .. } | PageKind::DataV2 { values: 0, .. } => {
                    self.pass(header.compressed_size)?;
                }
                PageKind::DataV1 { values, encoding, .. } | PageKind::DataV2 { values, encoding, .. } => {
                    return Ok(Some(DataHeader { header, values, encoding }));
                }
            }
        }
        Ok(None)
    }

    /// Reads the dictionary once more, for a writer that came back to it; nothing if there is none.
    pub(super) fn dictionary_again(
        &mut self,
        dictionary: &mut Dictionary,
        buffers: &mut Buffers,
    ) -> Result<(), ManifestProblem> {
        let Some(start) = self.dictionary else { return Ok(()) };
        let next = std::mem::replace(&mut self.range.start, start);
        let header = self.read_header()?;
        match header.kind {
            PageKind::Dictionary { values } => {
                self.read_dictionary(&header, values, dictionary, buffers)?;
            }
            _ => return Err(unsound("a page isn't what it was")),
        }
        self.range.start = next;
        Ok(())
    }

    /// Reads what follows the header that was read last.
    pub(super) fn data(
        &mut self,
        DataHeader { header, values, encoding }: &DataHeader,
        buffers: &mut Buffers,
    ) -> Result<DataPage, ManifestProblem> {
        let (mut levels, compression) = match header.kind {
            PageKind::DataV2 {
                nulls, definition_levels_size, repetition_levels_size, is_compressed, ..
            } => {
                let levels = definition_levels_size as usize;
                if repetition_levels_size != 0
                    || nulls > *values
                    || levels > header.compressed_size
                    || levels > header.uncompressed_size
                    || (levels > 0) != self.is_nullable
                {
                    return Err(unsound("a page's levels contradict its header"));
                }
                (0..levels, if is_compressed { self.compression } else { Compression::UNCOMPRESSED })
            }
            PageKind::DataV1 { are_levels_run_length, .. } => {
                if self.is_nullable && !are_levels_run_length {
                    return Err(unsound("its levels are encoded in a way long out of use"));
                }
                (0..0, self.compression)
            }
            PageKind::Dictionary { .. } | PageKind::Index => return Err(unsound("a page isn't what it was")),
        };
        self.check_size(header.compressed_size)?;
        let mut bytes = buffers.take(header.uncompressed_size);
        let (uncompressed, rest) = bytes.split_at_mut(levels.end);
        self.read(uncompressed)?;
        self.decompress(compression, header.compressed_size - levels.end, rest, buffers)?;
        let mut section = levels.end;
        if self.is_nullable && matches!(header.kind, PageKind::DataV1 { .. }) {
            section = v1_levels_end(&bytes)?;
            levels = V1_LEVELS_LENGTH..section;
        }
        self.check_values(*values, *encoding, &bytes[section..])?;
        Ok(DataPage { bytes, levels: self.is_nullable.then_some(levels), section })
    }

    fn read_header(&mut self) -> Result<PageHeader, ManifestProblem> {
        let left = self.range.end - self.range.start;
        for window in HEADER_WINDOWS {
            let mut bytes = vec![0; usize::try_from(left).map_or(window, |left| left.min(window))];
            let read = self.source.read_at(&mut bytes, self.range.start).map_err(ManifestProblem::Read)?;
            if let Some((header, length)) = PageHeader::read(&bytes[..read]) {
                self.range.start += length as u64;
                let largest = header.compressed_size.max(header.uncompressed_size);
                if largest > LARGEST_PAGE {
                    return Err(unsound("a page is larger than 64 MiB; write it with smaller pages"));
                }
                return Ok(header);
            }
        }
        Err(unsound("a page header is damaged, or a column ends too early"))
    }

    fn check_size(&self, size: usize) -> Result<(), ManifestProblem> {
        if size as u64 > self.range.end - self.range.start {
            return Err(unsound("a page is larger than its column"));
        }
        Ok(())
    }

    fn pass(&mut self, size: usize) -> Result<(), ManifestProblem> {
        self.check_size(size)?;
        self.range.start += size as u64;
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), ManifestProblem> {
        let read = self.source.read_at(into, self.range.start).map_err(ManifestProblem::Read)?;
        if read < into.len() {
            return Err(unsound("it is cut off"));
        }
        self.range.start += read as u64;
        Ok(())
    }

    /// Reads `size` bytes, which were checked, and decompresses them to the whole of `output`.
    fn decompress(
        &mut self,
        compression: Compression,
        size: usize,
        output: &mut [u8],
        buffers: &mut Buffers,
    ) -> Result<(), ManifestProblem> {
        if compression == Compression::UNCOMPRESSED && size == output.len() {
            return self.read(output);
        }
        let mut body = buffers.take(size);
        self.read(&mut body)?;
        decompress(compression, &body, output)?;
        buffers.give_back(&mut body);
        Ok(())
    }

    fn read_dictionary(
        &mut self,
        header: &PageHeader,
        values: u32,
        dictionary: &mut Dictionary,
        buffers: &mut Buffers,
    ) -> Result<(), ManifestProblem> {
        self.check_size(header.compressed_size)?;
        let mut bytes = buffers.take(header.uncompressed_size);
        self.decompress(self.compression, header.compressed_size, &mut bytes, buffers)?;
        // A value of variable length has its length in four bytes before it.
        let smallest = self.values.width().unwrap_or(4);
        if values > MOST_DICTIONARY_VALUES || values as usize > bytes.len() / smallest {
            return Err(unsound("a dictionary has more values than it can hold"));
        }
        dictionary.fill(bytes, values, self.values)
    }

    /// Checks what a decoder would believe: how many values there are, and that their encoding is one of its type.
    fn check_values(
        &mut self,
        values: u32,
        encoding: Encoding,
        section: &[u8],
    ) -> Result<(), ManifestProblem> {
        self.rows_left = self
            .rows_left
            .checked_sub(u64::from(values))
            .ok_or_else(|| unsound("a column has more values than there are rows"))?;
        let is_text = self.values == ValueType::Text;
        let most = u64::from(values).min(MOST_DELTA_VALUES);
        let is_sound = match encoding {
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => true,
            Encoding::BYTE_STREAM_SPLIT => !is_text,
            Encoding::DELTA_LENGTH_BYTE_ARRAY => is_text && delta::pass_over(section, most).is_some(),
            Encoding::DELTA_BYTE_ARRAY => {
                self.is_prefix_allowed
                    && delta::pass_over(section, most)
                        .and_then(|(_, rest)| delta::pass_over(rest, most))
                        .is_some()
            }
            _ => false,
        };
        if is_sound { Ok(()) } else { Err(contradicting()) }
    }
}

/// The problem of a page whose values aren't what was announced.
pub(super) fn contradicting() -> ManifestProblem {
    unsound("a page's values contradict its header")
}

/// The length of the levels stands before them in a page of the first version, in so many bytes.
const V1_LEVELS_LENGTH: usize = 4;

/// Where the definition levels end that a page of the first version begins with.
fn v1_levels_end(bytes: &[u8]) -> Result<usize, ManifestProblem> {
    let length = bytes.first_chunk::<V1_LEVELS_LENGTH>();
    let end = length.map(|length| u32::from_le_bytes(*length) as usize + V1_LEVELS_LENGTH);
    end.filter(|&end| end <= bytes.len()).ok_or_else(|| unsound("a page's levels are longer than the page"))
}
