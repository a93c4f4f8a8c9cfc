//! Batches to runs.

use super::damaged;
use super::document::{Run, Sequence};
use super::find::Candidate;
use super::value::Value;
use crate::Result;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// The columns run, hash and name.
pub(super) fn candidates(batches: &[RecordBatch]) -> Result<Vec<Candidate>> {
    let mut found = vec![];
    for batch in batches {
        let rows = Rows(batch);
        for row in 0..batch.num_rows() {
            let run = rows.int("run", row).unwrap_or_default();
            found.push(Candidate { run, hash: rows.text("hash", row)?, name: rows.text("name", row)? });
        }
    }
    Ok(found)
}

/// Runs with their ordinals.
pub(super) fn runs(runs: &[RecordBatch], sequences: &[RecordBatch]) -> Result<Vec<(i64, Run)>> {
    let mut found = vec![];
    for batch in runs {
        let rows = Rows(batch);
        let schema = batch.schema();
        let properties = schema.fields().iter().filter(|field| !["run", "params"].contains(&field.name().as_str()));
        let properties: Vec<&str> = properties.map(|field| field.name().as_str()).collect();
        for row in 0..batch.num_rows() {
            let mut run = Run {
                hash: rows.text("hash", row)?,
                properties: vec![],
                params: Value::of_json(rows.text("params", row)?),
                sequences: vec![],
            };
            for name in &properties {
                run.properties.push(((*name).to_owned(), rows.value(name, row)?));
            }
            found.push((rows.int("run", row).unwrap_or_default(), run));
        }
    }
    for batch in sequences {
        let rows = Rows(batch);
        for row in 0..batch.num_rows() {
            let owner = rows.int("run", row);
            let run = found.iter_mut().find(|(run, _)| Some(*run) == owner);
            if let Some((_, run)) = run {
                run.sequences.push(rows.sequence(row)?);
            }
        }
    }
    Ok(found)
}

struct Rows<'a>(&'a RecordBatch);

impl Rows<'_> {
    fn column(&self, name: &str, row: usize) -> Option<&ArrayRef> {
        self.0.column_by_name(name).filter(|column| column.is_valid(row))
    }

    fn int(&self, name: &str, row: usize) -> Option<i64> {
        Some(self.column(name, row)?.as_primitive_opt::<Int64Type>()?.value(row))
    }

    fn text(&self, name: &str, row: usize) -> Result<String> {
        Ok(self.column(name, row).map(|column| text(column, row)).transpose()?.unwrap_or_default())
    }

    fn value(&self, name: &str, row: usize) -> Result<Option<Value>> {
        self.column(name, row).map(|column| value(column, row)).transpose()
    }

    fn sequence(&self, row: usize) -> Result<Sequence> {
        let mut summaries = vec![];
        for name in Sequence::SUMMARIES {
            // Stored integers are exact; media and texts have an object or a text in the place of a number.
            let exact = match name {
                "first" | "min" | "max" => vec![format!("{name}_int")],
                "last" => vec!["last_int".to_owned(), "last_json".to_owned(), "last_text".to_owned()],
                _ => vec![],
            };
            let mut found = None;
            for column in exact.iter().map(String::as_str).chain([name]) {
                if found.is_none() {
                    found = match (column, self.column(column, row)) {
                        ("last_json", Some(json)) => Some(Value::of_json(text(json, row)?)),
                        _ => self.value(column, row)?,
                    };
                }
            }
            // No NaN at all is what everybody expects.
            let expected = name == "n_nan" && self.int(name, row) == Some(0);
            if let Some(value) = found.filter(|_| !expected) {
                summaries.push((name, value));
            }
        }
        Ok(Sequence {
            kind: self.text("kind", row)?,
            name: self.text("name", row)?,
            context: self.text("context", row)?,
            context_key: self.text("context_key", row)?,
            summaries,
        })
    }
}

fn text(column: &ArrayRef, row: usize) -> Result<String> {
    let one = cast(&column.slice(row, 1), &DataType::Utf8).map_err(|error| damaged("a text", &error))?;
    Ok(one.as_string::<i32>().value(0).to_owned())
}

/// A value that is not null, as JSON. Times are texts as the encoders write them.
fn value(column: &ArrayRef, row: usize) -> Result<Value> {
    Ok(match column.data_type() {
        DataType::Boolean => Value::of_json(column.as_boolean().value(row).to_string()),
        DataType::Int64 => Value::int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::float(column.as_primitive::<Float64Type>().value(row)),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| match items.is_valid(item) {
                true => value(&items, item).map(|value| value.json().to_owned()),
                false => Ok("null".to_owned()),
            });
            Value::of_json(format!("[{}]", items.collect::<Result<Vec<_>>>()?.join(",")))
        }
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Value::text(&text(column, row)?),
        _ => {
            let options = FormatOptions::new();
            let shown = ArrayFormatter::try_new(column, &options).map_err(|error| damaged("a property", &error))?;
            Value::text(&shown.value(row).to_string())
        }
    })
}
