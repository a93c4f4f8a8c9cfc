//! Series that are shown together: those with equal values in the group columns.

use crate::Result;
use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

/// The groups, numbered by the order of their values, missing ones last.
#[derive(Debug)]
pub(super) struct Groups {
    columns: RecordBatch,
    /// The group of each series; empty if all are in one.
    of_series: Vec<u32>,
    /// A series of each group.
    examples: Vec<u32>,
}

impl Groups {
    /// Groups by all columns; a row is a series.
    pub(super) fn new(columns: RecordBatch) -> Result<Self> {
        if columns.num_columns() == 0 || columns.num_rows() == 0 {
            return Ok(Self { columns, of_series: vec![], examples: vec![] });
        }
        let order = SortOptions { descending: false, nulls_first: false };
        let schema = columns.schema();
        let fields = schema.fields().iter().map(|field| SortField::new_with_options(field.data_type().clone(), order));
        let converter = RowConverter::new(fields.collect())?;
        let rows = converter.convert_columns(columns.columns())?;
        let mut sorted: Vec<u32> = (0..columns.num_rows() as u32).collect();
        sorted.sort_by(|one, other| rows.row(*one as usize).cmp(&rows.row(*other as usize)));
        let mut of_series = vec![0; sorted.len()];
        let mut examples: Vec<u32> = vec![];
        for series in sorted {
            let known = examples.last().is_some_and(|last| rows.row(*last as usize) == rows.row(series as usize));
            if !known {
                examples.push(series);
            }
            if let Some(group) = of_series.get_mut(series as usize) {
                *group = examples.len() as u32 - 1;
            }
        }
        Ok(Self { columns, of_series, examples })
    }

    /// The group columns.
    pub(super) fn schema(&self) -> SchemaRef {
        self.columns.schema()
    }

    /// The group of a series.
    pub(super) fn of(&self, series: u32) -> u32 {
        self.of_series.get(series as usize).copied().unwrap_or_default()
    }

    /// The group columns for rows of these groups.
    pub(super) fn columns(&self, groups: impl Iterator<Item = u32>) -> Result<Vec<ArrayRef>> {
        let examples = groups.map(|group| self.examples.get(group as usize).copied().unwrap_or_default());
        let examples: UInt32Array = examples.collect::<Vec<_>>().into();
        Ok(self.columns.columns().iter().map(|column| take(column, &examples, None)).collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, Float64Array, Int64Array};
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;

    #[test]
    fn groups_are_ordered_by_their_values() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(2), None, Some(1), Some(2), Some(1)]));
        let others: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 0.5, 0.5, 0.5, 0.25]));
        let columns = RecordBatch::try_from_iter_with_nullable([("a", numbers, true), ("b", others, true)]).unwrap();
        let groups = Groups::new(columns).unwrap();
        assert_eq!((0..5).map(|series| groups.of(series)).collect::<Vec<_>>(), [2, 3, 1, 2, 0]);
        let shown = groups.columns([0, 1, 2, 3].into_iter()).unwrap();
        let numbers: Vec<_> = shown[0].as_primitive::<Int64Type>().iter().collect();
        assert_eq!(numbers, [Some(1), Some(1), Some(2), None]);
    }

    #[test]
    fn without_columns_there_is_one_group() {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(3));
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let groups = Groups::new(RecordBatch::try_new_with_options(schema, vec![], &options).unwrap()).unwrap();
        assert_eq!((groups.of(0), groups.of(2)), (0, 0));
        assert!(groups.columns([0].into_iter()).unwrap().is_empty());
    }
}
