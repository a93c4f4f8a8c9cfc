//! Typed columns: the frequent paths of parameters and contexts, one column per path and type.
//!
//! They repeat what `attributes` and the contexts say, so that filters on common paths read one small column.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

use super::attributes::kind_name;
use super::order::{Merged, Ordered, merge, texts};
use crate::catalog::path::{ColumnType, column_name};
use crate::catalog::paths::LONGEST_HOT_PATH;
use crate::error::Error;
use crate::ingest::block::{Block, Value};

/// At most this many paths have typed columns in a segment.
const MAX_PATHS: usize = 200;

/// A path is frequent when one owner of this many has it.
const FREQUENT: u64 = 20;

/// Typed columns over all rows of a table.
pub(super) type TypedColumns = Vec<(String, ArrayRef)>;

/// The frequent paths of the parameters.
pub(super) fn hot_run_paths<'a>(ordered: &Ordered<'a>, known: &HashSet<String>) -> HashSet<&'a str> {
    let counts = ordered.attributes.chunk_by(|a, b| a.path() == b.path()).filter_map(|rows| {
        let path = ordered.paths.get(rows.first()?.path())?;
        Some((*path, rows.len() as u64))
    });
    choose(counts.collect(), ordered.runs.len() as u64, known)
}

/// The frequent paths of the contexts.
pub(super) fn hot_context_paths<'a>(ordered: &Ordered<'a>, known: &HashSet<String>) -> HashSet<&'a str> {
    let contexts = ContextRows::new(ordered);
    let mut counts: Vec<(&str, u64)> = contexts.paths.texts.iter().map(|path| (*path, 0)).collect();
    contexts.each(ordered, |path, count, _, _| {
        if let Some((_, total)) = counts.get_mut(path) {
            *total += count;
        }
    });
    choose(counts, ordered.series.len() as u64, known)
}

/// Known paths first, then the most frequent.
fn choose<'a>(mut counts: Vec<(&'a str, u64)>, owners: u64, known: &HashSet<String>) -> HashSet<&'a str> {
    counts.retain(|(path, count)| *count > 0 && count * FREQUENT >= owners && path.len() <= LONGEST_HOT_PATH);
    counts.sort_unstable_by_key(|(path, count)| (!known.contains(*path), std::cmp::Reverse(*count), *path));
    counts.into_iter().take(MAX_PATHS).map(|(path, _)| path).collect()
}

/// The typed columns of `runs`.
pub(super) fn run_columns(ordered: &Ordered<'_>, hot: &HashSet<&str>) -> Result<TypedColumns, Error> {
    let mut columns = Vec::new();
    for rows in ordered.attributes.chunk_by(|a, b| a.path() == b.path()) {
        let path = rows.first().and_then(|row| ordered.paths.get(row.path())).copied().unwrap_or_default();
        if !hot.contains(path) {
            continue;
        }
        let cells: Vec<Cell<'_>> = rows
            .iter()
            .filter_map(|row| {
                let (block, value) = ordered.attribute(row.place)?;
                Some(Cell { row: row.run() as usize, block, value })
            })
            .collect();
        add_columns(path, ordered.runs.len(), &cells, &mut columns);
    }
    Ok(columns)
}

/// The typed columns of `series`.
pub(super) fn context_columns(ordered: &Ordered<'_>, hot: &HashSet<&str>) -> Result<TypedColumns, Error> {
    let mut columns = Vec::new();
    let contexts = ContextRows::new(ordered);
    for (number, path) in contexts.paths.texts.iter().enumerate() {
        if !hot.contains(path) {
            continue;
        }
        // For every context of every block the value of this path.
        let mut values: Vec<Vec<Option<Value>>> =
            ordered.blocks.iter().map(|block| vec![None; block.contexts.len()]).collect();
        for (block, (ranks, values)) in ordered.blocks.iter().zip(contexts.paths.ranks.iter().zip(&mut values)) {
            let rows = &block.context_attributes;
            for ((owner, id), value) in rows.owner.iter().zip(&rows.path).zip(&rows.value) {
                if ranks.get(*id as usize) == Some(&(number as u32))
                    && let Some(slot) = values.get_mut(*owner as usize)
                {
                    *slot = Some(*value);
                }
            }
        }
        let cells: Vec<Cell<'_>> = ordered
            .series
            .iter()
            .enumerate()
            .filter_map(|(row, series)| {
                let (block, fields, _) = ordered.series(series.place)?;
                let value = values.get(series.place.block as usize)?.get(fields.context as usize)?.as_ref()?;
                Some(Cell { row, block, value: *value })
            })
            .collect();
        add_columns(&format!("context.{path}"), ordered.series.len(), &cells, &mut columns);
    }
    Ok(columns)
}

/// The value of one row.
struct Cell<'a> {
    row: usize,
    block: &'a Block,
    value: Value,
}

