use super::super::compression::tests::gzip;
use std::collections::HashSet;

use super::super::test_support::{ID, csv_error, open, open_csv, open_sample, read, rows, tell};
use super::super::{EncodingChoice, Field, Format, Manifest, ReadOptions, Record, Wanted};

const NAMES: [&str; 3] = ["joão@fazenda.example", "conceição", "007123"];

fn table(delimiter: &str, line_end: &str) -> String {
    let mut text = ["leafUserId", "Usuário", "Senha"].join(delimiter) + line_end;
    for name in NAMES {
        text += &[ID, name, "çã 1"].join(delimiter);
        text += line_end;
    }
    text
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

fn windows_1252(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

fn with_encoding(encoding: EncodingChoice) -> ReadOptions {
    ReadOptions { encoding: Some(encoding), ..ReadOptions::default() }
}

fn assert_is_the_table(manifest: &Manifest) {
    let rows = rows(manifest);
    let logins: Vec<&str> = rows.iter().map(|row| row.login.as_str()).collect();
    assert_eq!(logins, NAMES);
    assert!(rows.iter().all(|row| row.password.expose_secret() == "çã 1"));
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn one_table_reads_alike_in_every_encoding_and_compression() {
    let plain = table(",", "\n");
    let marked = format!("\u{feff}{}", table(";", "\r\n"));
    let files: [Vec<u8>; 8] = [
        plain.clone().into_bytes(),
        marked.clone().into_bytes(),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        gzip(plain.as_bytes()),
        gzip(&utf16(&marked, u16::to_le_bytes)),
        zstd::encode_all(marked.as_bytes(), 3).unwrap(),
        [gzip(&plain.as_bytes()[..50]), gzip(&plain.as_bytes()[50..])].concat(),
    ];
    for bytes in files {
        let manifest = open_csv(&bytes).unwrap();
        assert_is_the_table(&manifest);
        assert!(manifest.warnings().is_empty());
        assert_eq!(manifest.format(), Format::Csv);
        assert_eq!(manifest.size_bytes(), bytes.len() as u64);
    }
}

#[test]
fn what_is_not_utf_8_is_read_as_windows_1252_and_a_warning_says_so() {
    let bytes = windows_1252(&table(";", "\r\n"));
    let manifest = open_csv(&bytes).unwrap();
    assert_is_the_table(&manifest);
    assert_eq!(
        manifest.warnings(),
        ["growers.csv isn't UTF-8; it is read as Windows-1252 (say --encoding to choose)"]
    );
    let manifest = open("growers.csv", &bytes, &with_encoding(EncodingChoice::Windows1252)).unwrap();
    assert_is_the_table(&manifest);
    assert!(manifest.warnings().is_empty());
}

#[test]
fn the_encoding_is_decided_on_the_whole_file() {
    let mut text = "leafUserId;login;senha\n".to_owned();
    text += &format!("{ID};ana;1\n").repeat(20_000);
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&windows_1252(&format!("{ID};joão;1\n")));
    let manifest = open_csv(&bytes).unwrap();
    assert_eq!(manifest.warnings().len(), 1);
    assert_eq!(rows(&manifest)[20_000].login.as_str(), "joão");
}

#[test]
fn a_file_that_breaks_the_encoding_it_promised_is_refused_with_the_line() {
    let latin = windows_1252(&table(",", "\n"));
    let forced = open("growers.csv", &latin, &with_encoding(EncodingChoice::Utf8)).unwrap_err();
    assert_eq!(
        forced.to_string(),
        "growers.csv: line 1 isn't valid UTF-8; say --encoding windows-1252 if it came out of Excel"
    );
    let mut marked = b"\xef\xbb\xbfleafUserId,login,senha\n".to_vec();
    marked.extend_from_slice(&windows_1252(&format!("{ID},joão,1\n")));
    assert!(csv_error(&marked).contains("line 2 isn't valid UTF-8"));
    let mut odd = utf16(&format!("\u{feff}{}", table(",", "\n")), u16::to_le_bytes);
    odd.push(b'x');
    assert_eq!(csv_error(&odd), "growers.csv: line 5 isn't valid UTF-16");
}

#[test]
fn utf_16_without_a_mark_is_read_when_chosen_and_suggested_when_not() {
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let ascii = format!("leafUserId,login,senha\n{ID},a,1\n");
        let bytes = utf16(&ascii, to_bytes);
        let manifest = open("growers.csv", &bytes, &with_encoding(EncodingChoice::Utf16)).unwrap();
        assert_eq!(rows(&manifest).len(), 1);
        assert!(csv_error(&bytes).contains("--encoding utf-16"));
    }
}

#[test]
fn a_file_without_rows_is_refused() {
    for empty in ["", "\n\r\n\n", "\u{feff}"] {
        assert_eq!(csv_error(empty), "growers.csv: it is empty", "{empty:?}");
    }
    for bare in ["leafUserId,login,senha", "leafUserId,login,senha\r\n\r\n\n"] {
        assert_eq!(csv_error(bare), "growers.csv: it has no rows below its header");
    }
    assert_eq!(csv_error(gzip(b"")), "growers.csv: it is empty");
}

#[test]
fn a_file_without_a_header_is_refused_and_not_shown() {
    let error = csv_error(format!("{ID},ana@example.com,hunter2\n{ID},b,2\n"));
    assert!(error.contains("looks like data, not like a header"), "{error}");
    assert!(!error.contains("hunter2") && !error.contains("ana@"));
}

#[test]
fn compressed_data_that_is_damaged_is_refused() {
    let text = table(",", "\n").repeat(500);
    let whole = gzip(text.as_bytes());
    assert_eq!(csv_error(&whole[..whole.len() / 2]), "growers.csv: its gzip data is damaged or cut off");
    let whole = zstd::encode_all(text.as_bytes(), 3).unwrap();
    assert_eq!(csv_error(&whole[..whole.len() - 1]), "growers.csv: its Zstandard data is damaged or cut off");
}

#[test]
fn the_format_is_told_by_the_first_bytes_and_the_hint_says_what_helps() {
    let told = |name: &str, bytes: &[u8], format| {
        let options = ReadOptions { format, ..ReadOptions::default() };
        open(name, bytes, &options).unwrap_err().to_string()
    };
    assert_eq!(
        told("growers.xlsx", b"PK\x03\x04....", None),
        "growers.xlsx: it isn't a CSV, but looks like an Excel workbook; save it as CSV UTF-8"
    );
    assert_eq!(
        told("growers.parquet", b"leafUserId,login,senha\n", None),
        "growers.parquet: it isn't a Parquet file, but looks like something else; say --format csv if it is a CSV"
    );
    assert_eq!(
        told("-", b"PAR1....PAR1", Some(Format::Csv)),
        "-: it isn't a CSV, but looks like a Parquet file; say --format parquet"
    );
    assert!(told("-", b"PARE....PARE", None).contains("encrypt"));
    let csv = format!("leafUserId,login,senha\n{ID},a,1\n");
    let options = ReadOptions { format: Some(Format::Csv), ..ReadOptions::default() };
    assert_eq!(rows(&open("x.parquet", csv.as_bytes(), &options).unwrap()).len(), 1);
}

#[test]
fn the_two_samples_of_growers_hold_the_same_rows() {
    let kept = ["nome", "fazenda"];
    let cells = |name: &str| -> Vec<[String; 5]> {
        rows(&open_sample(name, &kept))
            .into_iter()
            .map(|row| {
                let [person, farm] = <[String; 2]>::try_from(row.kept).unwrap();
                [
                    row.leaf_user_id.to_string(),
                    row.login.as_str().to_owned(),
                    row.password.expose_secret().to_owned(),
                    person,
                    farm,
                ]
            })
            .collect()
    };
    let growers = cells("growers.csv");
    assert_eq!(growers, cells("growers.parquet"));
    assert_eq!(growers.len(), 200);
    let ids: HashSet<&str> = growers.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids.len(), 200);
    assert!(growers.iter().any(|row| row[1] == "007123"));
    assert!(growers.iter().all(|row| !row[2].starts_with("sandbox:")));
}

