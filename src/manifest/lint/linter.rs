//! The lint of a whole manifest, one record after another.

use super::super::{Field, Manifest, ManifestError, Record, Row};
use super::cell::lint_cell;
use super::finding::{LintColumn, LintCount, LintFinding, LintReport};
use super::kind::LintKind;
use super::line::lint_invalid;
use super::listing::Listing;
use super::login_column::LoginColumn;
use super::repeats::RepeatedRows;
use super::sample::MASK;

/// How a manifest is linted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LintOptions {
    /// How many places of each kind are listed; all are counted.
    pub most_listed: usize,
    /// Whether the columns are taken as they are though logins and passwords seem to have changed places.
    pub takes_swapped: bool,
}

impl Default for LintOptions {
    fn default() -> Self {
        Self { most_listed: 100, takes_swapped: false }
    }
}

/// Lints a manifest: is shown every record of a reading, and where [`needs_second_reading`](Self::needs_second_reading) says
/// so those of another one. Its memory doesn't grow with the manifest: it takes some 25 MiB, and less
/// than 64 MiB where very many lines are repeated.
pub struct Linter {
    listing: Listing,
    /// The column of each field, from 1, in the order of [`Field::ALL`].
    places: [Option<u32>; Field::ALL.len()],
    lines: u64,
    counts: [u64; LintKind::ALL.len()],
    is_at_least: [bool; LintKind::ALL.len()],
    listed: [Vec<LintFinding>; LintKind::ALL.len()],
    logins: LoginColumn,
    repeats: RepeatedRows,
}

impl Linter {
    /// Begins the lint of `manifest`.
    #[must_use]
    pub fn new(manifest: &Manifest, options: LintOptions) -> Self {
        let mut linter = Self::listing(manifest, Listing::First(options.most_listed));
        linter.logins.takes_swapped = options.takes_swapped;
        linter
    }

    /// Begins the lint of `manifest` that lists the places on one of its lines only, and all of them.
    #[must_use]
    pub fn of_line(manifest: &Manifest, line: u64) -> Self {
        Self::listing(manifest, Listing::Line(line))
    }

    fn listing(manifest: &Manifest, listing: Listing) -> Self {
        Self {
            listing,
            places: Field::ALL.map(|field| manifest.column_of(field)),
            lines: 0,
            counts: [0; LintKind::ALL.len()],
            is_at_least: [false; LintKind::ALL.len()],
            listed: std::array::from_fn(|_| Vec::new()),
            logins: LoginColumn::new(listing),
            repeats: RepeatedRows::new(),
        }
    }

    /// Lints the whole manifest, read once, and twice where that is needed.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn lint_whole(mut self, manifest: &Manifest) -> Result<LintReport, ManifestError> {
        for record in manifest.records()? {
            self.read(&record?);
        }
        if self.needs_second_reading() {
            for record in manifest.records()? {
                self.read_again(&record?);
            }
        }
        Ok(self.finish())
    }

    /// Takes note of the next record of the first reading.
    pub fn read(&mut self, record: &Record) {
        self.lines += 1;
        match record {
            Record::Row(row) => self.read_row(row),
            Record::Invalid(line) => self.add(lint_invalid(line)),
            // Of these nothing but the user is looked at, which is sound.
            Record::User(_) => {}
        }
    }

    /// Whether the columns of logins and passwords changed places, as far as was read: what is taken for a login is a password.
    #[must_use]
    pub const fn are_columns_swapped(&self) -> bool {
        self.logins.is_swapped()
    }

    /// Whether lines may repeat one another, which only a second reading can tell.
    #[must_use]
    pub fn needs_second_reading(&self) -> bool {
        self.repeats.are_possible()
    }

    /// Takes note of the next record of the second reading.
    pub fn read_again(&mut self, record: &Record) {
        if let Record::Row(row) = record {
            self.repeats.compare(row);
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> LintReport {
        let logins = std::mem::replace(&mut self.logins, LoginColumn::new(Listing::First(0)));
        for decided in logins.decide() {
            self.counts[decided.kind as usize] += decided.count;
            let column = self.column(Field::Login);
            let finding = |line| LintFinding { line, column, kind: decided.kind, sample: MASK.to_owned() };
            self.listed[decided.kind as usize].extend(decided.lines.into_iter().map(finding));
        }
        for repeated in self.repeats.decide(self.listing) {
            let kind = repeated.kind;
            self.counts[kind as usize] += repeated.count;
            self.is_at_least[kind as usize] |= repeated.is_at_least;
            let field = if kind == LintKind::SharedLogin { Field::Login } else { Field::LeafUserId };
            let column = self.column(field);
            let finding = |(line, sample)| LintFinding { line, column, kind, sample };
            self.listed[kind as usize].extend(repeated.lines.into_iter().map(finding));
        }
        let counts = LintKind::ALL.into_iter().map(|kind| LintCount {
            kind,
            count: self.counts[kind as usize],
            is_at_least: self.is_at_least[kind as usize],
        });
        let mut findings: Vec<LintFinding> = self
            .listed
            .into_iter()
            .flat_map(|mut listed| {
                listed.sort_by_key(|finding| finding.line);
                listed.truncate(self.listing.most());
                listed
            })
            .collect();
        findings
            .sort_by_key(|finding| (finding.line, finding.column.map(|column| column.number), finding.kind));
        LintReport { lines: self.lines, counts: counts.filter(|count| count.count > 0).collect(), findings }
    }

    fn read_row(&mut self, row: &Row) {
        self.logins.see(row);
        self.repeats.see(row);
        self.lint(row.line, Field::Login, row.login.as_str());
        self.lint(row.line, Field::Password, row.password.expose_secret());
        if let Some(client) = &row.access_token_client {
            self.lint(row.line, Field::AccessTokenClient, client.expose_secret());
        }
    }

    fn lint(&mut self, line: u64, field: Field, cell: &str) {
        lint_cell(cell, field, &mut |kind, sample| {
            let column = self.column(field);
            self.add(LintFinding { line, column, kind, sample });
        });
    }

    fn add(&mut self, finding: LintFinding) {
        self.counts[finding.kind as usize] += 1;
        let listed = &mut self.listed[finding.kind as usize];
        if self.listing.takes(finding.line, listed.len()) {
            listed.push(finding);
        }
    }

    fn column(&self, field: Field) -> Option<LintColumn> {
        let place = Field::ALL.iter().position(|other| *other == field)?;
        self.places[place].map(|number| LintColumn { number, field: Some(field) })
    }
}
