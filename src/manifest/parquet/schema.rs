//! Which columns a schema has, and whether one can hold text.

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::super::ManifestProblem;
use super::guard::unsound;

/// A column to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its index among the columns of a row group.
    pub(super) index: usize,
    /// What its values are.
    pub(super) values: ValueType,
}

/// What the values of a readable column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    /// Text of any length.
    Text,
    /// Text of one length, in bytes.
    FixedText(usize),
    /// A UUID as its sixteen bytes.
    Uuid,
}

impl ValueType {
    /// How many bytes every value has, where all have as many.
    pub(super) const fn width(self) -> Option<usize> {
        match self {
            Self::Text => None,
            Self::FixedText(width) => Some(width),
            Self::Uuid => Some(UUID_BYTES),
        }
    }
}

/// A UUID's size in bytes.
const UUID_BYTES: usize = 16;

/// The widest column of one length, in bytes.
const WIDEST: usize = 64 * 1024;

/// The names of the top-level columns, in order.
pub(super) fn headers(schema: &SchemaDescriptor) -> Vec<&str> {
    schema.root_schema().get_fields().iter().map(|field| field.name()).collect()
}

/// The leaf of the top-level column at `column`. `may_be_uuid` says whether sixteen bytes may stand for a UUID's text.
pub(super) fn leaf(
    schema: &SchemaDescriptor,
    column: usize,
    may_be_uuid: bool,
) -> Result<Leaf, ManifestProblem> {
    let fields = schema.root_schema().get_fields();
    let field = fields.get(column).ok_or_else(|| unsound("a column has no place in the schema"))?;
    let wrong = |what: String| ManifestProblem::ColumnType { header: field.name().to_owned(), what };
    if !field.is_primitive() {
        return Err(wrong("is nested".to_owned()));
    }
    // Leaves are numbered through in the order of the tree, so every nested column before moves this one on.
    let index = (0..schema.num_columns())
        .find(|&leaf| schema.get_column_root_idx(leaf) == column)
        .ok_or_else(|| unsound("a column has no place in the schema"))?;
    let descriptor = schema.column(index);
    if field.get_basic_info().repetition() == Repetition::REPEATED || descriptor.max_rep_level() > 0 {
        return Err(wrong("is repeated".to_owned()));
    }
    let values = value_type(&descriptor, may_be_uuid).map_err(wrong)?;
    Ok(Leaf { index, values })
}

fn value_type(column: &ColumnDescriptor, may_be_uuid: bool) -> Result<ValueType, String> {
    let is_binary_number = matches!(
        column.logical_type_ref(),
        Some(LogicalType::Decimal { .. } | LogicalType::Float16 | LogicalType::Bson)
    ) || matches!(
        column.converted_type(),
        ConvertedType::DECIMAL | ConvertedType::INTERVAL | ConvertedType::BSON
    );
    if is_binary_number {
        return Err("holds binary numbers or documents".to_owned());
    }
    match column.physical_type() {
        PhysicalType::BYTE_ARRAY => Ok(ValueType::Text),
        PhysicalType::FIXED_LEN_BYTE_ARRAY => {
            let width = usize::try_from(column.type_length()).unwrap_or(0);
            let is_uuid = matches!(column.logical_type_ref(), Some(LogicalType::Uuid));
            match width {
                // No UUID's text has sixteen bytes, so in that column they are the UUID itself, named so or not.
                UUID_BYTES if may_be_uuid => Ok(ValueType::Uuid),
                _ if is_uuid => Err("holds binary UUIDs".to_owned()),
                1..=WIDEST => Ok(ValueType::FixedText(width)),
                _ => Err("has values of no length, or of too great a one".to_owned()),
            }
        }
        PhysicalType::INT32 | PhysicalType::INT64 | PhysicalType::INT96 => {
            Err("holds numbers, and numbers lose their leading zeros".to_owned())
        }
        PhysicalType::BOOLEAN => Err("holds truth values".to_owned()),
        PhysicalType::FLOAT | PhysicalType::DOUBLE => {
            Err("holds floating-point numbers, and numbers lose their leading zeros".to_owned())
        }
    }
}
