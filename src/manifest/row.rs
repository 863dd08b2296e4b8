//! One line of a manifest, and how it is judged by itself.

use std::str;

use super::columns::Columns;
use super::header_name::{comparable, field_of};
use super::{Field, Wanted};
use crate::model::{LeafUserId, Login, Secret};

/// What one line of a manifest is.
#[derive(Debug)]
pub enum Record {
    /// A row that can be carried out.
    Row(Row),
    /// A line of a manifest of which only the users are wanted ([`Wanted::Users`](super::Wanted)).
    User(UserLine),
    /// A line that can't be read as a row.
    Invalid(InvalidLine),
}

/// A user as one line of the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLine {
    /// The physical line on which the record begins, the header's being 1; in Parquet the row's number from 1.
    pub line: u64,
    /// The user.
    pub leaf_user_id: LeafUserId,
    /// The cells of the kept columns, in the order in which they were asked for.
    pub kept: Vec<String>,
}

/// A grower as one line of the manifest tells it. Every value is byte for byte what the cell holds.
#[derive(Debug)]
pub struct Row {
    /// The physical line on which the record begins, the header's being 1; in Parquet the row's number from 1.
    pub line: u64,
    /// The grower's user at Leaf.
    pub leaf_user_id: LeafUserId,
    /// The grower's login at Stara.
    pub login: Login,
    /// The password to it.
    pub password: Secret,
    /// The row's own accessTokenClient, where it has one.
    pub access_token_client: Option<Secret>,
    /// The cells of the kept columns, in the order in which they were asked for.
    pub kept: Vec<String>,
}

/// A line that can't be read as a row. It carries no cell: in a shifted row the password may stand anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLine {
    /// The physical line on which the record begins, the header's being 1; in Parquet the row's number from 1.
    pub line: u64,
    /// The column at fault, from 1.
    pub column: Option<u32>,
    /// What that column holds, where it is one cell that is wrong and its column is a field's.
    pub field: Option<Field>,
    /// The leafUserId, if what stands in its column is a UUID.
    pub leaf_user_id: Option<LeafUserId>,
    /// What keeps it from being a row.
    pub problem: LineProblem,
    /// The same in words, such as `column 2 (login) is empty`.
    pub message: String,
    /// As many empty strings as columns are kept.
    pub kept: Vec<String>,
}

/// What keeps a line from being a row. It holds no cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineProblem {
    /// It has fewer cells than the header has columns.
    MissingCells {
        /// The cells it has.
        cells: usize,
        /// The columns of the header.
        columns: usize,
    },
    /// It has more cells, with something in them, than the header has columns.
    SurplusCells {
        /// The cells it has.
        cells: usize,
        /// The columns of the header.
        columns: usize,
    },
    /// It is the header once more.
    RepeatedHeader,
    /// Its leafUserId stands in another column.
    ShiftedCells {
        /// That column, from 1.
        id_column: usize,
    },
    /// A needed cell is empty.
    Empty,
    /// There is more than a UUID in the column of the leafUserId.
    PaddedUuid,
    /// There is no UUID in the column of the leafUserId.
    NotUuid,
    /// A cell holds a NUL character.
    NulCharacter,
    /// A cell isn't valid UTF-8.
    NotUtf8,
}

impl LineProblem {
    /// In words, about the cell at `place` where it is one cell's.
    fn message(self, place: &str) -> String {
        match self {
            Self::MissingCells { cells, columns } => {
                format!("it has fewer cells than the header has columns ({cells} and {columns})")
            }
            Self::SurplusCells { cells, columns } => {
                format!("it has more cells than the header has columns ({cells} and {columns})")
            }
            Self::RepeatedHeader => "it is the header once more".to_owned(),
            Self::ShiftedCells { id_column } => {
                format!("{place} is not a UUID, but column {id_column} is one: its cells are shifted")
            }
            Self::Empty => format!("{place} is empty"),
            Self::PaddedUuid => format!("{place} has something around its UUID"),
            Self::NotUuid => {
                format!("{place} is not a UUID of the form 00000000-0000-0000-0000-000000000000")
            }
            Self::NulCharacter => format!("{place} holds a NUL character"),
            Self::NotUtf8 => format!("{place} is not valid UTF-8"),
        }
    }
}

/// What stands in the column of the leafUserId.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdCell {
    /// Nothing.
    Empty,
    /// Something that is no UUID.
    NotUuid,
    /// A UUID.
    Uuid(LeafUserId),
}

