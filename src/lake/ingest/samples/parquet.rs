//! Parquet files to columns of properties: no other column is read.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;

use super::blocks::{Block, checksum};
use super::schema::{Discovery, SampleSchema, SchemaProperty};
use super::{BATCH_ROWS, fault};
use crate::catalog::samples::{Property, PropertyKind};
use crate::error::Result;
use crate::storage::anywhere::AnyFile;

/// Whether a file is one, by its first bytes.
pub(crate) fn is_parquet(path: &Path) -> bool {
    let mut head = [0; 4];
    AnyFile::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head)).is_ok() && head == *b"PAR1"
}

fn open(path: &Path, name: &str) -> Result<ParquetRecordBatchReaderBuilder<AnyFile>> {
    let unreadable = |error: String| fault(name, None, None, format!("the file cannot be read: {error}"));
    // The reader itself trusts the length of the footer.
    let length = footer(path).map_err(|error| unreadable(error.to_string()))?;
    if length.is_none() {
        return Err(unreadable("it is cut off, or not Parquet: there is no whole footer at its end".to_owned()));
    }
    let file = AnyFile::open(path).map_err(|error| unreadable(error.to_string()))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unreadable(error.to_string()))
}

/// The properties that the columns of a file are, without some names.
pub(super) fn schema_of(path: &Path, name: &str, without: &[&str]) -> Result<SampleSchema> {
    let mut discovery = Discovery::default();
    discover(path, name, &mut discovery)?;
    let mut schema = discovery.schema();
    schema.properties.retain(|it| !without.contains(&it.property.name.as_str()));
    Ok(schema)
}

/// A column as it is, in batches.
pub(super) fn column(path: &Path, name: &str, column: &str) -> Result<Vec<ArrayRef>> {
    let builder = open(path, name)?;
    let Ok(index) = builder.schema().index_of(column) else {
        return Err(fault(name, None, Some(column), "there is no such column"));
    };
    let damaged = |error: String| fault(name, None, None, format!("the file is damaged: {error}"));
    let mask = ProjectionMask::roots(builder.parquet_schema(), [index]);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let mut parts = vec![];
    for batch in reader.map_err(|error| damaged(error.to_string()))? {
        parts.extend(batch.map_err(|error| damaged(error.to_string()))?.columns().first().cloned());
    }
    Ok(parts)
}

/// Where a property is in a file.
struct Place {
    /// The column.
    root: usize,
    /// The member, if it is a struct.
    member: Option<usize>,
}

/// A column by the path of a property, or else by its name.
fn place(schema: &Schema, known: &SchemaProperty) -> Option<Place> {
    let root = |name: &str| schema.fields().iter().position(|field| field.name() == name);
    if let [outer, inner] = known.path.as_slice()
        && let Some(index) = root(outer)
        && let DataType::Struct(members) = schema.field(index).data_type()
        && let Some((member, _)) = members.find(inner)
    {
        return Some(Place { root: index, member: Some(member) });
    }
    let only = known.path.first().filter(|_| known.path.len() == 1);
    let index = only.and_then(|name| root(name)).or_else(|| root(&known.property.name))?;
    Some(Place { root: index, member: None })
}

