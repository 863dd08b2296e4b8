use std::sync::Arc;

use parquet::basic::{
    BrotliLevel, Compression, ConvertedType, Encoding, GzipLevel, LogicalType, Repetition,
    Type as PhysicalType, ZstdLevel,
};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use proptest::prelude::*;

use super::super::super::test_support::{ID, invalid_lines, open, read, rows, tell};
use super::super::super::{Format, Manifest, ManifestError, ReadOptions};
use super::super::page_header::{PageHeader, PageKind};

/// A column of a test file.
#[derive(Clone)]
struct TestColumn {
    schema: TypePtr,
    cells: Cells,
}

#[derive(Clone)]
enum Cells {
    Text(Vec<Option<Vec<u8>>>),
    Fixed(Vec<Option<Vec<u8>>>),
    Numbers(Vec<i64>),
}

fn text_column(name: &str, cells: Vec<Option<Vec<u8>>>) -> TestColumn {
    column(name, PhysicalType::BYTE_ARRAY, |builder| builder, Cells::Text(cells))
}

fn column(
    name: &str,
    physical_type: PhysicalType,
    finish: impl FnOnce(
        parquet::schema::types::PrimitiveTypeBuilder<'_>,
    ) -> parquet::schema::types::PrimitiveTypeBuilder<'_>,
    cells: Cells,
) -> TestColumn {
    let builder = Type::primitive_type_builder(name, physical_type).with_repetition(Repetition::OPTIONAL);
    TestColumn { schema: Arc::new(finish(builder).build().unwrap()), cells }
}

/// Writes columns as row groups of `group_rows` rows.
fn write(
    columns: &[TestColumn],
    rows: usize,
    group_rows: usize,
    properties: WriterPropertiesBuilder,
) -> Vec<u8> {
    let fields = columns.iter().map(|column| Arc::clone(&column.schema)).collect();
    let schema = Type::group_type_builder("schema").with_fields(fields).build().unwrap();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build())).unwrap();
    for start in (0..rows).step_by(group_rows) {
        let range = start..rows.min(start + group_rows);
        let mut group = writer.next_row_group().unwrap();
        for column in columns {
            let mut target = group.next_column().unwrap().unwrap();
            let is_optional = column.schema.is_optional();
            let levels = |cells: &[Option<Vec<u8>>]| -> Vec<i16> {
                cells.iter().map(|cell| i16::from(cell.is_some())).collect()
            };
            match &column.cells {
                Cells::Text(cells) => {
                    let cells = &cells[range.clone()];
                    let values: Vec<ByteArray> =
                        cells.iter().flatten().cloned().map(ByteArray::from).collect();
                    let levels = levels(cells);
                    let levels = is_optional.then_some(&levels[..]);
                    target.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
                }
                Cells::Fixed(cells) => {
                    let cells = &cells[range.clone()];
                    let values: Vec<FixedLenByteArray> =
                        cells.iter().flatten().cloned().map(FixedLenByteArray::from).collect();
                    let levels = levels(cells);
                    let levels = is_optional.then_some(&levels[..]);
                    target.typed::<FixedLenByteArrayType>().write_batch(&values, levels, None).unwrap();
                }
                Cells::Numbers(cells) => {
                    let cells = &cells[range.clone()];
                    let levels = vec![1; cells.len()];
                    target.typed::<Int64Type>().write_batch(cells, Some(&levels), None).unwrap();
                }
            }
            target.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn id(row: usize) -> String {
    format!("{row:08x}-0000-4000-8000-00000000abcd")
}

fn cells(rows: usize, cell: impl Fn(usize) -> String) -> Vec<Option<Vec<u8>>> {
    (0..rows).map(|row| Some(cell(row).into_bytes())).collect()
}

/// The columns of a manifest of good rows, after a column that nobody needs.
fn good_columns(rows: usize) -> Vec<TestColumn> {
    vec![
        column("cidade", PhysicalType::INT64, |builder| builder, Cells::Numbers(vec![7; rows])),
        text_column("senha", cells(rows, |row| format!(" p{} ", row % 50))),
        text_column("Leaf User ID", cells(rows, id)),
        text_column("login", cells(rows, |row| format!("00{row}"))),
    ]
}

fn assert_good(manifest: &Manifest, count: usize) {
    let rows = rows(manifest);
    assert_eq!(rows.len(), count);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row.line, at as u64 + 1);
        assert_eq!(row.leaf_user_id.to_string(), id(at));
        assert_eq!(row.login.as_str(), format!("00{at}"));
        assert_eq!(row.password.expose_secret(), format!(" p{} ", at % 50));
    }
}

