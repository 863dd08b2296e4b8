//! Takes users out of a report that was written before.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use csv::{ByteRecord, QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};

use super::columns::COLUMNS;
use super::links::LINK_COLUMNS;
use super::replace::Replacement;
use crate::model::LeafUserId;

/// The place of the leafUserId among the columns of a report, and of a file of magic links.
const USER: usize = 1;
const USER_OF_LINK: usize = 0;

/// Takes the records of every user that `is_to_go` out of the report at `path`, which is replaced as a whole; tells how many
/// there were, or `None` where the file is no CSV, JSON lines or page of ours. A page's counts stay: they name nobody. A file of magic links counts as a report.
///
/// # Errors
///
/// When it can't be read or written.
pub fn forget_in_report(path: &Path, is_to_go: &dyn Fn(LeafUserId) -> bool) -> io::Result<Option<u64>> {
    let mut start = Vec::new();
    File::open(path)?.take(LONGEST_START).read_to_end(&mut start)?;
    if start.starts_with(csv_start().as_bytes()) {
        return forget_in_csv(path, USER, is_to_go).map(Some);
    }
    if start.starts_with(LINK_COLUMNS.join(",").as_bytes()) {
        return forget_in_csv(path, USER_OF_LINK, is_to_go).map(Some);
    }
    if start.starts_with(b"{\"line\":") {
        return forget_in_jsonl(path, is_to_go).map(Some);
    }
    if start.starts_with(b"<!doctype html>") && start.windows(GENERATOR.len()).any(|piece| piece == GENERATOR)
    {
        return forget_in_page(path, is_to_go).map(Some);
    }
    Ok(None)
}

/// Longer than what every report begins with, in bytes.
const LONGEST_START: u64 = 1_024;

/// By what a page of ours is known.
const GENERATOR: &[u8] = b"name=\"generator\" content=\"stara-onboard ";

fn csv_start() -> String {
    COLUMNS.join(",")
}

fn is_of(cell: Option<&[u8]>, is_to_go: &dyn Fn(LeafUserId) -> bool) -> bool {
    let id = cell.and_then(|cell| std::str::from_utf8(cell).ok()).and_then(|text| text.parse().ok());
    id.is_some_and(|id: LeafUserId| is_to_go(id))
}

fn forget_in_csv(path: &Path, user: usize, is_to_go: &dyn Fn(LeafUserId) -> bool) -> io::Result<u64> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_path(path)?;
    let replacement = Replacement::new(path)?;
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .flexible(true)
        .from_writer(replacement.file());
    let (mut record, mut forgotten) = (ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record)? {
        if is_of(record.get(user), is_to_go) {
            forgotten += 1;
        } else {
            writer.write_byte_record(&record)?;
        }
    }
    writer.flush()?;
    drop(writer);
    commit(replacement, forgotten)
}

fn forget_in_jsonl(path: &Path, is_to_go: &dyn Fn(LeafUserId) -> bool) -> io::Result<u64> {
    forget_lines(path, |line| {
        let record: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
        is_of(record[COLUMNS[USER]].as_str().map(str::as_bytes), is_to_go)
    })
}

/// Each row of a page's data stands on a line of its own: a comma, and an array of cells.
fn forget_in_page(path: &Path, is_to_go: &dyn Fn(LeafUserId) -> bool) -> io::Result<u64> {
    forget_lines(path, |line| {
        let row = line.strip_prefix(b",[").map(|_| &line[1..]);
        let row: Option<serde_json::Value> = row.and_then(|row| serde_json::from_slice(row).ok());
        row.is_some_and(|row| is_of(row[USER].as_str().map(str::as_bytes), is_to_go))
    })
}

/// Leaves out the lines that are to go, and writes all others as they are.
fn forget_lines(path: &Path, is_to_go: impl Fn(&[u8]) -> bool) -> io::Result<u64> {
    let replacement = Replacement::new(path)?;
    let mut writer = BufWriter::new(replacement.file());
    let mut forgotten = 0;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = line?;
        if is_to_go(&line) {
            forgotten += 1;
        } else {
            writer.write_all(&line)?;
            writer.write_all(b"\n")?;
        }
    }
    writer.flush()?;
    drop(writer);
    commit(replacement, forgotten)
}

/// A report that names none of them stays the file that it is.
fn commit(replacement: Replacement<'_>, forgotten: u64) -> io::Result<u64> {
    if forgotten > 0 {
        replacement.commit()?;
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0a1b2c3d-0000-4000-8000-000000000001";
    const TWO: &str = "0a1b2c3d-0000-4000-8000-000000000002";

    fn forget(text: &str) -> (Option<u64>, String) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results");
        std::fs::write(&path, text).unwrap();
        let forgotten = forget_in_report(&path, &|id| id.to_string() == ONE).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        (forgotten, std::fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn a_user_goes_and_every_other_byte_stays() {
        let head = format!("{},farm\n", csv_start());
        let rest = format!(
            "3,{TWO},\"b \"\"x\"\"\",attached,,,,,,,,,,\"two\nlines\"\n4,,,manifest-invalid,,,,,,,,,,'=x\n"
        );
        let (forgotten, left) = forget(&format!("{head}2,{ONE},a,attached,,,,,,,,,,{TWO}\n{rest}"));
        assert_eq!((forgotten, left), (Some(1), format!("{head}{rest}")));
        let line =
            |line: u8, id: &str| format!("{{\"line\":{line},\"leafUserId\":\"{id}\",\"login\":\"x\"}}\n");
        let (forgotten, left) = forget(&format!("{}{}", line(2, ONE), line(3, TWO)));
        assert_eq!((forgotten, left), (Some(1), line(3, TWO)));
    }

    #[test]
    fn a_user_goes_out_of_a_file_of_magic_links() {
        let head = format!("{},nome\n", LINK_COLUMNS.join(","));
        let line = |id: &str| format!("{id},ana,https://x.example,2026-11-21T00:00:00.000Z,\"José, o\"\n");
        let (forgotten, left) = forget(&format!("{head}{}{}", line(ONE), line(TWO)));
        assert_eq!((forgotten, left), (Some(1), format!("{head}{}", line(TWO))));
    }

    #[test]
    fn a_file_of_somebody_elses_is_left_alone() {
        let text = format!("leafUserId,login,password\n{ONE},a,b\n");
        assert_eq!(forget(&text), (None, text));
        assert_eq!(forget(""), (None, String::new()));
    }
}
