//! Parquet files to columns of properties: no other column is read.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::schema::{Discovery, SampleSchema};
use super::{BATCH_ROWS, fault};
use crate::catalog::samples::{Property, PropertyKind};
use crate::error::Result;

/// Whether a file is one, by its first bytes.
pub(super) fn is_parquet(path: &Path) -> bool {
    let mut head = [0; 4];
    File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head)).is_ok() && head == *b"PAR1"
}

fn open(path: &Path, name: &str) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let unreadable = |error: String| fault(name, None, None, format!("the file cannot be read: {error}"));
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unreadable(error.to_string()))
}

/// Reads a file and hands its properties on in batches.
pub(super) fn read(
    path: &Path,
    name: &str,
    schema: &SampleSchema,
    send: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    let builder = open(path, name)?;
    let file = Arc::clone(builder.schema());
    let mut roots = vec![];
    for known in &schema.properties {
        let property = &known.property;
        match file.fields().iter().position(|field| *field.name() == property.name) {
            Some(index) => {
                let found = file.field(index);
                if !fits(property, found.data_type()) {
                    let wanted = if property.multiple { "a list of type" } else { "the type" };
                    let reason = format!("expected {wanted} {}, found {}", property.kind.name(), found.data_type());
                    return Err(fault(name, None, Some(&property.name), reason));
                }
                roots.push(index);
            }
            None if property.nullable => {}
            None => return Err(fault(name, None, Some(&property.name), "there is no such column")),
        }
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let damaged = |error: String| fault(name, None, None, format!("the file is damaged: {error}"));
    let fields: Vec<Field> = schema.properties.iter().map(|it| it.property.field()).collect();
    let target = Arc::new(Schema::new(fields));
    for batch in reader.map_err(|error| damaged(error.to_string()))? {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let mut columns: Vec<ArrayRef> = vec![];
        for (known, field) in schema.properties.iter().zip(target.fields()) {
            columns.push(match batch.column_by_name(&known.property.name) {
                Some(column) => as_property(column, field.data_type())
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

fn as_property(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, arrow::error::ArrowError> {
    match (wanted, is_list(column.data_type())) {
        (DataType::List(item), false) => {
            // A single value is a list of one, a missing value a missing list.
            let values = cast(column, item.data_type())?;
            let offsets = arrow::buffer::OffsetBuffer::from_lengths(vec![1; values.len()]);
            let nulls = arrow::array::Array::logical_nulls(&values);
            Ok(Arc::new(arrow::array::ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
        }
        _ => cast(column, wanted),
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
        if let Some(kind) = kind_of(item(field.data_type())) {
            discovery.column(field.name(), kind, is_list(field.data_type()));
        }
    }
    Ok(())
}
