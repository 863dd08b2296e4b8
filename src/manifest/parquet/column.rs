//! One column of one row group, a slice of rows at a time.

use super::super::ManifestProblem;
use super::bits::Hybrid;
use super::buffers::Buffers;
use super::dictionary::Dictionary;
use super::guard::unsound;
use super::pages::{DataHeader, DataPage, Pages, contradicting};
use super::schema::ValueType;
use super::values::{LARGEST_CELL, Origin, Place, Values};

/// Reads a column and finds the cells of one slice, which lies within one page: so a page makes way for the next one before
/// that is read, and cells are copied nowhere.
pub(super) struct Column {
    width: Option<usize>,
    pages: Pages,
    dictionary: Dictionary,
    /// Whether the writer came back to the dictionary after it had given it up.
    is_dictionary_kept: bool,
    page: DataPage,
    rows_left: u64,
    levels: Option<Hybrid>,
    values: Option<Values>,
    /// By row of the slice, where its cell stands; nowhere and empty for a null.
    places: Vec<Place>,
    built: Vec<u8>,
}

impl Column {
    /// Begins before the first row.
    pub(super) fn new(values: ValueType, pages: Pages) -> Self {
        Self {
            width: values.width(),
            pages,
            dictionary: Dictionary::default(),
            is_dictionary_kept: false,
            page: DataPage::default(),
            rows_left: 0,
            levels: None,
            values: None,
            places: Vec::new(),
            built: Vec::new(),
        }
    }

    /// Gives back the memory of its pages.
    pub(super) fn release(&mut self, buffers: &mut Buffers) {
        self.dictionary.release(buffers);
        buffers.give_back(&mut self.page.bytes);
    }

    /// How many rows can be read in one slice: those of the page that are left, or of the next one.
    pub(super) fn rows_ready(&mut self, buffers: &mut Buffers) -> Result<u64, ManifestProblem> {
        if self.rows_left == 0 {
            self.turn_page(buffers)?;
        }
        Ok(self.rows_left)
    }

    fn turn_page(&mut self, buffers: &mut Buffers) -> Result<(), ManifestProblem> {
        buffers.give_back(&mut self.page.bytes);
        let header = self
            .pages
            .next_header(&mut self.dictionary, buffers)?
            .ok_or_else(|| unsound("its columns are of different lengths"))?;
        self.hold_dictionary(&header, buffers)?;
        self.page = self.pages.data(&header, buffers)?;
        self.rows_left = u64::from(header.values);
        let levels = self.page.levels.clone();
        self.levels = levels.and_then(|levels| Hybrid::new(levels.start, levels.end, 1));
        let count = self.count_values(header.values)?;
        let values = Values::open(&self.page, header.encoding, self.width, count);
        self.values = Some(values.ok_or_else(contradicting)?);
        Ok(())
    }

    /// Lets go of a dictionary that a writer gave up because it had become too large. If it comes back to it, it is read once
    /// more and kept: nobody can have it read for every other page.
    fn hold_dictionary(&mut self, header: &DataHeader, buffers: &mut Buffers) -> Result<(), ManifestProblem> {
        if !header.needs_dictionary() {
            if !self.is_dictionary_kept {
                self.dictionary.release(buffers);
            }
        } else if !self.dictionary.is_there() {
            self.pages.dictionary_again(&mut self.dictionary, buffers)?;
            self.is_dictionary_kept = true;
        }
        Ok(())
    }

    /// How many of the page's values aren't null.
    fn count_values(&self, values: u32) -> Result<usize, ManifestProblem> {
        let Some(mut levels) = self.levels else { return Ok(values as usize) };
        let mut count = 0;
        for _ in 0..values {
            count += usize::from(levels.next(&self.page.bytes).ok_or_else(contradicting)? == FULL);
        }
        Ok(count)
    }

    /// Reads the next `rows` rows, no more than are ready, in place of those before.
    pub(super) fn read(&mut self, rows: u64) -> Result<(), ManifestProblem> {
        self.places.clear();
        self.built.clear();
        for _ in 0..rows {
            let is_null = match &mut self.levels {
                Some(levels) => levels.next(&self.page.bytes).ok_or_else(contradicting)? != FULL,
                None => false,
            };
            let place = if is_null { Place::default() } else { self.next_place()? };
            self.places.push(place);
        }
        self.rows_left = self.rows_left.saturating_sub(rows);
        Ok(())
    }

    fn next_place(&mut self) -> Result<Place, ManifestProblem> {
        let values = self.values.as_mut().ok_or_else(contradicting)?;
        let place = values.next(&self.page.bytes, &self.dictionary, &mut self.built);
        let place = place.ok_or_else(contradicting)?;
        if place.length as usize > LARGEST_CELL {
            return Err(unsound("it has a cell of more than 64 KiB"));
        }
        if self.width.is_some_and(|width| place.length as usize != width) {
            return Err(contradicting());
        }
        Ok(place)
    }

    /// A cell of the slice; empty for a null.
    pub(super) fn cell(&self, row: usize) -> &[u8] {
        let bytes = match self.values.as_ref().map(Values::origin) {
            Some(Origin::Page) => &self.page.bytes,
            Some(Origin::Dictionary) => self.dictionary.bytes(),
            Some(Origin::Built) => &self.built,
            None => &[][..],
        };
        self.places.get(row).and_then(|place| place.of(bytes)).unwrap_or(&[])
    }
}

/// The definition level of a value that is there: columns stand at the top of the schema.
const FULL: u32 = 1;