fn open_parquet(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    open("growers.parquet", bytes, &ReadOptions::default())
}

fn open_columns(columns: &[TestColumn], rows: usize) -> Result<Manifest, ManifestError> {
    open_parquet(&write(columns, rows, rows.max(1), WriterProperties::builder()))
}

/// A manifest of one row whose columns can be replaced.
fn one_row(login: TestColumn) -> Result<Manifest, ManifestError> {
    let mut columns = good_columns(1);
    columns[3] = login;
    open_columns(&columns, 1)
}

#[test]
fn every_compression_and_page_version_reads_alike() {
    let columns = good_columns(3_000);
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    for compression in compressions {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_writer_version(version)
                .set_data_page_row_count_limit(700);
            let manifest = open_parquet(&write(&columns, 3_000, 2_000, properties)).unwrap();
            assert_eq!(manifest.format(), Format::Parquet);
            assert_good(&manifest, 3_000);
        }
    }
}

#[test]
fn every_encoding_of_strings_reads_alike() {
    let columns = good_columns(2_500);
    for encoding in [Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let mut properties = WriterProperties::builder()
                .set_dictionary_enabled(false)
                .set_writer_version(version)
                .set_data_page_row_count_limit(400);
            for name in ["senha", "Leaf User ID", "login"] {
                properties = properties.set_column_encoding(name.into(), encoding);
            }
            assert_good(&open_parquet(&write(&columns, 2_500, 1_500, properties)).unwrap(), 2_500);
        }
    }
}

/// Of a dictionary that becomes too large soon, so that most of each column is written without it.
fn small_dictionary() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_dictionary_page_size_limit(16 * 1024)
        .set_write_batch_size(50)
        .set_data_page_row_count_limit(100)
}

#[test]
fn a_column_whose_dictionary_was_given_up_midway_reads_alike() {
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for group_rows in [600, 3_000] {
            let properties = small_dictionary().set_writer_version(version);
            let bytes = write(&good_columns(3_000), 3_000, group_rows, properties);
            assert_good(&open_parquet(&bytes).unwrap(), 3_000);
        }
    }
}

#[test]
fn a_column_whose_dictionary_was_given_up_and_taken_up_again_reads_alike() {
    let mut columns = good_columns(3_000);
    let columns = [columns.remove(2), columns.remove(1), columns.remove(1)];
    let mut bytes = write(&columns, 3_000, 3_000, small_dictionary());
    // The pages of the first column, which is that of the leafUserIds.
    let (mut start, mut values) = (4, 0);
    let (mut by_dictionary, mut plain, mut dictionary) = (Vec::new(), Vec::new(), Vec::new());
    while values < 3_000 {
        let (header, length) = PageHeader::read(&bytes[start..]).unwrap();
        let page = bytes[start..start + length + header.compressed_size].to_vec();
        start += page.len();
        match header.kind {
            PageKind::DataV1 { values: more, encoding, .. } => {
                values += more;
                if encoding == Encoding::PLAIN { plain.push(page) } else { by_dictionary.push(page) }
            }
            _ => dictionary.push(page),
        }
    }
    assert!(
        dictionary.len() == 1 && by_dictionary.len() > 2 && plain.len() > 2,
        "there are pages of both kinds"
    );
    let mut mixed = dictionary.concat();
    let (mut some, mut others) = (by_dictionary.into_iter(), plain.into_iter());
    loop {
        let both = [some.next(), others.next()];
        if both == [None, None] {
            break;
        }
        mixed.extend(both.into_iter().flatten().flatten());
    }
    bytes[4..start].copy_from_slice(&mixed);
    let mut ids: Vec<String> =
        rows(&open_parquet(&bytes).unwrap()).iter().map(|row| row.leaf_user_id.to_string()).collect();
    assert_ne!(ids, (0..3_000).map(id).collect::<Vec<_>>(), "the pages stand in another order");
    ids.sort();
    assert_eq!(ids, (0..3_000).map(id).collect::<Vec<_>>());
}