impl IdCell {
    /// Reads a UUID written as text.
    pub(super) fn from_text(cell: &[u8]) -> Self {
        if cell.is_empty() {
            return Self::Empty;
        }
        str::from_utf8(cell).ok().and_then(|text| text.parse().ok()).map_or(Self::NotUuid, Self::Uuid)
    }

    /// Reads a UUID stored as its sixteen bytes; none for a null.
    pub(super) fn from_binary(cell: &[u8]) -> Self {
        match <[u8; 16]>::try_from(cell) {
            Ok(bytes) => Self::Uuid(LeafUserId::from_bytes(bytes)),
            Err(_) if cell.is_empty() => Self::Empty,
            Err(_) => Self::NotUuid,
        }
    }

    fn uuid(self) -> Option<LeafUserId> {
        match self {
            Self::Uuid(id) => Some(id),
            Self::Empty | Self::NotUuid => None,
        }
    }
}

/// What is wrong with one cell.
struct BadCell {
    column: usize,
    field: Option<Field>,
    problem: LineProblem,
}

/// Judges a line of the right width. `cell` gives the bytes of a column by its index from 0.
pub(super) fn judge<'a>(
    columns: &Columns,
    line: u64,
    id: IdCell,
    cell: impl Fn(usize) -> &'a [u8],
) -> Record {
    let read = match columns.wanted {
        Wanted::Growers => read_row(columns, line, id, &cell).map(Record::Row),
        Wanted::Users => read_user(columns, line, id, &cell).map(Record::User),
    };
    read.unwrap_or_else(|bad| Record::Invalid(bad.on(columns, line, id)))
}

/// Judges a line of another width than the header's; `surplus` is the first cell too many with something in it.
pub(super) fn judge_width<'a>(
    columns: &Columns,
    line: u64,
    id: IdCell,
    (cells, surplus): (usize, Option<usize>),
    cell: impl Fn(usize) -> &'a [u8],
) -> Record {
    let place = BadCell::of(columns.leaf_user_id, Field::LeafUserId, LineProblem::NotUuid);
    let bad = match lost_id(columns, id, cells, cell) {
        Some(problem) => BadCell { problem, ..place },
        None => BadCell {
            column: surplus.unwrap_or(cells),
            field: None,
            problem: match surplus {
                Some(_) => LineProblem::SurplusCells { cells, columns: columns.width },
                None => LineProblem::MissingCells { cells, columns: columns.width },
            },
        },
    };
    Record::Invalid(bad.on(columns, line, id))
}

/// Why there is no UUID in the column of the leafUserId, where the line as a whole tells.
fn lost_id<'a>(
    columns: &Columns,
    id: IdCell,
    cells: usize,
    cell: impl Fn(usize) -> &'a [u8],
) -> Option<LineProblem> {
    if id.uuid().is_some() {
        return None;
    }
    if is_header(columns, cells, &cell) {
        return Some(LineProblem::RepeatedHeader);
    }
    let is_wide = cells == columns.width;
    // In a line of the right width something else than its neighbours may well be a UUID of another kind.
    let is_near = |at: usize| at.abs_diff(columns.leaf_user_id) == 1 || !is_wide;
    let mut elsewhere = (0..cells).filter(|&at| at != columns.leaf_user_id && is_near(at));
    let found = elsewhere.find(|&at| IdCell::from_text(cell(at)).uuid().is_some())?;
    Some(LineProblem::ShiftedCells { id_column: found + 1 })
}

/// Whether the cells are names of columns: that of the leafUserId beside another one, or those of login and password in
/// their places.
fn is_header<'a>(columns: &Columns, cells: usize, cell: impl Fn(usize) -> &'a [u8]) -> bool {
    let text = |at: usize| str::from_utf8(cell(at)).unwrap_or_default();
    let is_named = |column: Option<usize>, header: &str| {
        let name = column.map(|at| comparable(text(at)));
        name.is_some_and(|name| !name.is_empty() && name == comparable(header))
    };
    let [login, password] = &columns.login_headers;
    let fields = || (0..cells).filter_map(|at| field_of(text(at)).map(|(field, _)| field));
    let names_id = || fields().any(|field| field == Field::LeafUserId);
    let names_other = || fields().any(|field| field != Field::LeafUserId);
    match columns.wanted {
        Wanted::Users => names_id(),
        Wanted::Growers => {
            is_named(columns.login, login) && is_named(columns.password, password)
                || names_id() && names_other()
        }
    }
}

