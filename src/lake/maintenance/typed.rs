//! Typed columns of merged segments.
//!
//! A path that gets typed columns may have had none in one of the segments. There its values are taken from the truth:
//! from `attributes` for parameters, from the text of the contexts for contexts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{Field, Float64Type, Schema, SchemaRef, TimestampMicrosecondType};
use futures::TryStreamExt;

use crate::catalog::context::{Scalar, context_attributes};
use crate::catalog::kind::AttributeKind;
use crate::catalog::path::{ColumnType, parse_column_name, typed_field};
use crate::catalog::snapshot::{DataFile, Snapshot};
use crate::catalog::tables::Table;
use crate::error::Result;
use crate::storage::reader::{bools, ints, open, text_at, texts};

/// The typed columns of a file, ordered by path and type.
pub(super) type Columns = BTreeSet<(String, ColumnType)>;

/// The typed columns of a schema whose path is wanted.
pub(super) fn columns_of(schema: &Schema, wanted: impl Fn(&str) -> bool) -> Columns {
    let typed = schema.fields().iter().filter_map(|field| parse_column_name(field.name()));
    typed.filter(|(path, _)| wanted(path)).collect()
}

/// System columns and typed columns.
pub(super) fn schema_with(table: Table, columns: &Columns) -> SchemaRef {
    let system = table.schema();
    let typed = columns.iter().map(|(path, column_type)| Arc::new(typed_field(path, *column_type)));
    Arc::new(Schema::new(system.fields().iter().cloned().chain(typed).collect::<Vec<Arc<Field>>>()))
}

/// The column that holds a value.
pub(super) fn column_type(value: &Scalar) -> ColumnType {
    match value {
        Scalar::Int(_) => ColumnType::Int,
        Scalar::Float(_) => ColumnType::Float,
        Scalar::Text(_) => ColumnType::Text,
        Scalar::Bool(_) => ColumnType::Bool,
        Scalar::Time(_) => ColumnType::Time,
        Scalar::Other(_) => ColumnType::Kind,
    }
}

/// The values of one typed column.
fn scalar_column<'a>(column_type: ColumnType, values: impl Iterator<Item = Option<&'a Scalar>>) -> ArrayRef {
    match column_type {
        ColumnType::Int => Arc::new(Int64Array::from_iter(values.map(|value| match value {
            Some(Scalar::Int(value)) => Some(*value),
            _ => None,
        }))),
        ColumnType::Float => Arc::new(Float64Array::from_iter(values.map(|value| match value {
            Some(Scalar::Float(value)) => Some(*value),
            _ => None,
        }))),
        ColumnType::Text => Arc::new(StringArray::from_iter(values.map(|value| match value {
            Some(Scalar::Text(value)) => Some(value.as_str()),
            _ => None,
        }))),
        ColumnType::Bool => Arc::new(BooleanArray::from_iter(values.map(|value| match value {
            Some(Scalar::Bool(value)) => Some(*value),
            _ => None,
        }))),
        ColumnType::Time => Arc::new(
            TimestampMicrosecondArray::from_iter(values.map(|value| match value {
                Some(Scalar::Time(value)) => Some(*value),
                _ => None,
            }))
            .with_timezone("UTC"),
        ),
        // Only files of the file catalogue have them.
        ColumnType::Ints | ColumnType::Floats | ColumnType::Texts | ColumnType::Json => {
            arrow::array::new_null_array(&column_type.data_type(), values.count())
        }
        ColumnType::Kind => Arc::new(StringArray::from_iter(values.map(|value| match value {
            Some(Scalar::Other(kind)) => Some(*kind),
            _ => None,
        }))),
    }
}

/// Gives a batch the columns of `schema`: those it has, and those that `missing` can make. The rest is null.
pub(super) fn widen(
    batch: &RecordBatch,
    schema: &SchemaRef,
    mut missing: impl FnMut(&str, ColumnType) -> Option<ArrayRef>,
) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => Arc::clone(column),
        None => parse_column_name(field.name())
            .and_then(|(path, column_type)| missing(&path, column_type))
            .unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows())),
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

/// Gives a batch the columns of its table: those that files of older versions lack are null.
pub(super) fn conform(batch: &RecordBatch, table: Table) -> Result<RecordBatch> {
    let schema = table.schema();
    if batch.num_columns() == schema.fields().len() {
        return Ok(batch.clone());
    }
    widen(batch, &schema, |_, _| None)
}

/// Values of a few paths of one segment, by path and run.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    /// Sorted by run, as the file is.
    values: HashMap<String, Vec<(i64, Scalar)>>,
}

