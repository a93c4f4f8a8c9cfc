//! Combinations of properties as numbers.

use crate::Result;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use lakeql_lake::catalog::samples::Property;
use lakeql_mixtures::Key;
use std::collections::HashMap;

/// Gives every combination of properties that comes a number, from 0.
pub(super) struct Keys {
    properties: Vec<Property>,
    converter: RowConverter,
    numbers: HashMap<OwnedRow, usize>,
    /// In the order of their numbers.
    rows: Vec<OwnedRow>,
    last: Option<(OwnedRow, usize)>,
    /// Without properties: whether anything has come.
    any: bool,
}

impl Keys {
    /// The properties are the columns behind the first four of these.
    pub(super) fn new(properties: Vec<Property>, schema: &SchemaRef) -> Result<Self> {
        let fields = schema.fields().iter().skip(super::chosen::PLACE.len());
        let fields = fields.map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields)?;
        Ok(Self { properties, converter, numbers: HashMap::new(), rows: vec![], last: None, any: false })
    }

    /// How many combinations have come.
    pub(super) fn len(&self) -> usize {
        self.rows.len().max(usize::from(self.any))
    }

    /// The numbers of the rows of a batch.
    pub(super) fn numbers(&mut self, batch: &RecordBatch) -> Result<Vec<usize>> {
        if self.properties.is_empty() {
            // Everything is one combination.
            self.any |= batch.num_rows() > 0;
            return Ok(vec![0; batch.num_rows()]);
        }
        let columns = batch.columns().get(super::chosen::PLACE.len()..).unwrap_or_default();
        let rows = self.converter.convert_columns(columns)?;
        let mut numbers = Vec::with_capacity(batch.num_rows());
        for row in rows.iter() {
            if let Some((last, number)) = &self.last
                && last.row() == row
            {
                numbers.push(*number);
                continue;
            }
            let owned = row.owned();
            let next = self.rows.len();
            let number = *self.numbers.entry(owned.clone()).or_insert(next);
            if number == next {
                self.rows.push(owned.clone());
            }
            self.last = Some((owned, number));
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// The columns of the combinations, in the order of their numbers.
    pub(super) fn columns(&self) -> Result<Vec<ArrayRef>> {
        if self.properties.is_empty() {
            return Ok(vec![]);
        }
        Ok(self.converter.convert_rows(self.rows.iter().map(OwnedRow::row))?)
    }

    /// The combinations as keys, in the order of their numbers.
    pub(super) fn keys(&self) -> Result<Vec<Key>> {
        let mut keys = vec![Key::default(); self.len()];
        for (property, column) in self.properties.iter().zip(self.columns()?) {
            for (row, key) in keys.iter_mut().enumerate() {
                if column.is_null(row) {
                    continue;
                }
                let values = match column.as_list_opt::<i32>() {
                    Some(list) => texts(&list.value(row))?,
                    None => texts(&column.slice(row, 1))?,
                };
                key.insert(property.name.clone(), values);
            }
        }
        Ok(keys)
    }
}

/// The values as texts; missing ones are left out.
fn texts(values: &ArrayRef) -> Result<Vec<String>> {
    let values = cast(values, &DataType::Utf8)?;
    Ok(values.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
}

impl Keys {
    /// The numbers in the order of their combinations' values, missing ones first.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.len()).collect();
        numbers.sort_by_key(|number| self.rows.get(*number));
        numbers
    }
}