/// Reads a file and hands its properties and blocks, which are its row groups, on.
pub(super) fn read(
    path: &Path,
    name: &str,
    schema: &SampleSchema,
    block: &mut dyn FnMut(Block) -> bool,
    send: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    let builder = open(path, name)?;
    let file = Arc::clone(builder.schema());
    let damaged = |error: String| fault(name, None, None, format!("the file is damaged: {error}"));
    let mut places = vec![];
    let mut leaves = vec![];
    let root_of = |leaf: usize| builder.parquet_schema().get_column_root_idx(leaf);
    let all_leaves = 0..builder.parquet_schema().num_columns();
    for known in &schema.properties {
        let property = &known.property;
        let Some(found) = place(&file, known) else {
            if !property.nullable {
                return Err(fault(name, None, Some(&property.name), "there is no such column"));
            }
            places.push(None);
            continue;
        };
        let field = file.field(found.root);
        let (data_type, column) = match (found.member, field.data_type()) {
            (Some(member), DataType::Struct(members)) => match members.get(member) {
                Some(member) => (member.data_type(), Some(member.name().as_str())),
                None => return Err(damaged("a struct has lost a member".to_owned())),
            },
            (_, data_type) => (data_type, None),
        };
        if !fits(property, data_type) {
            let wanted = if property.multiple { "a list of type" } else { "the type" };
            let reason = format!("expected {wanted} {}, found {data_type}", property.kind.name());
            return Err(fault(name, None, Some(&property.name), reason));
        }
        leaves.extend(all_leaves.clone().filter(|leaf| {
            let parts = builder.parquet_schema().column(*leaf);
            let second = parts.path().parts().get(1);
            root_of(*leaf) == found.root && column.is_none_or(|name| second.is_some_and(|part| part == name))
        }));
        places.push(Some((file.field(found.root).name().clone(), column.map(str::to_owned))));
    }
    let metadata = Arc::clone(builder.metadata());
    let claimed = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(u64::MAX);
    let there: u64 =
        metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or_default()).sum();
    if claimed != there {
        return Err(damaged(format!("its footer says {claimed} rows, its row groups have {there}")));
    }
    if leaves.is_empty() {
        // Something must be read: a footer alone can say anything about how many rows there are.
        let smallest = |leaf: &usize| -> i64 {
            metadata.row_groups().iter().map(|group| group.column(*leaf).compressed_size()).sum()
        };
        leaves.extend(all_leaves.min_by_key(smallest));
    }
    if !blocks(path, name, &metadata, block)? {
        return Ok(());
    }
    let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let fields: Vec<Field> = schema.properties.iter().map(|it| it.property.field()).collect();
    let target = Arc::new(Schema::new(fields));
    for batch in reader.map_err(|error| damaged(error.to_string()))? {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let mut columns: Vec<ArrayRef> = vec![];
        for ((known, place), field) in schema.properties.iter().zip(&places).zip(target.fields()) {
            let column = place.as_ref().and_then(|(root, member)| match member {
                None => batch.column_by_name(root).cloned(),
                Some(member) => member_of(batch.column_by_name(root)?, member),
            });
            columns.push(match column {
                Some(column) => as_property(&column, field.data_type())
                    .map_err(|error| fault(name, None, Some(&known.property.name), error.to_string()))?,
                None => new_null_array(field.data_type(), batch.num_rows()),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        if !send(RecordBatch::try_new_with_options(Arc::clone(&target), columns, &options)?)? {
            break;
        }
    }
    Ok(())
}

/// A member of a struct; where the struct is missing, the member is.
fn member_of(column: &ArrayRef, member: &str) -> Option<ArrayRef> {
    let column = column.as_struct_opt()?;
    let values = column.column_by_name(member)?;
    let Some(nulls) = column.nulls() else { return Some(Arc::clone(values)) };
    let missing = arrow::array::BooleanArray::new(!nulls.inner(), None);
    arrow::compute::nullif(values, &missing).ok()
}

/// A block for each row group; the footer stands for the content of all.
fn blocks(path: &Path, name: &str, metadata: &ParquetMetaData, block: &mut dyn FnMut(Block) -> bool) -> Result<bool> {
    let footer =
        footer_checksum(path).map_err(|error| fault(name, None, None, format!("the file cannot be read: {error}")))?;
    let mut first = 0;
    for group in metadata.row_groups() {
        let offset = group.columns().iter().map(|column| column.byte_range().0).min().unwrap_or_default();
        let bytes = u64::try_from(group.compressed_size()).unwrap_or_default();
        if !block(Block { first, offset, bytes, checksum: footer }) {
            return Ok(false);
        }
        first += u64::try_from(group.num_rows()).unwrap_or_default();
    }
    Ok(true)
}

/// The footer of a file with the eight bytes behind it; nothing if it cannot be whole.
fn footer(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut file = AnyFile::open(path)?;
    let size = file.seek(SeekFrom::End(0))?;
    let mut end = [0; 8];
    if size < 12 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(size - 8))?;
    file.read_exact(&mut end)?;
    let [a, b, c, d, magic @ ..] = end;
    let length = u64::from(u32::from_le_bytes([a, b, c, d])) + 8;
    if magic != *b"PAR1" || length > size - 4 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(size - length))?;
    let mut footer = vec![];
    file.take(length).read_to_end(&mut footer)?;
    Ok(Some(footer))
}

/// The checksum of a file's footer.
pub(crate) fn footer_checksum(path: &Path) -> std::io::Result<i64> {
    Ok(checksum(&footer(path)?.unwrap_or_default()))
}

fn as_property(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, arrow::error::ArrowError> {
    // What cannot be read is an error, not a missing value.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    match (wanted, is_list(column.data_type())) {
        (DataType::List(item), false) => {
            // A single value is a list of one, a missing value a missing list.
            let values = cast_with_options(column, item.data_type(), &strict)?;
            let offsets = arrow::buffer::OffsetBuffer::from_lengths(vec![1; values.len()]);
            let nulls = arrow::array::Array::logical_nulls(&values);
            Ok(Arc::new(arrow::array::ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
        }
        _ => cast_with_options(column, wanted, &strict),
    }
}

fn is_list(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::List(_) | DataType::LargeList(_) | DataType::ListView(_) | DataType::FixedSizeList(..)
    )
}

fn item(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _) => item.data_type(),
        DataType::Dictionary(_, value) => value,
        other => other,
    }
}

/// The kind of property that values of a type are.
fn kind_of(data_type: &DataType) -> Option<PropertyKind> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean => Some(PropertyKind::Text),
        DataType::Dictionary(_, value) => kind_of(value),
        DataType::UInt64 => Some(PropertyKind::Float),
        integer if integer.is_integer() => Some(PropertyKind::Int),
        float if float.is_floating() => Some(PropertyKind::Float),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Some(PropertyKind::Time),
        DataType::Null => Some(PropertyKind::Text),
        _ => None,
    }
}

fn fits(property: &Property, data_type: &DataType) -> bool {
    if is_list(data_type) && !property.multiple {
        return false;
    }
    match (property.kind, kind_of(item(data_type))) {
        (_, None) => false,
        (wanted, Some(found)) if wanted == found => true,
        (PropertyKind::Float, Some(PropertyKind::Int)) | (PropertyKind::Time, Some(PropertyKind::Text)) => true,
        (_, Some(_)) => *item(data_type) == DataType::Null,
    }
}

/// Looks at the columns of a file.
pub(super) fn discover(path: &Path, name: &str, discovery: &mut Discovery) -> Result<()> {
    for field in open(path, name)?.schema().fields() {
        if let DataType::Struct(members) = field.data_type() {
            for member in members {
                if let Some(kind) = kind_of(item(member.data_type())) {
                    discovery.member(field.name(), member.name(), kind, is_list(member.data_type()));
                }
            }
        }
        if let Some(kind) = kind_of(item(field.data_type())) {
            discovery.column(field.name(), kind, is_list(field.data_type()));
        }
    }
    Ok(())
}
