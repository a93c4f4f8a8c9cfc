//! Combinations of properties as numbers.

use super::codes::{Codes, Mixed};
use crate::Result;
use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::SchemaRef;
use lakeql_lake::catalog::samples::Property;
use lakeql_mixtures::Key;
use std::collections::HashMap;

/// Gives every combination of properties that comes a number, from 0. Lists are sets: their order does not count.
pub(super) struct Keys {
    properties: Vec<Property>,
    /// Where the first property is among the columns of a batch.
    first: usize,
    columns: Vec<Codes>,
    /// One for each property: the combination of those before it and its value.
    pairs: Vec<Pairs>,
    numbers: Vec<u32>,
    codes: Vec<u32>,
    /// Without properties: whether anything has come.
    any: bool,
}

impl Keys {
    /// The properties are the columns of this schema from `first` on.
    pub(super) fn new(properties: Vec<Property>, schema: &SchemaRef, first: usize) -> Result<Self> {
        let fields = schema.fields().iter().skip(first).take(properties.len());
        let columns = fields.map(|field| Codes::new(field.data_type())).collect::<Result<Vec<_>>>()?;
        let pairs = columns.iter().map(|_| Pairs::default()).collect();
        Ok(Self { properties, first, columns, pairs, numbers: vec![], codes: vec![], any: false })
    }

    /// How many combinations have come.
    pub(super) fn len(&self) -> usize {
        self.pairs.last().map_or(usize::from(self.any), |last| last.found.len())
    }

    /// The numbers of the rows of a batch.
    pub(super) fn numbers(&mut self, batch: &RecordBatch) -> Result<&[u32]> {
        let rows = batch.num_rows();
        self.any |= rows > 0;
        self.numbers.clear();
        self.numbers.resize(rows, 0);
        let columns = batch.columns().iter().skip(self.first);
        for ((column, codes), pairs) in columns.zip(&mut self.columns).zip(&mut self.pairs) {
            self.codes.clear();
            codes.of(column, &mut self.codes)?;
            for (number, code) in self.numbers.iter_mut().zip(&self.codes) {
                *number = pairs.number(*number, *code);
            }
        }
        Ok(&self.numbers)
    }

    /// The numbers of the rows of the batch that came last.
    pub(super) fn last(&self) -> &[u32] {
        &self.numbers
    }

    /// The codes of the properties of a combination, the last property first.
    fn codes(&self, number: usize) -> impl Iterator<Item = u32> + '_ {
        let mut number = number;
        self.pairs.iter().rev().map(move |pairs| {
            let (before, code) = pairs.found.get(number).copied().unwrap_or_default();
            number = before as usize;
            code
        })
    }

    /// The columns of the combinations, in the order of their numbers.
    pub(super) fn columns(&self) -> Result<Vec<ArrayRef>> {
        let mut indices: Vec<Vec<u32>> = vec![Vec::with_capacity(self.len()); self.columns.len()];
        for number in 0..self.len() {
            for (column, code) in indices.iter_mut().rev().zip(self.codes(number)) {
                column.push(code);
            }
        }
        let column = |(codes, indices): (&Codes, Vec<u32>)| -> Result<ArrayRef> {
            Ok(take(&codes.values()?, &UInt32Array::from(indices), None)?)
        };
        self.columns.iter().zip(indices).map(column).collect()
    }

    /// A combination as a key.
    pub(super) fn key(&self, number: usize) -> Key {
        let mut key = Key::default();
        let columns = self.properties.iter().zip(&self.columns).rev();
        for ((property, codes), code) in columns.zip(self.codes(number)) {
            if let Some(values) = codes.texts(code) {
                key.insert(property.name.clone(), values);
            }
        }
        key
    }

    /// The numbers in the order of their combinations' values, missing ones first.
    pub(super) fn sorted(&self) -> Result<Vec<usize>> {
        let ranks = self.columns.iter().map(Codes::ranks).collect::<Result<Vec<_>>>()?;
        let rank = |number: usize| -> Vec<u32> {
            let own = ranks.iter().rev().zip(self.codes(number));
            let mut own: Vec<u32> =
                own.map(|(ranks, code)| ranks.get(code as usize).copied().unwrap_or_default()).collect();
            own.reverse();
            own
        };
        let mut numbers: Vec<usize> = (0..self.len()).collect();
        numbers.sort_by_cached_key(|number| rank(*number));
        Ok(numbers)
    }
}

/// Cells of a table of pairs; beyond that they are hashed.
const MOST_CELLS: usize = 1 << 20;

/// Numbers of pairs of numbers.
#[derive(Debug, Default)]
struct Pairs {
    /// The pairs by their numbers.
    found: Vec<(u32, u32)>,
    /// One more than the number of each pair, 0 where there is none; so many columns a row.
    table: Vec<u32>,
    width: usize,
    hashed: Option<HashMap<u64, u32, Mixed>>,
}

impl Pairs {
    #[inline]
    fn number(&mut self, before: u32, code: u32) -> u32 {
        if (code as usize) < self.width
            && let Some(known @ 1..) = self.table.get(before as usize * self.width + code as usize)
        {
            return known - 1;
        }
        self.new_number(before, code)
    }

    fn new_number(&mut self, before: u32, code: u32) -> u32 {
        let next = self.found.len() as u32;
        let packed = |(before, code): (u32, u32)| (u64::from(before) << 32) | u64::from(code);
        if let Some(hashed) = &mut self.hashed {
            let number = *hashed.entry(packed((before, code))).or_insert(next);
            if number == next {
                self.found.push((before, code));
            }
            return number;
        }
        self.found.push((before, code));
        let (row, column) = (before as usize, code as usize);
        let rows = self.table.len().checked_div(self.width).unwrap_or_default();
        if row >= rows || column >= self.width {
            let rows = rows.max((row + 1).next_power_of_two());
            self.width = self.width.max((column + 1).next_power_of_two());
            if rows.saturating_mul(self.width) > MOST_CELLS {
                self.hashed = Some(self.found.iter().map(|pair| packed(*pair)).zip(0..).collect());
                (self.table, self.width) = (vec![], 0);
                return next;
            }
            self.table = vec![0; rows * self.width];
            for ((before, code), number) in self.found.iter().zip(1..) {
                if let Some(cell) = self.table.get_mut(*before as usize * self.width + *code as usize) {
                    *cell = number;
                }
            }
        } else if let Some(cell) = self.table.get_mut(row * self.width + column) {
            *cell = next + 1;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_their_numbers() {
        let mut pairs = Pairs::default();
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        // Small tables, growing ones, and too large ones.
        for step in 0..30_000_u32 {
            let pair = match step {
                0..1_000 => (step % 7, step % 5),
                1_000..20_000 => (step.wrapping_mul(2_654_435_761) % 300, step % 40),
                _ => (step.wrapping_mul(2_654_435_761) % 5_000, step % 3_000),
            };
            let next = known.len() as u32;
            let expected = *known.entry(pair).or_insert(next);
            assert_eq!(pairs.number(pair.0, pair.1), expected, "{step} {pair:?}");
        }
        assert!(pairs.hashed.is_some());
        assert_eq!(pairs.found.len(), known.len());
    }
}