#[test]
fn row_groups_of_any_size_read_alike() {
    let columns = good_columns(2_049);
    for group_rows in [1, 7, 1_024, 2_049] {
        let bytes = write(&columns, 2_049, group_rows, WriterProperties::builder());
        assert_good(&open_parquet(&bytes).unwrap(), 2_049);
    }
}

#[test]
fn the_progress_ends_at_the_size_of_the_file() {
    let manifest = open_columns(&good_columns(3_000), 3_000).unwrap();
    let mut records = manifest.records().unwrap();
    let mut last = 0;
    while records.next().is_some() {
        assert!(records.bytes_read() >= last && records.bytes_read() <= manifest.size_bytes());
        last = records.bytes_read();
    }
    assert_eq!(records.bytes_read(), manifest.size_bytes());
}

#[test]
fn a_null_is_an_empty_cell_and_bad_text_is_an_invalid_line() {
    let mut columns = good_columns(4);
    columns[3] =
        text_column("login", vec![None, Some(b"a".to_vec()), Some(b"\xff".to_vec()), Some(Vec::new())]);
    columns[2] = text_column("Leaf User ID", vec![Some(ID.into()), None, Some(ID.into()), Some(ID.into())]);
    let manifest = open_columns(&columns, 4).unwrap();
    let told: Vec<String> = read(&manifest).unwrap().iter().map(tell).collect();
    assert_eq!(
        told,
        [
            "1 4 column 4 (login) is empty",
            "2 3 column 3 (leafUserId) is empty",
            "3 4 column 4 (login) is not valid UTF-8",
            "4 4 column 4 (login) is empty",
        ]
    );
    assert_eq!(invalid_lines(&manifest)[0].leaf_user_id.unwrap().to_string(), ID);
}

#[test]
fn required_and_string_annotated_columns_read_alike() {
    let mut columns = good_columns(5);
    for (at, name) in [(1, "senha"), (2, "Leaf User ID"), (3, "login")] {
        let cells = columns[at].cells.clone();
        columns[at] = column(
            name,
            PhysicalType::BYTE_ARRAY,
            |builder| {
                builder
                    .with_repetition(Repetition::REQUIRED)
                    .with_logical_type(Some(LogicalType::String))
                    .with_converted_type(ConvertedType::UTF8)
            },
            cells,
        );
    }
    assert_good(&open_columns(&columns, 5).unwrap(), 5);
}

#[test]
fn a_leaf_user_id_may_be_stored_as_its_sixteen_bytes() {
    for logical_type in [Some(LogicalType::Uuid), None] {
        let mut columns = good_columns(6);
        let bytes =
            (0..6).map(|row| Some(id(row).parse::<uuid::Uuid>().unwrap().as_bytes().to_vec())).collect();
        columns[2] = column(
            "leafUserId",
            PhysicalType::FIXED_LEN_BYTE_ARRAY,
            |builder| builder.with_length(16).with_logical_type(logical_type),
            Cells::Fixed(bytes),
        );
        assert_good(&open_columns(&columns, 6).unwrap(), 6);
    }
}

#[test]
fn text_of_one_length_is_text() {
    let login = column(
        "login",
        PhysicalType::FIXED_LEN_BYTE_ARRAY,
        |builder| builder.with_length(3),
        Cells::Fixed(vec![Some(b"000".to_vec())]),
    );
    assert_good(&one_row(login).unwrap(), 1);
}

