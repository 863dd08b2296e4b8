//! The rows that aren't fine, as the data of the page's table.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::groups::Group;
use super::wording::{count, is_deceptive};
use crate::checkpoint::RunKind;
use crate::model::{Login, OutcomeCode, Stage};
use crate::report::record::ResultRecord;

/// The most rows that a page lists.
pub(super) const MOST_ROWS: usize = 10_000;

/// The most bytes that the listed rows take, so that a page stays under 6 MB.
const MOST_BYTES: usize = 4_500_000;

/// The longest cell, in characters; CSV, JSON lines and Parquet hold it whole.
const LONGEST_CELL: usize = 500;

/// The most different messages that are written only once.
const MOST_MESSAGES: usize = 1_024;

/// Rows up to a number and a size.
#[derive(Debug, Default)]
struct Heap {
    /// Each row as JSON, escaped.
    rows: Vec<String>,
    bytes: usize,
    is_full: bool,
}

impl Heap {
    fn add(&mut self, row: String) {
        self.is_full |= self.rows.len() == MOST_ROWS || self.bytes + row.len() > MOST_BYTES;
        if !self.is_full {
            self.bytes += row.len();
            self.rows.push(row);
        }
    }
}

/// The rows that aren't fine, as they come.
#[derive(Debug, Default)]
pub(super) struct Rows {
    kind: RunKind,
    kept_columns: Vec<String>,
    messages: Vec<String>,
    place_of: HashMap<String, usize>,
    failed: Heap,
    /// Rows that weren't reached are listed where failed ones leave room: there is nothing to be learned from each.
    unreached: Heap,
    total: u64,
}

impl Rows {
    /// No rows yet, of a run of this kind.
    pub(super) fn new(kind: RunKind, kept_columns: &[String]) -> Self {
        Self { kind, kept_columns: kept_columns.to_vec(), ..Self::default() }
    }

    /// Keeps a record, if it isn't fine and there is room.
    pub(super) fn add(&mut self, record: &ResultRecord) {
        let group = Group::of(self.kind, record.outcome);
        if !group.is_listed() || (group == Group::NotReached && record.is_left_out()) {
            return;
        }
        self.total += 1;
        let is_full = if group == Group::NotReached { self.unreached.is_full } else { self.failed.is_full };
        if is_full {
            return;
        }
        let row = self.row(record);
        let heap = if group == Group::NotReached { &mut self.unreached } else { &mut self.failed };
        heap.add(row);
    }

    fn row(&mut self, record: &ResultRecord) -> String {
        let text = |text: Option<&str>| text.map(cut);
        let code = OutcomeCode::ALL.iter().position(|code| *code == record.outcome);
        let stage = record.stage.and_then(|of| Stage::ALL.iter().position(|stage| *stage == of));
        let mut cells = vec![
            json!(record.line),
            json!(record.leaf_user_id.map(|id| id.to_string())),
            json!(text(record.login.as_ref().map(Login::as_str))),
            json!(code),
            json!(stage),
            json!(record.http_status),
            json!(record.attempts),
            json!(text(record.credential_id.as_deref())),
            json!(text(record.credential_status.as_deref())),
            json!(record.finished_at.map(|at| at.0)),
            self.message(&record.message),
        ];
        cells.extend(record.kept.iter().map(|cell| json!(cut(cell))));
        escaped(&Value::Array(cells))
    }

    /// A message, or the place of one that was met before.
    fn message(&mut self, message: &str) -> Value {
        if let Some(place) = self.place_of.get(message) {
            return json!(place);
        }
        if self.messages.len() == MOST_MESSAGES {
            return json!(cut(message));
        }
        self.place_of.insert(message.to_owned(), self.messages.len());
        self.messages.push(cut(message));
        json!(self.messages.len() - 1)
    }

    /// How many rows aren't fine.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// How many of them are listed.
    pub(super) fn listed(&self) -> usize {
        self.failed.rows.len() + self.unreached().count()
    }

    /// Says how many aren't listed, where there are any.
    pub(super) fn left_out(&self) -> Option<String> {
        let more = self.total.saturating_sub(self.listed() as u64);
        (more > 0).then(|| count(more))
    }

    fn unreached(&self) -> impl Iterator<Item = &String> {
        let mut bytes = self.failed.bytes;
        let room = MOST_ROWS.saturating_sub(self.failed.rows.len());
        self.unreached.rows.iter().take(room).take_while(move |row| {
            bytes += row.len();
            bytes <= MOST_BYTES && !self.failed.is_full
        })
    }

    /// The data, as JSON that can stand in a page: each row on a line of its own.
    pub(super) fn to_json(&self) -> String {
        let codes: Vec<Value> = OutcomeCode::ALL
            .iter()
            .map(|code| {
                let group = Group::of(self.kind, *code);
                json!({
                    "code": code.as_str(),
                    "group": group.key(),
                    "owner": group.title(),
                    "meaning": code.meaning(),
                    "advice": self.kind.advice(*code),
                    "nextRun": code.next_run().as_str(),
                })
            })
            .collect();
        let head = json!({
            "kept": self.kept_columns.iter().map(|name| cut(name)).collect::<Vec<_>>(),
            "codes": codes,
            "stages": Stage::ALL.map(Stage::as_str),
            "messages": self.messages,
        });
        let mut text = String::with_capacity(self.failed.bytes + 65_536);
        // Writing into a string can't fail. The null stands there so that every row's line looks the same.
        let _ = write!(text, "{{\"head\":{},\n\"rows\":[null", escaped(&head));
        for row in self.failed.rows.iter().chain(self.unreached()) {
            text.push_str("\n,");
            text.push_str(row);
        }
        text.push_str("\n]}");
        text
    }
}

/// A text up to a length, marked where it was cut.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// JSON in which nothing can end the element it stands in or begin another one, in whatever language a page is read.
///
/// All these characters can only stand within strings of JSON, where an escape means the same. Those that can't be seen or
/// turn text around are escaped, too, for whoever reads the page's source.
pub(super) fn escaped(value: &Value) -> String {
    let json = value.to_string();
    let mut text = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        match letter {
            letter if matches!(letter, '<' | '>' | '&') || is_deceptive(letter) => {
                // Writing into a string can't fail.
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text
}
