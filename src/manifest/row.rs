//! One line of a manifest, and how it is judged by itself.

use std::str;

use super::columns::Columns;
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
    /// The leafUserId, if what stands in its column is a UUID.
    pub leaf_user_id: Option<LeafUserId>,
    /// What is wrong, such as `column 2 (login) is empty`.
    pub message: String,
    /// As many empty strings as columns are kept.
    pub kept: Vec<String>,
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
    what: &'static str,
}

/// Judges a line of the right width. `cell` gives the bytes of a column by its index from 0.
pub(super) fn judge<'a>(
    columns: &Columns,
    line: u64,
    id: IdCell,
    cell: impl Fn(usize) -> &'a [u8],
) -> Record {
    let read = match columns.wanted {
        Wanted::Growers => read_row(columns, line, id, cell).map(Record::Row),
        Wanted::Users => read_user(columns, line, id, cell).map(Record::User),
    };
    match read {
        Ok(record) => record,
        Err(bad) => {
            let place = match bad.field {
                Some(field) => format!("column {} ({field}) {}", bad.column + 1, bad.what),
                None => format!("column {} {}", bad.column + 1, bad.what),
            };
            Record::Invalid(invalid(columns, line, Some(bad.column), id, place))
        }
    }
}

/// A line that can't be read as a row, because of the column with this index from 0.
pub(super) fn invalid(
    columns: &Columns,
    line: u64,
    column: Option<usize>,
    id: IdCell,
    message: String,
) -> InvalidLine {
    InvalidLine {
        line,
        column: column.and_then(|index| u32::try_from(index + 1).ok()),
        leaf_user_id: id.uuid(),
        message,
        kept: vec![String::new(); columns.kept.len()],
    }
}

fn read_row<'a>(
    columns: &Columns,
    line: u64,
    id: IdCell,
    cell: impl Fn(usize) -> &'a [u8],
) -> Result<Row, BadCell> {
    let leaf_user_id = read_id(columns, id)?;
    let filled = |column: Option<usize>, field: Field| {
        // A reading of growers has found them; without its column a cell is empty.
        let Some(column) = column else { return Err(BadCell::of(columns.leaf_user_id, field, "is empty")) };
        match text(cell(column), column, Some(field)) {
            Ok("") => Err(BadCell::of(column, field, "is empty")),
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
    cell: impl Fn(usize) -> &'a [u8],
) -> Result<UserLine, BadCell> {
    Ok(UserLine { line, leaf_user_id: read_id(columns, id)?, kept: read_kept(columns, cell)? })
}

fn read_id(columns: &Columns, id: IdCell) -> Result<LeafUserId, BadCell> {
    let bad = |what| BadCell::of(columns.leaf_user_id, Field::LeafUserId, what);
    match id {
        IdCell::Uuid(id) => Ok(id),
        IdCell::Empty => Err(bad("is empty")),
        IdCell::NotUuid => Err(bad("is not a UUID of the form 00000000-0000-0000-0000-000000000000")),
    }
}

fn read_kept<'a>(columns: &Columns, cell: impl Fn(usize) -> &'a [u8]) -> Result<Vec<String>, BadCell> {
    let mut kept = Vec::with_capacity(columns.kept.len());
    for &column in &columns.kept {
        kept.push(text(cell(column), column, None)?.to_owned());
    }
    Ok(kept)
}

/// A cell as text. A NUL is refused: no form or keyboard makes one, and C programs on the way would cut the text there.
fn text(cell: &[u8], column: usize, field: Option<Field>) -> Result<&str, BadCell> {
    let bad = |what| BadCell { column, field, what };
    if cell.contains(&0) {
        return Err(bad("holds a NUL character"));
    }
    str::from_utf8(cell).map_err(|_| bad("is not valid UTF-8"))
}

impl BadCell {
    const fn of(column: usize, field: Field, what: &'static str) -> Self {
        Self { column, field: Some(field), what }
    }
}
