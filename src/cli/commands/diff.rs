//! `diff`: what tells runs apart.

use crate::args::DiffArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use lakeql_engine::runs::{Difference, Run, Value, diff};
use lakeql_output::{Format, JSON_KEY};
use std::sync::Arc;

pub(super) async fn run(context: &Context, args: &DiffArgs) -> Result<(), Failure> {
    let output = Output::open(&context.global)?;
    let runs = context.session().await?.runs(&args.runs).await?;
    let batch = rows(&runs, &diff(&runs)?, output.format())?;
    output.batch(&batch)
}

/// Values for people in the formats that people read, JSON in those for programs.
pub(super) fn values(values: Vec<Option<&Value>>, name: &str, format: Format) -> (Field, ArrayRef) {
    let for_people = match format {
        Format::Table | Format::Csv | Format::Tsv | Format::Markdown => true,
        Format::Json | Format::Jsonl | Format::Arrow | Format::Parquet => false,
    };
    let texts = values.into_iter().map(|value| {
        let value = value?;
        Some(if for_people { value.readable() } else { value.json().to_owned() })
    });
    let field = Field::new(name, DataType::Utf8, true);
    let field = if for_people { field } else { field.with_metadata([(JSON_KEY.into(), "true".into())].into()) };
    (field, Arc::new(texts.collect::<StringArray>()))
}

fn rows(runs: &[Run], differences: &[Difference], format: Format) -> Result<RecordBatch, Failure> {
    let text = |name: &str, texts: Vec<String>| -> (Field, ArrayRef) {
        (Field::new(name, DataType::Utf8, false), Arc::new(StringArray::from(texts)))
    };
    let mut columns = vec![
        text("part", differences.iter().map(|difference| difference.part.to_string()).collect()),
        text("name", differences.iter().map(|difference| difference.name.clone()).collect()),
    ];
    for (index, run) in runs.iter().enumerate() {
        let of_run = differences.iter().map(|difference| difference.values.get(index).and_then(Option::as_ref));
        columns.push(values(of_run.collect(), &run.hash, format));
    }
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
