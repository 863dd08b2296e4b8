use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::super::test_support::{
    ID, csv_error, invalid_lines, open, open_csv, read, rows, tell, tell_csv,
};
use super::super::super::{ClientColumn, Field, ReadOptions, Record};

fn csv(body: &str) -> String {
    format!("leafUserId,login,password\n{body}").replace("ID", ID)
}

#[test]
fn cells_are_byte_for_byte_what_the_file_holds() {
    let text = csv("ID,007123,\" x\"\nID, ana ,\"a\"\"b,c\"\nID,1e5,TRUE \nID,\u{feff}x,\t\n");
    let manifest = open_csv(&text).unwrap();
    let cells: Vec<(String, String)> = rows(&manifest)
        .iter()
        .map(|row| (row.login.as_str().to_owned(), row.password.expose_secret().to_owned()))
        .collect();
    let expected = [("007123", " x"), (" ana ", "a\"b,c"), ("1e5", "TRUE "), ("\u{feff}x", "\t")];
    let expected: Vec<(String, String)> =
        expected.map(|(login, password)| (login.to_owned(), password.to_owned())).to_vec();
    assert_eq!(cells, expected);
}

#[test]
fn a_line_is_the_physical_line_on_which_the_record_begins() {
    let text = csv("ID,a,1\n\n\r\nID,b,\"2\n2\n2\"\nID,c,3\r\n\r\nID,d,\"4\r\n4\"\r\nID,e,5");
    assert_eq!(tell_csv(text), ["2 a 1", "5 b 2\n2\n2", "8 c 3", "10 d 4\r\n4", "12 e 5"]);
}

#[test]
fn lines_that_end_in_carriage_returns_alone_are_counted_too() {
    let text = csv("ID,a,1\n\nID,b,2\n").replace('\n', "\r");
    assert_eq!(tell_csv(text), ["2 a 1", "4 b 2"]);
}

#[test]
fn blank_lines_above_the_header_are_passed_over_and_counted() {
    assert_eq!(tell_csv(format!("\n\r\n{}", csv("ID,a,1\n"))), ["4 a 1"]);
}

#[test]
fn trailing_empty_cells_are_accepted_and_other_widths_are_not() {
    let text = csv("ID,a,1,,\nID,b\nID,c,3,x\nID,d,4,,y\nID\nID,e,5\n").replace(',', ";");
    assert_eq!(
        tell_csv(text),
        [
            "2 a 1",
            "3 3 it has fewer cells than the header has columns (2 and 3)",
            "4 4 it has more cells than the header has columns (4 and 3)",
            "5 5 it has more cells than the header has columns (5 and 3)",
            "6 2 it has fewer cells than the header has columns (1 and 3)",
            "7 e 5",
        ]
    );
}

#[test]
fn a_header_that_ends_in_empty_cells_is_as_wide_as_its_last_name() {
    let text = format!("leafUserId;login;senha;;\n{ID};a;1;;\n{ID};b;2\n");
    assert_eq!(tell_csv(text), ["2 a 1", "3 b 2"]);
}

#[test]
fn bad_cells_are_told_by_line_column_and_field_and_never_shown() {
    let text = csv("x,hunter1,hunter2\n,hunter1,hunter2\nID,,hunter2\nID,hunter1,\nID,h\0,hunter2\n");
    let manifest = open_csv(text).unwrap();
    let told: Vec<String> = read(&manifest).unwrap().iter().map(tell).collect();
    assert_eq!(
        told,
        [
            "2 1 column 1 (leafUserId) is not a UUID of the form 00000000-0000-0000-0000-000000000000",
            "3 1 column 1 (leafUserId) is empty",
            "4 2 column 2 (login) is empty",
            "5 3 column 3 (password) is empty",
            "6 2 column 2 (login) holds a NUL character",
        ]
    );
    let ids: Vec<bool> = invalid_lines(&manifest).iter().map(|line| line.leaf_user_id.is_some()).collect();
    assert_eq!(ids, [false, false, true, true, true]);
}

