//! Made-up growers, and manifests of them: the same in either format. A Parquet file is one row group, however many rows it has,
//! which asks most of whoever wants to read it in constant memory.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use uuid::Uuid;

/// How many values are written to a column at once.
const BATCH: u32 = 8_192;

/// Writes a CSV of so many growers to a new file.
pub(crate) fn write_csv(path: &Path, rows: u32) {
    let mut file = make(path);
    writeln!(file, "leafUserId,login,password").expect("the header");
    for row in 0..rows {
        writeln!(file, "{},{},{}", user(row), login(row), password(row)).expect("a row");
    }
    file.flush().expect("the end of the manifest");
}

/// Writes a Parquet file of so many growers to a new file.
pub(crate) fn write_parquet(path: &Path, rows: u32) {
    let file = make(path);
    let columns = ["leafUserId", "login", "password"].map(|name| format!("required binary {name} (UTF8);"));
    let schema = format!("message growers {{ {} }}", columns.concat());
    let schema = Arc::new(parse_message_type(&schema).expect("a schema"));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).expect("a Parquet file");
    let mut group = writer.next_row_group().expect("a row group");
    for cell in [user, login, password] {
        let mut column = group.next_column().expect("a column").expect("there are three");
        for batch in batches(rows) {
            let values: Vec<ByteArray> = batch.map(|row| cell(row).into_bytes().into()).collect();
            column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("values");
        }
        column.close().expect("the end of a column");
    }
    group.close().expect("the end of the row group");
    writer.close().expect("the end of the file");
}

fn make(path: &Path) -> BufWriter<File> {
    BufWriter::new(File::create_new(path).expect("the manifest can be made"))
}

fn batches(rows: u32) -> impl Iterator<Item = Range<u32>> {
    (0..rows).step_by(BATCH as usize).map(move |first| first..rows.min(first.saturating_add(BATCH)))
}

/// Ids have no order, as Leaf's have none: each follows from the row's number by a mixing that loses nothing.
fn user(row: u32) -> String {
    let mixed = u64::from(row).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    Uuid::from_u64_pair((mixed & !0xf000) | 0x4000, (mixed.rotate_left(32) >> 2) | (1 << 63)).to_string()
}

fn login(row: u32) -> String {
    format!("grower{row}@fazenda.example")
}

fn password(row: u32) -> String {
    format!("pw-{row:06}-colheita")
}
