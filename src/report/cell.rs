//! A record as cells, in the order of the columns: the one place that ties a column to its value.

use std::borrow::Cow;

use super::columns::COLUMNS;
use super::record::ResultRecord;
use crate::model::{Login, Origin, Stage};

/// One value of a record, before a format writes it in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// There is no value: an empty cell in CSV, null elsewhere.
    Absent,
    /// A number that JSON and Parquet write as one.
    Number(u64),
    /// Text, exact but for CSV's defused formulas.
    Text(Cow<'a, str>),
}

impl ResultRecord {
    /// The values of [`COLUMNS`], in their order; the kept cells follow them.
    pub(super) fn cells(&self) -> [Cell<'_>; COLUMNS.len()] {
        [
            Cell::Number(self.line),
            self.leaf_user_id.map_or(Cell::Absent, |id| Cell::Text(id.to_string().into())),
            text(self.login.as_ref().map(Login::as_str)),
            text(Some(self.outcome.as_str())),
            text(self.origin.map(Origin::as_str)),
            text(self.stage.map(Stage::as_str)),
            number(self.http_status),
            number(self.attempts),
            text(self.credential_id.as_deref()),
            text(self.credential_status.as_deref()),
            self.finished_at.map_or(Cell::Absent, |at| Cell::Text(at.to_rfc3339().into())),
            text(Some(&self.message)),
            text(Some(self.outcome.advice())),
            text(Some(self.outcome.owner().as_str())),
            text(Some(self.outcome.next_run().as_str())),
        ]
    }
}

fn text(value: Option<&str>) -> Cell<'_> {
    value.map_or(Cell::Absent, |text| Cell::Text(text.into()))
}

fn number<N: Into<u64>>(value: Option<N>) -> Cell<'static> {
    value.map_or(Cell::Absent, |number| Cell::Number(number.into()))
}