#[test]
fn kept_columns_come_along_and_are_empty_on_invalid_lines() {
    let options =
        ReadOptions { keep_columns: vec!["Fazenda".to_owned(), "nome".to_owned()], ..ReadOptions::default() };
    let text = format!("nome,leafUserId,login,senha,fazenda\nAna,{ID},a,1,Boa Vista\nBia,{ID},,2,Sol\n");
    let manifest = open("growers.csv", text.as_bytes(), &options).unwrap();
    match read(&manifest).unwrap().as_slice() {
        [Record::Row(row), Record::Invalid(invalid)] => {
            assert_eq!(row.kept, ["Boa Vista", "Ana"]);
            assert_eq!(invalid.kept, ["", ""]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_access_token_client_is_read_where_there_is_one() {
    let text = format!("leafUserId,login,senha,token cliente\n{ID},a,1,abc\n{ID},b,2,\n");
    let manifest = open_csv(&text).unwrap();
    assert!(manifest.has_access_token_client());
    let clients: Vec<Option<String>> = rows(&manifest)
        .iter()
        .map(|row| row.access_token_client.as_ref().map(|client| client.expose_secret().to_owned()))
        .collect();
    assert_eq!(clients, [Some("abc".to_owned()), None]);

    let required = ReadOptions { access_token_client: ClientColumn::Required, ..ReadOptions::default() };
    let manifest = open("growers.csv", text.as_bytes(), &required).unwrap();
    let invalid = invalid_lines(&manifest);
    assert_eq!(invalid.len(), 1);
    assert_eq!(invalid[0].message, "column 4 (accessTokenClient) is empty");
}

#[test]
fn a_quote_that_is_never_closed_stops_the_reading_and_names_its_line() {
    for tail in ["ID,b,\"2\nID,c,3\n", "ID,b,\"2", "ID,b,\"", "ID,b,\"2\"\"\n"] {
        let error = csv_error(csv(&format!("ID,a,1\n{tail}")));
        assert!(
            error.starts_with("growers.csv: the record that begins on line 3 is never closed"),
            "{error}"
        );
    }
}

#[test]
fn a_quote_closed_by_the_last_byte_is_closed() {
    assert_eq!(tell_csv(csv("ID,a,\"1\"")), ["2 a 1"]);
}

#[test]
fn a_record_may_cover_twenty_lines_and_not_one_more() {
    for line_end in ["\n", "\r\n"] {
        let body = |lines: usize| {
            let cell = vec!["x"; lines].join(line_end);
            csv(&format!("ID,a,\"{cell}\"{line_end}ID,b,2{line_end}"))
        };
        assert_eq!(tell_csv(body(20)).len(), 2);
        let error = csv_error(body(21));
        assert!(error.contains("begins on line 2 covers more than 20 lines"), "{error}");
    }
}

#[test]
fn a_record_may_have_64_kib_and_not_one_byte_more() {
    let with_length = |length: usize, line_end: &str| {
        let start = format!("{ID},a,");
        let record = format!("{start}{}", "x".repeat(length - start.len()));
        csv(&format!("{record}{line_end}ID,b,2{line_end}"))
    };
    for line_end in ["\n", "\r\n"] {
        assert_eq!(tell_csv(with_length(64 * 1024, line_end)).len(), 2);
        let error = csv_error(with_length(64 * 1024 + 1, line_end));
        assert!(error.contains("begins on line 2 is longer than 64 KiB"), "{error}");
    }
}

#[test]
fn a_runaway_record_is_found_without_reading_on_to_the_end() {
    let mut text = csv("ID,a,\"");
    for _ in 0..200_000 {
        text.push_str("xxxxxxxxx");
    }
    let manifest = open_csv(&text);
    // Already the look for a first row finds it.
    assert!(manifest.unwrap_err().to_string().contains("begins on line 2"));
}

#[test]
fn two_readings_at_once_do_not_disturb_each_other() {
    let mut body = String::new();
    for row in 0..5_000 {
        writeln!(body, "ID,login{row},p{row}").unwrap();
    }
    let manifest = open_csv(csv(&body)).unwrap();
    let (mut first, mut second) = (manifest.records().unwrap(), manifest.records().unwrap());
    assert_eq!(tell(&first.next().unwrap().unwrap()), "2 login0 p0");
    assert_eq!(second.by_ref().count(), 5_000);
    assert_eq!(second.bytes_read(), manifest.size_bytes());
    assert!(first.bytes_read() < manifest.size_bytes());
    assert_eq!(tell(&first.next().unwrap().unwrap()), "3 login1 p1");
}

#[test]
fn a_reading_can_be_driven_on_another_thread() {
    let records = open_csv(csv("ID,a,1\n")).unwrap().records().unwrap();
    let count = std::thread::spawn(move || records.count()).join().unwrap();
    assert_eq!(count, 1);
}

#[test]
fn the_delimiter_is_the_one_that_gives_the_needed_columns() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = csv("ID,a,1\n").replace(',', delimiter);
        assert_eq!(tell_csv(text), ["2 a 1"], "{delimiter:?}");
    }
    // More commas than semicolons, but within a name.
    let text = format!("leafUserId;login;senha;\"a,b,c,d,e,f\"\n{ID};a;1;\n");
    assert_eq!(tell_csv(text), ["2 a 1"]);
}

#[test]
fn a_delimiter_that_was_chosen_is_the_only_one_tried() {
    let options = ReadOptions { delimiter: Some("^".parse().unwrap()), ..ReadOptions::default() };
    let text = csv("ID,a,1\n").replace(',', "^");
    assert_eq!(rows(&open("growers.csv", text.as_bytes(), &options).unwrap()).len(), 1);
    let error = open("growers.csv", csv("ID,a,1\n").as_bytes(), &options).unwrap_err();
    assert!(error.to_string().contains("no column is named for"), "{error}");
}

#[test]
fn a_header_no_delimiter_fits_is_told_by_the_most_frequent_one() {
    let error = csv_error(format!("leafUserId;login;segredo, talvez\n{ID};a;1\n"));
    assert_eq!(
        error,
        "growers.csv: no column is named for password; the header has \"leafUserId\", \"login\", \
         1 name not shown here; say --column password=HEADER"
    );
}

#[test]
fn a_column_can_be_chosen_by_its_header() {
    let options = ReadOptions { columns: vec![(Field::Login, "Conta".to_owned())], ..ReadOptions::default() };
    let text = format!("leafUserId,user,usuario,conta,senha\n{ID},x,y,a,1\n");
    let manifest = open("growers.csv", text.as_bytes(), &options).unwrap();
    assert_eq!(rows(&manifest)[0].login.as_str(), "a");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the `csv` crate writes is read back byte for byte, with the line a count of line feeds gives.
    #[test]
    fn any_table_reads_back_exact_with_its_lines(
        table in prop::collection::vec(
            ("[^\\x00\r]{1,12}", "([^\\x00]|\\PC|[,;|\t\"\n\r ]){1,12}", "[a-z\",;|\t\n]{0,6}"),
            1..40,
        ),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        is_quoted in any::<bool>(),
        is_crlf in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .quote_style(if is_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .terminator(if is_crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["leafUserId", "login", "senha", "nota"]).unwrap();
        let mut lines = Vec::new();
        let mut line = 2;
        for (login, password, note) in &table {
            writer.write_record([ID, login, password, note]).unwrap();
            lines.push(line);
            let inner = [login, password, note].iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
            line += 1 + inner;
        }
        let bytes = writer.into_inner().unwrap();
        let options = ReadOptions { keep_columns: vec!["nota".to_owned()], ..ReadOptions::default() };
        let read = rows(&open("growers.csv", &bytes, &options).unwrap());
        prop_assert_eq!(read.len(), table.len());
        for ((row, (login, password, note)), line) in read.iter().zip(&table).zip(lines) {
            prop_assert_eq!(row.login.as_str(), login);
            prop_assert_eq!(row.password.expose_secret(), password);
            prop_assert_eq!(&row.kept[0], note);
            prop_assert_eq!(row.line, line);
        }
    }

    /// The cells of any text are those the `csv` crate finds, as long as no quote is left open.
    #[test]
    fn any_text_has_the_records_the_csv_crate_finds(body in "([a\",\n\r]|ID,l,p\n){0,60}") {
        let text = csv(&body);
        let mut reference = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let expected = reference.records().count();
        match open_csv(&text).and_then(|manifest| read(&manifest)) {
            Ok(records) => prop_assert_eq!(records.len(), expected),
            Err(error) => {
                let told = error.to_string();
                prop_assert!(
                    told.contains("never closed") || told.contains("no rows") || told.contains("20 lines"),
                    "{}", told
                );
            }
        }
    }

    /// No bytes make it panic, and no cell of a line below the header gets into a message.
    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        has_header in any::<bool>(),
    ) {
        let bytes = if has_header { [csv("ID,a,").as_bytes(), &bytes].concat() } else { bytes };
        if let Ok(manifest) = open_csv(&bytes) {
            let count = manifest.records().unwrap().count();
            prop_assert!(count > 0);
        }
    }
}
