//! Rows as columns.

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{Field, Schema};
use lakeql_rows::{Cell, Columns, Row};
use std::collections::HashSet;
use std::sync::Arc;

/// The rows as one batch. A column is of integers or floats if all its cells are, else of texts; missing cells are null.
///
/// # Errors
/// The columns do not fit together, which does not happen.
pub fn columns_of(rows: &[Row], columns: &Columns) -> Result<RecordBatch, arrow::error::ArrowError> {
    let width = rows.iter().map(Row::len).max().unwrap_or(0).max(columns.len());
    let (mut fields, mut arrays, mut taken) = (vec![], vec![], HashSet::new());
    for position in 0..width {
        let array = column(rows, position);
        let mut name = columns.name(position).unwrap_or_else(|| position.to_string());
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

fn column(rows: &[Row], position: usize) -> ArrayRef {
    let cells = || rows.iter().map(|row| row.get(position));
    let filled = || cells().filter(|cell| !cell.is_empty());
    let any = filled().next().is_some();
    if any && filled().all(|cell| matches!(cell, Cell::Int(_) | Cell::Distinct(_))) {
        let value = |cell: &Cell| match cell {
            Cell::Int(value) => Some(*value),
            Cell::Distinct(estimate) => Some(estimate.count()),
            _ => None,
        };
        return Arc::new(Int64Array::from_iter(cells().map(value)));
    }
    if any && filled().all(|cell| matches!(cell, Cell::Float(_))) {
        let value = |cell: &Cell| if let Cell::Float(value) = cell { Some(*value) } else { None };
        return Arc::new(Float64Array::from_iter(cells().map(value)));
    }
    Arc::new(StringArray::from_iter(cells().map(Cell::to_text)))
}