/// One column for each type among the cells; kinds that have no typed column are named in the column `kind`.
fn add_columns(path: &str, rows: usize, cells: &[Cell<'_>], columns: &mut TypedColumns) {
    fn spread<T: Clone>(rows: usize, values: impl Iterator<Item = (usize, Option<T>)>) -> Option<Vec<Option<T>>> {
        let mut column = vec![None; rows];
        let mut any = false;
        for (row, value) in values {
            if let (Some(slot), Some(value)) = (column.get_mut(row), value) {
                *slot = Some(value);
                any = true;
            }
        }
        any.then_some(column)
    }
    let ints = cells.iter().map(|cell| match cell.value {
        Value::Int(value) => (cell.row, Some(value)),
        _ => (cell.row, None),
    });
    if let Some(column) = spread(rows, ints) {
        columns.push((column_name(path, ColumnType::Int), Arc::new(Int64Array::from(column)) as ArrayRef));
    }
    let floats = cells.iter().map(|cell| match cell.value {
        Value::Float(value) => (cell.row, Some(value)),
        _ => (cell.row, None),
    });
    if let Some(column) = spread(rows, floats) {
        columns.push((column_name(path, ColumnType::Float), Arc::new(Float64Array::from(column))));
    }
    let texts = cells.iter().map(|cell| match cell.value {
        Value::Text(span) => (cell.row, Some(cell.block.text(span))),
        _ => (cell.row, None),
    });
    if let Some(column) = spread(rows, texts) {
        columns.push((column_name(path, ColumnType::Text), Arc::new(StringArray::from(column))));
    }
    let bools = cells.iter().map(|cell| match cell.value {
        Value::Bool(value) => (cell.row, Some(value)),
        _ => (cell.row, None),
    });
    if let Some(column) = spread(rows, bools) {
        columns.push((column_name(path, ColumnType::Bool), Arc::new(BooleanArray::from(column))));
    }
    let times = cells.iter().map(|cell| match cell.value {
        Value::Time(value) => (cell.row, Some(value)),
        _ => (cell.row, None),
    });
    if let Some(column) = spread(rows, times) {
        let times = TimestampMicrosecondArray::from(column).with_timezone("UTC");
        columns.push((column_name(path, ColumnType::Time), Arc::new(times)));
    }
    let kinds = cells.iter().map(|cell| match cell.value {
        Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Bool(_) | Value::Time(_) => (cell.row, None),
        other => (cell.row, Some(kind_name(&other))),
    });
    if let Some(column) = spread(rows, kinds) {
        columns.push((column_name(path, ColumnType::Kind), Arc::new(StringArray::from(column))));
    }
}

/// The attribute rows of contexts, with how many series have each context.
pub(super) struct ContextRows<'a> {
    /// Paths of contexts in byte order.
    pub(super) paths: Merged<'a>,
    /// For every block the number of series of each context.
    uses: Vec<Vec<u64>>,
}

impl<'a> ContextRows<'a> {
    /// Counts the series of each context.
    pub(super) fn new(ordered: &Ordered<'a>) -> Self {
        let paths = merge(ordered.blocks.iter().map(|block| texts(&block.context_attributes.paths)));
        let mut uses: Vec<Vec<u64>> = ordered.blocks.iter().map(|block| vec![0; block.contexts.len()]).collect();
        for row in &ordered.series {
            let Some((_, series, _)) = ordered.series(row.place) else { continue };
            let count = uses.get_mut(row.place.block as usize).and_then(|uses| uses.get_mut(series.context as usize));
            if let Some(count) = count {
                *count += 1;
            }
        }
        ContextRows { paths, uses }
    }

    /// Calls `row` with the path's number, the number of series, and the value of each row that has series.
    pub(super) fn each(&self, ordered: &Ordered<'a>, mut row: impl FnMut(usize, u64, &'a Block, Value)) {
        for ((block, ranks), uses) in ordered.blocks.iter().zip(&self.paths.ranks).zip(&self.uses) {
            let rows = &block.context_attributes;
            for ((owner, path), value) in rows.owner.iter().zip(&rows.path).zip(&rows.value) {
                let count = uses.get(*owner as usize).copied().unwrap_or_default();
                if let (Some(path), 1..) = (ranks.get(*path as usize), count) {
                    row(*path as usize, count, block, *value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_paths_are_chosen_and_known_ones_first() {
        let known = HashSet::from(["rare".to_owned(), "known".to_owned()]);
        let chosen = choose(vec![("often", 100), ("known", 5), ("rare", 4), ("none", 0)], 100, &known);
        assert_eq!(chosen, HashSet::from(["often", "known"]));
        let many: Vec<String> = (0..300).map(|number| format!("p{number:03}")).collect();
        let mut counts: Vec<(&str, u64)> = many.iter().map(|path| (path.as_str(), 50)).collect();
        counts.push(("known", 6));
        let chosen = choose(counts, 100, &known);
        assert_eq!(chosen.len(), MAX_PATHS);
        assert!(chosen.contains("known") && chosen.contains("p198") && !chosen.contains("p199"));
    }
}
