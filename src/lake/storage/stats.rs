//! Smallest and greatest values of a file, for the add action of the table's log.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use serde_json::{Value, json};

use crate::catalog::tables::Table;
use crate::error::Error;

/// Longer texts are cut in statistics.
const TEXT_LIMIT: usize = 32;

/// The range of one column.
#[derive(Debug, Clone, PartialEq)]
enum Range {
    Int(i64, i64),
    /// Microseconds since 1970.
    Time(i64, i64),
    Text(String, String),
}

/// Counts and ranges of the columns that readers of a table prune by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileStats {
    /// Rows of the file.
    pub rows: u64,
    columns: Vec<&'static str>,
    ranges: BTreeMap<&'static str, Range>,
    nulls: BTreeMap<&'static str, u64>,
}

/// The columns with statistics: sort keys and what points from one table to another.
fn columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Runs => &["run", "created_at", "hash", "experiment", "project"],
        Table::Attributes => &["path", "run"],
        Table::Series => &["series", "run", "name", "context_key", "kind"],
        Table::Points | Table::TextPoints => &["series", "step"],
        Table::Paths => &["owner", "path"],
        Table::SampleDatasets
        | Table::SampleFiles
        | Table::Samples
        | Table::Trees
        | Table::Nodes
        | Table::Files
        | Table::FileAttributes
        | Table::Datasets
        | Table::DatasetAttributes
        | Table::Members
        | Table::Provenance
        | Table::NamedQueries => table.stats_columns(),
    }
}

impl FileStats {
    /// Empty statistics for a file of `table`.
    pub fn new(table: Table) -> Self {
        FileStats { columns: columns(table).to_vec(), ..FileStats::default() }
    }

    /// Adds the rows of a batch.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.rows += batch.num_rows() as u64;
        for name in &self.columns {
            let Some(column) = batch.column_by_name(name) else { continue };
            *self.nulls.entry(name).or_default() += column.null_count() as u64;
            let Some(range) = range_of(column) else { continue };
            let merged = match self.ranges.remove(name) {
                Some(known) => merge(known, range),
                None => range,
            };
            self.ranges.insert(name, merged);
        }
        Ok(())
    }

    /// The statistics as the text Delta Lake wants in an add action.
    pub fn to_delta_json(&self) -> String {
        let mut least = serde_json::Map::new();
        let mut greatest = serde_json::Map::new();
        for (name, range) in &self.ranges {
            let (low, high) = bounds(range);
            if let Some(low) = low {
                least.insert((*name).to_owned(), low);
            }
            if let Some(high) = high {
                greatest.insert((*name).to_owned(), high);
            }
        }
        json!({
            "numRecords": self.rows,
            "minValues": least,
            "maxValues": greatest,
            "nullCount": self.nulls,
        })
        .to_string()
    }

    /// The range of an integer column, if it has values.
    pub fn int_range(&self, column: &str) -> Option<(i64, i64)> {
        match self.ranges.get(column) {
            Some(Range::Int(low, high) | Range::Time(low, high)) => Some((*low, *high)),
            _ => None,
        }
    }
}

fn range_of(column: &ArrayRef) -> Option<Range> {
    match column.data_type() {
        DataType::Int64 => {
            let column = column.as_primitive::<Int64Type>();
            Some(Range::Int(min(column)?, max(column)?))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let column = column.as_primitive::<TimestampMicrosecondType>();
            Some(Range::Time(min(column)?, max(column)?))
        }
        DataType::Utf8 => {
            let column = column.as_string::<i32>();
            Some(Range::Text(min_string(column)?.to_owned(), max_string(column)?.to_owned()))
        }
        _ => None,
    }
}

fn merge(a: Range, b: Range) -> Range {
    match (a, b) {
        (Range::Int(a, b), Range::Int(c, d)) => Range::Int(a.min(c), b.max(d)),
        (Range::Time(a, b), Range::Time(c, d)) => Range::Time(a.min(c), b.max(d)),
        (Range::Text(a, b), Range::Text(c, d)) => Range::Text(a.min(c), b.max(d)),
        // One column has one type in all batches of a file.
        (a, _) => a,
    }
}

fn bounds(range: &Range) -> (Option<Value>, Option<Value>) {
    match range {
        Range::Int(low, high) => (Some(json!(low)), Some(json!(high))),
        // The log keeps milliseconds: the range is widened to them.
        Range::Time(low, high) => (time_text(low.div_euclid(1000)), time_text((high + 999).div_euclid(1000))),
        Range::Text(low, high) => {
            let least: String = low.chars().take(TEXT_LIMIT).collect();
            let greatest = if high.chars().count() > TEXT_LIMIT { upper_bound(high) } else { Some(high.clone()) };
            (Some(json!(least)), greatest.map(|text| json!(text)))
        }
    }
}

fn time_text(millis: i64) -> Option<Value> {
    let time = chrono::DateTime::from_timestamp_millis(millis)?;
    Some(json!(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
}

/// A short text that is not less than any text with the same beginning as `text`.
fn upper_bound(text: &str) -> Option<String> {
    let mut head: Vec<char> = text.chars().take(TEXT_LIMIT).collect();
    while let Some(last) = head.pop() {
        if let Some(next) = char::from_u32(last as u32 + 1) {
            head.push(next);
            return Some(head.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn ranges_grow_over_batches() {
        let mut stats = FileStats::new(Table::Attributes);
        let long = "b".repeat(40);
        for (path, run) in [("a", 5), (long.as_str(), 2)] {
            let path: ArrayRef = Arc::new(StringArray::from(vec![path]));
            let run: ArrayRef = Arc::new(Int64Array::from(vec![run]));
            stats.update(&RecordBatch::try_from_iter([("path", path), ("run", run)]).unwrap()).unwrap();
        }
        assert_eq!(stats.int_range("run"), Some((2, 5)));
        let json: Value = serde_json::from_str(&stats.to_delta_json()).unwrap();
        assert_eq!(json["numRecords"], 2);
        assert_eq!(json["minValues"], json!({"path": "a", "run": 2}));
        assert_eq!(json["maxValues"], json!({"path": format!("{}c", "b".repeat(31)), "run": 5}));
        assert_eq!(json["nullCount"], json!({"path": 0, "run": 0}));
    }
}