#[test]
fn a_column_of_another_type_is_refused_with_the_reason() {
    let number = column("login", PhysicalType::INT64, |builder| builder, Cells::Numbers(vec![7_123]));
    assert_eq!(
        one_row(number).unwrap_err().to_string(),
        "growers.parquet: column \"login\" holds numbers, and numbers lose their leading zeros; \
         write it as a string column"
    );
    let decimal = column(
        "login",
        PhysicalType::BYTE_ARRAY,
        |builder| builder.with_converted_type(ConvertedType::DECIMAL).with_precision(9).with_scale(0),
        Cells::Text(vec![Some(b"1".to_vec())]),
    );
    assert!(one_row(decimal).unwrap_err().to_string().contains("binary numbers"));
}

#[test]
fn a_nested_column_is_refused_and_one_before_does_not_shift_the_others() {
    let inner = Arc::new(
        Type::primitive_type_builder("login", PhysicalType::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .build()
            .unwrap(),
    );
    let other = Arc::new(
        Type::primitive_type_builder("nome", PhysicalType::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .build()
            .unwrap(),
    );
    let group = |name: &str| {
        Arc::new(
            Type::group_type_builder(name)
                .with_repetition(Repetition::REQUIRED)
                .with_fields(vec![Arc::clone(&inner), Arc::clone(&other)])
                .build()
                .unwrap(),
        )
    };
    let file = |name: &str| {
        let mut fields = vec![group(name)];
        fields.extend(good_columns(1).into_iter().skip(1).map(|column| column.schema));
        let schema = Type::group_type_builder("schema").with_fields(fields).build().unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for value in ["hidden", "name", " p0 ", &id(0), "000"] {
            let mut target = group.next_column().unwrap().unwrap();
            let levels = (value != "hidden" && value != "name").then_some(&[1][..]);
            target.typed::<ByteArrayType>().write_batch(&[ByteArray::from(value)], levels, None).unwrap();
            target.close().unwrap();
        }
        group.close().unwrap();
        writer.into_inner().unwrap()
    };
    assert_good(&open_parquet(&file("endereco")).unwrap(), 1);
    let options = ReadOptions { keep_columns: vec!["endereco".to_owned()], ..ReadOptions::default() };
    let error = open("growers.parquet", &file("endereco"), &options).unwrap_err();
    assert!(error.to_string().contains("column \"endereco\" is nested"), "{error}");
}

#[test]
fn a_file_without_rows_or_without_a_needed_column_is_refused() {
    let error = open_columns(&good_columns(0), 0).unwrap_err();
    assert_eq!(error.to_string(), "growers.parquet: it has no rows below its header");
    let error = open_columns(&good_columns(2)[..3], 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "growers.parquet: no column is named for login; the header has \"cidade\", \"senha\", \
         \"Leaf User ID\"; say --column login=HEADER"
    );
}

#[test]
fn a_cell_of_more_than_64_kib_is_refused() {
    let long = text_column("login", vec![Some(vec![b'x'; 64 * 1024 + 1])]);
    let error = read(&one_row(long).unwrap()).unwrap_err();
    assert!(error.to_string().contains("a cell of more than 64 KiB"), "{error}");
    let fitting = text_column("login", vec![Some(vec![b'x'; 64 * 1024])]);
    assert_eq!(rows(&one_row(fitting).unwrap()).len(), 1);
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let whole = write(&good_columns(50), 50, 50, WriterProperties::builder());
    for end in [4, 7, 11, 12, whole.len() / 2, whole.len() - 1] {
        let error = open_parquet(&whole[..end]).unwrap_err();
        assert!(error.to_string().contains("isn't sound Parquet"), "{error}");
    }
}

/// A file whose first page, of the leafUserId, has another header: `old` in it is replaced by `new`. What lies behind the
/// page is moved, but nothing behind it is read before it.
fn with_first_header(is_dictionary: bool, change: impl Fn(&PageHeader) -> (Vec<u8>, Vec<u8>)) -> Vec<u8> {
    let mut columns = good_columns(2_000);
    let columns = [columns.remove(2), columns.remove(1), columns.remove(1)];
    let properties = WriterProperties::builder().set_dictionary_enabled(is_dictionary);
    let bytes = write(&columns, 2_000, 2_000, properties);
    let magic = 4;
    let (header, length) = PageHeader::read(&bytes[magic..]).unwrap();
    let (old, new) = change(&header);
    let start =
        bytes[magic..magic + length].windows(old.len()).position(|window| window == old).unwrap() + magic;
    [&bytes[..start], &new, &bytes[start + old.len()..]].concat()
}

/// A file whose first page claims other sizes than it has.
fn with_page_sizes(uncompressed: usize, compressed: usize) -> Vec<u8> {
    let sizes = |uncompressed, compressed| {
        [&[0x15][..], &zigzag(uncompressed), &[0x15], &zigzag(compressed)].concat()
    };
    with_first_header(false, |header| {
        let old = sizes(header.uncompressed_size, header.compressed_size);
        (old, sizes(uncompressed, compressed))
    })
}

/// A number that isn't negative in the compact protocol.
fn zigzag(value: usize) -> Vec<u8> {
    let mut rest = value * 2;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

#[test]
fn a_page_that_claims_too_much_is_refused_before_memory_is_taken() {
    for (uncompressed, compressed, told) in [
        (2_000_000_000, 100, "a page is larger than 64 MiB"),
        (100, 2_000_000_000, "a page is larger than 64 MiB"),
        (60_000_000, 60_000_000, "a page is larger than its column"),
        (60_000_000, 1_000, "a page is damaged, or of another size than its header says"),
    ] {
        let manifest = open_parquet(&with_page_sizes(uncompressed, compressed)).unwrap();
        let error = read(&manifest).unwrap_err().to_string();
        assert!(error.starts_with(&format!("growers.parquet: it isn't sound Parquet: {told}")), "{error}");
    }
}

#[test]
fn a_dictionary_that_claims_more_values_than_it_has_bytes_for_is_refused() {
    // Field 7 is the dictionary page's own header, and field 1 in it the number of values.
    let count = |values| [&[0x4c, 0x15][..], &zigzag(values)].concat();
    let bytes = with_first_header(true, |_| (count(2_000), count(2_000_000_000)));
    let error = read(&open_parquet(&bytes).unwrap()).unwrap_err().to_string();
    assert!(error.contains("a dictionary has more values than it can hold"), "{error}");
}

#[test]
fn values_that_refer_to_a_dictionary_that_is_not_there_are_refused() {
    // A page of type 2 is a dictionary; as an index page, type 1, it is passed over.
    let bytes = with_first_header(true, |_| (vec![0x15, 4], vec![0x15, 2]));
    let error = read(&open_parquet(&bytes).unwrap()).unwrap_err().to_string();
    assert!(error.contains("a page's values contradict its header"), "{error}");
}

#[test]
fn nothing_follows_an_error() {
    let mut records = open_parquet(&with_page_sizes(2_000_000_000, 100)).unwrap().records().unwrap();
    assert!(records.next().unwrap().is_err());
    assert!(records.next().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Damage anywhere in a file gives rows or an error, and never ends the program.
    #[test]
    fn no_damage_ends_the_program(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        is_delta in any::<bool>(),
        is_compressed in any::<bool>(),
    ) {
        let mut properties = WriterProperties::builder().set_data_page_row_count_limit(16);
        if is_delta {
            properties = properties
                .set_dictionary_enabled(false)
                .set_writer_version(WriterVersion::PARQUET_2_0)
                .set_encoding(Encoding::DELTA_BYTE_ARRAY);
        }
        if is_compressed {
            properties = properties.set_compression(Compression::SNAPPY);
        }
        let columns: Vec<TestColumn> = good_columns(40).into_iter().skip(1).collect();
        let mut bytes = write(&columns, 40, 25, properties);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(manifest) = open_parquet(&bytes) {
            let records = manifest.records().unwrap();
            prop_assert!(records.count() <= 41);
        }
    }
}
