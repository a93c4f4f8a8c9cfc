//! Values to columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, Int64Array, Int64Builder,
    ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};

use super::line::{DatasetEntry, FileEntry, QueryEntry};
use super::value::Value;
use crate::catalog::path::{ColumnType, typed_field};
use crate::catalog::tables::Table;
use crate::error::Result;

/// The type of the column that holds a value.
pub(super) fn column_type(value: &Value) -> ColumnType {
    match value {
        Value::Int(_) => ColumnType::Int,
        Value::Float(_) => ColumnType::Float,
        Value::Text(_) => ColumnType::Text,
        Value::Bool(_) => ColumnType::Bool,
        Value::Ints(_) => ColumnType::Ints,
        Value::Floats(_) => ColumnType::Floats,
        Value::Texts(_) => ColumnType::Texts,
        Value::Json(_) => ColumnType::Json,
    }
}

/// The typed columns of a key: `values` by ascending row.
pub(super) fn typed(key: &str, values: &[(u32, &Value)], rows: usize) -> Vec<(Field, ArrayRef)> {
    let types: std::collections::BTreeSet<ColumnType> = values.iter().map(|(_, value)| column_type(value)).collect();
    types.into_iter().map(|it| (typed_field(key, it), column(it, sparse(values, rows)))).collect()
}

/// Each row with its value, if it has one.
fn sparse<'a>(values: &'a [(u32, &'a Value)], rows: usize) -> impl Iterator<Item = Option<&'a Value>> {
    let mut next = values.iter().peekable();
    (0..rows).map(move |row| next.next_if(|(at, _)| *at as usize == row).map(|(_, value)| *value))
}

/// The values of one type as a column; null where there is another or none.
fn column<'a>(wanted: ColumnType, values: impl Iterator<Item = Option<&'a Value>>) -> ArrayRef {
    match wanted {
        ColumnType::Int => Arc::new(Int64Array::from_iter(values.map(|value| match value {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }))),
        ColumnType::Float => Arc::new(Float64Array::from_iter(values.map(|value| match value {
            Some(Value::Float(value)) => Some(*value),
            _ => None,
        }))),
        ColumnType::Bool => Arc::new(BooleanArray::from_iter(values.map(|value| match value {
            Some(Value::Bool(value)) => Some(*value),
            _ => None,
        }))),
        ColumnType::Text | ColumnType::Kind | ColumnType::Time => {
            Arc::new(StringArray::from_iter(values.map(|value| match value {
                Some(Value::Text(value)) => Some(&**value),
                _ => None,
            })))
        }
        ColumnType::Json => Arc::new(StringArray::from_iter(values.map(|value| match value {
            Some(Value::Json(value)) => Some(&**value),
            _ => None,
        }))),
        ColumnType::Ints => {
            let mut lists = ListBuilder::new(Int64Builder::new());
            for value in values {
                match value {
                    Some(Value::Ints(items)) => lists.append_value(items.iter().copied().map(Some)),
                    _ => lists.append_null(),
                }
            }
            Arc::new(lists.finish())
        }
        ColumnType::Floats => {
            let mut lists = ListBuilder::new(Float64Builder::new());
            for value in values {
                match value {
                    Some(Value::Floats(items)) => lists.append_value(items.iter().copied().map(Some)),
                    _ => lists.append_null(),
                }
            }
            Arc::new(lists.finish())
        }
        ColumnType::Texts => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for value in values {
                match value {
                    Some(Value::Texts(items)) => lists.append_value(items.iter().map(Some)),
                    _ => lists.append_null(),
                }
            }
            Arc::new(lists.finish())
        }
    }
}

/// The types of the value columns of `file_attributes` and `dataset_attributes`, in their order.
const VALUE_COLUMNS: [ColumnType; 8] = [
    ColumnType::Int,
    ColumnType::Float,
    ColumnType::Text,
    ColumnType::Bool,
    ColumnType::Ints,
    ColumnType::Floats,
    ColumnType::Texts,
    ColumnType::Json,
];

