//! One content in all the forms of a manifest: the findings are the same.

use std::io::Write as _;
use std::sync::Arc;

use parquet::basic::{Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::{Place, check, object, places};
use crate::support::{Bench, Grower, growers};

/// Growers with defects that every encoding can write, and the places of these.
fn with_defects() -> (Vec<Grower>, Vec<Place>) {
    let mut rows = growers(12);
    let mut expected = Vec::new();
    for (at, password, kind) in [
        (1, "Safra ", "trailing-space"),
        (3, "Sa\u{a0}fra", "non-breaking-space"),
        (4, "O\u{2019}Hara", "smart-quotes"),
        (6, "SÃ£o", "mojibake"),
        (7, "lucas@agro.example", "swapped-login"),
    ] {
        rows[at] = rows[at].with_password(password);
        let column = if kind == "swapped-login" { 2 } else { 3 };
        expected.push((at as u64 + 2, column, kind.to_owned()));
    }
    rows[7] = rows[7].with_login("Milho77");
    rows[9] = rows[8].clone();
    expected.push((11, 1, "duplicate-line".to_owned()));
    rows[11] = rows[11].with_login(&rows[10].login);
    expected.extend([12, 13].map(|line| (line, 2, "shared-login".to_owned())));
    (rows, expected)
}

fn written(rows: &[Grower], delimiter: u8) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(["ID Leaf", "Usuário", "Senha"]).unwrap();
    for row in rows {
        writer.write_record([&row.id.to_string(), &row.login, &row.password]).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn parquet(columns: [(&str, Vec<Vec<u8>>); 3]) -> Vec<u8> {
    let field = |name: &str| {
        let builder = Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY);
        Arc::new(builder.with_repetition(Repetition::REQUIRED).build().unwrap())
    };
    let fields = columns.iter().map(|(name, _)| field(name)).collect();
    let schema = Type::group_type_builder("schema").with_fields(fields).build().unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, cells) in columns {
        let mut target = group.next_column().unwrap().unwrap();
        let values: Vec<ByteArray> = cells.into_iter().map(ByteArray::from).collect();
        target.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        target.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

fn parquet_of(rows: &[Grower]) -> Vec<u8> {
    let cells = |cell: fn(&Grower) -> String| rows.iter().map(|row| cell(row).into_bytes()).collect();
    parquet([
        ("leafUserId", cells(|row| row.id.to_string())),
        ("login", cells(|row| row.login.clone())),
        ("password", cells(|row| row.password.clone())),
    ])
}

#[test]
fn every_form_of_a_manifest_has_the_same_findings() {
    let (rows, expected) = with_defects();
    let (commas, excel) = (written(&rows, b','), written(&rows, b';'));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(commas.as_bytes()).unwrap();
    let forms: [(&str, Vec<u8>); 8] = [
        ("commas.csv", commas.clone().into()),
        ("mark.csv", format!("\u{feff}{excel}").into()),
        ("windows-1252.csv", encoding_rs::WINDOWS_1252.encode(&excel).0.into_owned()),
        ("utf-16le.csv", utf16(&excel, u16::to_le_bytes)),
        ("utf-16be.csv", utf16(&commas, u16::to_be_bytes)),
        ("commas.csv.gz", gzip.finish().unwrap()),
        ("excel.csv.zst", zstd::encode_all(excel.as_bytes(), 1).unwrap()),
        ("growers.parquet", parquet_of(&rows)),
    ];
    let bench = Bench::new(&[]);
    for (name, bytes) in forms {
        bench.write(name, &bytes);
        let is_parquet = name.ends_with(".parquet");
        let expected: Vec<Place> = expected
            .iter()
            .map(|(line, column, kind)| (line - u64::from(is_parquet), *column, kind.clone()))
            .collect();
        let ended = check(&bench, name, &["--json"]).with_code(0);
        assert_eq!(places(&object(&ended)), expected, "{name}");
        assert_eq!(object(&ended)["format"], if is_parquet { "parquet" } else { "csv" });
        let is_guessed = name == "windows-1252.csv";
        assert_eq!(object(&ended)["readingWarnings"].as_array().unwrap().len(), usize::from(is_guessed));
        let piped = bench.program().args(["check", "-", "--json"]).args(if is_parquet {
            &["--format", "parquet"][..]
        } else {
            &[]
        });
        let ended = piped.stdin(bytes).end().with_code(0);
        assert_eq!(places(&object(&ended)), expected, "{name} through a pipe");
        assert_eq!(object(&ended)["manifest"], "-");
    }
}

#[test]
fn text_that_is_not_utf_8_is_found_in_parquet() {
    let bytes = parquet([
        ("leafUserId", growers(2).iter().map(|row| row.id.to_string().into_bytes()).collect()),
        ("login", vec![b"ana".to_vec(), b"jo\xe3o".to_vec()]),
        ("password", vec![b"Safra1".to_vec(), b"Safra2".to_vec()]),
    ]);
    let bench = Bench::new(&[]);
    bench.write("latin.parquet", bytes);
    let ended = check(&bench, "latin.parquet", &["--json"]).with_code(2);
    assert_eq!(places(&object(&ended)), [(2, 2, "not-utf-8".to_owned())]);
}
