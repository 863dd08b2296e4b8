//! The file of magic links, from which letters to growers are made.

use std::fs::File;
use std::io;
use std::path::Path;

use super::columns::KeptColumnError;
use super::csv_lines::CsvLines;
use super::replace::Replacement;
use super::write::ReportError;
use crate::model::{LeafUserId, Login, MagicLink};

/// The file's own columns, in their order. The kept columns of the manifest follow them: a letter needs a name and an
/// address.
pub const LINK_COLUMNS: [&str; 4] = ["leafUserId", "login", "link", "expiresAt"];

/// A grower who is to sign in by themselves.
#[derive(Debug)]
pub struct LinkRecord {
    /// The user.
    pub leaf_user_id: LeafUserId,
    /// The login that was refused.
    pub login: Option<Login>,
    /// Where they sign in.
    pub link: MagicLink,
    /// The cells of the kept manifest columns, in the order of their names; those that are missing stay empty.
    pub kept: Vec<String>,
}

/// Checks that the kept columns can be told from the file's own.
///
/// # Errors
///
/// Names the first column that can't.
pub fn check_link_columns(kept_columns: &[String]) -> Result<(), KeptColumnError> {
    match kept_columns.iter().find(|name| LINK_COLUMNS.contains(&name.as_str())) {
        Some(name) => Err(KeptColumnError::OfTheReport(name.clone())),
        None => Ok(()),
    }
}

/// Writes the links, in their order, to `path`, and answers how many they were.
///
/// The file is made anew beside the one that stands there, mode 0600, flushed to the disk, and takes its place: a symbolic
/// link is replaced, not followed. Formulas are defused as in a report.
///
/// # Errors
///
/// When the records or the file fail. Whatever stood at `path` is untouched then.
pub fn write_links<E: std::error::Error + 'static>(
    path: &Path,
    kept_columns: &[String],
    records: impl IntoIterator<Item = Result<LinkRecord, E>>,
) -> Result<u64, ReportError<E>> {
    check_link_columns(kept_columns)
        .map_err(|source| ReportError::KeptColumn { path: path.to_owned(), source })?;
    let failed = |source| ReportError::File { path: path.to_owned(), source };
    let replacement = Replacement::new(path).map_err(failed)?;
    let columns = LINK_COLUMNS.into_iter().chain(kept_columns.iter().map(String::as_str));
    let mut lines = CsvLines::new(replacement.file(), columns).map_err(failed)?;
    let mut count = 0;
    for record in records {
        let record = record.map_err(|source| ReportError::Records { path: path.to_owned(), source })?;
        put(&mut lines, &record, kept_columns.len()).map_err(failed)?;
        count += 1;
    }
    lines.flush().map_err(failed)?;
    drop(lines);
    replacement.commit().map_err(failed)?;
    Ok(count)
}

fn put(lines: &mut CsvLines<&File>, record: &LinkRecord, kept_columns: usize) -> io::Result<()> {
    lines.text(&record.leaf_user_id.to_string())?;
    lines.text(record.login.as_ref().map_or("", Login::as_str))?;
    lines.text(record.link.link.expose_secret())?;
    lines.text(&record.link.expires_at.to_rfc3339())?;
    for place in 0..kept_columns {
        lines.text(record.kept.get(place).map_or("", String::as_str))?;
    }
    lines.end_line()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::model::{Secret, UnixMillis};

    fn record(number: u8, login: &str, kept: &[&str]) -> LinkRecord {
        let link = MagicLink {
            link: Secret::new(format!("https://leaf.example/connect?a=1,2&n={number}")),
            expires_at: UnixMillis(1_795_269_800_125),
        };
        LinkRecord {
            leaf_user_id: LeafUserId::from_bytes([number; 16]),
            login: Some(Login::new(login)),
            link,
            kept: kept.iter().map(|&cell| cell.to_owned()).collect(),
        }
    }

    #[test]
    fn a_mail_merge_finds_link_expiry_and_the_kept_columns_in_order_and_no_formula() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.csv");
        let kept = ["nome".to_owned(), "e-mail".to_owned()];
        let records = [
            record(1, "=cmd()", &["José, filho", "j@x.example"]),
            record(2, "ana", &["+55 11"]),
            record(3, "", &[]),
        ];
        assert_eq!(write_links(&path, &kept, records.map(Ok::<_, Infallible>)).unwrap(), 3);
        let expected = concat!(
            "leafUserId,login,link,expiresAt,nome,e-mail\n",
            "01010101-0101-0101-0101-010101010101,'=cmd(),\"https://leaf.example/connect?a=1,2&n=1\",",
            "2026-11-21T14:03:20.125Z,\"José, filho\",j@x.example\n",
            "02020202-0202-0202-0202-020202020202,ana,\"https://leaf.example/connect?a=1,2&n=2\",",
            "2026-11-21T14:03:20.125Z,'+55 11,\n",
            "03030303-0303-0303-0303-030303030303,,\"https://leaf.example/connect?a=1,2&n=3\",",
            "2026-11-21T14:03:20.125Z,,\n",
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn without_anybody_there_is_a_header_and_only_its_owner_reads_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.csv");
        std::fs::write(&path, "an older one").unwrap();
        assert_eq!(write_links::<Infallible>(&path, &[], []).unwrap(), 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "leafUserId,login,link,expiresAt\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_fails_half_way_leaves_the_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.csv");
        std::fs::write(&path, "an older one").unwrap();
        let records = [Ok(record(1, "ana", &[])), Err(io::Error::other("the ledger is gone"))];
        write_links(&path, &[], records).unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "an older one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_kept_column_is_no_namesake_of_the_files_own() {
        for name in LINK_COLUMNS {
            check_link_columns(&["nome".to_owned(), name.to_owned()]).unwrap_err();
        }
        check_link_columns(&["nome".to_owned(), "Link".to_owned()]).unwrap();
    }
}