#[test]
fn the_sample_of_everything_that_can_go_wrong_reads_as_its_readme_says() {
    let records = read(&open_sample("mixed.csv", &[])).unwrap();
    assert_eq!(records.len(), 29);
    let invalid: Vec<String> =
        records.iter().filter(|record| matches!(record, Record::Invalid(_))).map(tell).collect();
    assert_eq!(
        invalid,
        [
            "6 3 it has fewer cells than the header has columns (2 and 4)",
            "7 5 it has more cells than the header has columns (5 and 4)",
            "8 1 column 1 (leafUserId) is empty",
            "9 2 column 2 (login) is empty",
            "10 3 column 3 (password) is empty",
            "11 1 column 1 (leafUserId) is not a UUID of the form 00000000-0000-0000-0000-000000000000",
        ]
    );
    let readme = include_str!("../../../manifests/README.md");
    let words: Vec<(u64, String)> = records
        .iter()
        .filter_map(|record| match record {
            Record::Row(row) => Some((row.line, row.password.expose_secret().to_owned())),
            Record::User(_) | Record::Invalid(_) => None,
        })
        .filter(|(_, password)| password.starts_with("sandbox:"))
        .collect();
    let lines: Vec<u64> = words.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, (20..=28).collect::<Vec<_>>());
    for (line, word) in words {
        let entry = format!("| {line} | `{word}` |");
        assert!(readme.contains(&entry), "{entry}");
    }
}