impl Sparse {
    /// Reads the values of `paths` from a file of `attributes`. They are rare in their segment, or they would have had
    /// typed columns.
    pub(super) async fn read(snapshot: &Snapshot, file: &DataFile, paths: &HashSet<&str>) -> Result<Self> {
        let mut sparse = Sparse::default();
        if paths.is_empty() {
            return Ok(sparse);
        }
        let columns = ["path", "run", "kind", "int", "float", "text", "bool", "time"];
        let mut stream = open(snapshot.store(), &file.location, file.size, Some(&columns)).await?;
        while let Some(batch) = stream.batches.try_next().await? {
            let (path, run, kind) = (texts(&batch, "path")?, ints(&batch, "run")?, texts(&batch, "kind")?);
            let (int, text, bool) = (ints(&batch, "int")?, texts(&batch, "text")?, bools(&batch, "bool")?);
            let float = batch.column_by_name("float").and_then(|column| column.as_primitive_opt::<Float64Type>());
            let time =
                batch.column_by_name("time").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
            for row in (0..batch.num_rows()).filter(|row| paths.contains(path.value(*row))) {
                let kind = AttributeKind::from_name(kind.value(row)).unwrap_or(AttributeKind::Null);
                let value = match kind.column() {
                    ColumnType::Int if int.is_valid(row) => Scalar::Int(int.value(row)),
                    ColumnType::Float => float.map_or(Scalar::Other(kind.name()), |all| Scalar::Float(all.value(row))),
                    ColumnType::Text => Scalar::Text(text_at(text, row).unwrap_or_default().to_owned()),
                    ColumnType::Bool => Scalar::Bool(bool.value(row)),
                    ColumnType::Time => time.map_or(Scalar::Other(kind.name()), |all| Scalar::Time(all.value(row))),
                    ColumnType::Int
                    | ColumnType::Kind
                    | ColumnType::Ints
                    | ColumnType::Floats
                    | ColumnType::Texts
                    | ColumnType::Json => Scalar::Other(kind.name()),
                };
                let rows = match sparse.values.get_mut(path.value(row)) {
                    Some(rows) => rows,
                    None => sparse.values.entry(path.value(row).to_owned()).or_default(),
                };
                rows.push((run.value(row), value));
            }
        }
        Ok(sparse)
    }

    /// The columns that the values need.
    pub(super) fn columns(&self) -> Columns {
        let each = self.values.iter();
        each.flat_map(|(path, rows)| rows.iter().map(|(_, value)| (path.clone(), column_type(value)))).collect()
    }

    /// The column of some runs.
    pub(super) fn column(&self, path: &str, column_type: ColumnType, runs: &Int64Array) -> Option<ArrayRef> {
        let values = self.values.get(path)?;
        let find = |run: &i64| {
            let index = values.binary_search_by_key(run, |(run, _)| *run).ok()?;
            values.get(index).map(|(_, value)| value)
        };
        Some(scalar_column(column_type, runs.values().iter().map(find)))
    }
}

/// Attributes of contexts by their text. There are few contexts, so most rows find theirs here.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    known: HashMap<String, BTreeMap<String, Scalar>>,
}

/// More different contexts than this are not remembered.
const MAX_CONTEXTS: usize = 50_000;

impl Contexts {
    /// Takes in the contexts of a batch of `series`.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let contexts = texts(batch, "context")?;
        if self.known.len() > MAX_CONTEXTS {
            self.known.clear();
        }
        for text in contexts.iter().flatten() {
            if !self.known.contains_key(text) {
                let attributes = context_attributes(text)?.into_iter();
                let typed = attributes.map(|(path, value)| (format!("context.{path}"), value)).collect();
                self.known.insert(text.to_owned(), typed);
            }
        }
        Ok(())
    }

    /// The columns that the contexts need, for wanted paths.
    pub(super) fn columns(&self, wanted: impl Fn(&str) -> bool) -> Columns {
        let values = self.known.values().flatten().filter(|(path, _)| wanted(path));
        values.map(|(path, value)| (path.clone(), column_type(value))).collect()
    }

    /// The column of the rows of a batch whose contexts have been added.
    pub(super) fn column(&self, batch: &RecordBatch, path: &str, column_type: ColumnType) -> Option<ArrayRef> {
        let contexts = texts(batch, "context").ok()?;
        let values = contexts.iter().map(|text| self.known.get(text?)?.get(path));
        Some(scalar_column(column_type, values))
    }
}

/// Replaces a column of a batch.
pub(super) fn with_column(batch: &RecordBatch, name: &str, column: ArrayRef) -> Result<RecordBatch> {
    let index = batch.schema().index_of(name)?;
    let mut columns = batch.columns().to_vec();
    if let Some(slot) = columns.get_mut(index) {
        *slot = column;
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// An integer column, copied.
pub(super) fn int_values(batch: &RecordBatch, name: &str) -> Result<Vec<i64>> {
    Ok(ints(batch, name)?.values().to_vec())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn values_stay_in_columns_of_their_type() {
        let values = vec![
            (1, Scalar::Int(5)),
            (2, Scalar::Text("t".into())),
            (4, Scalar::Other("list")),
            (5, Scalar::Float(-0.0)),
        ];
        let sparse = Sparse { values: HashMap::from([("p".to_owned(), values)]) };
        assert_eq!(sparse.columns().len(), 4);
        let runs = Int64Array::from(vec![1, 2, 3, 4, 5]);
        let column = |column_type| sparse.column("p", column_type, &runs).unwrap();
        let ints = column(ColumnType::Int);
        assert_eq!(ints.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(5), None, None, None, None]);
        assert_eq!(column(ColumnType::Kind).as_string::<i32>().value(3), "list");
        assert!(column(ColumnType::Float).as_primitive::<Float64Type>().value(4).is_sign_negative());
        assert!(sparse.column("q", ColumnType::Int, &runs).is_none());
    }
}
