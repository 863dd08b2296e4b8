//! What a file is that is given for a manifest and is none: told by its first bytes, so that people are told what to do with it.

use super::ManifestProblem;

/// How much of the beginning is looked at, in bytes: enough to reach the second entry of a ZIP archive.
pub(super) const LOOKED_AT: usize = 4096;

/// What a file looks like, and what helps.
pub(super) type Looks = (&'static str, &'static str);

const EXCEL: Looks = ("an Excel workbook", "save it as CSV UTF-8");
const AGE: Looks = ("a file encrypted with age", "name the identity that decrypts it: --age-identity FILE");
const PGP: Looks = ("a file encrypted with PGP", "say --decrypt-command 'gpg --decrypt {}'");
const COMPRESSED: &str =
    "unpack it, or compress it with gzip (.gz) or Zstandard (.zst), which are read as they are";
const TABLE_OF_JSON: &str = "write one line a grower: leafUserId,login,password";

/// Recognises what no CSV can begin with. Sources: the magic numbers of each format's own description (ZIP: APPNOTE 4.3.7; OLE 2:
/// MS-CFB 2.2; age: its specification, "header"; `OpenPGP`: RFC 9580, 4.2 and 6.2).
pub(super) fn of_bytes(name: &str, start: &[u8]) -> Option<Looks> {
    let begins = |magic: &[u8]| start.starts_with(magic);
    let is_named = |endings: &[&str]| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| endings.contains(&ending.as_str()))
    };
    if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
        let holds = |part: &str| start.windows(part.len()).any(|window| window == part.as_bytes());
        return Some(if holds("application/vnd.oasis.opendocument.spreadsheet") {
            ("an OpenDocument spreadsheet", "save it as CSV with the character set UTF-8")
        } else if is_named(&["numbers"]) {
            ("a Numbers spreadsheet", "export it as CSV with the encoding UTF-8")
        } else if holds("xl/") || holds("[Content_Types].xml") || is_named(&["xlsx", "xlsm", "xlsb"]) {
            EXCEL
        } else {
            ("a ZIP archive", COMPRESSED)
        });
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let first = text.iter().position(|byte| !byte.is_ascii_whitespace()).map_or(&[][..], |at| &text[at..]);
    match first {
        _ if begins(b"\xd0\xcf\x11\xe0") => Some(EXCEL),
        _ if begins(b"age-encryption.org/") => Some(AGE),
        _ if first.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") => Some(AGE),
        _ if first.starts_with(b"-----BEGIN PGP MESSAGE-----") => Some(PGP),
        // A session key packet of version 3 or 6, in the old or the new format: what gpg writes first.
        [0x84 | 0x85, _, _, 3, ..]
        | [0x84, _, 3, ..]
        | [0xc1, _, 3 | 6, ..]
        | [0xc1, _, _, 3 | 6, ..]
        | [0x8c, _, 4, ..]
        | [0xc3, _, 4 | 6, ..] => Some(PGP),
        _ if begins(b"%PDF-") => Some(("a PDF", "ask for the table itself, as CSV")),
        _ if begins(b"SQLite format 3\0") => Some(("an SQLite database", "export its table as CSV")),
        _ if begins(b"BZh") && is_named(&["bz2"]) => Some(("bzip2 data", COMPRESSED)),
        _ if begins(b"\xfd7zXZ\0") => Some(("xz data", COMPRESSED)),
        _ if begins(b"7z\xbc\xaf\x27\x1c") => Some(("a 7z archive", COMPRESSED)),
        _ if begins(b"Rar!\x1a\x07") => Some(("a RAR archive", COMPRESSED)),
        _ => None,
    }
}