/// Rows of `file_attributes` or `dataset_attributes`, whose first two columns are given.
pub(super) fn attributes(table: Table, path: ArrayRef, owner: ArrayRef, values: &[&Value]) -> Result<RecordBatch> {
    let kinds = StringArray::from_iter_values(values.iter().map(|value| value.kind()));
    let mut columns: Vec<ArrayRef> = vec![path, owner, Arc::new(kinds)];
    columns.extend(VALUE_COLUMNS.map(|it| column(it, values.iter().map(|value| Some(*value)))));
    Ok(RecordBatch::try_new(table.schema(), columns)?)
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a String>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

fn all<'a>(values: impl Iterator<Item = &'a String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}

/// Rows of `files` with these typed columns.
pub(super) fn files(rows: &[FileEntry], ordinals: Vec<i64>, typed: Vec<(Field, ArrayRef)>) -> Result<RecordBatch> {
    let system: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ordinals)),
        all(rows.iter().map(|row| &row.fid)),
        all(rows.iter().map(|row| &row.namespace)),
        all(rows.iter().map(|row| &row.name)),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.size))),
        texts(rows.iter().map(|row| row.creator.as_ref())),
        times(rows.iter().map(|row| Some(row.created))),
        texts(rows.iter().map(|row| row.updated_by.as_ref())),
        times(rows.iter().map(|row| row.updated)),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.retired)))),
        texts(rows.iter().map(|row| row.retired_by.as_ref())),
        times(rows.iter().map(|row| row.retired_at)),
        all(rows.iter().map(|row| &row.checksums)),
        // Versions of one file are told apart: half of the fingerprint is plenty.
        Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| row.digest.split_at(8).0))),
        all(rows.iter().map(|row| &row.metadata)),
    ];
    let (fields, columns): (Vec<_>, Vec<_>) = typed.into_iter().unzip();
    let schema = Table::Files.schema();
    let fields: Vec<_> = schema.fields().iter().cloned().chain(fields.into_iter().map(Arc::new)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), system.into_iter().chain(columns).collect())?)
}

/// Rows of `datasets`.
pub(super) fn datasets(rows: &BTreeMap<(String, String), DatasetEntry>) -> Result<RecordBatch> {
    let flags = |flag: fn(&DatasetEntry) -> Option<bool>| {
        let mut builder = BooleanBuilder::new();
        rows.values().for_each(|row| builder.append_option(flag(row)));
        Arc::new(builder.finish()) as ArrayRef
    };
    let mut children = ListBuilder::new(StringBuilder::new());
    rows.values().for_each(|row| children.append_value(row.children.iter().map(Some)));
    let columns: Vec<ArrayRef> = vec![
        all(rows.values().map(|row| &row.namespace)),
        all(rows.values().map(|row| &row.name)),
        flags(|row| row.frozen),
        flags(|row| row.monotonic),
        texts(rows.values().map(|row| row.creator.as_ref())),
        times(rows.values().map(|row| row.created)),
        texts(rows.values().map(|row| row.updated_by.as_ref())),
        times(rows.values().map(|row| row.updated)),
        texts(rows.values().map(|row| row.description.as_ref())),
        Arc::new(Int64Array::from_iter(rows.values().map(|row| row.file_count))),
        texts(rows.values().map(|row| row.requirements.as_ref())),
        Arc::new(children.finish()),
        all(rows.values().map(|row| &row.metadata)),
    ];
    Ok(RecordBatch::try_new(Table::Datasets.schema(), columns)?)
}

/// Rows of `named_queries`.
pub(super) fn queries(rows: &BTreeMap<(String, String), QueryEntry>) -> Result<RecordBatch> {
    let language = StringArray::from_iter_values(rows.values().map(|_| "mql"));
    let columns: Vec<ArrayRef> = vec![
        all(rows.values().map(|row| &row.namespace)),
        all(rows.values().map(|row| &row.name)),
        Arc::new(language),
        all(rows.values().map(|row| &row.source)),
        texts(rows.values().map(|row| row.creator.as_ref())),
        times(rows.values().map(|row| row.created)),
        texts(rows.values().map(|row| row.description.as_ref())),
        all(rows.values().map(|row| &row.metadata)),
    ];
    Ok(RecordBatch::try_new(Table::NamedQueries.schema(), columns)?)
}
