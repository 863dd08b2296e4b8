//! The pages of one column chunk, one at a time, each checked before memory is taken for it and before it is decoded.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use super::super::{ManifestProblem, Source};
use super::codec::decompress;
use super::delta;
use super::file::ChunkRange;
use super::guard::unsound;
use super::page_header::{PageHeader, PageKind};
use super::schema::ValueType;

/// The largest page read, in bytes, decompressed or not. Writers make them of one megabyte, `DuckDB` of a few.
const LARGEST_PAGE: usize = 64 * 1024 * 1024;

/// The most values in a dictionary. Each takes some forty bytes in memory, however short it is in the file.
const MOST_DICTIONARY_VALUES: u32 = 4 << 20;

/// The most delta-encoded values in a page. Each takes four bytes or eight, and may take no bit in the file.
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
    is_delta_allowed: bool,
    /// Where the dictionary lies, once it was met.
    dictionary: Option<u64>,
    held: Held,
    rows_left: u64,
    /// What a page was read into, to be used again.
    body: Vec<u8>,
}

/// What a reader holds of the dictionary in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nothing: it wasn't given the dictionary.
    Nothing,
    /// The dictionary.
    Dictionary,
    /// A dictionary that isn't needed for the next page: the reader is to make way for another one.
    Surplus,
    /// The dictionary, to the end of the column.
    DictionaryForGood,
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
            is_delta_allowed: facts.is_prefix_shared,
            dictionary: None,
            held: Held::Nothing,
            rows_left: facts.rows,
            body: Vec::new(),
        }
    }

    /// The next page; none at the end, and none where the reader is to make way for another one: a writer whose dictionary
    /// has become too large writes the rest of the column without it, and a reader would hold it to the end.
    fn next_page(&mut self) -> std::result::Result<Option<Page>, ManifestProblem> {
        while self.rows_left > 0 && self.held != Held::Surplus {
            let start = self.range.start;
            let header = self.read_header()?;
            match header.kind {
                PageKind::Dictionary { .. } if self.dictionary.is_some() => {
                    return Err(unsound("a column has two dictionaries"));
                }
                PageKind::Dictionary { values } => {
                    self.dictionary = Some(start);
                    self.held = Held::Dictionary;
                    return self.dictionary(&header, values).map(Some);
                }
                // A data page without values would be taken for the end of the column.
                PageKind::Index | PageKind::DataV1 { values: 0, .. } | PageKind::DataV2 { values: 0, .. } => {
                    self.body = self.read_body(header.compressed_size)?;
                }
                PageKind::DataV1 { encoding, .. } | PageKind::DataV2 { encoding, .. } => {
                    let needs_dictionary = is_of_dictionary(encoding);
                    if self.held == Held::Dictionary && !needs_dictionary {
                        self.range.start = start;
                        self.held = Held::Surplus;
                    } else if let Some(dictionary) = self.dictionary
                        && needs_dictionary
                        && self.held == Held::Nothing
                    {
                        let page = self.dictionary_again(dictionary).map(Some);
                        self.range.start = start;
                        return page;
                    } else {
                        let body = self.read_body(header.compressed_size)?;
                        let page = self.data(&header, &body).map(Some);
                        self.body = body;
                        return page;
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether there are more pages for another reader, which from now on takes them.
    fn resume(&mut self) -> bool {
        let is_surplus = self.held == Held::Surplus;
        if is_surplus {
            self.held = Held::Nothing;
        }
        is_surplus
    }

    /// Reads the dictionary once more, for a writer that came back to it. No reader makes way a second time, or a file could
    /// have its dictionary read for every other page.
    fn dictionary_again(&mut self, start: u64) -> std::result::Result<Page, ManifestProblem> {
        self.held = Held::DictionaryForGood;
        self.range.start = start;
        let header = self.read_header()?;
        match header.kind {
            PageKind::Dictionary { values } => self.dictionary(&header, values),
            _ => Err(unsound("a page isn't what it was")),
        }
    }

    fn read_header(&mut self) -> std::result::Result<PageHeader, ManifestProblem> {
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

    fn read_body(&mut self, size: usize) -> std::result::Result<Vec<u8>, ManifestProblem> {
        if size as u64 > self.range.end - self.range.start {
            return Err(unsound("a page is larger than its column"));
        }
        let mut body = std::mem::take(&mut self.body);
        body.resize(size, 0);
        let read = self.source.read_at(&mut body, self.range.start).map_err(ManifestProblem::Read)?;
        if read < size {
            return Err(unsound("it is cut off"));
        }
        self.range.start += size as u64;
        Ok(body)
    }

    fn dictionary(&mut self, header: &PageHeader, values: u32) -> std::result::Result<Page, ManifestProblem> {
        let body = self.read_body(header.compressed_size)?;
        let buffer = decompress(self.compression, &body, header.uncompressed_size)?;
        self.body = body;
        let smallest = match self.values {
            // A value of variable length has its length in four bytes before it.
            ValueType::Text => 4,
            ValueType::FixedText(width) => width,
            ValueType::Uuid => 16,
        };
        if values > MOST_DICTIONARY_VALUES || values as usize > buffer.len() / smallest {
            return Err(unsound("a dictionary has more values than it can hold"));
        }
        Ok(Page::DictionaryPage {
            buf: Bytes::from(buffer),
            num_values: values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        })
    }

    fn data(&mut self, header: &PageHeader, body: &[u8]) -> std::result::Result<Page, ManifestProblem> {
        match header.kind {
            PageKind::DataV1 { values, encoding, are_levels_run_length } => {
                let buffer = decompress(self.compression, body, header.uncompressed_size)?;
                if self.is_nullable && !are_levels_run_length {
                    return Err(unsound("its levels are encoded in a way long out of use"));
                }
                let levels = if self.is_nullable { v1_levels_size(&buffer)? } else { 0 };
                self.check_values(values, encoding, &buffer[levels..])?;
                Ok(Page::DataPage {
                    buf: Bytes::from(buffer),
                    num_values: values,
                    encoding,
                    def_level_encoding: Encoding::RLE,
                    rep_level_encoding: Encoding::RLE,
                    statistics: None,
                })
            }
            PageKind::DataV2 {
                values,
                nulls,
                rows,
                encoding,
                definition_levels_size,
                repetition_levels_size,
                is_compressed,
            } => {
                let levels = definition_levels_size as usize;
                if repetition_levels_size != 0
                    || nulls > values
                    || levels > body.len()
                    || levels > header.uncompressed_size
                    || (levels > 0) != self.is_nullable
                {
                    return Err(unsound("a page's levels contradict its header"));
                }
                let compression = if is_compressed { self.compression } else { Compression::UNCOMPRESSED };
                let section = decompress(compression, &body[levels..], header.uncompressed_size - levels)?;
                self.check_values(values, encoding, &section)?;
                Ok(Page::DataPageV2 {
                    buf: Bytes::from([&body[..levels], &section].concat()),
                    num_values: values,
                    encoding,
                    num_nulls: nulls,
                    num_rows: rows,
                    def_levels_byte_len: definition_levels_size,
                    rep_levels_byte_len: 0,
                    is_compressed: false,
                    statistics: None,
                })
            }
            PageKind::Dictionary { .. } | PageKind::Index => Err(unsound("a page isn't what it was")),
        }
    }

    /// Checks what a decoder would believe: how many values there are, and that it has what it decodes them with.
    fn check_values(
        &mut self,
        values: u32,
        encoding: Encoding,
        section: &[u8],
    ) -> std::result::Result<(), ManifestProblem> {
        self.rows_left = self
            .rows_left
            .checked_sub(u64::from(values))
            .ok_or_else(|| unsound("a column has more values than there are rows"))?;
        let is_text = self.values == ValueType::Text;
        let most = u64::from(values).min(MOST_DELTA_VALUES);
        let is_sound = match encoding {
            Encoding::PLAIN => true,
            Encoding::BYTE_STREAM_SPLIT => !is_text,
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => self.held != Held::Nothing,
            Encoding::DELTA_LENGTH_BYTE_ARRAY => is_text && delta::pass_over(section, most).is_some(),
            Encoding::DELTA_BYTE_ARRAY => {
                self.is_delta_allowed
                    && delta::pass_over(section, most)
                        .and_then(|(_, rest)| delta::pass_over(rest, most))
                        .is_some()
            }
            _ => false,
        };
        if is_sound { Ok(()) } else { Err(unsound("a page's values contradict its header")) }
    }
}

/// The size of the definition levels at the start of a page of the first version, with the length before them.
fn v1_levels_size(buffer: &[u8]) -> std::result::Result<usize, ManifestProblem> {
    let size = buffer.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize + 4);
    size.filter(|&size| size <= buffer.len())
        .ok_or_else(|| unsound("a page's levels are longer than the page"))
}

fn is_of_dictionary(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY)
}

/// Pages that several readers take, one after another.
#[derive(Clone)]
pub(super) struct SharedPages(Arc<Mutex<Pages>>);

impl SharedPages {
    /// Shares these pages.
    pub(super) fn new(pages: Pages) -> Self {
        Self(Arc::new(Mutex::new(pages)))
    }

    /// Whether the reader that came to an end is to be replaced by another one, which takes the pages that are left.
    pub(super) fn resume(&self) -> bool {
        self.0.lock().is_ok_and(|mut pages| pages.resume())
    }
}

impl Iterator for SharedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for SharedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let next = match self.0.lock() {
            Ok(mut pages) => pages.next_page(),
            Err(_) => Err(unsound("its parts contradict each other")),
        };
        next.map_err(|problem| ParquetError::External(Box::new(problem)))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(ParquetError::NYI("pages are only read one after another".to_owned()))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(ParquetError::NYI("pages are only read one after another".to_owned()))
    }
}