/// Recognises text that isn't a table, once no table was found in it: a header may begin with whatever it likes.
fn of_text(text: &str) -> Option<Looks> {
    let first = text.trim_start_matches('\u{feff}').trim_start();
    let has = |part: &str| first.contains(part);
    let lower = first.get(..first.len().min(64)).unwrap_or_default().to_ascii_lowercase();
    if has("ENC[AES256_GCM") || has("\"sops\"") {
        Some(("a file encrypted with sops", "say --decrypt-command 'sops -d {}'"))
    } else if first.starts_with(['{', '[']) {
        Some(if has("_postman_id") || has("schema.getpostman.com") {
            ("a Postman collection", "give the CSV of data that the collection is run with")
        } else if has("_postman_variable_scope") {
            ("a Postman environment", "give the CSV of data that the collection is run with")
        } else if has("\"externalId\"") || has("\"staraCredentials\"") || has("\"johnDeereCredentials\"") {
            (
                "Leaf's own list of users as JSON",
                "write its ids beside Stara's logins and passwords: leafUserId,login,password",
            )
        } else {
            ("JSON", TABLE_OF_JSON)
        })
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<table")
    {
        Some((
            "a web page",
            "download the file itself (the page may be asking for a login), or save the sheet as CSV UTF-8",
        ))
    } else if first.starts_with("<?xml") {
        Some(("XML", TABLE_OF_JSON))
    } else {
        None
    }
}

/// What the problem with a text is, in truth: that it is no table at all.
pub(super) fn instead_of(problem: ManifestProblem, start: &[u8]) -> ManifestProblem {
    let may_be_foreign = matches!(
        problem,
        ManifestProblem::MissingColumn { .. }
            | ManifestProblem::NoRows
            | ManifestProblem::NoHeader
            | ManifestProblem::Runaway { .. }
            | ManifestProblem::NoSuchColumn { .. }
    );
    // What was compressed shows its bytes only now.
    let looks = of_bytes("", start).or_else(|| of_text(&String::from_utf8_lossy(start)));
    match looks.filter(|_| may_be_foreign) {
        Some((found, hint)) => ManifestProblem::WrongFormat { expected: "a CSV", found, hint },
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks_like(name: &str, start: &[u8]) -> Option<&'static str> {
        of_bytes(name, start).map(|(found, _)| found)
    }

    #[test]
    fn what_no_csv_begins_with_is_told_by_its_first_bytes() {
        for (name, start, found) in [
            ("g.csv", &b"PK\x03\x04\x14\0\0\0\0\0....[Content_Types].xml"[..], "an Excel workbook"),
            ("g.xlsx", b"PK\x03\x04....", "an Excel workbook"),
            (
                "g.ods",
                b"PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
                "an OpenDocument spreadsheet",
            ),
            ("g.zip", b"PK\x03\x04....growers.csv", "a ZIP archive"),
            ("g.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
            ("g.csv", b"age-encryption.org/v1\n-> X25519 ", "a file encrypted with age"),
            ("g.csv", b"\n-----BEGIN AGE ENCRYPTED FILE-----\n", "a file encrypted with age"),
            ("g.csv", b"-----BEGIN PGP MESSAGE-----\n", "a file encrypted with PGP"),
            ("g.gpg", b"\x85\x02\x0c\x03....", "a file encrypted with PGP"),
            ("g.gpg", b"\x8c\x0d\x04\x09....", "a file encrypted with PGP"),
            ("g.csv", b"%PDF-1.7\n", "a PDF"),
            ("g.xz", b"\xfd7zXZ\0", "xz data"),
        ] {
            assert_eq!(looks_like(name, start), Some(found), "{name}");
        }
    }

    #[test]
    fn a_table_is_taken_for_nothing_else() {
        for start in [
            &b"leafUserId,login,senha\n"[..],
            b"\xef\xbb\xbfid;usu\xc3\xa1rio",
            b"",
            b"BZh,login",
            b"\xff\xfel\0o\0",
        ] {
            assert_eq!(looks_like("g.csv", start), None, "{start:?}");
        }
        for text in ["leafUserId,login,senha\n", "", "<none>,login\n", "id;usuário;senha"] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_text_in_which_no_table_was_found_is_looked_at() {
        let json = r#"[{"login":"a"}]"#;
        let foreign = |problem| instead_of(problem, json.as_bytes()).to_string();
        assert!(foreign(ManifestProblem::NoRows).contains("looks like JSON"));
        assert_eq!(foreign(ManifestProblem::NulInHeader), ManifestProblem::NulInHeader.to_string());
    }
}