#[test]
fn a_list_of_users_needs_no_other_column_and_looks_at_none() {
    let other = "0a1b2c3d-0000-4000-8000-00000000abce";
    let wanted = |keep_columns: &[&str]| ReadOptions {
        wanted: Wanted::Users,
        keep_columns: keep_columns.iter().map(|&column| column.to_owned()).collect(),
        ..ReadOptions::default()
    };
    let read_users = |text: &str, options: &ReadOptions| -> Vec<String> {
        read(&open("leavers.csv", text.as_bytes(), options).unwrap()).unwrap().iter().map(tell).collect()
    };
    let users = [format!("2 {ID}"), format!("3 {other}")];
    assert_eq!(read_users(&format!("leafUserId\n{ID}\n{other}\n"), &wanted(&[])), users);
    // Two columns for the login, and a password that is no text: nobody asks.
    let full = format!("login;leafUserId;usuário;senha\n;{ID};;\nana;{other};ana;a\0b\n");
    assert_eq!(read_users(&full, &wanted(&[])), users);
    let records = read(&open("leavers.csv", full.as_bytes(), &wanted(&["login"])).unwrap()).unwrap();
    assert!(matches!(&records[1], Record::User(user) if user.kept == ["ana"]), "{records:?}");

    let error = |text: &str, options: &ReadOptions| {
        open("leavers.csv", text.as_bytes(), options).unwrap_err().to_string()
    };
    assert!(error("login,senha\nana,x\n", &wanted(&[])).contains("leafUserId"));
    assert!(error(&full, &wanted(&["senha"])).contains("senha"), "a secret is never kept");
    let by_flag =
        ReadOptions { columns: vec![(Field::Password, "usuário".to_owned())], ..wanted(&["usuário"]) };
    assert!(error(&full, &by_flag).contains("usuário"), "nor what a flag says is one");
    let invalid = read_users(&format!("leafUserId\nno-uuid\n{ID}\n"), &wanted(&[]));
    assert!(invalid[0].contains("is not a UUID") && invalid[1] == format!("3 {ID}"), "{invalid:?}");
}
