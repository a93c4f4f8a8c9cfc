//! Properties whose values hardly ever repeat, such as scores and numbers of tokens: among the others they would cut all
//! runs to pieces, so they are kept by themselves.

use std::collections::HashSet;

use arrow::row::{RowConverter, SortField};

use super::source::FileSource;
use super::{SampleSchema, read_columns};
use crate::error::Result;

/// Samples that are looked at.
const LOOKED_AT: usize = 65_536;

/// With fewer samples nothing is gained.
const FEWEST: usize = 1_024;

/// Different values from which on there are many.
const MANY: usize = 256;

/// Values of one property.
struct Seen {
    converter: RowConverter,
    values: HashSet<Box<[u8]>>,
    last: Box<[u8]>,
    /// How often a value was not that of the sample before.
    changes: usize,
}

/// The positions of the properties that change at least with every fourth sample and have many values, by the beginning of
/// a file.
pub(super) fn many_valued(file: &FileSource, schema: &SampleSchema) -> Result<Vec<usize>> {
    let mut seen = vec![];
    for known in &schema.properties {
        let converter = RowConverter::new(vec![SortField::new(known.property.field().data_type().clone())])?;
        seen.push(Seen { converter, values: HashSet::new(), last: Box::default(), changes: 0 });
    }
    let mut rows = 0;
    read_columns(&file.path, &file.path.display().to_string(), schema, &mut |_| true, &mut |batch| {
        rows += batch.num_rows();
        for (column, seen) in batch.columns().iter().zip(&mut seen) {
            for row in seen.converter.convert_columns(std::slice::from_ref(column))?.iter() {
                if *row.as_ref() != *seen.last {
                    seen.last = row.as_ref().into();
                    seen.changes += 1;
                    if seen.values.len() < MANY {
                        seen.values.insert(seen.last.clone());
                    }
                }
            }
        }
        Ok(rows < LOOKED_AT)
    })?;
    let many = |seen: &Seen| rows >= FEWEST && seen.changes >= rows / 4 && seen.values.len() >= MANY;
    Ok(seen.iter().enumerate().filter(|(_, seen)| many(seen)).map(|(index, _)| index).collect())
}