fn read_row<'a>(
    columns: &Columns,
    line: u64,
    id: IdCell,
    cell: &impl Fn(usize) -> &'a [u8],
) -> Result<Row, BadCell> {
    let leaf_user_id = read_id(columns, id, cell)?;
    let filled = |column: Option<usize>, field: Field| {
        // A reading of growers has found them; without its column a cell is empty.
        let empty = |column| BadCell::of(column, field, LineProblem::Empty);
        let Some(column) = column else { return Err(empty(columns.leaf_user_id)) };
        match text(cell(column), column, Some(field)) {
            Ok("") => Err(empty(column)),
            other => other,
        }
    };
    let login = filled(columns.login, Field::Login)?;
    let password = filled(columns.password, Field::Password)?;
    let field = Field::AccessTokenClient;
    let access_token_client = match columns.access_token_client {
        None => None,
        Some(_) if columns.is_client_required => Some(filled(columns.access_token_client, field)?),
        Some(column) => Some(text(cell(column), column, Some(field))?).filter(|value| !value.is_empty()),
    };
    let kept = read_kept(columns, cell)?;
    Ok(Row {
        line,
        leaf_user_id,
        login: Login::new(login),
        password: Secret::new(password.to_owned()),
        access_token_client: access_token_client.map(|value| Secret::new(value.to_owned())),
        kept,
    })
}

/// Reads a line of which nothing but the user is wanted.
fn read_user<'a>(
    columns: &Columns,
    line: u64,
    id: IdCell,
    cell: &impl Fn(usize) -> &'a [u8],
) -> Result<UserLine, BadCell> {
    Ok(UserLine { line, leaf_user_id: read_id(columns, id, cell)?, kept: read_kept(columns, cell)? })
}

fn read_id<'a>(
    columns: &Columns,
    id: IdCell,
    cell: &impl Fn(usize) -> &'a [u8],
) -> Result<LeafUserId, BadCell> {
    let alone = match id {
        IdCell::Uuid(id) => return Ok(id),
        IdCell::Empty => LineProblem::Empty,
        IdCell::NotUuid if is_padded_uuid(cell(columns.leaf_user_id)) => LineProblem::PaddedUuid,
        IdCell::NotUuid => LineProblem::NotUuid,
    };
    let problem = lost_id(columns, id, columns.width, cell).unwrap_or(alone);
    Err(BadCell::of(columns.leaf_user_id, Field::LeafUserId, problem))
}

/// Whether spaces, quotes, braces or marks that show nothing stand around a UUID.
fn is_padded_uuid(cell: &[u8]) -> bool {
    let text = str::from_utf8(cell).unwrap_or_default();
    text.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).parse::<LeafUserId>().is_ok()
}

fn read_kept<'a>(columns: &Columns, cell: &impl Fn(usize) -> &'a [u8]) -> Result<Vec<String>, BadCell> {
    let mut kept = Vec::with_capacity(columns.kept.len());
    for &column in &columns.kept {
        kept.push(text(cell(column), column, None)?.to_owned());
    }
    Ok(kept)
}

/// A cell as text. A NUL is refused: no form or keyboard makes one, and C programs on the way would cut the text there.
fn text(cell: &[u8], column: usize, field: Option<Field>) -> Result<&str, BadCell> {
    let bad = |problem| BadCell { column, field, problem };
    if cell.contains(&0) {
        return Err(bad(LineProblem::NulCharacter));
    }
    str::from_utf8(cell).map_err(|_| bad(LineProblem::NotUtf8))
}

impl BadCell {
    const fn of(column: usize, field: Field, problem: LineProblem) -> Self {
        Self { column, field: Some(field), problem }
    }

    /// The line that can't be read as a row because of this cell.
    fn on(&self, columns: &Columns, line: u64, id: IdCell) -> InvalidLine {
        let place = match self.field {
            Some(field) => format!("column {} ({field})", self.column + 1),
            None => format!("column {}", self.column + 1),
        };
        InvalidLine {
            line,
            column: u32::try_from(self.column + 1).ok(),
            field: self.field,
            leaf_user_id: id.uuid(),
            problem: self.problem,
            message: self.problem.message(&place),
            kept: vec![String::new(); columns.kept.len()],
        }
    }
}
